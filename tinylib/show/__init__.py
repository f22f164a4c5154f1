"""Pictures as strings: pure functions from plain numbers to one SVG with a text alternative."""
