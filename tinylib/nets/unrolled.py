"""Training and inference of a small network written out as lines of Python, one for each neuron and weight.

    z1_0 = b1_0 + ((x0 * w1_0_0) >> 16) + ((x1 * w1_1_0) >> 16)
    y1_0 = tanh[z1_0 + 393216] if -393216 <= z1_0 < 393216 else far_tanh(z1_0)

Each expression carries the range of its value, and a result is brought into its format wherever it could
have left it, and only there. Numbers are raw codes; `fit`, `far_...` and tables come with the compilation.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from tinylib.formats.qformat import QFormat
from tinylib.nets.arithmetic import Fixed

TABLES = ("tanh", "sigmoid")
BENDS = (*TABLES, "relu", "linear")
LIMIT = 2**63  # what an accumulator of 64 bits reaches
WHOLE_BITS = 16  # fractional bits up to which a table of every code of -6..6 is worth its memory
Layout = tuple[tuple[int, ...], tuple[str, ...]]  # sizes, and an activation for each layer
Ends = tuple[int, int]  # lowest and highest code


class Code(NamedTuple):
    """An expression, and the codes between which its value lies."""

    text: str
    low: int
    high: int


def constant(code: int) -> Code:
    """A code that is known."""
    return Code(str(code), code, code)


@dataclass(frozen=True)
class Writer:
    """Fixed-point arithmetic as Python text, each operation as `ops` does it; operands are in range."""

    ops: Fixed
    lines: list[str]

    @property
    def q(self) -> QFormat:
        """The number format of all codes."""
        return self.ops.q

    def put(self, name: str, e: Code) -> Code:
        """Store an expression under a name."""
        self.lines.append(f"{name} = {e.text}")
        return Code(name, e.low, e.high)

    def any(self, text: str) -> Code:
        """An expression of which nothing is known but that it is in range."""
        return Code(text, self.q.min_raw, self.q.max_raw)

    def fit(self, e: Code) -> Code:
        """The expression in range; itself where it cannot leave it."""
        if self.q.min_raw <= e.low and e.high <= self.q.max_raw:
            return e
        return self.any(f"(q if {self.q.min_raw} <= (q := {e.text}) <= {self.q.max_raw} else fit(q))")

    def settled(self, e: Code) -> Code:
        """Part of a sum: wrapping may wait until the sum is complete, saturation may not."""
        return e if self.ops.overflow == "wrap" else self.fit(e)

    def sum(self, terms: list[Code]) -> Code:
        """The exact sum."""
        text = " + ".join(e.text for e in terms)
        return Code(f"({text})", sum(e.low for e in terms), sum(e.high for e in terms))

    def sub(self, a: Code, b: Code) -> Code:
        """The exact difference."""
        return Code(f"({a.text} - {b.text})", a.low - b.high, a.high - b.low)

    def product(self, a: Code, b: Code) -> Code:
        """The exact product; a square is never negative."""
        ends = [i * j for i in (a.low, a.high) for j in (b.low, b.high)]
        return Code(f"({a.text} * {b.text})", 0 if a == b else min(ends), max(ends))

    def rounded(self, e: Code) -> Code:
        """A product back at the scale of a code, cut or rounded as `ops` says."""
        bits = self.q.frac_bits
        if self.ops.rounding == "toward_zero":
            text = f"(p >> {bits} if (p := {e.text}) >= 0 else -(-p >> {bits}))"
            return Code(text, *(v >> bits if v >= 0 else -(-v >> bits) for v in e[1:]))
        if self.ops.rounding == "nearest":
            e = self.register(self.sum([e, constant(1 << bits >> 1)]))
        return Code(f"({e.text} >> {bits})", e.low >> bits, e.high >> bits)

    def register(self, e: Code) -> Code:
        """The expression in an accumulator: it has 64 bits and wraps, unless codes are Python integers."""
        if self.ops.dtype is object or (e.low >= -LIMIT and e.high < LIMIT):
            return e
        return Code(f"(q if {-LIMIT} <= (q := {e.text}) < {LIMIT} else register(q))", -LIMIT, LIMIT - 1)

    def mul(self, a: Code, b: Code) -> Code:
        """A rounded product, not yet in range under `wrap`."""
        return self.settled(self.rounded(self.product(a, b)))

    def dot(self, pairs: list[tuple[Code, Code]]) -> Code:
        """A sum of products by the rule of accumulation, not yet in range under `wrap`."""
        if self.ops.accumulation == "wide":
            total = self.sum([self.product(a, b) for a, b in pairs])
            return self.settled(self.rounded(self.register(total)))
        return self.settled(self.sum([self.mul(a, b) for a, b in pairs]))

    def activation(self, name: str, f: str, z: Code) -> Code:
        """Store f(z) under a name."""
        if f == "linear":
            return self.put(name, self.fit(z))
        if f == "relu":
            z = self.put(f"z{name}", self.fit(z))
            return self.put(name, Code(f"{z.text} if {z.text} > 0 else 0", 0, z.high))
        nodes, edge = self.ops.table(f), 6 * self.q.one
        z = self.put(f"z{name}", z)
        text = f"far_{f}({z.text})"
        if self.q.frac_bits <= WHOLE_BITS:
            text = f"{f}[{z.text} + {edge}] if {-edge} <= {z.text} < {edge} else {text}"
        return self.put(name, Code(text, int(nodes.min()), int(nodes.max())))

    def bent(self, f: str, y: Code, delta: Code) -> Code:
        """delta f'(z), in range."""
        if f == "linear":
            return delta
        if f == "relu":
            return Code(f"({delta.text} if {y.text} > 0 else 0)", min(delta.low, 0), max(delta.high, 0))
        one = constant(self.q.one)
        if f == "tanh":
            slope = self.sub(one, self.fit(self.mul(y, y)))
        else:
            slope = self.mul(y, self.fit(self.sub(one, y)))
        return self.fit(self.mul(delta, self.fit(slope)))


def names(sizes: tuple[int, ...]) -> list[str]:
    """Names of all weights: for each layer w row by row, then b."""
    return [
        name
        for part, (n, m) in enumerate(pairwise(sizes), 1)
        for name in (
            *(f"w{part}_{i}_{k}" for i in range(n) for k in range(m)),
            *(f"b{part}_{k}" for k in range(m)),
        )
    ]


def forward(to: Writer, layout: Layout, x: Ends) -> list[list[Code]]:
    """Writes the forward pass; the outputs of every layer, the inputs first."""
    sizes, bends = layout
    outs = [[Code(f"x{i}", *x) for i in range(sizes[0])]]
    for part, (m, f) in enumerate(zip(sizes[1:], bends), 1):
        before, here = outs[-1], []
        for k in range(m):
            s = to.dot([(out, to.any(f"w{part}_{i}_{k}")) for i, out in enumerate(before)])
            here.append(to.activation(f"y{part}_{k}", f, to.sum([to.any(f"b{part}_{k}"), s])))
        outs.append(here)
    return outs


def training(to: Writer, layout: Layout, x: Ends, t: Ends, limit: int, numbers: tuple[int, int, int]) -> str:
    """The source of a function that runs through samples and returns losses and weights."""
    sizes, bends = layout
    outs = forward(to, layout, x)
    errors = [to.put(f"e{k}", to.fit(to.sub(Code(f"t{k}", *t), y))) for k, y in enumerate(outs[-1])]
    loss = to.fit(to.settled(to.sum([to.mul(e, e) for e in errors])))
    if sizes[-1] > 1:
        loss = to.put("total", loss)
        loss = Code(f"total // {sizes[-1]} if total >= 0 else -(-total // {sizes[-1]})", loss.low, loss.high)
    to.put("loss", loss)
    to.lines.append("losses.append(loss)")
    if limit:
        to.lines.append(f"if loss < {limit}: continue")
    to.lines.append("updates += 1")
    deltas = errors
    found = []  # layer, outputs before it, deltas
    for part in range(len(bends), 0, -1):
        bent = [to.bent(bends[part - 1], y, d) for y, d in zip(outs[part], deltas)]
        deltas = [to.put(f"d{part}_{k}", d) for k, d in enumerate(bent)]
        found.append((part, outs[part - 1], deltas))
        if part > 1:
            back = (
                to.dot([(d, to.any(f"w{part}_{i}_{k}")) for k, d in enumerate(deltas)])
                for i in range(sizes[part - 1])
            )
            deltas = [to.put(f"s{part}_{i}", to.fit(s)) for i, s in enumerate(back)]
    for part, before, deltas in found:
        for k, d in enumerate(deltas):
            for i, out in enumerate(before):
                _update(to, f"w{part}_{i}_{k}", to.fit(to.mul(out, d)), numbers)
            _update(to, f"b{part}_{k}", d, numbers)
    every = names(sizes)
    body = "\n        ".join(to.lines)
    arguments = ", ".join([*(f"x{i}" for i in range(sizes[0])), *(f"t{k}" for k in range(sizes[-1]))])
    kept = [every, [f"v{n}" for n in every], [f"u{n}" for n in every]] if any(numbers[1:]) else [every]
    lists = ["".join(f"{n}, " for n in group) for group in kept]
    taken = "\n    ".join(f"{group}= start[{i}]" for i, group in enumerate(lists))
    given = ", ".join(f"[{group}]" for group in lists)
    return (
        f"def run(samples, start, losses):\n    updates = 0\n    {taken}\n"
        f"    for {arguments} in samples:\n        {body}\n    return updates, ({given},)\n"
    )


def _update(to: Writer, name: str, g: Code, numbers: tuple[int, int, int]) -> None:
    """v = rate g + momentum v + acceleration u;  u = the v before;  weight += v."""
    rate, mu, alpha = (constant(n) for n in numbers)
    v = to.mul(rate, g)
    if mu.low or alpha.low:
        v = to.settled(to.sum([v, to.mul(mu, to.any(f"v{name}"))]))
        v = to.fit(to.sum([v, to.mul(alpha, to.any(f"u{name}"))]))
        to.lines.append(f"u{name}, v{name} = v{name}, {v.text}")
        v = to.any(f"v{name}")
    to.put(name, to.fit(to.sum([to.any(name), v])))


def inference(to: Writer, layout: Layout, x: Ends) -> str:
    """The source of a function that runs through inputs and returns the outputs of each."""
    outs = "".join(f"{y.text}, " for y in forward(to, layout, x)[-1])
    every = "".join(f"{n}, " for n in names(layout[0]))
    arguments = "".join(f"x{i}, " for i in range(layout[0][0]))
    body = "\n        ".join([*to.lines, f"found.append([{outs}])"])
    head = (
        f"def run(samples, weights):\n    {every}= weights\n    found = []\n    for {arguments}in samples:\n"
    )
    return f"{head}        {body}\n    return found\n"
