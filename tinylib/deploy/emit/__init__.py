"""The parts of an exported network: C text for numbers, tables, layers and cells."""
