"""Exported C beside numpy, beside the rates that a C++ library publishes, and its bytes on small cores.

    python benchmarks/deploy.py [--keep]

Speed: interleaved medians on one thread, results equal before they are timed; a ratio is the peer's time over
ours. Instructions: callgrind, where it is installed, from two runs of different length. Sizes: the cross
compilers at hand. Writes results/deploy.md beside this file; --keep leaves it as it is. Published rates and
sizes: danmcleran/tinymind, g++ 12, measured on another machine at -O3, to be read as within a factor of 2.
"""

import argparse
import datetime
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tinylib import nets
from tinylib.deploy import c99, host, toolchain
from tinylib.deploy.emit.sources import Sources
from tinylib.deploy.measure import measure
from tinylib.formats.qformat import QFormat
from tinylib.nets import Dense, Fixed, Network, Recurrent, mlp, one_net
from tinylib.nets.int8_cfc import Int8CfC, quantized
from tinylib.nets.optimizers import SGD

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "peers"))
import beside  # noqa: E402

PAGE = HERE / "results" / "deploy.md"
Q16, Q8 = Fixed(QFormat(16, 16)), Fixed(QFormat(8, 8))
LEARNING = {
    "trainable": True,
    "optimizer": SGD(0.25, momentum=0.5, acceleration=0.0625),
    "dead_zone": 2.0**-7,
}
MUST, AIM = 50, 200


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def liquid(n: int, m: int, k: int) -> Int8CfC:
    """An int8 CfC of n inputs, m neurons and k features."""
    return quantized(nets.CfC.draw(rng(), n, m, k, dt=0.5), rng().normal(0, 1, (50, 4, n)))


# ---- beside numpy


class Lean:
    """The int8 cell in as few numpy calls as I found, for one sample: a peer that is not ours to be slow."""

    def __init__(self, cell: Int8CfC) -> None:
        m = len(cell.w_rec)
        self.cell, self.h, self.m = cell, np.zeros(m), m
        w_in = cell.w_in.astype(float)
        self.w_in, self.w_rec, self.w_heads = w_in, cell.w_rec.astype(float), cell.w_heads.astype(float)
        self.zero = -cell.source.zero_point * w_in.sum(0)
        self.tanh, self.sigmoid = (t.table.astype(np.int64) for t in cell.tables)
        f, g, time = np.split(cell.b_heads.astype(np.int64), 3)
        self.b, self.b_fg, self.b_t = cell.b.astype(np.int64), np.concatenate((f, g)), time
        q = cell.multipliers
        self.scale = {key: self.rule(*q[key]) for key in ("input", "state", "gate")}
        heads = [q[key] for key in ("f", "g", "a", "e")]
        self.raw = np.repeat([raw for raw, _ in heads], m)
        self.shift = np.repeat([shift for _, shift in heads], m)

    @staticmethod
    def rule(raw: int, shift: int) -> Callable[[Any], Any]:
        return lambda acc: Lean.scaled(acc, raw, shift)

    @staticmethod
    def scaled(acc: Any, raw: Any, shift: Any) -> Any:
        acc = (acc.astype(np.int64) * raw + 2**30) >> 31
        return (acc + (1 << (shift - 1)) - (acc < 0)) >> shift

    def step(self, x: np.ndarray) -> np.ndarray:
        """The state after one sample."""
        m, scale = self.m, self.scale
        sums = scale["input"](x @ self.w_in + self.zero) + scale["state"](self.h @ self.w_rec) + self.b
        q = self.tanh[np.minimum(np.maximum(sums, -128), 127) + 128]
        heads = self.scaled(q @ self.w_heads, self.raw, self.shift)
        fg = self.tanh[np.minimum(np.maximum(heads[: 2 * m] + self.b_fg, -128), 127) + 128]
        t = heads[2 * m : 3 * m] + heads[3 * m :] + self.b_t
        t = self.sigmoid[np.minimum(np.maximum(t, -128), 127) + 128]
        mixed = scale["gate"]((128 - t) * fg[:m]) + scale["gate"]((t + 128) * fg[m:])
        self.h = np.minimum(np.maximum(mixed, self.cell.state.codes[0]), self.cell.state.codes[1])
        return self.h


def speed() -> list[dict]:
    """Ratios of the compiled C to numpy and to plain integers."""
    return [*stepping((2, 3, 4)), *stepping((4, 8, 16)), learning()]


def stepping(shape: tuple[int, int, int]) -> list[dict]:
    """An int8 CfC: 128 steps in a call, and one step a call."""
    cell = liquid(*shape)
    library = host.Library(c99.export(cell, None, "liquid"))
    xs = rng().integers(-128, 127, (128, shape[0]), np.int8, endpoint=True)
    lean, wanted = Lean(cell), cell.forward(xs[:, None])[:, 0]
    assert np.array_equal(library.run(xs), wanted)
    assert np.array_equal([lean.step(x) for x in xs], wanted)
    out, x, h = np.empty_like(wanted), xs[:1], cell.start()
    y = out[:1]
    many, numpy_many, lean_many, one, numpy_one, lean_one = beside.medians(
        lambda: library.run(xs, out),
        lambda: cell.forward(xs[:, None]),
        lambda: [lean.step(row) for row in xs],
        lambda: library.run(x, y),
        lambda: cell.step(x, h),
        lambda: lean.step(x[0]),
    )
    name = f"CfC int8 <{','.join(map(str, shape))}>"
    notes = f"{many / 128 * 1e9:,.0f} ns a step", f"{one * 1e9:,.0f} ns a step"
    rows = [("128 steps in a call", "numpy, B=1", numpy_many / many, MUST, AIM, notes[0])]
    rows += [("128 steps in a call", "fewest numpy calls", lean_many / many, MUST, AIM, notes[0])]
    rows += [("one step a call", "numpy, B=1", numpy_one / one, None, None, notes[1])]
    rows += [("one step a call", "fewest numpy calls", lean_one / one, None, None, notes[1])]
    return [beside.row(f"{name}, {work}", *rest) for work, *rest in rows]


def learning() -> dict:
    """XOR, sample by sample: the exported C beside plain integers in Python."""
    net = mlp((2, 4, 1), rng=rng(), ops=Q16, limit=1.0)
    xs = rng().integers(0, 2, (2_000, 2)).astype(float)
    ts = np.abs(xs[:, :1] - xs[:, 1:])
    library = host.Library(c99.export(net, Q16, "xor", **LEARNING))
    codes, targets = Q16.number(xs).astype(np.int32), Q16.number(ts).astype(np.int32)
    settings = {"optimizer": LEARNING["optimizer"], "ops": Q16, "dead_zone": LEARNING["dead_zone"]}
    _, history = one_net.train(net, xs, ts, **settings, keep_steps=True)
    assert np.array_equal(library.train(codes, targets), Q16.number(np.array(history.steps)))
    ours, peer = beside.medians(
        lambda: library.train(codes, targets), lambda: one_net.train(net, xs, ts, **settings), rounds=5
    )
    note = f"{ours / len(xs) * 1e9:,.0f} ns a step"
    return beside.row("XOR 2-4-1 Q16.16, training step", "plain integers", peer / ours, None, None, note)


# ---- instructions and rates


def cells(ops: Fixed) -> dict[str, Network]:
    """The networks of the published table."""
    r, draw = rng(), nets

    def behind(cell: Any) -> Network:
        return Network((Recurrent(cell), Dense.draw(r, 3, 1, ops=ops)))

    return {
        "MLP 2-4-1 forward": mlp((2, 4, 1), rng=r, ops=ops, limit=1.0),
        "LSTM 2-3-1 forward": behind(draw.LSTM.draw(r, 2, 3, ops)),
        "GRU 2-3-1 forward": behind(draw.GRU.draw(r, 2, 3, ops)),
        "CfC <2,3,4> step": Network((Recurrent(draw.CfC.draw(r, 2, 3, 4, ops)),)),
        "CfC <4,8,16> step": Network((Recurrent(draw.CfC.draw(r, 4, 8, 16, ops)),)),
        "LTC <2,3> step": Network((Recurrent(draw.LTC.draw(r, 2, 3, ops, unfolds=1)),)),
    }


PUBLISHED = {  # millions a second: median (lowest to highest); Q16.16, Q8.8
    "XOR 2-4-1 train step": ("6.3 (1.7-10.2)", "7.9 (5.0-12.5)"),
    "MLP 2-4-1 forward": ("27 (20-32)", "20 (15-29)"),
    "LSTM 2-3-1 forward": ("6.1 (3.8-10.4)", "6.7 (3.7-7.9)"),
    "GRU 2-3-1 forward": ("10.5 (5.2-14.9)", "6.5 (3.1-10.1)"),
    "CfC <2,3,4> step": ("13.8 (3.6-15.2)", "7.9 (5.8-8.3)"),
    "CfC <4,8,16> step": ("1.6 (0.7-2.0)", "1.8 (1.2-3.0)"),
    "LTC <2,3> step": ("13 (9-31)", "29 (12-34)"),
    "int8 CfC <2,3,4> step": ("8.4 (5.5-10.7)", ""),
    "int8 CfC <4,8,16> step": ("2.46 (2.35-2.48)", ""),
}

LOOP = """#include "{name}.c"
#include <stdio.h>
#include <stdlib.h>
static {name}_code xs[1024][{inputs}], ts[1024][{outputs}], y[{outputs}];
int main(int argc, char **argv)
{{
    long i, steps = argc > 1 ? atol(argv[1]) : 0, sum = 0;
    FILE *file = fopen("xs.bin", "rb");
    {state}
    if (file == NULL || fread(xs, sizeof xs, 1, file) != 1 || fread(ts, sizeof ts, 1, file) != 1)
        return 1;
    for (i = 0; i < steps; i++) {{
        {call}
        sum += y[0];
    }}
    printf("%ld\\n", sum);
    return 0;
}}
"""


def counted(made: Sources, xs: np.ndarray, train: bool = False) -> tuple[float, int | None]:
    """Steps a second [1/s], and instructions of one by callgrind, or None without valgrind [count]."""
    name, pick = made.name, "xs[i & 1023]"
    call = f"{name}_step(&s, {pick}, y);" if made.stateful else f"{name}_run({pick}, y);"
    if train:  # weights start anew every 1,024 steps, so that the steps are those of a network that learns
        call = f"if ((i & 1023) == 0) memcpy({name}_weights, start, sizeof start);"
        call += f" y[0] = {name}_train({pick}, ts[i & 1023]);"
    state = f"{name}_state s;\n    {name}_start(&s);" * made.stateful
    state += (
        f"static {name}_code start[{made.weights}];\n    memcpy(start, {name}_weights, sizeof start);" * train
    )
    text = LOOP.format(name=name, inputs=made.inputs, outputs=made.outputs, call=call, state=state)
    with tempfile.TemporaryDirectory() as folder:
        made.write(folder)
        (Path(folder) / "loop.c").write_text("#include <string.h>\n" + text)
        targets = (
            np.abs(xs[:, :1] - xs[:, 1:2])[:, : made.outputs] if train else np.zeros((1024, made.outputs))
        )
        kind = f"int{made.bits}"
        (Path(folder) / "xs.bin").write_bytes(xs.astype(kind).tobytes() + targets.astype(kind).tobytes())
        subprocess.run([host.compiler(), "-std=c99", "-O3", "-o", "loop", "loop.c"], cwd=folder, check=True)
        steps = 400_000
        times = []
        for _ in range(5):
            call_s = [beside.seconds(lambda n=n: _run(["./loop", str(n)], folder), 1) for n in (0, steps)]
            times.append(call_s[1] - call_s[0])
        if shutil.which("valgrind") is None:
            return steps / sorted(times)[2], None
        ask = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "./loop"]
        few, many = (_instructions(_run([*ask, str(n)], folder)) for n in (1024, 5 * 1024))
    return steps / sorted(times)[2], round((many - few) / 4096)


def _run(command: list[str], folder: str) -> str:
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stderr


def _instructions(said: str) -> int:
    return int(re.search(r"refs:\s+([\d,]+)", said)[1].replace(",", ""))


def rates() -> str:
    """Steps a second and instructions, beside what the library publishes."""
    lines = ["| step | format | ours, M/s | published, M/s | instructions |", "|---|---|---|---|---|"]
    for column, ops in enumerate((Q16, Q8)):
        jobs = {name: (c99.export(net, ops, "net"), False) for name, net in cells(ops).items()}
        net = mlp((2, 4, 1), rng=rng(), ops=ops, limit=1.0)
        jobs = {"XOR 2-4-1 train step": (c99.export(net, ops, "net", **LEARNING), True)} | jobs
        for name, (made, train) in jobs.items():
            xs = rng().integers(0, 2, (1024, 2)) if train else rng().uniform(-1, 1, (1024, made.inputs))
            per_s, count = counted(made, ops.number(xs.astype(float)), train)
            lines.append(_rate(name, str(ops.q), per_s, PUBLISHED[name][column], count))
    for sizes in (2, 3, 4), (4, 8, 16):
        name = f"int8 CfC <{','.join(map(str, sizes))}> step"
        made = c99.export(liquid(*sizes), None, "net")
        xs = rng().integers(-128, 127, (1024, sizes[0]), endpoint=True)
        per_s, count = counted(made, xs)
        lines.append(_rate(name, "int8", per_s, PUBLISHED[name][0], count))
    return "\n".join(lines)


def _rate(name: str, kind: str, per_s: float, published: str, count: int | None) -> str:
    return f"| {name} | {kind} | {per_s / 1e6:.2g} | {published} | {'' if count is None else f'{count:,}'} |"


# ---- sizes

THEIRS = {  # code by -Os, -O2, -O3; tables; RAM without stack [bytes]
    ("cortex-m0plus", True): ((1986, 2516, 5032), 768, 492),
    ("cortex-m0plus", False): ((536, 636, 1248), 768, 156),
    ("cortex-m4", True): ((1836, 2088, 3900), 768, 492),
    ("cortex-m4", False): ((506, 632, 1172), 768, 156),
}


def sizes() -> str:
    """XOR 2-4-1 in Q16.16: bytes beside those of the library, instructions, all answers compared."""
    head = "core | kind | flags | compiler | flash | of it runtime | theirs | share"
    head += " | RAM | theirs | share | stack | instructions"
    lines = [f"| {head} |", "|---" * (head.count("|") + 1) + "|"]
    net = mlp((2, 4, 1), rng=rng(), ops=Q16, limit=1.0)
    for (target, trainable), (code, tables, ram) in THEIRS.items():
        for i, flags in enumerate(("-Os", "-O2", "-O3")):
            for compiler in toolchain.compilers():
                options = LEARNING if trainable else {}
                found = measure(net, target, ops=Q16, compiler=compiler, optimise=flags, **options)
                assert found.equal
                theirs, variables = code[i] + tables, found.data + found.bss
                kind = "trainable" if trainable else "inference"
                cells = (target, kind, flags, found.compiler, found.flash, found.runtime, theirs)
                cells += (
                    f"{found.flash / theirs:.2f}",
                    variables,
                    ram,
                    f"{variables / ram:.2f}",
                    found.stack,
                )
                cells += (found.train_instructions or found.instructions,)
                lines.append("| " + " | ".join(f"{c:,}" if isinstance(c, int) else c for c in cells) + " |")
    return "\n".join(lines)


def kinds() -> str:
    """One network of each kind on an M0+: flash, RAM, instructions."""
    jobs = {f"{name}, {ops.q}": (net, {"ops": ops}) for ops in (Q16, Q8) for name, net in cells(ops).items()}
    jobs |= {f"int8 CfC {size}": (liquid(*size), {}) for size in ((2, 3, 4), (4, 8, 16))}
    lines = ["| network | weights | flash | RAM | of it stack | instructions |", "|---|---|---|---|---|---|"]
    for name, (net, options) in jobs.items():
        found = measure(net, **options)
        assert found.equal and found.inputs == 1_000
        numbers = net.layer.params if isinstance(net, Int8CfC) else net.count
        cells_ = (numbers, found.flash, found.ram, found.stack, found.instructions)
        lines.append(f"| {name} | " + " | ".join(f"{c:,}" for c in cells_) + " |")
    return "\n".join(lines)


def ratios(rows: list[dict]) -> str:
    """Rows as a Markdown table."""
    lines = ["| work | peer | ratio | must | aim | note |", "|---|---|---|---|---|---|"]
    for r in rows:
        goals = ("" if r[k] is None else f"{r[k]:g}" for k in ("must", "aim"))
        ratio = f"{r['ratio']:,.0f}" if r["ratio"] >= 100 else f"{r['ratio']:.3g}"
        lines.append(f"| {r['work']} | {r['peer']} | {ratio} | {' | '.join(goals)} | {r['note']} |")
    return "\n".join(lines)


BESIDE_PYTHON = """## Beside Python

The peer's time over ours, median of interleaved rounds; results were equal before they were timed.

"""
BESIDE_LIBRARY = """## Beside a C++ library

Ours: -O3 on this machine, the median of five runs. Published: danmcleran/tinymind, g++ 12 -O3 on another
machine under load, median (range), to be read as within a factor of 2. Instructions: callgrind. LTC divides
bit by bit, as a core without a 64-bit divider has to.

"""
SIZES = """## XOR 2-4-1 in Q16.16 [bytes]

Ours with weights, start values and the compiler's runtime; theirs (danmcleran/tinymind, g++ 12) code and two
tables alone. RAM is that of variables, the stack stands beside it. Instructions of a training step, or of an
inference.

"""
KINDS = """## Other networks on a Cortex-M0+, -Os [bytes]

1,000 inputs each, every code equal to Python's. RAM with the stack; instructions of the slowest of 32.

"""


def main() -> int:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="leave the page as it is")
    keep = parser.parse_args().keep
    cc = subprocess.run([host.compiler(), "-dumpfullversion"], capture_output=True, text=True).stdout.strip()
    here = (
        f"{datetime.date.today()}, {platform.machine()}, Python {platform.python_version()}, C compiler {cc}"
    )
    cross = ", ".join(map(toolchain.version, toolchain.compilers()))
    parts = [f"# Exported C\n\n{here}; cross compilers {cross or 'none'}. Made by `benchmarks/deploy.py`."]
    parts += [BESIDE_PYTHON + ratios(speed()), BESIDE_LIBRARY + rates()]
    if toolchain.compilers():
        parts += [SIZES + sizes(), KINDS + kinds()]
    page = "\n\n".join(parts) + "\n"
    print(page)
    if not keep:
        PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
