"""CfC cell in int8: the recurrence, the tables and both gates in integers alone.

    q  = T[ M_x (x - Z_x) w_in + M_h (h - Z_h) w_rec + b ]               T: tanh, 256 entries of int8
    f, g = T[ M q w + b ]     t = S[ M_a q w_a + M_e q w_e + b_t ]        S: sigmoid, codes 256 s - 128
    h' = M' (128 - t) f + M' (t + 128) g + Z_h                            128 - t stands for 1 - s exactly

Every sum in brackets is held in int8 and has the scale L, so that one pair of tables serves all of them.
M are multipliers (raw, shift), applied with `double` rounding. The time step is part of M_a and b_t: it is
fixed when the cell is quantized, and samples at uneven times need the floating-point cell.
Source: Hasani et al., Nature Machine Intelligence 4, 2022, eq. 10; the integer form follows QCfCCell of
github.com/danmcleran/tinymind.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from tinylib.cost import sequence
from tinylib.formats.affine import Affine, asymmetric, clamp, multiplier, rounded, symmetric, symmetric_scale
from tinylib.nets.cfc import CfC
from tinylib.nets.int8_ops import HIGH, LOW, Array, scaled
from tinylib.nets.int8_pool import SIGMOID_CODE, TANH_CODE, Int8Table
from tinylib.nets.scan import scan
from tinylib.units import shown

MULTIPLIERS = ("input", "state", "f", "g", "a", "e", "gate")


@dataclass(frozen=True, eq=False)
class Int8CfC:
    """Integer weights of a cell with n inputs, k backbone features and m neurons.

    w_in (n, k), w_rec (m, k), w_heads (k, 4 m): int8, blocks f, g, a, e as in `CfC`; never -128
    b (k,), b_heads (3 m,): int32 in steps of L, blocks f, g and time
    scales: of w_in, w_rec and the four blocks      source, state: codes of the inputs and of h
    sums: the code of every pre-activation, scale L       dt: time step [s]
    """

    w_in: Array
    w_rec: Array
    b: Array
    w_heads: Array
    b_heads: Array
    scales: tuple[float, ...]
    source: Affine
    state: Affine
    sums: Affine
    dt: float

    @classmethod
    def of(cls, cell: CfC, source: Affine, state: Affine, sums: Affine) -> Self:
        """The integers of a floating-point cell: weights symmetric, one scale per tensor."""
        if cell.activation != "tanh" or cell.mode != "default":
            raise ValueError(f"cell must have tanh and a gate, got {cell.activation} in mode {cell.mode}")
        if state.zero_point or sums.zero_point:
            raise ValueError(f"state and sums must have the zero point 0, got {shown((state, sums))}")
        heads = np.split(cell.w_heads, 4, axis=1)
        codes = [_weight_code(w) for w in (cell.w_in, cell.w_rec, *heads)]
        weights = zip(codes, (cell.w_in, cell.w_rec, *heads), strict=True)
        w_in, w_rec, *heads = (c.quantize(w.astype(np.float64)).astype(np.int8) for c, w in weights)
        b_f, b_g, b_a, b_e = np.split(cell.b_heads, 4)
        b, b_heads = (
            rounded(v / sums.scale).astype(np.int32)
            for v in (cell.b, np.concatenate((b_f, b_g, b_a * cell.dt + b_e)))
        )
        scales = tuple(c.scale for c in codes)
        return cls(w_in, w_rec, b, np.hstack(heads), b_heads, scales, source, state, sums, cell.dt)

    @property
    def layer(self) -> sequence.CfC:
        """The layer that counts it."""
        return sequence.CfC(len(self.w_in), len(self.w_rec), len(self.w_heads))

    @property
    def weight_bytes(self) -> int:
        """Weights and 32-bit biases [bytes]; the two tables add 512."""
        weights = self.w_in.size + self.w_rec.size + self.w_heads.size
        return weights + 4 * (self.b.size + self.b_heads.size)

    @cached_property
    def multipliers(self) -> dict[str, tuple[int, int]]:
        """(raw, shift) by name of MULTIPLIERS."""
        L, feature = self.sums.scale, TANH_CODE.scale
        s_in, s_rec, f, g, a, e = self.scales
        found = [multiplier(self.source.scale, s_in, L), multiplier(self.state.scale, s_rec, L)]
        found += [multiplier(feature, s, L) for s in (f, g, a * self.dt, e)]
        found += [multiplier(SIGMOID_CODE.scale, TANH_CODE.scale, self.state.scale)]
        return dict(zip(MULTIPLIERS, found, strict=True))

    @cached_property
    def tables(self) -> tuple[Int8Table, Int8Table]:
        """tanh and sigmoid of a sum."""
        return Int8Table("tanh", self.sums, TANH_CODE), Int8Table("sigmoid", self.sums, SIGMOID_CODE)

    def _scaled(self, acc: Array, name: str) -> Array:
        return scaled(acc, *self.multipliers[name])

    def _read(self, table: Int8Table, sums: Array) -> Array:
        return table.forward(clamp(sums, LOW, HIGH)).astype(np.int64)

    def start(self, batch: int = 1) -> Array:
        """The state before the first sample: codes of zero (batch, m)."""
        return np.full((batch, len(self.w_rec)), self.state.zero_point, np.int8)

    def step(self, x: Array, h: Array) -> Array:
        """State codes (batch, m) after inputs x (batch, n), from h (batch, m); all int8."""
        tanh, sigmoid = self.tables
        x, h = (v.astype(np.int64) - code.zero_point for v, code in ((x, self.source), (h, self.state)))
        q = self._read(
            tanh, self._scaled(x @ self.w_in, "input") + self._scaled(h @ self.w_rec, "state") + self.b
        )
        f, g, a, e = np.split(q @ self.w_heads, 4, axis=-1)
        b_f, b_g, b_t = np.split(self.b_heads, 3)
        f, g = self._read(tanh, self._scaled(f, "f") + b_f), self._read(tanh, self._scaled(g, "g") + b_g)
        t = self._read(sigmoid, self._scaled(a, "a") + self._scaled(e, "e") + b_t)
        mixed = self._scaled((128 - t) * f, "gate") + self._scaled((t + 128) * g, "gate")
        return clamp(mixed + self.state.zero_point, *self.state.codes).astype(np.int8)

    def forward(self, xs: Array) -> Array:
        """State codes (time, batch, m) of input codes xs (time, batch, n), from zero."""
        if xs.ndim != 3 or xs.shape[-1] != len(self.w_in):
            raise ValueError(f"xs must be codes (time, batch, {len(self.w_in)}), got shape {xs.shape}")
        hs, h = np.empty((*xs.shape[:-1], len(self.w_rec)), np.int8), self.start(xs.shape[1])
        for t, x in enumerate(xs):
            hs[t] = h = self.step(x, h)
        return hs

    def predict(self, xs: Array) -> Array:
        """States as real numbers (time, batch, m) for inputs of real numbers (time, batch, n)."""
        codes = self.source.quantize(np.asarray(xs, np.float64)).astype(np.int8)
        return self.state.dequantize(self.forward(codes).astype(np.float64))


def _weight_code(w: Array) -> Affine:
    """Symmetric, with a scale that a float32 holds, as files store it; a tensor of zeros may have any."""
    return Affine(float(np.float32(symmetric_scale(float(np.abs(w).max()) or 1.0))), narrow=True)


def ranges(cell: CfC, xs: Array) -> tuple[float, float]:
    """Largest |h| and largest |pre-activation| of the cell along xs (time, batch, n)."""
    hs, tape = scan(cell, xs)
    q = tape.records[0]
    f, g, a, e = np.split(q @ cell.w_heads + cell.b_heads, 4, axis=-1)
    backbone = tape.zs[..., :-1] + tape.states[0][:-1] @ cell.w_rec
    sums = (backbone, f, g, a * tape.zs[..., -1:] + e)
    return float(np.abs(hs).max()), max(float(np.abs(v).max()) for v in sums)


def quantized(cell: CfC, xs: Array, source: Affine | None = None) -> Int8CfC:
    """The cell in int8, calibrated on sequences xs (time, batch, n) of real numbers.

    `source` None takes the range of xs.
    """
    if source is None:
        source = asymmetric(min(float(xs.min()), 0.0), max(float(xs.max()), 0.0), signed=True)
    h, sums = ranges(cell, xs)
    return Int8CfC.of(cell, source, symmetric(h), symmetric(sums))
