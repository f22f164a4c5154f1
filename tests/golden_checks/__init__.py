"""Golden checks: what each kind of reference case says, compared value by value.

A module here has `CHECKS`: name of a case kind -> function of one case (a dict), which yields `Compared`.
A file of `tflite/` is one case as a whole, its own `cases` included; its kind is "tflite:" and its `op`.
"""

from typing import Any, NamedTuple


class Compared(NamedTuple):
    """One comparison, counted per value; `got` and `want` are numbers, None or (nested) sequences alike.

    path: where in the case                rtol: relative tolerance; 0 asks for equality
    defect: a defect of the reference that `golden_aside.toml` lists, or ""
    where: the values that it can touch: True or a mask of the shape of `want`
    instead: what the defect makes of them, where known; a value is then set aside only if it is just that
    """

    path: str
    got: Any
    want: Any
    defect: str = ""
    where: Any = True
    rtol: float = 0.0
    instead: Any = None
