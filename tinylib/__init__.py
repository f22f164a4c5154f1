"""Teaching library of the TinyML workbook: what a small network costs, how it is stored, how it runs."""

__version__ = "1.0.0"
