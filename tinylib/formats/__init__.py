"""How a number is stored: fixed point, affine codes and their calibration, lookup tables, bits, floats.

    qformat      Q fixed point           affine, calibration   scale and zero point, and how to choose them
    lut          tables of functions     bits                  one and two bits a weight, packed
    floats       FP16, BF16, FP8, NF4 as storage

The rules use plain arithmetic (+ - * / >> & <) alone, so that one text serves Python numbers and, in the
rooms that have them, arrays: an array goes in, an array comes out, element by element. Roundings carry one
of three names everywhere: `floor`, `nearest` and `toward_zero`. A tie of `nearest` goes the way of its
trade: affine codes round it away from zero, as round() of C does; fixed point rounds it towards +infinity,
as half a step added before a shift does; floating point takes the even neighbour.
"""
