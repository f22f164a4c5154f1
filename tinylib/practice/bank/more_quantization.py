"""Chapter "More quantization": requantization, noise, overhead bits, sparse storage, latency gradient, KL."""

import math

from tinylib import units
from tinylib.cost import compression
from tinylib.formats import affine
from tinylib.practice.draws import Log, Rng
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative


def _not_a_power_of_two(si: float, sw: float, so: float) -> bool:
    """Whether M is clear of 2^n, where the shift would hang on the last bit of a float."""
    mantissa, _ = math.frexp(si * sw / so)
    return 0.5 + 1e-9 < mantissa < 1 - 1e-9


REQUANT_MULTIPLIER = Exercise(
    id="requant.multiplier",
    title="Shift of the requantization multiplier",
    prompt="Input, weight and output scales are {si}, {sw} and {so}. The multiplier M = si x sw / so is "
    "written as m x 2^-shift with m in [0.5, 1). Which right shift (in bits) is that?",
    given={"si": 0.02, "sw": 0.005, "so": 0.05},
    draws={"si": Log(0.001, 0.1, 2), "sw": Log(0.0005, 0.05, 2), "so": Log(0.005, 0.2, 2)},
    accept=_not_a_power_of_two,
    answer=lambda si, sw, so: affine.multiplier(si, sw, so)[1],
    unit="bit",
    tolerance=Absolute(0),
    expect=8,
    source="worked by hand: M = 0.002 = 0.512 / 256",
    misconceptions=(
        Misconception(
            lambda si, sw, so: affine.multiplier(si, sw, so)[1] + 1,
            "That brings m into [1, 2): it must stay below one to be a pure fraction.",
        ),
        Misconception(
            lambda si, sw, so: 31,
            "31 is the number of fraction bits of m: asked is the exponent that is left over.",
        ),
        Misconception(
            lambda si, sw, so: affine.rounded(so / (si * sw)),
            "That is 1 / M: how often can M be doubled and stay below one?",
        ),
    ),
    hints=("How often can M be doubled before it reaches one?", "shift = -floor(log2 M) - 1."),
    steps=lambda si, sw, so: (
        f"1 / M = {so:g} / ({si:g} x {sw:g}) = {so / (si * sw):,.6g}",
        f"M x 2^{affine.multiplier(si, sw, so)[1]} = {math.frexp(si * sw / so)[0]:.4f}, in [0.5, 1)",
    ),
)

REQUANT_BIAS = Exercise(
    id="requant.bias",
    title="Bias in the accumulator scale",
    prompt="A bias of {b} is added to an INT32 accumulator of products. The input scale is {si}, the weight "
    "scale {sw}. Which INT32 code stores the bias?",
    given={"b": 0.25, "si": 0.02, "sw": 0.005},
    draws=lambda rng: {"b": rng.int(-400, 400) / 100},
    answer=lambda b, si, sw: affine.bias_code(b, si, sw),
    unit="codes",
    tolerance=Absolute(0),
    expect=2500,
    source="worked by hand: 0.25 / 0.0001",
    misconceptions=(
        Misconception(
            lambda b, si, sw: affine.rounded(b / sw),
            "You used the weight scale alone: a product of two codes carries both scales.",
        ),
        Misconception(
            lambda b, si, sw: affine.rounded(b / si),
            "You used the input scale alone: a product of two codes carries both scales.",
        ),
        Misconception(
            lambda b, si, sw: affine.rounded(b * 127),
            "That is an INT8 code of its own scale: the bias must be in the scale of the accumulator.",
        ),
    ),
    hints=("How large is one step of the accumulator?", "code = round(b / (si x sw))."),
    steps=lambda b, si, sw: (
        f"one step of the accumulator: {si:g} x {sw:g} = {si * sw:g}",
        f"{b:g} / {si * sw:g} = {affine.bias_code(b, si, sw):,}",
    ),
)

ZP_CORRECTION = Exercise(
    id="quant.zp_correction",
    title="Zero-point correction",
    prompt="An accumulator of weight code x input code stands at {acc}. The input zero point is {zx}, the "
    "weight codes add up to {sw}, and the weights are symmetric. Which accumulator remains when the input "
    "zero point is taken out?",
    given={"acc": 5200, "zx": 3, "sw": 140},
    draws=lambda rng: {
        "acc": rng.int(-20_000, 20_000),
        "zx": rng.int(-128, 127),
        "sw": rng.int(-500, 500),
    },
    answer=lambda acc, zx, sw: affine.without_zero_point(acc, zx, sw),
    unit="codes",
    tolerance=Absolute(0),
    expect=4780,
    source="worked by hand: 5200 - 420",
    misconceptions=(
        Misconception(
            lambda acc, zx, sw: acc - zx,
            "You subtracted it once: the zero point is in every product, times its weight code.",
        ),
        Misconception(
            lambda acc, zx, sw: acc + zx * sw,
            "The sign is turned: sum of w (x - Z) has a minus before Z.",
        ),
        Misconception(
            lambda acc, zx, sw: acc,
            "Nothing is corrected: that would be right for a zero point of 0.",
        ),
    ),
    hints=("Expand the sum of w (x - Z).", "acc - Z x (sum of the weight codes)."),
    steps=lambda acc, zx, sw: (
        f"summed over the products: {zx} times {sw} is {zx * sw:,}",
        f"{acc:,} minus that is {acc - zx * sw:,}",
    ),
)

SYMMETRIC_SCALE = Exercise(
    id="quant.symmetric_scale",
    title="Scale of symmetric weights",
    prompt="The largest weight of a tensor has the magnitude {m}. Symmetric signed {b}-bit codes leave the "
    "lowest code out. What is the scale?",
    given={"m": 0.5, "b": 8},
    draws={"m": Log(0.05, 5.0, 2), "b": (4, 8)},  # at 8 bits the affine slip is too near, so a variant has 4
    answer=lambda m, b: affine.symmetric_scale(m, b),
    unit="",
    tolerance=Relative(0.003),
    expect=0.003937007874015748,
    source="worked by hand: 0.5 / 127",
    misconceptions=(
        Misconception(
            lambda m, b: m / 2 ** (b - 1),
            "You counted the lowest code, which is left out: the largest code is 2^(b-1) - 1.",
        ),
        Misconception(
            lambda m, b: 2 * m / (2**b - 1),
            "That is the affine rule: without the lowest code there is one step less, 2^b - 2 in all.",
        ),
        Misconception(
            lambda m, b: m / (2**b - 1),
            "That is an unsigned code: half of the codes are for negative weights.",
        ),
    ),
    hints=("Which is the largest positive code?", "S = max|w| / (2^(b-1) - 1)."),
    steps=lambda m, b: (
        f"largest code: 2^{b - 1} - 1 = {2 ** (b - 1) - 1}",
        f"{m:g} / {2 ** (b - 1) - 1} = {m / (2 ** (b - 1) - 1):.6f}",
    ),
)

SQNR = Exercise(
    id="quant.sqnr",
    title="Ideal SQNR of a full-scale sine",
    prompt="What signal-to-quantization-noise ratio has a full-scale sine in an ideal {b}-bit code, in dB "
    "with one decimal?",
    given={"b": 8},
    draws=lambda rng: {"b": rng.int(2, 16)},
    answer=lambda b: affine.ideal_sqnr_db(b),
    unit="dB",
    tolerance=Absolute(0.05),
    expect=49.92571189679381,
    source="worked by hand: 6.0206 x 8 + 1.7609",
    misconceptions=(
        Misconception(
            lambda b: 6.02 * b,
            "The 1.76 dB are missing: a sine has 1.5 times the power of a uniform signal of the same peak.",
        ),
        Misconception(
            lambda b: 20 * (b - 1) * math.log10(2) + 10 * math.log10(1.5),
            "That is one bit less: the signed range, both halves together, has b bits.",
        ),
        Misconception(
            lambda b: 10 * b * math.log10(2) + 10 * math.log10(1.5),
            "You took 10 log of the codes: they count amplitude, so it is 20 log.",
        ),
    ),
    hints=("How many dB does a halved step give?", "SQNR = 20 log10(2^b) + 10 log10(1.5)."),
    steps=lambda b: (
        f"codes: {b} x 6.0206 dB = {20 * b * math.log10(2):.2f} dB",
        f"sine: + 1.76 dB = {affine.ideal_sqnr_db(b):.2f} dB",
    ),
)

GROUP_BITS = Exercise(
    id="quant.group_bits",
    title="Effective bits of grouped weights",
    prompt="Weights are {b}-bit codes in groups of {g}. Each group stores a scale of {s} bits and a zero "
    "point of {z} bits. How many bits does a weight take on average?",
    given={"b": 4, "g": 128, "s": 16, "z": 4},
    draws={"g": (32, 64, 128, 256), "b": (2, 3, 4)},
    answer=lambda b, g, s, z: affine.group_bits(b, g, s, z),
    unit="bit",
    tolerance=Absolute(0.002),
    expect=4.15625,
    source="worked by hand: 4 + 20 / 128",
    misconceptions=(
        Misconception(
            lambda b, g, s, z: b, "Those are the codes alone: each group stores a scale and a zero point too."
        ),
        Misconception(
            lambda b, g, s, z: b + s / g, "The zero point is missing: each group stores one beside its scale."
        ),
        Misconception(
            lambda b, g, s, z: b + s + z,
            "That is a scale and a zero point for every weight: a whole group shares them.",
        ),
    ),
    hints=("How many bits does a group store besides its codes?", "b + (s + z) / g."),
    steps=lambda b, g, s, z: (
        f"per group: {s} + {z} = {s + z} bits, shared by {g} weights",
        f"{b} + {s + z} / {g} = {b + (s + z) / g:.7g} bits",
    ),
)

CODEBOOK_OVERHEAD = Exercise(
    id="quant.codebook_overhead",
    title="Codebook with its table",
    prompt="{n} weights of {w} bits become indices into a table of {k} values of {w} bits. "
    "What is the compression, the table included?",
    given={"n": 10_000, "k": 16, "w": 32},
    draws={"n": Log(100, 1_000_000, 2), "k": (2, 4, 16, 64, 256)},
    answer=lambda n, k, w: compression.codebook_ratio(n, k, w),
    unit="x",
    tolerance=Absolute(0.02),
    expect=7.898894154818326,
    source="worked by hand: 320,000 / (40,000 + 512)",
    misconceptions=(
        Misconception(
            lambda n, k, w: w / math.log2(k), "The table is left out: it has to be stored as well."
        ),
        Misconception(
            lambda n, k, w: n * w / (n * math.log2(k) + k),
            "You counted the table as one bit an entry: each entry is a full value.",
        ),
    ),
    hints=("Two things are stored: indices and a table.", "n w / (n log2(k) + k w)."),
    steps=lambda n, k, w: (
        f"before: {n:,} x {w} = {n * w:,} bits",
        f"after: {n:,} x {compression.index_bits(k)} + {k} x {w} = "
        f"{n * compression.index_bits(k) + k * w:,} bits",
        f"factor {compression.codebook_ratio(n, k, w):.3f}",
    ),
)

NM_BYTES = Exercise(
    id="prune.nm_bytes",
    title="2:4 storage in INT8",
    prompt="{n} INT8 weights are pruned 2:4. Each kept value is stored with a 2-bit position. "
    "How many MB (10^6 bytes) is that?",
    given={"n": 1_000_000},
    draws={"n": Log(10_000, 100_000_000, 2)},
    answer=lambda n: compression.nm_bytes(n) / units.MB,
    unit="MB",
    tolerance=Relative(0.005),
    expect=0.625,
    source="worked by hand: 0.5 MB of values and 0.125 MB of positions",
    erratum="2-15",
    misconceptions=(
        Misconception(
            lambda n: n / 2 / 1e6, "Those are the values alone: each needs 2 bits to say where it belongs."
        ),
        Misconception(
            lambda n: (n / 2 + n / 4 * 2 / 8) / 1e6,
            "That is 2 bits for a group: two values are kept in it, and each has a position.",
        ),
        Misconception(
            lambda n: n * 2 / 8 / 1e6,
            "Those are 2 bits for every weight: the kept half alone has positions, beside a byte each.",
        ),
    ),
    hints=("How many weights are kept, and how many bits does each take?", "n / 2 x (8 + 2) bits."),
    steps=lambda n: (
        f"kept: {n:,} / 2 = {n // 2:,} values of 8 + 2 = 10 bits",
        f"{n // 2:,} x 10 / 8 = {compression.nm_bytes(n):,} bytes = {n * 0.625 / 1e6:g} MB",
        "1.6 times smaller than dense, not 2 times",
    ),
)

CSR_BREAKEVEN = Exercise(
    id="prune.csr_breakeven",
    title="Break-even density of CSR",
    prompt="Compressed sparse rows keep {v} B for a value and {i} B for its column index. Below which "
    "density (share of non-zero weights) is that smaller than dense storage, row pointers left out?",
    given={"v": 1, "i": 2},
    draws={"v": (1, 2, 4), "i": (1, 2, 4)},
    answer=lambda v, i: compression.csr_breakeven_density(v, i),
    unit="",
    tolerance=Absolute(0.005),
    expect=0.3333333333333333,
    source="worked by hand: 1 B against 3 B for each kept weight",
    misconceptions=(
        Misconception(
            lambda v, i: 0.5,
            "Half is right where value and index are equally long: compare the two lengths here.",
        ),
        Misconception(
            lambda v, i: i / (v + i),
            "That is the sparsity, the share of zeros: the density is what remains.",
        ),
    ),
    hints=("Set dense bytes equal to sparse bytes.", "v = density x (v + i)."),
    steps=lambda v, i: (
        f"per weight: dense {v} B, sparse density x ({v} + {i}) B",
        f"equal at density {v} / {v + i} = {v / (v + i):.4g}",
    ),
)

CHANNEL_PARAMS = Exercise(
    id="prune.channel_params",
    title="Fewer channels everywhere",
    prompt="Channel pruning keeps the share {r} of the channels in every layer. "
    "Which share of the weights of an inner convolution is left?",
    given={"r": 0.5},
    draws=lambda rng: {"r": rng.int(2, 18) / 20},
    answer=lambda r: compression.channel_pruned_share(r, r),
    unit="",
    tolerance=Absolute(0.005),
    expect=0.25,
    source="worked by hand: half of the inputs and half of the filters",
    misconceptions=(
        Misconception(
            lambda r: r, "That is one side: the filters get fewer, and each reads fewer input channels."
        ),
        Misconception(lambda r: r * r * r, "You shrank the kernel too: only inputs and outputs get fewer."),
    ),
    hints=("Which factors of k x k x c_in x c_out become smaller?", "r x r."),
    steps=lambda r: (
        f"inputs and outputs shrink to {r:g} each, the kernel stays",
        f"{r:g} x {r:g} = {r * r:.4g}",
    ),
)


def _two_latencies(rng: Rng) -> dict:
    """An operation against the rest of its mix, so that the mean fits its parts."""
    tenths, own, rest = rng.int(1, 9), rng.log(1, 50, 2), rng.int(1, 50)
    return {"p": tenths / 10, "l": own, "e": (tenths * own + (10 - tenths) * rest) / 10}


LATENCY_GRADIENT = Exercise(
    id="nas.latency_gradient",
    title="Gradient of expected latency",
    prompt="In a mix of operations the first has the probability {p} and takes {l} ms; the expected latency "
    "is {e} ms. What is the derivative of the expected latency with respect to the first architecture "
    "parameter, through the softmax, in ms?",
    given={"p": 0.6, "l": 10, "e": 7.7},
    draws=_two_latencies,
    answer=lambda p, l, e: p * (l - e),  # noqa: E741
    unit="ms",
    tolerance=Absolute(0.01),
    expect=1.38,
    source="worked by hand: 0.6 x 2.3; Cai et al., arXiv 1812.00332, section 3.3",
    erratum="2-7",
    misconceptions=(
        Misconception(
            lambda p, l, e: p * (1 - p) * l,  # noqa: E741
            "That is the diagonal term alone: raising one parameter lowers the other probabilities.",
        ),
        Misconception(
            lambda p, l, e: p * l,  # noqa: E741
            "That is its part of the mean: how do the probabilities move with the parameter?",
        ),
        Misconception(
            lambda p, l, e: l - e,  # noqa: E741
            "The probability is missing: an operation that is hardly chosen moves the mean little.",
        ),
    ),
    hints=(
        "dp_j/da_k = p_j (1 if j = k else 0) - p_j p_k. Add up all terms.",
        "dE/da_k = p_k (l_k - E).",
    ),
    steps=lambda p, l, e: (  # noqa: E741
        f"distance to the mean: {l:g} - {e:g} = {l - e:.4g} ms",
        f"{p:g} times that is {p * (l - e):.4g} ms",
    ),
)

KL = Exercise(
    id="kd.kl",
    title="KL divergence of two classes",
    prompt="With two classes, the teacher gives the first the probability {p} and the student {q}. "
    "What is KL(teacher || student) in nat?",
    given={"p": 0.7, "q": 0.6},
    draws=lambda rng: {"p": rng.int(5, 95) / 100, "q": rng.int(5, 95) / 100},
    answer=lambda p, q: compression.kl((p, 1 - p), (q, 1 - q)),
    unit="nat",
    tolerance=Absolute(0.0004),
    expect=0.021600854143546594,
    source="worked by hand: 0.7 ln(7/6) + 0.3 ln(3/4) = 0.107905 - 0.086305",
    misconceptions=(
        Misconception(
            lambda p, q: compression.kl((q, 1 - q), (p, 1 - p)),
            "Teacher and student are swapped: KL is not symmetric, and the teacher weights the logarithms.",
        ),
        Misconception(
            lambda p, q: p * math.log(p / q), "That is the first class alone: the second has a term too."
        ),
        Misconception(
            lambda p, q: compression.kl((p, 1 - p), (q, 1 - q)) / math.log(2),
            "That is in bits: the natural logarithm gives nat.",
        ),
    ),
    hints=(
        "Each class gives a term, weighted by the teacher.",
        "p ln(p / q) + (1 - p) ln((1 - p) / (1 - q)).",
    ),
    steps=lambda p, q: (
        f"first class: {p:g} x ln({p:g} / {q:g}) = {p * math.log(p / q):.5f}",
        f"second: {1 - p:g} x ln({1 - p:g} / {1 - q:g}) = {(1 - p) * math.log((1 - p) / (1 - q)):.5f}",
        f"sum {compression.kl((p, 1 - p), (q, 1 - q)):.5f} nat",
    ),
)

EXERCISES = (
    REQUANT_MULTIPLIER,
    REQUANT_BIAS,
    ZP_CORRECTION,
    SYMMETRIC_SCALE,
    SQNR,
    GROUP_BITS,
    CODEBOOK_OVERHEAD,
    NM_BYTES,
    CSR_BREAKEVEN,
    CHANNEL_PARAMS,
    LATENCY_GRADIENT,
    KL,
)
