"""Q fixed point in C99: each operation of `Fixed` as a small function, written for one format and one rule.

Codes are int8_t, int16_t or int32_t; `wide` holds a product of two. Wrapping goes through unsigned types
and nothing negative is shifted left, so that no operation is undefined. Quotients of wide formats are
formed bit by bit: a chip without a divider needs no 64-bit division from its compiler's library.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from string import Template

from tinylib.deploy.emit.text import container, literal
from tinylib.nets.arithmetic import Fixed
from tinylib.units import shown


@dataclass
class Functions:
    """The functions, tables and types of one C file: only what was asked for, each once, callees first."""

    ops: Fixed
    makers: dict[str, Callable[["Functions"], str]]
    asked: dict[str, None] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    longest: int = 1  # terms of the longest sum

    def ask(self, *names: str) -> None:
        """Ask for functions by name, before the first of them is written."""
        self.asked |= dict.fromkeys(names)

    def need(self, *names: str) -> None:
        """Write functions by name; what they call comes before them."""
        for name in names:
            if name not in self.texts:
                text = self.makers[name](self)  # needs what it calls
                self.texts[name] = text

    def written(self) -> list[str]:
        """All that was asked for."""
        self.need(*self.asked)
        return list(self.texts.values())

    @property
    def wide_bits(self) -> int:
        """Width of `wide` [bit]."""
        return 32 if self.ops.q.total_bits <= 16 else 64


def check(ops: Fixed) -> None:
    """Raise unless the arithmetic has a C form: signed codes of up to 32 bits."""
    if not isinstance(ops, Fixed):
        raise TypeError(f"ops must be a Fixed arithmetic such as Fixed(QFormat(16, 16)), got {shown(ops)}")
    if not ops.q.signed or ops.q.total_bits > 32:
        raise ValueError(f"ops must have a signed format of up to 32 bits: C runs on its words, got {ops.q}")


def types(f: Functions, public: str) -> str:
    """Types of the file, and a compile-time check of how the compiler shifts."""
    bits = container(f.ops.q.total_bits)
    return (
        f"typedef {public} code; /* int{bits}_t: value * 2^{f.ops.q.frac_bits} */\n"
        f"typedef int{f.wide_bits}_t wide; /* holds a product of two codes */\n"
        "typedef char needs_arithmetic_shift[(-1 >> 1) == -1 ? 1 : -1];"
    )


def _fit(f: Functions, source: str = "wide", name: str = "q_fit", overflow: str | None = None) -> str:
    q = f.ops.q
    head = f"static code {name}({source} v)\n{{\n"
    if (overflow or f.ops.overflow) == "saturate":
        low, high = literal(q.min_raw), literal(q.max_raw)
        return head + f"    return (code)(v < {low} ? {low} : v > {high} ? {high} : v);\n}}"
    bits = container(q.total_bits)
    if q.total_bits == bits:
        return head + f"    return (code)(uint{bits}_t)v;\n}}"
    half, mask = 1 << q.total_bits - 1, (1 << q.total_bits) - 1
    return head + f"    return (code)((int32_t)(((uint32_t)v + {half}u) & {mask}u) - {half});\n}}"


def rounded(ops: Fixed, value: str, accumulator: str = "") -> str:
    """An expression with its fractional bits dropped; an `accumulator` type may wrap when half is added."""
    bits, one = ops.q.frac_bits, ops.q.one
    signed = f"({accumulator}){value}" if accumulator else value
    if not bits:
        return signed
    if ops.rounding == "nearest":
        half = f"({value} + {one >> 1}{'u' * bool(accumulator)})"
        return f"({accumulator}){half} >> {bits}" if accumulator else f"{half} >> {bits}"
    if ops.rounding == "toward_zero":
        return f"({signed} < 0 ? {signed} + {one - 1} : {signed}) >> {bits}"
    return f"{signed} >> {bits}"


def _round(f: Functions) -> str:
    return f"static wide q_round(wide v)\n{{\n    return {rounded(f.ops, 'v')};\n}}"


def _wrap(f: Functions) -> str:
    return _fit(f, "wide", "q_wrap", "wrap")


def _binary(name: str, expression: str, *needs: str) -> Callable[[Functions], str]:
    def make(f: Functions) -> str:
        f.need("q_fit", *needs)
        return f"static code {name}(code a, code b)\n{{\n    return q_fit({expression});\n}}"

    return make


def _div(f: Functions) -> str:
    """Quotient cut toward zero; 0 for a divisor of 0, which `Fixed` refuses."""
    f.need("q_fit")
    q = f.ops.q
    if q.total_bits <= 16:
        return (
            "static code q_div(code a, code b)\n{\n"
            f"    return b == 0 ? 0 : q_fit((wide)a * {q.one} / b);\n}}"
        )
    return Template(
        """static code q_div(code a, code b)
{
    uint32_t n = a < 0 ? 0u - (uint32_t)a : (uint32_t)a;
    uint32_t d = b < 0 ? 0u - (uint32_t)b : (uint32_t)b;
    uint32_t rest = 0;
    uint64_t quotient = 0;
    int bit = 0;
    if (d == 0)
        return 0;
    if (n < d) { /* the first 32 bits are 0 */
        rest = n;
        n = 0;
        bit = 32;
    }
    for (; bit < $bits; bit++) { /* $bits bits of |a| * 2^$frac, from the top */
        uint32_t carry = rest >> 31;
        rest = rest << 1 | n >> 31;
        n <<= 1;
        quotient <<= 1;
        if (carry != 0 || rest >= d) {
            rest -= d;
            quotient |= 1;
        }
    }
    return q_fit((a < 0) != (b < 0) ? -(wide)quotient : (wide)quotient);
}"""
    ).substitute(bits=32 + q.frac_bits, frac=q.frac_bits)


def _dot(f: Functions) -> str:
    """Sum of products by the rule of accumulation: `step` codes lie from weight to weight."""
    ops, q = f.ops, f.ops.q
    f.need("q_fit")
    product = "(wide)*x++ * w[at]"
    if ops.accumulation == "per_product":
        f.need("q_round")
        if ops.overflow == "wrap":
            kind, term, result = "uint32_t", f"(uint32_t)q_round({product})", "q_fit((wide)(int32_t)sum)"
        else:
            long = f.longest * 2 ** (q.total_bits - 1) >= 2 ** (f.wide_bits - 1)  # of 16-bit codes
            kind, fit = ("int64_t", "q_fit_sum") if long else ("wide", "q_fit")
            f.need(fit)
            term, result = f"q_fit(q_round({product}))", f"{fit}(sum)"
    else:
        low = ops.overflow == "wrap" and q.total_bits + q.frac_bits <= 32 and ops.rounding != "toward_zero"
        short = f.longest * 2 ** (2 * q.total_bits - 2) + q.one < 2**31
        bits = 32 if short or low else 64
        kind, term = f"uint{bits}_t", f"(uint{bits}_t)({product})"
        if bits <= f.wide_bits:
            result = f"q_fit({rounded(ops, 'sum', f'int{bits}_t')})"
        else:
            f.need("q_fit_sum")
            result = f"q_fit_sum({rounded(ops, 'sum', 'int64_t')})"
    return (
        "static code dot(const code *x, const code *w, int n, int step)\n{\n"
        f"    {kind} sum = 0;\n    int at = 0;\n    for (; n > 0; n--, at += step)\n        sum += {term};\n"
        f"    return {result};\n}}"
    )


MAKERS: dict[str, Callable[[Functions], str]] = {
    "q_fit": _fit,
    "q_fit_sum": lambda f: _fit(f, "int64_t", "q_fit_sum"),
    "q_wrap": _wrap,
    "q_round": _round,
    "q_add": _binary("q_add", "(wide)a + b"),
    "q_sub": _binary("q_sub", "(wide)a - b"),
    "q_mul": _binary("q_mul", "q_round((wide)a * b)", "q_round"),
    "q_div": _div,
    "dot": _dot,
}
