"""The arithmetic that a network runs in: floating point, or Q fixed point on integer codes.

Networks are written once against these operations; the arithmetic decides what a number is:

    FLOAT                          arrays of float64                        tanh by numpy
    Fixed(QFormat(16, 16))         arrays of raw codes, value = raw 2^-16   tanh by a 96-entry table
    Fixed(..., accumulation="per_product")  y = sum_k round(x_k w_k)        as small fixed-point libraries
    Fixed(..., accumulation="wide")         y = round(sum_k x_k w_k)        as an accumulator register

Matrices: x (..., batch, n) times w (..., n, m); leading axes are independent networks, such as seeds.
"""

from tinylib.nets.fixed import Fixed
from tinylib.nets.floating import ACTIVATIONS, FLOAT, FLOAT32, GELU_SLOPE, SCALED_TANH, Array, Float

Arithmetic = Float | Fixed

__all__ = [
    "ACTIVATIONS",
    "FLOAT",
    "FLOAT32",
    "GELU_SLOPE",
    "SCALED_TANH",
    "Arithmetic",
    "Array",
    "Fixed",
    "Float",
]
