"""What keeps the book whole: links, concepts, units, exercises, figures of speech and public names.

Each module holds one kind of rot and a function `findings()`: one line for each fault, with its place and its
rule; an empty list is a sound book. `python -m authoring.checks` prints them all; the tests ask for none.
Standard library only, and nothing is run: scripts, pages and built notebooks are read as text.
"""
