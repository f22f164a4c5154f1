"""What a network object occupies in memory: C++ layout rules, and the networks built from them.

    placed(offset, a) = offset rounded up to a multiple of a          every member at its own alignment
    size = end of the last member, rounded up to the widest alignment; an empty class takes 1 byte
    neuron = struct(connections, output value, size_t index, state values)

A connection is one weight; training adds its delta, the delta before and the gradient. Nothing here is
virtual, so no object holds a vtable pointer. The parameters are a small part of it: `Network.bytes` is the
object, `Network.parameter_bytes` the weights and biases alone. `layer_footprint` does the same for layers.
Source: Itanium C++ ABI, section 2.4 (a derived class goes on where the members of its base end); members
in the order in which danmcleran/tinymind declares them, cpp/neuralnet.hpp and cpp/kan.hpp.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise

from tinylib.cost.layers import count
from tinylib.units import shown

POINTER_BYTES = (8, 4)  # 64-bit host, 32-bit microcontroller; size_t is as wide as a pointer
_FLOATS = {"float": 4, "double": 8}


def _round_up(offset: int, alignment: int) -> int:
    """The next multiple of `alignment` from `offset` on [bytes]."""
    return -(-offset // alignment) * alignment


@dataclass(frozen=True)
class Layout:
    """Size and alignment of a C++ type [bytes]; `layout * n` is an array of n of them."""

    size: int
    alignment: int

    def __mul__(self, n: int) -> "Layout":
        return Layout(self.size * n, self.alignment)


def struct(*members: Layout) -> Layout:
    """Members in order, each at its alignment, the end padded to the widest; empty ones take 1 byte."""
    end, widest = 0, 1
    for member in members:
        if member.size:  # an array of no elements is no member
            end = _round_up(end, member.alignment) + member.size
            widest = max(widest, member.alignment)
    return Layout(_round_up(end, widest) or 1, widest)


BYTE, WORD32 = Layout(1, 1), Layout(4, 4)
EMPTY = struct()


def pointer(pointer_bytes: int = 8) -> Layout:
    """A pointer or a size_t: 8 or 4 bytes, aligned to its size."""
    if count("pointer_bytes", pointer_bytes) not in POINTER_BYTES:
        raise ValueError(f"pointer_bytes must be 8 or 4: a 64- or a 32-bit machine, got {pointer_bytes}")
    return Layout(pointer_bytes, pointer_bytes)


def value(weights: str, pointer_bytes: int = 8) -> Layout:
    """One number: "double", "float" or a fixed-point "Qm.n" in the smallest integer of m + n bits.

    m counts the sign bit. A product needs twice the bits, so formats over 32 bits need a 64-bit machine.
    A double is aligned to 8 bytes on both machines, as on Arm.
    """
    machine = pointer(pointer_bytes)
    if isinstance(weights, str) and weights in _FLOATS:
        return Layout(_FLOATS[weights], _FLOATS[weights])
    match = re.fullmatch(r"U?Q(\d{1,2})\.(\d{1,2})", weights) if isinstance(weights, str) else None
    bits = sum(map(int, match.groups())) if match else 0
    if not 1 <= bits <= 64:
        raise ValueError(f'weights must be "double", "float" or "Qm.n" of 1 to 64 bits, got {shown(weights)}')
    if bits > 32 and machine.size == 4:
        raise ValueError(
            f"weights must fit 32 bits where pointers have 4 bytes: no 128-bit product, got {weights}"
        )
    size = next(n for n in (1, 2, 4, 8) if 8 * n >= bits)
    return Layout(size, size)


@dataclass(frozen=True)
class Kind:
    """How an architecture differs: blocks of weights, values a hidden neuron keeps, feedback or none."""

    name: str
    gates: int = 1  # connections per pair of neurons [count]
    kept: int = 0  # activations and states held per hidden neuron, also without training [count]
    recurrent: bool = True

    @property
    def gate_deltas(self) -> int:
        """Deltas that training holds per hidden neuron beside the node's own [count]."""
        return self.gates if self.gates > 1 else 0


KINDS = {
    "mlp": Kind("MLP", recurrent=False),
    "elman": Kind("Elman"),
    "lstm": Kind("LSTM", gates=4, kept=6),  # candidate, three gates, cell state and the one before
    "gru": Kind("GRU", gates=3, kept=5),  # candidate, two gates, output before, recurrent sum
    "kan": Kind("KAN", recurrent=False),
}


@dataclass(frozen=True)
class Network:
    """A whole network as one object. `hidden` is a width or a tuple of widths; grid and degree are a KAN's.

    `weights` is "double", "float" or "Qm.n". batch > 1 (trainable, no KAN) adds one running sum per gradient.
    """

    kind: str
    inputs: int
    hidden: int | tuple[int, ...]
    outputs: int
    weights: str = "double"
    trainable: bool = False
    batch: int = 1
    pointer_bytes: int = 8
    grid: int = 5
    degree: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {shown(self.kind)}")
        for name in ("inputs", "outputs", "batch", "grid", "degree"):
            object.__setattr__(self, name, count(name, getattr(self, name)))
        hidden = self.hidden if isinstance(self.hidden, (tuple, list)) else (self.hidden,)
        object.__setattr__(self, "hidden", tuple(count("each width of hidden", h) for h in hidden))
        if not hidden:
            raise ValueError("hidden must hold at least one width: the network has a hidden layer, got ()")
        if type(self.trainable) is not bool:
            raise TypeError(f"trainable must be True or False, got {shown(self.trainable)}")
        value(self.weights, self.pointer_bytes)
        if self.kind == "kan" and len(set(self.hidden)) > 1:
            raise ValueError(
                f"hidden must have equal widths in a KAN: its layers are one type, got {self.hidden}"
            )
        if self.batch > 1 and (self.kind == "kan" or not self.trainable):
            raise ValueError(
                f"batch must be 1 in a KAN or without training: no gradients are summed, got {self.batch}"
            )

    def __str__(self) -> str:
        """Name and widths: MLP 2-5-1."""
        return f"{KINDS[self.kind].name} {'-'.join(map(str, (self.inputs, *self.hidden, self.outputs)))}"

    @property
    def bytes(self) -> int:
        """The object [bytes], its padding included."""
        return struct(*self._members().values()).size

    @property
    def parts(self) -> dict[str, int]:
        """Member -> bytes in order; "padding" is what alignment adds between and after them."""
        sizes = {name: member.size for name, member in self._members().items()}
        return sizes | {"padding": self.bytes - sum(sizes.values())}

    @property
    def params(self) -> int:
        """Trainable values [count]: weights and biases, for a KAN all values on its edges."""
        widths = (self.inputs, *self.hidden, self.outputs)
        if self.kind == "kan":
            return (self.grid + self.degree + 2) * sum(a * b for a, b in pairwise(widths))
        kind = KINDS[self.kind]
        into_hidden = sum((a + 1) * b for a, b in pairwise(widths[:-1]))
        feedback = sum(h * h for h in self.hidden) * kind.recurrent
        return kind.gates * (into_hidden + feedback) + (self.hidden[-1] + 1) * self.outputs

    @property
    def parameter_bytes(self) -> int:
        """Weights and biases alone [bytes]: what a file of them would hold."""
        return self.params * value(self.weights, self.pointer_bytes).size

    def _members(self) -> dict[str, Layout]:
        return _kan_members(self) if self.kind == "kan" else _members(self)


def _neuron(net: Network, fan_out: int, values_per_connection: int = 1, state_values: int = 0) -> Layout:
    """Outgoing connections, output value, index, state; training keeps four of each value and a delta."""
    number = value(net.weights, net.pointer_bytes)
    connections = number * (fan_out * values_per_connection * (4 if net.trainable else 1))
    return struct(connections, number, pointer(net.pointer_bytes), number * (state_values + net.trainable))


def _layer(net: Network, neurons: int, fan_out: int) -> Layout:
    """Hidden neurons that feed `fan_out` connections each, and their bias neuron."""
    kind = KINDS[net.kind]
    state_values = kind.kept + kind.gate_deltas * net.trainable
    return struct(_neuron(net, fan_out, state_values=state_values) * neurons, _neuron(net, fan_out))


def _nested(layers: Iterable[Layout]) -> Layout:
    """Each layer holds the chain of those behind it; the innermost is an empty class."""
    return reduce(lambda rest, layer: struct(layer, rest), reversed(list(layers)), EMPTY)


def _members(net: Network) -> dict[str, Layout]:
    """Members of an MLP, Elman, LSTM or GRU object in the order of their declaration."""
    kind, number = KINDS[net.kind], value(net.weights, net.pointer_bytes)
    gates, last = kind.gates, net.hidden[-1]
    feedback = [_neuron(net, h * gates) * h if kind.recurrent else EMPTY for h in net.hidden]
    gradients = sum((a + 1) * b for a, b in pairwise((net.inputs, *net.hidden, net.outputs)))
    sums = struct(pointer(net.pointer_bytes) * 2, number * gradients)  # two counters; gates not counted
    return {
        "input layer": _neuron(net, net.hidden[0] * gates) * (net.inputs + 1),
        "inner hidden layers": _nested(_layer(net, a, b * gates) for a, b in pairwise(net.hidden)),
        "inner recurrent layers": _nested(feedback[:-1]) if kind.recurrent else EMPTY,
        "last hidden layer": _layer(net, last, net.outputs),
        "output layer": _neuron(net, 1) * net.outputs,  # one connection each that nothing reads
        "recurrent layer": feedback[-1],
        "training policy": struct(number * 3, EMPTY, EMPTY) if net.trainable else EMPTY,  # three rates
        "gradient sums": sums if net.batch > 1 else EMPTY,
        "learned values": number * net.outputs,
    }


def _kan_members(net: Network) -> dict[str, Layout]:
    """Members of a KAN object: no bias neurons; each layer holds its knots and one reciprocal spacing."""
    number, width = value(net.weights, net.pointer_bytes), net.hidden[0]
    edge_values = net.grid + net.degree + 2  # coefficients, base weight, spline weight
    knots = number * (net.grid + 2 * net.degree + 2)

    def layer(neurons: int, fan_out: int) -> Layout:
        return struct(_neuron(net, fan_out, edge_values) * neurons, knots)

    return {
        "input layer": layer(net.inputs, width),
        "inner hidden layers": struct(
            layer(width, width) * (len(net.hidden) - 1), pointer(net.pointer_bytes)
        ),
        "last hidden layer": layer(width, net.outputs),
        "output layer": number * (2 * net.outputs),  # value and delta, trainable or not
        "training policy": number * 3 if net.trainable else EMPTY,
        "learned values": number * net.outputs,
    }


@dataclass(frozen=True)
class SizeRow:
    """One row of a size table: what the objects take and, apart from it, what the parameters take."""

    architecture: str
    weights: str
    trainable_bytes: int
    inference_bytes: int
    params: int
    parameter_bytes: int

    @property
    def ratio(self) -> float:
        """Trainable over inference object [ratio]."""
        return self.trainable_bytes / self.inference_bytes

    def over(self, other: "SizeRow") -> tuple[float, float]:
        """Trainable and inference object over those of `other` [ratio]; only at equal widths is it fair."""
        return self.trainable_bytes / other.trainable_bytes, self.inference_bytes / other.inference_bytes


COMPARED = tuple(  # the networks that the library's size comparison lists, format by format
    Network(kind, 2, hidden, 1, weights=weights)
    for weights, mlp_width in (("double", 5), ("Q8.8", 3))
    for kind, hidden in (("mlp", mlp_width), ("elman", 3), ("lstm", 3), ("gru", 3), ("kan", 5))
)


def size_table(networks: Iterable[Network] = COMPARED, pointer_bytes: int = 8) -> tuple[SizeRow, ...]:
    """A row per network on a machine of that pointer size: object [bytes] with and without training.

    Source: tinymind docs/size-comparison.md (which first gave 1,192 for the trainable Q8.8 KAN: 1,200).
    """
    rows = []
    for net in networks:
        inference = replace(net, trainable=False, batch=1, pointer_bytes=pointer_bytes)
        trained = replace(net, trainable=True, pointer_bytes=pointer_bytes).bytes
        rows.append(
            SizeRow(str(net), net.weights, trained, inference.bytes, net.params, inference.parameter_bytes)
        )
    return tuple(rows)
