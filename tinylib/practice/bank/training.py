"""Chapter "Training state": what learning keeps in memory beside the weights, from XOR to a 7B fine-tune."""

from tinylib import units
from tinylib.cost import Dense, llm, memory
from tinylib.practice.draws import Log, Rng
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative

# bytes of a network object that can learn, and of one that only infers: MLP, Elman, LSTM, GRU, KAN
OBJECTS = (
    *((1008, 360), (1056, 384), (3024, 960), (2400, 792), (4208, 1256)),  # double
    *((328, 144), (472, 192), (952, 384), (808, 336), (1192, 416)),  # Q8.8
)


def _object(rng: Rng) -> dict:
    return dict(zip(("tr", "inf"), rng.choice(OBJECTS), strict=True))


OVERHEAD_PCT = Exercise(
    id="train.overhead_pct",
    title="Extra memory for learning",
    prompt="A network object takes {tr} bytes when it can learn and {inf} bytes when it only infers. By how "
    "many percent of the inference object does learning enlarge it?",
    given={"tr": 1008, "inf": 360},
    draws=_object,
    answer=lambda tr, inf: 100 * (tr - inf) / inf,
    unit="%",
    tolerance=Absolute(0.5),
    expect=180.0,
    source="worked by hand: (1008 - 360) / 360 = 1.8",
    misconceptions=(
        Misconception(
            lambda tr, inf: 100 * tr / inf,
            "That is the whole size in percent: an increase leaves the 100 % of the base out.",
        ),
        Misconception(
            lambda tr, inf: 100 * (tr - inf) / tr,
            "The base is wrong: compare the extra bytes with the inference object.",
        ),
    ),
    hints=("How many bytes come on top, and on top of what?", "100 x (trainable - inference) / inference."),
    steps=lambda tr, inf: (
        f"extra: {tr:,} - {inf:,} = {tr - inf:,} B",
        f"100 x {tr - inf:,} / {inf:,} = {100 * (tr - inf) / inf:.4g} %",
    ),
)

XOR_CONNECTIONS = Exercise(
    id="train.xor_connections",
    title="Connections of a small network",
    prompt="A fully connected network has {i} input(s), {h} hidden neuron(s) and {o} output(s); each hidden "
    "and output neuron has a bias. How many weights has it, biases included?",
    given={"i": 2, "h": 4, "o": 1},
    draws=lambda rng: {"i": rng.int(1, 8), "h": rng.int(1, 16), "o": rng.int(1, 4)},
    answer=lambda i, h, o: Dense(i, h).params + Dense(h, o).params,
    unit="weights",
    tolerance=Absolute(0),
    expect=17,
    source="worked by hand: (2 + 1) x 4 + (4 + 1) x 1",
    misconceptions=(
        Misconception(
            lambda i, h, o: i * h + h * o,
            "The biases are missing: one more weight for each hidden and each output neuron.",
        ),
        Misconception(
            lambda i, h, o: (i + 1) * h + h * o,
            "The output has a bias as well, not only the hidden layer.",
        ),
        Misconception(
            lambda i, h, o: i + h + o, "Those are the neurons: count the connections between them."
        ),
    ),
    hints=(
        "Count layer by layer, and treat the bias as one more input.",
        "(inputs + 1) x hidden + (hidden + 1) x outputs.",
    ),
    steps=lambda i, h, o: (
        f"hidden: ({i} + 1) x {h} = {(i + 1) * h}",
        f"output: ({h} + 1) x {o} = {(h + 1) * o}",
        f"together {(i + 1) * h + (h + 1) * o} weights",
    ),
)

XOR_STATE_BYTES = Exercise(
    id="train.xor_state_bytes",
    title="Training state per connection",
    prompt="A network with {n} connections learns on the chip. For each connection it keeps {v} value(s) of "
    "{b} bytes: the weight, and what learning adds to it, such as the gradient and past changes. "
    "How many bytes are these together?",
    given={"n": 17, "v": 4, "b": 4},
    draws={"n": Log(5, 500, 2), "v": (1, 2, 3, 4), "b": (2, 4, 8)},
    answer=lambda n, v, b: memory.weight_bytes(n * v, 8 * b),
    unit="B",
    tolerance=Absolute(0),
    expect=272,
    source="worked by hand: 17 connections x 4 values x 4 bytes; 68 bytes suffice to infer",
    erratum="1-3",
    misconceptions=(
        Misconception(
            lambda n, v, b: n * b, "Those are the weights alone, enough to infer: learning keeps more values."
        ),
        Misconception(
            lambda n, v, b: n * (v - 1) * b,
            "The weight itself is missing: it stays in memory beside what learning adds.",
        ),
        Misconception(
            lambda n, v, b: n * v * 2,
            "That takes two bytes a value, as Q8.8 does: look at the width in the question.",
        ),
    ),
    hints=("How many bytes does one connection take?", "connections x values x bytes."),
    steps=lambda n, v, b: (
        f"one connection: {v} x {b} B = {v * b} B",
        f"{n} connections: {n} x {v * b} B = {n * v * b:,} B",
    ),
)


def _flash(rng: Rng) -> dict:
    return {"s": rng.int(500, 8000), "f": rng.choice((8192, 16_384, 32_768, 65_536))}


FLASH_SHARE = Exercise(
    id="train.flash_share",
    title="Share of the flash",
    prompt="A trainable network takes {s} bytes of a flash of {f} bytes. How many percent of the flash is "
    "that? (one decimal)",
    given={"s": 4096, "f": 16_384},
    draws=_flash,
    answer=lambda s, f: 100 * s / f,
    unit="%",
    tolerance=Absolute(0.1),
    expect=25.0,
    source="worked by hand: 4 KiB of 16 KiB is a quarter",
    misconceptions=(
        Misconception(lambda s, f: f / s, "That says how often it fits: percent is 100 x part / whole."),
        Misconception(
            lambda s, f: 100 * s / (f - s), "That is the share of what remains: divide by the whole flash."
        ),
    ),
    hints=("Part over whole.", "100 x bytes taken / bytes of flash."),
    steps=lambda s, f: (
        f"{s:,} B of {f:,} B",
        f"100 x {s:,} / {f:,} = {100 * s / f:.1f} %",
    ),
)

CODE_SHARE = Exercise(
    id="train.code_share",
    title="Code that only infers",
    prompt="Built to learn, a network takes {b} bytes of code and 640 bytes of RAM; built to infer only, {a} "
    "bytes of code and 208 bytes of RAM. How many percent of the code remain? (one decimal)",
    given={"a": 1730, "b": 5180},
    answer=lambda a, b: 100 * a / b,
    unit="%",
    tolerance=Absolute(0.1),
    expect=100 * 173 / 518,
    source="worked by hand: 173 / 518 = 0.33398",
    misconceptions=(
        Misconception(
            lambda a, b: 100 * (b - a) / b,
            "That is the share that goes away: the question asks what remains.",
        ),
        Misconception(
            lambda a, b: 100 * 208 / 640,
            "That is the share of the RAM: the question asks for the code.",
            printed_only=True,
        ),
    ),
    hints=("Which two of the four sizes are code?", "100 x inference code / trainable code."),
    steps=lambda a, b: (
        f"code: {a:,} B of {b:,} B",
        f"100 x {a:,} / {b:,} = {100 * a / b:.1f} %",
    ),
)

ADAM_BYTES = Exercise(
    id="train.adam_bytes",
    title="State of full fine-tuning",
    prompt="A model of {p} parameters is trained with Adam in mixed precision: FP16 weights and gradients, "
    "an FP32 copy of the weights and two FP32 moments. How many GB (10^9 bytes) is this, without "
    "activations?",
    given={"p": 7_000_000_000, "b": 16},
    draws={"p": Log(100_000, 70_000_000_000, 2)},
    answer=lambda p, b: llm.ADAM_MIXED.bytes(p) / units.GB,
    unit="GB",
    tolerance=Relative(0.005),
    expect=112.0,
    source="worked by hand: 7e9 x (2 + 2 + 4 + 4 + 4) bytes; 98e9 of it is not the FP16 weights",
    erratum="2-18",
    misconceptions=(
        Misconception(
            lambda p, b: p * 12 / 1e9,
            "That is FP32 copy and moments only, 12 bytes: FP16 weights and gradients are kept as well.",
        ),
        Misconception(
            lambda p, b: p * 8 / 1e9, "Those are the two moments, 8 bytes: weights and gradients stay too."
        ),
        Misconception(
            lambda p, b: p * 14 / 1e9,
            "The FP16 weights are left out: they stay in memory beside their FP32 copy.",
        ),
    ),
    hints=(
        "List what is kept for one parameter, with its bytes.",
        "2 + 2 + 4 + 4 + 4 bytes a parameter.",
    ),
    steps=lambda p, b: (
        f"weight 2 + gradient 2 + copy 4 + moments 4 + 4 = {b} B a parameter",
        f"{p:,} x {b} B = {p * b:,} B = {p * b / 1e9:g} GB",
    ),
)

EXERCISES = (OVERHEAD_PCT, XOR_CONNECTIONS, XOR_STATE_BYTES, FLASH_SHARE, CODE_SHARE, ADAM_BYTES)
