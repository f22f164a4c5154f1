"""Recurrent, attention and other layers beside convolutions: parameters and MACs as exact integers.

    gates g, inputs n, neurons m:  matrices g m (n + m),  biases g m (one vector) or 2 g m (two)
    MACs = time steps x matrices        (every weight works once per step; an LTC once per unfold)
    attention over T positions:         projections T x weights,  scores 2 heads head_dim T^2

Shapes are (time, features) as in `layers`. Biases, time constants, gates applied element by element and
activation functions are no MACs. `weights` are the matrices, `vectors` all that is stored per neuron.
Source: Hochreiter & Schmidhuber 1997 with Gers et al. 2000 (LSTM), Cho et al., arXiv 1406.1078 (GRU).
"""

import math
from dataclasses import dataclass, fields

from tinylib.cost.layers import Dense, Layer, Shape, count
from tinylib.units import real, shown


class Counted(Layer):
    """A layer whose whole-number fields are checked by name; `vectors` are stored beside the weights."""

    vectors = 0  # values stored per neuron or feature: biases, scales, time constants [count]

    def _fix_counts(self, **minimum: int) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if f.type in (bool, "bool"):
                if type(value) is not bool:
                    raise TypeError(f"{f.name} must be True or False, got {shown(value)}")
            elif f.type in (int, "int"):
                self._fix(**{f.name: count(f.name, value, minimum.get(f.name, 1))})

    @property
    def params(self) -> int:
        """Trainable values [count]: matrices and vectors."""
        return self.weights + self.vectors

    @property
    def params_bn_folded(self) -> int:
        """Values to store [count]: the same, no batch norm is inside."""
        return self.params

    def _wants(self, in_shape: Shape, features: int) -> Shape:
        if in_shape[-1] != features:
            raise ValueError(f"{self} expects {features} input features, got shape {in_shape}")
        return in_shape


class _Recurrent(Counted):
    """(time, n) -> (time, m), or (m,) when only the last state is read."""

    axes = 1

    @property
    def state_elements(self) -> int:
        """Values carried from one time step to the next [count]."""
        return self.hidden_features

    def _shape(self, in_shape: Shape) -> Shape:
        time, _ = self._wants(in_shape, self.in_features)
        return (self.hidden_features,) if self.last_only else (time, self.hidden_features)

    def work(self, out: Shape, in_shapes: tuple[Shape, ...]) -> int:
        """Multiply-accumulates over all time steps [MAC]."""
        return in_shapes[0][0] * self.step_macs

    @property
    def step_macs(self) -> int:
        """Multiply-accumulates of one time step [MAC]: each weight once."""
        return self.weights


@dataclass(frozen=True, repr=False)
class _Gated(_Recurrent):
    in_features: int
    hidden_features: int
    bias_vectors: int = 1
    last_only: bool = False

    gates = 1

    def __post_init__(self) -> None:
        self._fix_counts(bias_vectors=0)
        if self.bias_vectors > 2:
            raise ValueError(f"bias_vectors must be 0, 1 or 2 (input and state), got {self.bias_vectors}")

    @property
    def weights(self) -> int:
        """g m (n + m) [count]."""
        return self.gates * self.hidden_features * (self.in_features + self.hidden_features)

    @property
    def vectors(self) -> int:
        """g m for each bias vector [count]."""
        return self.gates * self.hidden_features * self.bias_vectors


class Elman(_Gated):
    """h = tanh(W_in x + W_rec h + b). Source: Elman, Finding structure in time, 1990."""


class LSTM(_Gated):
    """Candidate and three gates: four blocks. `bias_vectors=2` is PyTorch's count: b_ih and b_hh."""

    gates = 4

    @property
    def state_elements(self) -> int:
        """Hidden and cell state [count]: 2 m."""
        return 2 * self.hidden_features


class GRU(_Gated):
    """Update gate, reset gate and candidate: three blocks."""

    gates = 3


@dataclass(frozen=True, repr=False)
class LTC(_Recurrent):
    """Liquid time-constant cell with n inputs and m neurons, solved in `unfolds` fused steps.

    synapse_values = 1: f = sigmoid(W_in x + W_rec s + b), neurons hold b, tau and A: m n + m^2 + 3 m.
    synapse_values = 4: every synapse has weight, centre, slope and reversal value, neurons hold leak
    conductance, leak potential and capacitance: 4 m (n + m) + 3 m; a synapse feeds two sums, 2 MACs.
    The input sum is repeated in each unfold unless `input_once`.
    Source: Hasani et al., Liquid Time-constant Networks, AAAI 2021, eqs. 1 and 3, algorithm 1; the
    conductance form is that of Lechner et al., Neural circuit policies, Nature Machine Intelligence 2020.
    """

    in_features: int
    hidden_features: int
    unfolds: int = 6
    synapse_values: int = 1
    input_once: bool = False
    last_only: bool = False

    def __post_init__(self) -> None:
        self._fix_counts()
        if self.synapse_values not in (1, 4):
            raise ValueError(
                "synapse_values must be 1 (a weight) or 4 (weight, centre, slope, reversal): "
                f"these are the two forms in use, got {self.synapse_values}"
            )

    @property
    def weights(self) -> int:
        """One or four values per synapse, m (n + m) synapses [count]."""
        return self.synapse_values * self.hidden_features * (self.in_features + self.hidden_features)

    @property
    def vectors(self) -> int:
        """Three values per neuron [count]: 3 m."""
        return 3 * self.hidden_features

    @property
    def step_macs(self) -> int:
        """Multiply-accumulates of one sample [MAC]: synapses times unfolds, twice for conductances."""
        inputs = self.in_features * (1 if self.input_once else self.unfolds)
        sums = 1 if self.synapse_values == 1 else 2
        return sums * self.hidden_features * (inputs + self.hidden_features * self.unfolds)


@dataclass(frozen=True, repr=False)
class CfC(_Recurrent):
    """Closed-form continuous-time cell: backbone of b features, two heads and two maps of the time gate.

    Matrices b n + b m + 4 m b, vectors b + 4 m; with a `fixed_step` the two biases of the time gate are
    one vector: b + 3 m. Source: Hasani et al., Closed-form continuous-time neural networks, 2022.
    """

    in_features: int
    hidden_features: int
    backbone_features: int
    fixed_step: bool = False
    last_only: bool = False

    def __post_init__(self) -> None:
        self._fix_counts()

    @property
    def weights(self) -> int:
        """b n + b m + 4 m b [count]."""
        return self.backbone_features * (self.in_features + 5 * self.hidden_features)

    @property
    def vectors(self) -> int:
        """b + 4 m [count], or b + 3 m at a fixed step."""
        return self.backbone_features + (3 if self.fixed_step else 4) * self.hidden_features


@dataclass(frozen=True, repr=False)
class KAN(Counted):
    """Kolmogorov-Arnold layer (..., n) -> (..., o): every edge holds a spline, no biases.

    An edge stores G + k coefficients, a base weight and a spline weight. At one input only k + 1 spline
    pieces are not zero, so an edge costs k + 3 MACs; the pieces themselves are found once per input and
    not counted, like an activation function. Source: Liu et al., KAN, arXiv 2404.19756, eqs. 2.10-2.12.
    """

    in_features: int
    out_features: int
    grid: int = 5
    degree: int = 3

    def __post_init__(self) -> None:
        self._fix_counts()

    @property
    def edge_params(self) -> int:
        """Values of one edge [count]: G + k + 2."""
        return self.grid + self.degree + 2

    @property
    def weights(self) -> int:
        """n o (G + k + 2) [count]."""
        return self.in_features * self.out_features * self.edge_params

    def _shape(self, in_shape: Shape) -> Shape:
        return (*self._wants(in_shape, self.in_features)[:-1], self.out_features)

    def work(self, out: Shape, in_shapes: tuple[Shape, ...]) -> int:
        """Multiply-accumulates with local evaluation [MAC]: positions x edges x (k + 3)."""
        return math.prod(out[:-1]) * self.in_features * self.out_features * (self.degree + 3)


@dataclass(frozen=True, repr=False)
class Embedding(Counted):
    """A table of one row per token: (time,) token numbers -> (time, features); looking up costs no MAC."""

    tokens: int
    features: int

    def __post_init__(self) -> None:
        self._fix_counts()

    @property
    def weights(self) -> int:
        """tokens x features [count]."""
        return self.tokens * self.features

    def _shape(self, in_shape: Shape) -> Shape:
        if len(in_shape) != 1:
            raise ValueError(f"{self} expects a shape (time,) of token numbers, got shape {in_shape}")
        return (*in_shape, self.features)

    def work(self, out: Shape, in_shapes: tuple[Shape, ...]) -> int:
        """Multiply-accumulates [MAC]: none."""
        return 0


@dataclass(frozen=True, repr=False)
class LayerNorm(Counted):
    """Normalises each position over its features; a scale and, unless bias=False (RMSNorm), a shift."""

    features: int
    bias: bool = True

    def __post_init__(self) -> None:
        self._fix_counts()

    @property
    def vectors(self) -> int:
        """One or two values per feature [count]."""
        return self.features * (1 + self.bias)

    def _shape(self, in_shape: Shape) -> Shape:
        return self._wants(in_shape, self.features)


@dataclass(frozen=True, repr=False)
class BatchNorm(Counted):
    """Normalisation as a layer of its own: scale and shift per channel, on any number of axes.

    Folded into the layer before, which then needs no bias of its own, one value per channel remains.
    """

    features: int
    batch_norm = True

    def __post_init__(self) -> None:
        self._fix_counts()

    @property
    def vectors(self) -> int:
        """Scale and shift [count]: 2 per channel."""
        return 2 * self.features

    @property
    def params_bn_folded(self) -> int:
        """The bias it turns into [count]: 1 per channel."""
        return self.features

    @property
    def running_stats(self) -> int:
        """Mean and variance, stored but not trained [count]: 2 per channel."""
        return 2 * self.features

    def _shape(self, in_shape: Shape) -> Shape:
        return self._wants(in_shape, self.features)


@dataclass(frozen=True, repr=False)
class Attention(Counted):
    """Self-attention (time, d) -> (time, d) with `heads` query heads that share `kv_heads` keys and values.

    kv_heads None = heads (full multi-head attention); head_dim None = d / heads. A causal mask leaves
    T (T + 1) / 2 of the T^2 pairs. Source: Vaswani et al., arXiv 1706.03762, section 3.2; Ainslie et al.,
    GQA, arXiv 2305.13245.
    """

    features: int
    heads: int
    kv_heads: int | None = None
    head_dim: int | None = None
    bias: bool = False
    causal: bool = False

    axes = 1

    def __post_init__(self) -> None:
        self._fix_counts()
        if self.head_dim is None and self.features % self.heads:
            raise ValueError(f"features must divide into {self.heads} heads, got {self.features}")
        for name, default in ("kv_heads", self.heads), ("head_dim", self.features // self.heads):
            value = getattr(self, name)
            self._fix(**{name: default if value is None else count(name, value)})
        if self.heads % self.kv_heads:
            raise ValueError(f"heads must be a multiple of the {self.kv_heads} kv_heads, got {self.heads}")

    @property
    def weights(self) -> int:
        """Queries and output 2 d H e, keys and values 2 d H_kv e [count]."""
        return 2 * self.features * (self.heads + self.kv_heads) * self.head_dim

    @property
    def vectors(self) -> int:
        """Biases of the four projections [count]: (H + 2 H_kv) e + d."""
        return self.bias * ((self.heads + 2 * self.kv_heads) * self.head_dim + self.features)

    def _shape(self, in_shape: Shape) -> Shape:
        return self._wants(in_shape, self.features)

    def projection_macs(self, in_shape: Shape) -> int:
        """Multiply-accumulates of the four projections [MAC]: T x weights."""
        return self.out_shape(in_shape)[0] * self.weights

    def score_macs(self, in_shape: Shape) -> int:
        """Multiply-accumulates of Q K^T and of its product with V [MAC]: 2 H e per pair of positions."""
        time = self.out_shape(in_shape)[0]
        pairs = time * (time + 1) // 2 if self.causal else time * time
        return 2 * self.heads * self.head_dim * pairs

    def work(self, out: Shape, in_shapes: tuple[Shape, ...]) -> int:
        """Projections and scores together [MAC]; the softmax is not counted."""
        return self.projection_macs(*in_shapes) + self.score_macs(*in_shapes)


@dataclass(frozen=True, repr=False)
class Dropout(Layer):
    """Zeroes a share `rate` of its input while training, the identity afterwards: costs nothing."""

    rate: float = 0.5

    def __post_init__(self) -> None:
        self._fix(rate=real("rate", self.rate))
        if not 0 <= self.rate < 1:
            raise ValueError(f"rate must lie in [0, 1): at 1 nothing is left, got {self.rate}")

    def _shape(self, in_shape: Shape) -> Shape:
        return in_shape


class _PackedDense(Dense):
    """A dense layer whose weights are packed into 32-bit words; rows do not start a new word."""

    weight_bits = 1

    @property
    def packed_words(self) -> int:
        """32-bit words that hold the weights [count]."""
        return -(-self.weights * self.weight_bits // 32)

    @property
    def packed_bytes(self) -> int:
        """The same in bytes [bytes]; biases are not in it."""
        return 4 * self.packed_words


class BinaryDense(_PackedDense):
    """Weights -1 or +1 in one bit: its MACs are XNOR and popcount. Source: arXiv 1602.02830."""


class TernaryDense(_PackedDense):
    """Weights -1, 0 or +1 in two bits: its MACs are adds and subtracts. Source: arXiv 1605.04711."""

    weight_bits = 2
