"""Chapter "L1.2 Parameters": what the feed-forward blocks of transformers hold, and their size in a file."""

from tinylib import units
from tinylib.cost import Dense, memory
from tinylib.practice.draws import Rng, Times
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative


def _widths(rng: Rng) -> dict:
    i = rng.int(256, 1600)
    return {"i": i, "o": 4 * i}


BERT_FFN_UP = Exercise(
    id="params.bert_ffn_up",
    title="FFN expansion with bias",
    prompt="The first layer of a transformer's feed-forward block maps {i} features to {o}, with bias. "
    "How many parameters has it?",
    given={"i": 768, "o": 3072},
    draws=_widths,
    answer=lambda i, o: Dense(i, o).params,
    unit="parameters",
    tolerance=Absolute(0),
    expect=2_362_368,
    source="worked by hand: 768 x 3,072 + 3,072",
    misconceptions=(
        Misconception(lambda i, o: i * o, "Those are the weights alone: each output has a bias as well."),
        Misconception(
            lambda i, o: i * o + i, "That is one bias per input feature: a bias belongs to an output feature."
        ),
    ),
    hints=("Count the matrix first, then what is added to each output.", "i x o + o."),
    steps=lambda i, o: (
        f"weights: {i:,} x {o:,} = {i * o:,}",
        f"with {o:,} biases: {i * o + o:,} parameters",
    ),
)


def _ffn(d: int, f: int, bias: bool = True) -> int:
    return Dense(d, f, bias=bias).params + Dense(f, d, bias=bias).params


BERT_FFN_TOTAL = Exercise(
    id="params.bert_ffn_total",
    title="All FFN weights of BERT-base, with biases",
    prompt="Each of {L} transformer blocks has a feed-forward part of two layers with bias: {d} features to "
    "{f}, and {f} back to {d}. How many parameters do all of these parts have together?",
    given={"d": 768, "f": 3072, "L": 12},
    draws={"d": (256, 512, 768, 1024, 1600), "f": Times("d", (4,)), "L": (6, 12, 24, 48)},
    answer=lambda d, f, L: L * _ffn(d, f),
    unit="parameters",
    tolerance=Absolute(0),
    expect=56_669_184,
    source="worked by hand: 12 x (2,362,368 + 2,360,064)",
    erratum="4-5",
    misconceptions=(
        Misconception(
            lambda d, f, L: L * 2 * d * f, "Those are the weights alone: both layers have biases here."
        ),
        Misconception(
            lambda d, f, L: L * 2 * (d * f + f),
            "That is the first layer twice: the second has as many biases as the block has features.",
        ),
        Misconception(lambda d, f, L: 2 * d * f + f + d, "That is one block: how many are there?"),
    ),
    hints=("The two layers have different numbers of biases.", "L x (d x f + f + f x d + d)."),
    steps=lambda d, f, L: (
        f"up: {d:,} x {f:,} + {f:,} = {d * f + f:,}",
        f"down: {f:,} x {d:,} + {d:,} = {f * d + d:,}",
        f"{L} blocks x {2 * d * f + f + d:,} = {L * (2 * d * f + f + d):,} parameters",
    ),
)

BERT_FFN_MIB_FP16 = Exercise(
    id="params.bert_ffn_mib_fp16",
    title="Their FP16 size",
    prompt="The {n} feed-forward parameters of a BERT-base are stored in {bits} bits each. "
    "How many MiB (1 MiB = 1024 x 1024 bytes) do they take?",
    given={"n": 56_669_184, "bits": 16},
    draws={"bits": (2, 4, 8, 16, 32)},
    answer=lambda n, bits: memory.weight_bytes(n, bits) / units.MIB,
    unit="MiB",
    tolerance=Relative(0.005),
    expect=108.087890625,
    source="worked by hand: 113,338,368 bytes / 1,048,576",
    erratum="4-6",
    misconceptions=(
        Misconception(
            lambda n, bits: n * bits / 8 / 1e6, "That is in MB, 10^6 bytes: a MiB is 1024 x 1024 bytes."
        ),
        Misconception(lambda n, bits: n * bits / 2**20, "You counted bits: eight of them make one byte."),
    ),
    hints=("First the bytes, then the larger unit.", "n x bits / 8 / 2^20."),
    steps=lambda n, bits: (
        f"{n:,} x {bits} / 8 = {n * bits // 8:,} bytes",
        f"{n * bits // 8:,} / 1,048,576 = {n * bits / 8 / 2**20:.2f} MiB",
    ),
)

BERT_FFN_MIB_INT4 = Exercise(
    id="params.bert_ffn_mib_int4",
    title="Their INT4 size",
    prompt="The {n} feed-forward parameters of a BERT-base are packed into {bits} bits each, "
    "scales not counted. "
    "How many MiB (1 MiB = 1024 x 1024 bytes) do they take?",
    given={"n": 56_669_184, "bits": 4},
    draws={"bits": (2, 4, 8)},
    answer=lambda n, bits: memory.weight_bytes(n, bits) / units.MIB,
    unit="MiB",
    tolerance=Relative(0.005),
    expect=27.02197265625,
    source="worked by hand: 28,334,592 bytes / 1,048,576",
    erratum="4-6",
    misconceptions=(
        Misconception(
            lambda n, bits: n * bits / 8 / 1e6, "That is in MB, 10^6 bytes: a MiB is 1024 x 1024 bytes."
        ),
        Misconception(
            lambda n, bits: n / 2**20,
            "That is one byte per weight: packed weights share a byte. How many go into one?",
        ),
    ),
    hints=("How many weights share one byte?", "n x bits / 8 / 2^20."),
    steps=lambda n, bits: (
        f"{8 // bits} weights per byte: {n * bits // 8:,} bytes",
        f"{n * bits // 8:,} / 1,048,576 = {n * bits / 8 / 2**20:.2f} MiB",
    ),
)


def _gb(p: int, bits: int) -> float:
    return memory.weight_bytes(p, bits) / units.GB


SIZE_FP32_GB = Exercise(
    id="params.size_fp32_gb",
    title="7B in FP32",
    prompt="A language model has {p} parameters of {bits} bits each. "
    "How many GB (1 GB = 10^9 bytes) do its weights take?",
    given={"p": 7_000_000_000, "bits": 32},
    draws={"bits": (2, 4, 8, 16, 32)},
    answer=_gb,
    unit="GB",
    tolerance=Relative(0.005),
    expect=28.0,
    source="worked by hand: 7e9 weights x 4 bytes",
    misconceptions=(
        Misconception(
            lambda p, bits: p * bits / 8 / 2**30, "That is in GiB, 2^30 bytes: the question asks for 10^9."
        ),
        Misconception(
            lambda p, bits: p * 2 / 1e9,
            "That is two bytes per weight, as in FP16: turn the width given here into bytes.",
        ),
    ),
    hints=("How many bytes does one weight take?", "p x bits / 8 / 10^9."),
    steps=lambda p, bits: (
        f"{bits} bits are {bits / 8:g} bytes per weight",
        f"{p:,} x {bits / 8:g} = {p * bits // 8:,} bytes = {p * bits / 8e9:g} GB",
    ),
)

SIZE_INT2_GB = Exercise(
    id="params.size_int2_gb",
    title="7B in INT2",
    prompt="The {p} weights of a language model are packed into {bits} bits each, scales not counted. "
    "How many GB (1 GB = 10^9 bytes) is that?",
    given={"p": 7_000_000_000, "bits": 2},
    draws={"bits": (1, 2, 3)},
    answer=_gb,
    unit="GB",
    tolerance=Relative(0.005),
    expect=1.75,
    source="worked by hand: 7e9 weights / 4 per byte",
    misconceptions=(
        Misconception(
            lambda p, bits: p * 2 / 1e9, "That is two bytes per weight: the width is given in bits."
        ),
        Misconception(
            lambda p, bits: p * bits / 8 / 2**30, "That is in GiB, 2^30 bytes: the question asks for 10^9."
        ),
    ),
    hints=("Count bits first: eight make a byte.", "p x bits / 8 / 10^9."),
    steps=lambda p, bits: (
        f"{p:,} x {bits} = {p * bits:,} bits",
        f"{p * bits:,} / 8 = {p * bits // 8:,} bytes = {p * bits / 8e9:g} GB",
    ),
)


def _two_models(rng: Rng) -> dict:
    return {"a": rng.int(5, 30) * 10**8, "b": rng.int(30, 130) * 10**8}


SMALL_FP32_VS_BIG_INT4 = Exercise(
    id="params.small_fp32_vs_big_int4",
    title="Fewer parameters, larger file",
    prompt="One model has {a} parameters of {ab} bits, another {b} parameters of {bb} bits. "
    "What is the size of the first file divided by that of the second? (two decimals)",
    given={"a": 1_000_000_000, "ab": 32, "b": 7_000_000_000, "bb": 4},
    draws=_two_models,
    answer=lambda a, ab, b, bb: memory.weight_bytes(a, ab) / memory.weight_bytes(b, bb),
    unit="x",
    tolerance=Relative(0.01),
    expect=1.1428571428571428,
    source="worked by hand: 4 GB / 3.5 GB",
    misconceptions=(
        Misconception(
            lambda a, ab, b, bb: a / b, "That compares parameters: how many bits does each of them take?"
        ),
        Misconception(lambda a, ab, b, bb: b * bb / (a * ab), "Upside down: the first file over the second."),
        Misconception(
            lambda a, ab, b, bb: ab / bb, "That compares bit widths: the models differ in parameters too."
        ),
    ),
    hints=("Work out both files in bytes.", "(a x bits of a) / (b x bits of b)."),
    steps=lambda a, ab, b, bb: (
        f"first: {a:,} x {ab} / 8 = {a * ab // 8:,} bytes",
        f"second: {b:,} x {bb} / 8 = {b * bb // 8:,} bytes",
        f"ratio {a * ab / (b * bb):.3f}",
    ),
)

FFN_32_LAYERS = Exercise(
    id="params.ffn_32_layers",
    title="FFN weights of 32 layers (quiz)",
    prompt="Each of {L} blocks has a feed-forward part of two matrices, {d} to {f} features and back, "
    "without bias. How many parameters do they hold together?",
    given={"L": 32, "d": 4096, "f": 16_384},
    draws={"L": (12, 24, 32, 48, 80), "d": (768, 1600, 4096, 8192), "f": Times("d", (4,))},
    answer=lambda L, d, f: L * _ffn(d, f, bias=False),
    unit="parameters",
    tolerance=Absolute(0),
    expect=4_294_967_296,
    source="worked by hand: 2^5 blocks x 2 x 2^12 x 2^14 = 2^32",
    misconceptions=(
        Misconception(
            lambda L, d, f: L * d * f, "That is one of the two matrices: the features are also brought back."
        ),
        Misconception(lambda L, d, f: 2 * d * f, "That is one block: how many are there?"),
        Misconception(
            lambda L, d, f: 2 * L * d * f + L * (d + f), "The biases are in it: these layers have none."
        ),
    ),
    hints=("How many weights has the way up, and how many the way down?", "L x 2 x d x f."),
    steps=lambda L, d, f: (
        f"one block: 2 x {d:,} x {f:,} = {2 * d * f:,}",
        f"{L} blocks: {2 * L * d * f:,} parameters",
    ),
)


def _gpt2(rng: Rng) -> dict:
    """Small, medium, large or XL: blocks of 12 d^2 + 13 d, two embeddings and the last norm."""
    L, d = rng.choice(((12, 768), (24, 1024), (36, 1280), (48, 1600)))
    return {"d": d, "L": L, "total": L * (12 * d * d + 13 * d) + (50_257 + 1024) * d + 2 * d}


GPT2_BLOCKS_SHARE = Exercise(
    id="params.gpt2_blocks_share",
    title="FFN share of GPT-2 small",
    prompt="A GPT-2 model has {total} parameters in {L} blocks of width {d}. Each block has a feed-forward "
    "part that widens {d} features by four and brings them back, with biases. "
    "What percentage of all parameters lies in these parts? (one decimal)",
    given={"d": 768, "L": 12, "total": 124_439_808},
    draws=_gpt2,
    answer=lambda d, L, total: 100 * L * _ffn(d, 4 * d) / total,
    unit="%",
    tolerance=Absolute(0.1),
    expect=45.53943381204831,
    source="worked by hand: 12 x 4,722,432 = 56,669,184 of 124,439,808",
    erratum="4-4",
    misconceptions=(
        Misconception(
            lambda d, L, total: 100 * 48 * (8 * d * d + 5 * d) / total,
            "You counted 48 blocks: those belong to the XL model, whose width is 1,600.",
            printed_only=True,
        ),
        Misconception(
            lambda d, L, total: 100 * L * 4 * d * d / total,
            "That is one of the two matrices: there is a way up and a way down.",
        ),
        Misconception(
            lambda d, L, total: 100 * L * 12 * d * d / total,
            "The attention matrices are in it (4 d^2 a block): count the feed-forward part alone.",
        ),
    ),
    hints=("One block's part has 8 d^2 weights and 5 d biases.", "100 x L x (8 d^2 + 5 d) / total."),
    steps=lambda d, L, total: (
        f"one block: 8 x {d:,} x {d:,} + 5 x {d:,} = {8 * d * d + 5 * d:,}",
        f"{L} blocks: {L * (8 * d * d + 5 * d):,} of {total:,}",
        f"{100 * L * (8 * d * d + 5 * d) / total:.2f} %",
    ),
)

EXERCISES = (
    BERT_FFN_UP,
    BERT_FFN_TOTAL,
    BERT_FFN_MIB_FP16,
    BERT_FFN_MIB_INT4,
    SIZE_FP32_GB,
    SIZE_INT2_GB,
    SMALL_FP32_VS_BIG_INT4,
    FFN_32_LAYERS,
    GPT2_BLOCKS_SHARE,
)
