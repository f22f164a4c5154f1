"""How a number is stored: fixed point, affine codes, lookup tables and packed bits.

The rules use plain arithmetic (+ - * / >> & <) alone, so that one text serves Python numbers and, in the
rooms that have them, integer arrays. Roundings carry one of three names everywhere: `floor`, `nearest`
and `toward_zero`. A tie of `nearest` goes the way of its trade: affine codes round it away from zero, as
round() of C does; fixed point rounds it towards +infinity, as half a step added before a shift does.
"""
