"""Binary and ternary dense layers: packing, forward, straight-through backward, update.

Where inputs * outputs passes the integer part of a format, the reference's ternary mean wraps and the weights
that it packs follow a wrong threshold. Those words are set aside, if they are what a threshold below zero
gives: no weight is 0. Everything behind is still compared: a layer whose latent weights are the reference's
own -1, 0 and +1 must give its outputs and input deltas bit for bit.
"""

import numpy as np

from tests.golden_checks import Compared
from tests.golden_checks.formats import format_of
from tinylib.formats import bits
from tinylib.nets.arithmetic import FLOAT, Fixed
from tinylib.nets.binary import BinaryDense, TernaryDense, pack, signs, unpack

MEAN = "narrow-format ternary mean"


def _dense(case, kind):
    fixed = case["format"] != "double"
    ops = Fixed(format_of(case["format"])) if fixed else FLOAT
    suffix, rtol = ("_raw", 0.0) if fixed else ("", 1e-9)
    n, m = case["inputs"], case["outputs"]

    def of(name):
        return np.array(case[name + suffix], dtype=ops.dtype)

    def compared(name, got):
        return Compared(name + suffix, got, case[name + suffix], rtol=rtol)

    static = {"percent": case["threshold_percent"]} if kind is TernaryDense else {}
    layer = kind(np.ascontiguousarray(of("latent").reshape(m, n).T), of("bias"), **static)
    wraps = fixed and kind is TernaryDense and n * m >= 1 << ops.q.int_bits - 1

    def words(name, layer):
        latent = layer.w  # what a negative threshold makes of it
        instead = pack(signs(latent), 2) if wraps else None
        return Compared(
            name, layer.packed(ops).words, case[name], MEAN if wraps else "", wraps, instead=instead
        )

    yield words("packed_words", layer)
    held = layer.packed(ops).words if not wraps else np.array(case["packed_words"], dtype=np.uint32)
    yield Compared("packed_bytes_le_hex", held.tobytes().hex(), case["packed_bytes_le_hex"])
    yield Compared("packed bytes", held.nbytes, layer.layer.packed_bytes)
    theirs = unpack(held, n, m, layer.bits)
    yield Compared(
        "packed by formats.bits", bits.pack(theirs.T.ravel().tolist(), layer.bits), case["packed_words"]
    )

    used = kind(theirs.astype(ops.dtype) * ops.one, layer.b, **static) if wraps else layer
    y, tape = used.forward(of("x")[None], ops)
    yield compared("y", y)
    yield compared("y", used.packed(ops).infer(of("x")[None], ops))
    dx, _ = used.back(tape, of("output_deltas")[None], ops)
    yield compared("input_deltas", dx)

    _, grads = layer.back(layer.forward(of("x")[None], ops)[1], of("output_deltas")[None], ops)
    rate = of("learning_rate")
    layer = layer.with_arrays({k: ops.add(a, ops.mul(rate, grads[k])) for k, a in layer.arrays.items()})
    yield compared("latent_after_update", layer.w.T)
    yield compared("bias_after_update", layer.b)
    yield words("packed_words_after_update", layer)


CHECKS = {
    "binary_dense": lambda case: _dense(case, BinaryDense),
    "ternary_dense": lambda case: _dense(case, TernaryDense),
}
