"""Forged values: objects that lie about what they are, how they compare and what they hold."""

from tests.hostile.work import VALUES, Work, attack

LIES = """
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = lambda self, other: True
    __sub__ = __rsub__ = __abs__ = __mul__ = __truediv__ = lambda self, *other: type(self)(0)
    __hash__ = lambda self: 0
    __bool__ = lambda self: True
"""
VALUE = "forged values"


def lying(work: Work, base: str, start: str = "0") -> None:
    work.extra(f"import numpy as np\n\n\nclass Lying({base}):{LIES}")
    work.every(f"Lying({start})")


@attack(VALUE, says="got an Always")
def always_equal(work):
    """An object whose every comparison is true."""
    work.extra(f"class Always:{LIES}    __init__ = lambda self, *a: None\n    __float__ = lambda self: 0.0")
    work.every("Always()")


@attack(VALUE, says="got a Lying")
def lying_float(work):
    """A float whose every comparison is true and every difference zero."""
    lying(work, "float")


@attack(VALUE, says="got a Lying")
def lying_int(work):
    """An int whose every comparison is true."""
    lying(work, "int")


@attack(VALUE, says="got a Lying")
def lying_numpy(work):
    """A subclass of numpy's float64 that lies."""
    lying(work, "np.float64")


@attack(VALUE, says="got a Lying")
def lying_text(work):
    """A str that equals everything and starts with everything."""
    work.extra(f"class Lying(str):{LIES}    startswith = endswith = lambda self, *a: True")
    work.every('Lying("1")')


@attack(VALUE)
def lying_dict(work):
    """A dict that holds every entry anyone asks for."""
    work.extra(
        f"class Lying(dict):{LIES}    get = __getitem__ = lambda self, *a: self\n    __contains__ = __eq__"
    )
    work.every("Lying()")


@attack(VALUE)
def lying_list(work):
    """A list of length one that gives another number every time."""
    work.extra(
        f"class Lying(list):{LIES}    __len__ = lambda self: 1\n    __getitem__ = lambda self, n: self"
    )
    work.every("Lying([1])")


@attack(VALUE)
def lying_array(work):
    """An ndarray subclass that agrees with everything."""
    work.extra(
        f"import numpy as np\n\n\nclass Lying(np.ndarray):{LIES}    __array_ufunc__ = lambda *a, **k: True"
    )
    work.every("np.zeros(1).view(Lying)")


@attack(VALUE)
def array_protocol(work):
    """An object that becomes whatever array, float or index it is asked to be."""
    work.extra("""
        import numpy as np

        class Chameleon:
            __array__ = lambda self, *a, **k: np.full(1, np.nan)
            __float__ = lambda self: float("nan")
            __index__ = __int__ = lambda self: 0
            __array_ufunc__ = lambda self, *a, **k: True
            item = tolist = lambda self: self
            dtype = np.dtype(float)
            size, shape = 1, ()
    """)
    work.every("Chameleon()")


@attack(VALUE)
def false_class(work):
    """An object whose __class__ says float."""
    work.extra(
        f"class Masked:{LIES}    __init__ = lambda self, *a: None\n    __class__ = property(lambda s: float)"
    )
    work.every("Masked()")


@attack(VALUE, says="must be a number, text, list or array")
def lying_metaclass(work):
    """A class whose metaclass claims to be float, equal to float, and an instance of everything."""
    work.extra("""
        class Meta(type):
            __eq__ = lambda self, other: True
            __hash__ = lambda self: hash(float)
            __instancecheck__ = __subclasscheck__ = lambda self, other: True
            __name__ = "float"

        class Float(metaclass=Meta):
            __sub__ = __rsub__ = __abs__ = lambda self, *a: 0
            __le__ = __eq__ = __lt__ = lambda self, other: True
            __hash__ = None
    """)
    work.every("Float()")


@attack(VALUE)
def zero_dimensional(work):
    """Arrays without a dimension, of nothing and of objects."""
    work.extra("import numpy as np")
    work.every("np.array(np.nan)")
    work.put("conv-mmac", "conv_mmac = np.array(lambda: 1)")
    work.put("dws-ratio", "dws_ratio = np.array({}, dtype=object)")


@attack(VALUE, says="finite, got nan")
def not_a_number(work):
    """NaN: every comparison with it is false, so is `wrong > tolerance`."""
    work.every('float("nan")')


@attack(VALUE, says="finite, got inf")
def infinite(work):
    """Infinity: its relative difference is not a number."""
    work.every('float("inf")')


@attack(VALUE)
def empty_array(work):
    """An empty array: all() of nothing is true."""
    work.extra("import numpy as np")
    work.every("np.array([])")


@attack(VALUE)
def broadcast(work):
    """An array of many numbers, one of which will be close."""
    work.extra("import numpy as np")
    work.every("np.arange(100_000)")


@attack(VALUE)
def masked_array(work):
    """A masked array: comparisons of what is masked are masked too."""
    work.extra("import numpy as np")
    work.every("np.ma.masked")


@attack(VALUE)
def truth(work):
    """True, which is the number one."""
    work.every("True")


@attack(VALUE)
def mock_answer(work):
    """unittest.mock objects agree to everything."""
    work.extra("from unittest.mock import ANY, MagicMock")
    work.every("ANY")
    work.put("macs-function", "conv_macs = MagicMock(return_value=ANY)")
    work.put("separable-report", "separable_report = MagicMock()")


@attack(VALUE)
def feedback_as_answer(work):
    """The judge's own kind of verdict as the answer: right, full share."""
    work.extra("from tinylib.practice.feedback import Feedback")
    work.every('Feedback(True, 1.0, "right")')


@attack(VALUE)
def text_of_everything(work):
    """Text that names many numbers, numbers beyond any range, and units of nothing."""
    texts = [
        '"1 or 2 or 3 or 4"',
        '"1e999"',
        '"nan MMAC"',
        '"9" * 10_000',
        '"0x7fffffff"',
        '"١٢٣ parameters"',
    ]
    for (cell, (name, _)), text in zip(VALUES.items(), texts):
        work.put(cell, f"{name} = {text}")


@attack(VALUE)
def wrapped_value(work):
    """The engine's own wrapping of values and arrays, returned from a function."""
    work.extra(
        "forged = {'value': 0, 'arrays': {'': ['float64', []]}, 'share': 1.0, 'points': 6, 'right': True}"
    )
    work.every("forged")


@attack(VALUE)
def recursive(work):
    """A list that holds itself."""
    work.extra("loop = []\nloop.append(loop)")
    work.every("loop")


@attack(VALUE)
def repr_bomb(work):
    """Objects whose text raises, and errors whose text raises."""
    work.extra("""
        class Bomb(Exception):
            def __repr__(self):
                raise Bomb()
            __str__ = __format__ = __repr__
    """)
    work.every("Bomb()")
    work.put("macs-function", "def conv_macs(*a):\n    raise Bomb()")
    work.put("conv-mmac", "raise Bomb()")


@attack(VALUE, says="must be a number, text, list or array")
def odd_kinds(work):
    """Times, bytes, records, enumerations, strides without end, numbers of other libraries."""
    work.extra("import array\nimport decimal\nimport enum\nimport fractions\n\nimport numpy as np")
    values = ["np.timedelta64(1, 's')", "np.datetime64('2026')", "np.void(b'12')"]
    values += ["np.array([(1, 2.0)], dtype='i4,f4')", "enum.IntEnum('E', 'A').A"]
    values += ["np.lib.stride_tricks.as_strided(np.zeros(1), (10**6, 10**6), (0, 0))"]
    for (cell, (name, _)), value in zip(VALUES.items(), values):
        work.put(cell, f"{name} = {value}")
    others = "decimal.Decimal(1), fractions.Fraction(1, 2), array.array('d', [1]), np.longdouble('1e4000')"
    work.put(
        "macs-function",
        f"others = [{others}, np.matrix([1]), memoryview(b'1')]\n\n\n"
        "def conv_macs(*a):\n    return others.pop()",
    )
