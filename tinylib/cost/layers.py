"""Layers as shape arithmetic: parameters, output shape and multiply-accumulates, all exact integers.

    conv:   out = (n + padding - k) // s + 1 per axis,  weights = k_h k_w (c_in / groups) c_out
            MACs = output positions x weights           (every weight works once per position)
    dense:  weights = n_in n_out,  MACs = weights

Shapes are (height, width, channels), (time, features) or (features,), without a batch axis. Taps that
fall on padding count as MACs, biases and pooling do not. `batch_norm` adds a scale and a shift per
output; running statistics are not trainable and not counted.
Source: Howard et al., MobileNets, arXiv 1704.04861, section 3.1 (depthwise and pointwise counts).
"""

import math
import operator
from dataclasses import MISSING, dataclass, fields

from tinylib.units import real, shown

Shape = tuple[int, ...]
Pair = int | tuple[int, int]
LIMIT = 2**40  # largest count accepted: beyond any network, and it keeps a slip from eating memory


def count(what: str, value: object, minimum: int = 1) -> int:
    """`value` as an int from `minimum` to LIMIT; numpy integers are taken, floats and bools are not."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(f"{what} must be a whole number, got {shown(value)}")
    if not minimum <= number <= LIMIT:
        raise ValueError(f"{what} must lie between {minimum} and 2**40, got {shown(number)}")
    return number


def amount(what: str, value: object, zero: bool = False) -> float:
    """`value` as a positive finite float, or zero where `zero` allows it."""
    number = real(what, value)
    if number < 0 or (number == 0 and not zero):
        raise ValueError(f"{what} must be {'zero or more' if zero else 'positive'}, got {shown(value)}")
    try:
        return float(number)
    except OverflowError:
        raise ValueError(f"{what} must fit a float, got {shown(value)}") from None


def _axes(what: str, value: object, n: int, minimum: int = 1) -> Shape:
    """One count per axis (n,): an int serves all axes, a tuple or list names each."""
    if not isinstance(value, (tuple, list)):
        return (count(what, value, minimum),) * n
    if len(value) != n:
        raise ValueError(f"{what} must have one entry per axis: here {n}, got {shown(value)}")
    return tuple(count(what, v, minimum) for v in value)


def shape(what: str, value: object, n: int | None = None) -> Shape:
    """`value` as a shape of n axes (any number from 1 when None), each a positive count."""
    if not isinstance(value, (tuple, list)):
        raise TypeError(f"{what} must be a shape such as (224, 224, 3), got {shown(value)}")
    if not value or (n is not None and len(value) != n):
        axes = {1: "(features,)", 2: "(time, features)", 3: "(height, width, channels)"}.get(n, "not empty")
        raise ValueError(f"{what} must be a shape {axes}, got shape {shown(value)}")
    return tuple(count(f"each axis of {what}", v) for v in value)


class Layer:
    """What every layer knows. A subclass says `weights`, `outputs` and `_shape`; the rest follows."""

    inputs = 1  # number of input shapes; None = two or more
    axes = None  # axes of the input beside the channels; None = any number
    bias = batch_norm = False
    weights = 0  # values in the kernel or matrix [count]
    outputs = 0  # output channels or features that a bias or a batch norm serves [count]

    @property
    def params(self) -> int:
        """Trainable values [count]: weights, biases, batch-norm scale and shift (not folded)."""
        return self.weights + self.outputs * (self.bias + 2 * self.batch_norm)

    @property
    def params_bn_folded(self) -> int:
        """Values to store once batch norm is folded [count]: weights and one bias per output, if any."""
        return self.weights + self.outputs * (self.bias or self.batch_norm)

    def out_shape(self, *in_shapes: Shape) -> Shape:
        """Shape of the output; raises when the input shapes do not fit."""
        wanted = "two or more input shapes" if self.inputs is None else "one input shape"
        if len(in_shapes) != self.inputs if self.inputs else len(in_shapes) < 2:
            raise ValueError(f"{self} takes {wanted} such as (28, 28, 3), got {shown(in_shapes)}")
        try:
            checked = [shape("its input", s, self.axes and self.axes + 1) for s in in_shapes]
        except (TypeError, ValueError) as error:
            raise type(error)(f"{self}: {error}") from None
        return self._shape(*checked)

    def macs(self, *in_shapes: Shape) -> int:
        """Multiply-accumulates of one inference [MAC]; raises when the input shapes do not fit."""
        return self.work(self.out_shape(*in_shapes), in_shapes)

    def work(self, out: Shape, in_shapes: tuple[Shape, ...]) -> int:
        """The same for shapes that are known to fit [MAC]: output positions times weights."""
        return math.prod(out[:-1]) * self.weights

    def _shape(self, *in_shapes: Shape) -> Shape:
        raise NotImplementedError

    def _fix(self, **values: object) -> None:
        """Store checked values in the frozen record, once, while it is made."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _flags(self) -> None:
        for name in ("bias", "batch_norm"):
            if type(getattr(self, name)) is not bool:
                raise TypeError(f"{name} must be True or False, got {shown(getattr(self, name))}")

    def __repr__(self) -> str:
        """The call that makes this layer, without what is default: Conv2D(3, 64, kernel_size=7)."""
        parts = []
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, tuple) and len(set(value)) == 1:
                value = value[0]
            if f.default is MISSING:
                parts.append(shown(value) if len(parts) < 2 and "size" not in f.name else f"{f.name}={value}")
            elif value != f.default:
                parts.append(f"{f.name}={shown(value)}")
        return f"{type(self).__name__}({', '.join(parts)})"


@dataclass(frozen=True, repr=False)
class Dense(Layer):
    """Fully connected layer: (n_in,) -> (n_out,). An input of n_in elements in any shape is flattened."""

    in_features: int
    out_features: int
    bias: bool = True
    batch_norm: bool = False

    def __post_init__(self) -> None:
        names = ("in_features", "out_features")
        self._fix(**{name: count(name, getattr(self, name)) for name in names})
        self._flags()

    @property
    def weights(self) -> int:
        """n_in n_out [count]."""
        return self.in_features * self.out_features

    @property
    def outputs(self) -> int:
        """Features out [count]."""
        return self.out_features

    def _shape(self, in_shape: Shape) -> Shape:
        if math.prod(in_shape) != self.in_features:
            raise ValueError(f"{self} expects {self.in_features} input elements, got shape {in_shape}")
        return (self.out_features,)


class _Window(Layer):
    """A window that slides over `axes` axes: kernel_size, stride and padding, for conv and pooling."""

    axes = 2

    def _fix_window(self) -> None:
        kernel = _axes("kernel_size", self.kernel_size, self.axes)
        stride = kernel if self.stride is None else _axes("stride", self.stride, self.axes)
        padding = self.padding
        if isinstance(padding, str):
            if padding not in ("valid", "same"):
                raise ValueError(f"padding must be 'valid', 'same' or a number, got {shown(padding)}")
        else:
            padding = _axes("padding", padding, self.axes, minimum=0)
        self._fix(kernel_size=kernel, stride=stride, padding=padding)

    @property
    def reach(self) -> Shape:
        """Pixels from the first tap to the last along each axis: dilation (k - 1) + 1."""
        gaps = getattr(self, "dilation", (1,) * self.axes)
        if gaps == (1,) * self.axes:
            return self.kernel_size
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel_size, gaps))

    def positions(self, *sizes: int) -> Shape:
        """Places of the window along each axis: (height, width) in, (height, width) out.

        'same' is TensorFlow SAME: ceil(n / stride), the padding being whatever that needs.
        """
        if self.padding == "same":
            return tuple(-(-n // s) for n, s in zip(sizes, self.stride))
        padding = (0,) * self.axes if self.padding == "valid" else self.padding
        padded = tuple(n + 2 * p for n, p in zip(sizes, padding))
        if any(k > n for k, n in zip(self.reach, padded)):
            raise ValueError(
                f"{self} needs an input as large as its kernel: padded it is {padded}, got {shown(sizes)}"
            )
        return tuple((n - k) // s + 1 for n, k, s in zip(padded, self.reach, self.stride))


class _Conv(_Window):
    """What the convolutions share: in_channels, outputs, groups and a window."""

    def _fix_conv(self) -> None:
        names = [f.name for f in fields(self) if f.name in ("in_channels", "out_channels", "channels")]
        names += [f.name for f in fields(self) if f.name in ("multiplier", "groups")]
        self._fix(**{name: count(name, getattr(self, name)) for name in names})
        for name in ("in_channels", "out_channels"):
            if getattr(self, name) % self.groups:
                raise ValueError(f"{name} must divide into {self.groups} groups, got {getattr(self, name)}")
        self._fix_window()
        self._fix(dilation=_axes("dilation", self.dilation, self.axes))
        self._flags()

    @property
    def weights(self) -> int:
        """k_h k_w (c_in / groups) c_out [count]."""
        return math.prod(self.kernel_size) * (self.in_channels // self.groups) * self.out_channels

    @property
    def outputs(self) -> int:
        """Channels out [count]."""
        return self.out_channels

    def _shape(self, in_shape: Shape) -> Shape:
        *sizes, channels = in_shape
        if channels != self.in_channels:
            raise ValueError(f"{self} expects {self.in_channels} input channels, got shape {in_shape}")
        return (*self.positions(*sizes), self.out_channels)


@dataclass(frozen=True, repr=False)
class _FullConv(_Conv):
    in_channels: int
    out_channels: int
    kernel_size: Pair
    stride: Pair = 1
    padding: str | Pair = "valid"
    groups: int = 1
    bias: bool = True
    batch_norm: bool = False
    dilation: Pair = 1

    def __post_init__(self) -> None:
        self._fix_conv()


class Conv2D(_FullConv):
    """Convolution (h, w, c_in) -> (h', w', c_out); an int padding adds that many zeros on every side."""


class Conv1D(_FullConv):
    """Convolution along time: (time, c_in) -> (time', c_out)."""

    axes = 1


@dataclass(frozen=True, repr=False)
class DepthwiseConv2D(_Conv):
    """One filter per channel (`multiplier` of them): a convolution of as many groups as channels."""

    channels: int
    kernel_size: Pair
    stride: Pair = 1
    padding: str | Pair = "valid"
    multiplier: int = 1
    bias: bool = True
    batch_norm: bool = False
    dilation: Pair = 1

    def __post_init__(self) -> None:
        self._fix_conv()

    @property
    def in_channels(self) -> int:
        """Channels in [count]."""
        return self.channels

    @property
    def out_channels(self) -> int:
        """Channels out [count]."""
        return self.channels * self.multiplier

    @property
    def groups(self) -> int:
        """One group per channel [count]."""
        return self.channels


@dataclass(frozen=True, repr=False)
class PointwiseConv2D(_Conv):
    """1x1 convolution: mixes the channels of each pixel alone."""

    in_channels: int
    out_channels: int
    stride: Pair = 1
    groups: int = 1
    bias: bool = True
    batch_norm: bool = False

    kernel_size = dilation = 1
    padding = "valid"

    def __post_init__(self) -> None:
        self._fix_conv()


@dataclass(frozen=True, repr=False)
class _Pool(_Window):
    """A window that keeps the channels; the stride is the kernel unless it is given."""

    kernel_size: Pair
    stride: Pair | None = None
    padding: str | Pair = "valid"

    def __post_init__(self) -> None:
        self._fix_window()
        padding = (0,) if isinstance(self.padding, str) else self.padding
        if any(2 * p > k for p, k in zip(padding, self.kernel_size)):
            raise ValueError(
                f"padding must be at most half the kernel: a window must hold data, got {padding}"
            )

    def _shape(self, in_shape: Shape) -> Shape:
        *sizes, channels = in_shape
        return (*self.positions(*sizes), channels)


class MaxPool2D(_Pool):
    """Largest value under each window; the stride is the kernel unless it is given."""


class AvgPool2D(_Pool):
    """Mean of each window; the stride is the kernel unless it is given."""


class MaxPool1D(_Pool):
    """Largest value of each window of time."""

    axes = 1


class AvgPool1D(_Pool):
    """Mean of each window of time."""

    axes = 1


@dataclass(frozen=True, repr=False)
class _GlobalPool(Layer):
    def _shape(self, in_shape: Shape) -> Shape:
        return in_shape[-1:]


class GlobalAvgPool2D(_GlobalPool):
    """Mean over all positions: (h, w, c) -> (c,)."""

    axes = 2


class GlobalMaxPool2D(_GlobalPool):
    """Largest value over all positions: (h, w, c) -> (c,)."""

    axes = 2


class GlobalAvgPool1D(_GlobalPool):
    """Mean over time: (time, features) -> (features,)."""

    axes = 1


class GlobalMaxPool1D(_GlobalPool):
    """Largest value over time: (time, features) -> (features,)."""

    axes = 1


@dataclass(frozen=True, repr=False)
class Add(Layer):
    """Sum of two or more inputs of one shape, element by element (a residual shortcut)."""

    inputs = None

    def _shape(self, *in_shapes: Shape) -> Shape:
        if len(set(in_shapes)) > 1:
            raise ValueError(f"{self} expects inputs of one shape, got {shown(in_shapes)}")
        return in_shapes[0]


@dataclass(frozen=True, repr=False)
class Concat(Layer):
    """Two or more inputs side by side along the last axis; the other axes must agree."""

    inputs = None

    def _shape(self, *in_shapes: Shape) -> Shape:
        if len({s[:-1] for s in in_shapes}) > 1:
            raise ValueError(f"{self} expects inputs equal but for the last axis, got {shown(in_shapes)}")
        return (*in_shapes[0][:-1], sum(s[-1] for s in in_shapes))
