"""Judging of assignments around nbgrader: keys, the hidden judge of stock autograde, the demo class."""
