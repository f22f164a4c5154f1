"""A trained network as C99: one header, one source, a test with vectors, and a Makefile.

    >>> made = export(net, Fixed(QFormat(16, 16)), "xor")
    >>> made.write("build")                             # xor.h xor.c xor_test.c Makefile

    NAME_run(x, y)                    one inference                              networks without a state
    NAME_start(&s); NAME_step(&s, x, y)     one sample of a sequence             networks with one
    NAME_train(x, t) -> loss          one step of training                       trainable networks

No heap, no file beyond <stdint.h>, no floating point; results are those of `Network.forward` in the same
arithmetic, to the last bit. A network that keeps the last state alone answers after every sample, as if the
sequence ended there. x and y must not overlap.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from tinylib.cost.layers import Shape, count
from tinylib.deploy import c99_test, c99_train
from tinylib.deploy.emit import cells, dense, fixed, images, int8, int8_cfc, kan
from tinylib.deploy.emit.fixed import Functions
from tinylib.deploy.emit.sources import Sources, header, spaced, title
from tinylib.deploy.emit.text import block, checked_name, container
from tinylib.deploy.emit.unit import Unit, emit
from tinylib.formats.qformat import QFormat
from tinylib.nets.arithmetic import Fixed
from tinylib.nets.cfc import CfC
from tinylib.nets.int8 import RUNTIMES, Int8Network
from tinylib.nets.int8_cfc import Int8CfC
from tinylib.nets.network import Network
from tinylib.nets.optimizers import SGD
from tinylib.nets.pool import Dropout, Flatten
from tinylib.nets.scan import Recurrent
from tinylib.units import shown

__all__ = ["Sources", "export"]
KINDS = dense, cells, images, kan  # their parts are known once they are imported
ON_STACK = 1024  # bytes of buffers up to which they lie on the stack
PLAIN = SGD()


def export(
    network: Network | Int8Network | Int8CfC,
    ops: Fixed | str | None,
    name: str,
    trainable: bool = False,
    in_shape: Shape | None = None,
    optimizer: SGD = PLAIN,
    dead_zone: float = 0.0,
    vectors: int = 32,
    data: tuple[Any, Any] | None = None,
    elapsed: bool = False,
) -> Sources:
    """The C99 files of a network that holds codes of `ops`, or of an int8 one.

    ops: for an Int8Network the runtime whose rounding it takes, "reference" or "xnnpack"; None for a cell
    in_shape: of one sample, (features,) or (height, width, channels); needed where the first part has none
    trainable: NAME_train with SGD, momentum and acceleration, and a dead zone of the loss: a network of
    Dense parts with tanh, sigmoid, relu or linear
    vectors: random samples in the test, some of them at the ends of the format
    data: inputs and targets as real numbers, which a trainable network is tested and drawn with instead
    elapsed: one more input, the last: the time since the sample before [s], which a CfC takes for its dt
    """
    checked_name(name)
    count("vectors", vectors)
    if in_shape is not None:
        if not isinstance(in_shape, (tuple, list)):
            raise TypeError(f"in_shape must be a tuple such as (20, 20, 1), got {shown(in_shape)}")
        in_shape = tuple(count("each axis of in_shape", n) for n in in_shape)
    if elapsed and not _has_cfc(network):
        raise ValueError(
            "elapsed must go with a CfC in a Q format: no other part knows uneven times, got none"
        )
    if isinstance(network, (Int8Network, Int8CfC)):
        if trainable:
            raise ValueError("trainable must be False: int8 networks do not learn in C, got True")
        return _int8(network, ops, name, in_shape, vectors)
    fixed.check(ops)
    if not isinstance(network, Network):
        raise TypeError(f"network must be a Network, an Int8Network or an Int8CfC, got {shown(network)}")
    network.check(ops)
    if network.seeds:
        raise ValueError(f"network must be one: `at` takes it out of many, got leading axes {network.seeds}")
    _held(network, ops.q)
    shape = _in_shape(network, in_shape)
    functions = Functions(ops, fixed.MAKERS)
    if trainable:
        made = c99_train.program(network, functions, name, optimizer, dead_zone)
    else:
        made = _inference(network, functions, name, shape, elapsed)
    if not trainable:
        return _tested(made, c99_test.vectors(network, ops, shape, vectors, elapsed))
    checks, ts = c99_test.lesson(network, ops, shape, vectors, data)
    learnt = ts, c99_test.learnt(network, ops, checks[0], ts, optimizer, dead_zone)
    return _tested(made, checks, learnt)


def _held(network: Network, q: QFormat) -> None:
    """Raise unless all parameters are there and codes of the format, as C has to store them."""
    for name, a in ((name, a) for arrays in network.arrays for name, a in arrays.items()):
        if not a.size:
            raise ValueError(f"{name} must hold codes: C has no empty arrays, got shape {a.shape}")
        if not q.min_raw <= a.min() <= a.max() <= q.max_raw:
            raise ValueError(f"{name} must hold codes of {q}: C stores no others, got {a.min()} to {a.max()}")


def _tested(made: Sources, checks: Any, learnt: Any = None) -> Sources:
    test = c99_test.program(made, checks, learnt)
    return replace(made, test=test, makefile=c99_test.makefile(made))


def _int8(network: Int8Network | Int8CfC, runtime: Any, name: str, shape: Any, vectors: int) -> Sources:
    if isinstance(network, Int8CfC):
        inputs, outputs = len(network.w_in), len(network.w_rec)
        body, source, target = int8_cfc.program(network, name), network.source, network.state
        xs = c99_test.draw_int8((vectors, inputs))
        checks = xs, network.forward(xs[:, None])[:, 0]
    else:
        if runtime not in RUNTIMES:
            raise ValueError(f"ops must be a runtime, {' or '.join(RUNTIMES)}, got {shown(runtime)}")
        if shape is None:
            raise ValueError("in_shape must be given for an Int8Network: (height, width, channels), got None")
        to, out = int8.written(network, tuple(shape), runtime)
        inputs, outputs = int(np.prod(shape)), int(np.prod(out))
        run = f"void {name}_run(const {name}_code *x, {name}_code *y)\n{{\n{block(to.body)}\n}}"
        body = [f"typedef {name}_code code;", int8_cfc.TYPES, *to.texts.values(), *to.data, run]
        source, target = network.source, network.target
        xs = c99_test.draw_int8((vectors, *shape))
        checks = xs.reshape(vectors, -1), network.forward(xs, runtime).reshape(vectors, -1)
    stateful = isinstance(network, Int8CfC)
    note = f"int8 network: {inputs} inputs, {outputs} outputs, {network.weight_bytes} bytes of weights"
    meaning = (
        f"x = {source.scale:.6g} * (code - {source.zero_point}), "
        f"y = {target.scale:.6g} * (code - {target.zero_point})"
    )
    calls = _calls(name, {"h": outputs} if stateful else {})
    head = header(name, 8, meaning, inputs, outputs, calls, note)
    text = spaced([f"/* {note} */", f'#include "{name}.h"', "", *body])
    return _tested(Sources(name, head, text, "", "", inputs, outputs, 8, stateful), checks)


def _in_shape(network: Network, given: Shape | None) -> Shape:
    if given is not None:
        return tuple(given)
    for part in network.parts:
        if n := _features(part):
            return (n,)
    raise ValueError("in_shape must be given: the parts do not say how large an image is, got None")


def _has_cfc(network: Any) -> bool:
    return any(isinstance(getattr(p, "cell", None), CfC) for p in getattr(network, "parts", ()))


def _inference(
    network: Network, functions: Functions, name: str, shape: Shape, elapsed: bool = False
) -> Sources:
    to, x, inputs = Unit(functions), "x", int(np.prod(shape)) + elapsed
    to.elapsed = f"x[{inputs - 1}]" if elapsed else ""
    at_work = [i for i, p in enumerate(network.parts) if not isinstance(p, (Dropout, Flatten))]
    recurrent = [p for p in network.parts if isinstance(p, Recurrent)]
    if any(part.last_only for part in recurrent[:-1]):
        raise ValueError("a part behind the last state of a sequence must not be recurrent, got one")
    if recurrent and len(shape) != 1:
        raise ValueError(f"a recurrent network must take rows of features, got in_shape {shape}")
    if not at_work:
        raise ValueError("a network must have a part that does something: a copy needs no C, got none")
    for i, part in enumerate(network.parts):
        if isinstance(part, Flatten):
            shape = (int(np.prod(shape)),)
        if i not in at_work:
            continue
        to.final = i == at_work[-1]  # by place: one part may stand at several
        if not isinstance(part, images.PARTS):
            _fits(part, shape)
        x, shape = emit(part, to, x, shape)
    return _sources(network, to, name, inputs, int(np.prod(shape)))


def _features(part: Any) -> int:
    """Features that a part on rows reads; 0 when it does not say."""
    cell = part.cell if isinstance(part, Recurrent) else part
    arrays = (getattr(cell, name, None) for name in ("w_in", "w_base", "w", "scale"))
    return next((a.shape[0] for a in arrays if a is not None and a.ndim <= 2), 0)


def _fits(part: Any, shape: Shape) -> None:
    n = _features(part)
    if n and shape != (n,):
        kind = type(getattr(part, "cell", part)).__name__
        raise ValueError(f"{kind} must be given a row of {n} features, after Flatten, got shape {shape}")


def _sources(network: Network, to: Unit, name: str, inputs: int, outputs: int) -> Sources:
    q, bits = to.ops.q, container(to.ops.q.total_bits)
    large = sum(to.buffers.values()) * bits // 8 + 4 * to.words > ON_STACK
    buffers = [f"code {b}[{n}];" for b, n in sorted(to.buffers.items())]
    buffers += [f"uint32_t signs[{to.words}];"] * bool(to.words)
    local = [] if large else buffers
    body = "\n".join(to.body)
    local += ["int i;"] * ("for (i" in body)
    call = _signature(name, bool(to.states))
    text = [
        f"/* {title(network, to.ops, inputs, outputs)} */",
        f'#include "{name}.h"',
        "",
        fixed.types(to.functions, f"{name}_code"),
        "",
        *to.functions.written(),
        *to.data,
        *(f"static {b} /* too large for a stack */" for b in buffers if large),
    ]
    if to.states:
        clears = [f"clear(s->{field}, {n});" for field, n in to.states.items()]
        text.append(f"void {name}_start({name}_state *s)\n{{\n{block(clears)}\n}}")
    text.append(f"{call}\n{{\n{block([*local, *to.body])}\n}}")
    note, calls = title(network, to.ops, inputs, outputs), _calls(name, to.states)
    note += "; the last input is the time since the sample before [s]" * bool(to.elapsed)
    head = header(name, bits, f"value = code / {q.one}", inputs, outputs, calls, note)
    return Sources(name, head, spaced(text), "", "", inputs, outputs, bits, bool(to.states), one=q.one)


def _signature(name: str, stateful: bool) -> str:
    if stateful:
        return f"void {name}_step({name}_state *s, const {name}_code *x, {name}_code *y)"
    return f"void {name}_run(const {name}_code *x, {name}_code *y)"


def _calls(name: str, states: dict[str, int]) -> list[str]:
    """What a header declares: the type of the state, where there is one, and the functions."""
    calls = [f"{_signature(name, bool(states))}; /* y of x: one sample */"]
    if not states:
        return calls
    fields = block([f"{name}_code {field}[{n}];" for field, n in states.items()])
    kept = f"typedef struct {{\n{fields}\n}} {name}_state;"
    return [kept, "", f"void {name}_start({name}_state *s); /* before the first sample */", *calls]
