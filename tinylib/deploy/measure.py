"""What a network takes on a microcontroller: exported, cross-compiled, run on an emulated core, and compared.

    >>> found = measure(net, "cortex-m0plus", ops=Fixed(QFormat(16, 16)))
    >>> found.equal, found.flash, found.ram, found.instructions
    >>> print(found.fits("stm32l011"))

Counted is the network: its functions, tables, weights, state and outputs, and what the compiler's runtime
adds to them. Not counted is what only feeds and reads it: start-up, the inputs, which lie wherever a driver
puts them, and the loop around (`harness`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from tinylib.cost.devices import Device
from tinylib.cost.layers import Shape, count
from tinylib.deploy import c99, c99_test, emulator, toolchain
from tinylib.deploy.c99 import PLAIN
from tinylib.deploy.emit.sources import Sources
from tinylib.deploy.harness import Case, program
from tinylib.deploy.limits import CYCLES_PER_INSTRUCTION, Fit, Limits, kept, latency_ms
from tinylib.nets.int8 import Int8Network
from tinylib.nets.int8_cfc import Int8CfC
from tinylib.nets.network import Network
from tinylib.nets.optimizers import SGD
from tinylib.units import shown

__all__ = ["CYCLES_PER_INSTRUCTION", "Fit", "Limits", "Measured", "measure"]
Array = np.ndarray
STACK_BYTES = 2048  # kept while measuring; what of it is used is found and counted
PATIENCE_US = 120_000_000  # for a run that does not count; a hang ends then
PARTS = "text", "rodata", "data", "bss"


@dataclass(frozen=True)
class Measured:
    """A network on one core, as the linker and the emulator found it.

    text, rodata, data, bss: sections, harness left out [bytes]      stack: deepest in one call [bytes]
    instructions: of the slowest counted inference; train_instructions: of the slowest training step, or None
    mean_instructions: of one inference [count]
    inputs: samples compared; differing: codes that were not those of Python, losses and weights included
    symbols: section -> function or array -> bytes, the largest first
    runtime: bytes of text that the compiler's own library adds, as for products of 64 bits
    harness: bytes of start-up, input and output, counted in nothing else
    outputs: codes (inputs, outputs) that the core gave, of a trainable network those after training
    weights: codes in its memory after training, neuron by neuron, the bias first, or None
    """

    target: str
    compiler: str
    text: int
    rodata: int
    data: int
    bss: int
    stack: int
    instructions: int
    mean_instructions: float
    inputs: int
    differing: int
    symbols: Mapping[str, Mapping[str, int]] = field(repr=False)
    runtime: int = 0
    harness: int = 0
    train_instructions: int | None = None
    outputs: Array = field(default=None, repr=False, compare=False)
    weights: Array | None = field(default=None, repr=False, compare=False)
    sources: Sources = field(default=None, repr=False, compare=False)
    image: toolchain.Image = field(default=None, repr=False, compare=False)

    @property
    def equal(self) -> bool:
        """Whether every code was that of Python."""
        return self.differing == 0

    @property
    def flash(self) -> int:
        """Flash [bytes]: text + rodata + start values of data."""
        return self.text + self.rodata + self.data

    @property
    def ram(self) -> int:
        """RAM [bytes]: data + bss + stack."""
        return self.data + self.bss + self.stack

    def latency_ms(self, clock_hz: int, cycles_per_instruction: float = CYCLES_PER_INSTRUCTION) -> float:
        """Time of one inference [ms]; the emulator counts instructions, so the cycles of one are assumed."""
        return latency_ms(self.instructions, clock_hz, cycles_per_instruction)

    def fits(self, limits: Limits | Device | str) -> Fit:
        """Whether it keeps limits, or fits a row of `tinylib.cost.devices`, which may be given by its id."""
        return kept(limits, self.flash, self.ram, self.instructions, self.differing)


def measure(
    network: Network | Int8Network | Int8CfC,
    target: str = "cortex-m0plus",
    inputs: Any = None,
    *,
    ops: Any = None,
    in_shape: Shape | None = None,
    trainable: bool = False,
    targets: Any = None,
    optimizer: SGD = PLAIN,
    dead_zone: float = 0.0,
    elapsed: bool = False,
    samples: int = 1_000,
    counted: int = 32,
    name: str = "net",
    optimise: str = "-Os",
    compiler: str | None = None,
    device: str | Device | None = None,
    stack_bytes: int = STACK_BYTES,
) -> Measured:
    """A network exported as C, built for a core, run on its emulator and compared with Python code by code.

    network, ops, in_shape, trainable, optimizer, dead_zone, elapsed: as for `c99.export`; the rounding of an
    Int8Network is "reference" unless `ops` says "xnnpack", and its in_shape that of the inputs
    inputs: samples (n, *in_shape), codes where they are integers, else real numbers; without them `samples`
    are drawn, every eighth of them made of the ends of the format. Samples of a recurrent network follow in
    time. targets: likewise, for a trainable network, which takes one step for each sample
    counted: of so many samples the instructions are counted; all of them are compared
    device: the linker then refuses a program that is larger, and the stack that is kept for it
    Raises MissingTool with the way to get it, DoesNotFit, and what `c99.export` raises.
    """
    rules = {"trainable": trainable, "elapsed": elapsed}
    rules |= {"optimizer": optimizer, "dead_zone": dead_zone} if trainable else {}
    case = _case(network, ops, in_shape, inputs, samples, targets, name, rules)
    return _measured(case, target, counted, optimise, compiler, device, stack_bytes)


def _measured(
    case: Case,
    target: str,
    counted: int = 32,
    optimise: str = "-Os",
    compiler: str | None = None,
    device: str | Device | None = None,
    stack_bytes: int = STACK_BYTES,
) -> Measured:
    made, samples = case.sources, len(case.xs)
    few = min(count("counted", counted), samples)
    files = {f"{made.name}.h": made.header, f"{made.name}.c": made.source, "harness_main.c": program(made)}
    image = toolchain.build(files, target, device, stack_bytes, optimise, compiler=compiler)
    run = emulator.run(image, case.jobs(samples), PATIENCE_US, counting=False)
    slow = emulator.run(image, case.jobs(few), limit=10**10)
    got, wanted = np.frombuffer(run.output, f"<i{made.bits // 8}"), case.expected
    if len(got) != len(wanted):
        raise RuntimeError(f"the program must write {len(wanted)} codes, got {len(got)}")
    runs, lessons = np.array(slow.stretches[:few]), slow.stretches[few : 2 * few]
    own = {*re.findall(r"\w+", made.source + made.header)}
    text = image.bytes_by_symbol("text")
    outputs = samples * made.outputs
    return Measured(
        target,
        image.compiler,
        *(image.sections[part] for part in PARTS),
        max(run.call_stack_bytes, slow.call_stack_bytes),
        int(runs.max()),
        float(runs.mean()),
        samples,
        int(np.sum(got != wanted)),
        {part: image.bytes_by_symbol(part) for part in PARTS},
        runtime=sum(size for symbol, size in text.items() if symbol.split(".")[0] not in own),
        harness=image.sections["harness"],
        train_instructions=max(lessons, default=None),
        outputs=got[len(got) - outputs :].reshape(samples, made.outputs),
        weights=got[outputs + samples : outputs + samples + made.weights] if made.weights else None,
        sources=made,
        image=image,
    )


def _case(
    network: Any,
    ops: Any,
    shape: Any,
    inputs: Any,
    samples: int,
    targets: Any,
    name: str,
    rules: dict[str, Any],
) -> Case:
    if name in ("device", "harness_main"):
        raise ValueError(
            f"name must be free: the program around it has a file of that name, got {shown(name)}"
        )
    if isinstance(network, Int8Network):
        ops = "reference" if ops is None else ops
    elapsed = rules["elapsed"]
    xs = None if inputs is None else np.asarray(inputs)
    if xs is not None and (xs.ndim < 2 or not xs.size):
        raise ValueError(f"inputs must be samples (n, ...), at least one, got shape {xs.shape}")
    if shape is None and xs is not None:
        shape = (xs.shape[1] - 1,) if elapsed else xs.shape[1:]
    made = c99.export(network, ops, name, in_shape=shape, vectors=1, **rules)
    shape = tuple(shape) if shape and not elapsed else (made.inputs,)
    xs = _drawn(network, ops, shape, count("samples", samples, 1), elapsed) if xs is None else xs
    xs = _codes("inputs", xs, network, ops)
    if prod(xs.shape[1:]) != made.inputs:
        raise ValueError(f"inputs must have {made.inputs} features in a sample, got shape {xs.shape}")
    xs = xs.reshape(len(xs), *shape)
    ts = None
    if rules["trainable"]:
        if targets is None:
            targets = np.random.default_rng(1).uniform(0, 1, (len(xs), made.outputs))
        ts = _codes("targets", np.asarray(targets), network, ops)
        if ts.shape != (len(xs), made.outputs):
            raise ValueError(f"targets must be ({len(xs)}, {made.outputs}), got {ts.shape}")
    elif targets is not None:
        raise ValueError("targets must go with trainable=True: nothing else learns, got targets alone")
    learning = rules.get("optimizer", PLAIN), rules.get("dead_zone", 0.0)
    return Case(network, ops, made, xs, ts, *learning, elapsed)


def _drawn(network: Any, ops: Any, shape: Shape, samples: int, elapsed: bool) -> Array:
    if elapsed:
        return c99_test.timed(ops, (shape[0] - 1,), samples)
    if isinstance(network, Network):
        return c99_test.draw(ops, shape, samples)
    return c99_test.draw_int8((samples, *shape))


def _codes(what: str, a: Array, network: Any, ops: Any) -> Array:
    """Real numbers as codes; codes as they are, when they are codes."""
    if a.dtype.kind == "f":
        a = ops.number(a) if isinstance(network, Network) else network.source.quantize(a)
    if a.dtype.kind not in "iu":
        raise TypeError(f"{what} must be codes or real numbers, got {a.dtype}")
    low, high = (ops.q.min_raw, ops.q.max_raw) if isinstance(network, Network) else (-128, 127)
    if a.min() < low or a.max() > high:
        raise ValueError(f"{what} must be codes from {low} to {high}, got {a.min()} to {a.max()}")
    return a.astype(np.int64) if isinstance(network, Network) else a.astype(np.int8)
