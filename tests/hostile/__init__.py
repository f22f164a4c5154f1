"""A class of hostile and broken submissions of one assignment, and what they must not get."""
