"""Chapter "L1.3 MACs": work of dense and convolutional layers, and how often a weight is used."""

from tinylib.cost import Conv2D, Dense
from tinylib.practice.draws import Log, Rng
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative

BERT_FFN = Exercise(
    id="macs.bert_ffn",
    title="MACs of the expansion",
    prompt="A fully connected layer with bias maps {i} features of a token to {o}. "
    "How many multiply-accumulates (MAC) does one token cost?",
    given={"i": 768, "o": 3072},
    draws={"i": Log(64, 4096, 2), "o": Log(64, 16_384, 2)},
    answer=lambda i, o: Dense(i, o).macs((i,)),
    unit="MAC",
    tolerance=Absolute(0),
    expect=2_359_296,
    source="worked by hand: 768 x 3,072",
    misconceptions=(
        Misconception(
            lambda i, o: 2 * i * o, "That is the FLOP count: one MAC is a multiply and an add together."
        ),
        Misconception(
            lambda i, o: i * o + o, "The bias is in it: it is an add without a multiply, so no MAC."
        ),
    ),
    hints=("How many inputs does each output read?", "MACs = i x o."),
    steps=lambda i, o: (
        f"each of {o:,} outputs reads {i:,} inputs",
        f"{i:,} x {o:,} = {i * o:,} MAC",
    ),
)

BERT_FFN_FLOPS = Exercise(
    id="macs.bert_ffn_flops",
    title="The same in FLOPs",
    prompt="A fully connected layer maps {i} features of a token to {o}. Taking two floating-point "
    "operations for each multiply-accumulate and nothing else, how many FLOP does one token cost?",
    given={"i": 768, "o": 3072},
    draws={"i": Log(64, 4096, 2), "o": Log(64, 16_384, 2)},
    answer=lambda i, o: 2 * Dense(i, o).macs((i,)),
    unit="FLOP",
    tolerance=Absolute(0),
    expect=4_718_592,
    source="worked by hand: 2 x 2,359,296",
    misconceptions=(
        Misconception(
            lambda i, o: i * o, "Those are MACs: each holds two operations, a multiply and an add."
        ),
        Misconception(
            lambda i, o: 2 * i * o + o,
            "The bias adds are in it: here a FLOP count is 2 x MACs, nothing more.",
        ),
    ),
    hints=("Count MACs first.", "FLOP = 2 x i x o."),
    steps=lambda i, o: (
        f"{i:,} x {o:,} = {i * o:,} MAC",
        f"2 x {i * o:,} = {2 * i * o:,} FLOP",
    ),
)


def _stem(co: int, ci: int, k: int) -> Conv2D:
    return Conv2D(ci, co, k, stride=2, padding="same", bias=False)


def _macs(co: int, ci: int, k: int, h: int, w: int) -> int:
    return _stem(co, ci, k).macs((2 * h, 2 * w, ci))


STEM = {"co": 64, "ci": 3, "k": 7, "h": 112, "w": 112}


def _stems(rng: Rng) -> dict:
    h = rng.int(14, 112)
    return {"k": rng.choice((3, 5, 7)), "h": h, "w": h}


RESNET_CONV1_PARAMS = Exercise(
    id="macs.resnet_conv1_params",
    title="Weights of the first ResNet-50 layer",
    prompt="A {k}x{k} convolution with stride 2 and without bias turns {ci} input channels into {co} maps of "
    "{h} x {w}. How many weights has it?",
    given=STEM,
    draws={"k": (1, 3, 5, 7, 11)},
    answer=lambda co, ci, k, h, w: _stem(co, ci, k).params,
    unit="parameters",
    tolerance=Absolute(0),
    expect=9408,
    source="worked by hand: 64 x 3 x 7 x 7",
    misconceptions=(
        Misconception(lambda co, ci, k, h, w: co * ci * k, "The kernel is used once: it has k x k taps."),
        Misconception(
            lambda co, ci, k, h, w: co * k * k,
            "That is one input channel: every filter has a kernel for each of them.",
        ),
        Misconception(
            lambda co, ci, k, h, w: co * ci * k * k + co,
            "The bias is in it: this layer has none, batch norm does its work.",
        ),
    ),
    hints=("The size of the output does not matter here.", "co x ci x k x k."),
    steps=lambda co, ci, k, h, w: (
        f"one filter: {ci} x {k} x {k} = {ci * k * k:,} weights",
        f"{co} filters: {co * ci * k * k:,} weights",
    ),
)

RESNET_CONV1 = Exercise(
    id="macs.resnet_conv1",
    title="MACs of the first ResNet-50 layer",
    prompt="A {k}x{k} convolution with stride 2 turns {ci} input channels into {co} maps of {h} x {w}, half "
    "the input's side. How many multiply-accumulates (MAC) does it cost, taps on the border included?",
    given=STEM,
    draws=_stems,
    answer=_macs,
    unit="MAC",
    tolerance=Absolute(0),
    expect=118_013_952,
    source="worked by hand: 9,408 x 12,544",
    misconceptions=(
        Misconception(
            lambda co, ci, k, h, w: co * ci * k * k * 2 * h * 2 * w,
            "You counted input positions: with stride 2 the kernel stops at every second one, on both axes.",
        ),
        Misconception(
            lambda co, ci, k, h, w: co * ci * k * k,
            "Those are the weights: each works once per output position.",
        ),
        Misconception(
            lambda co, ci, k, h, w: 2 * co * ci * k * k * h * w,
            "That is the FLOP count: one MAC is a multiply and an add together.",
        ),
    ),
    hints=("How many weights are there, and how often does each work?", "co x ci x k x k x h x w."),
    steps=lambda co, ci, k, h, w: (
        f"weights: {co} x {ci} x {k} x {k} = {co * ci * k * k:,}",
        f"output positions: {h} x {w} = {h * w:,}",
        f"{co * ci * k * k:,} x {h * w:,} = {co * ci * k * k * h * w:,} MAC",
    ),
)


def _square(rng: Rng) -> dict:
    h = rng.int(7, 112)
    return {"h": h, "w": h}


RESNET_CONV1_REUSE = Exercise(
    id="macs.resnet_conv1_reuse",
    title="Uses of each weight",
    prompt="A convolution with stride 2 has 64 filters and writes maps of {h} x {w}, half the input's side. "
    "In how many multiply-accumulates does each weight take part?",
    given={"h": 112, "w": 112},
    draws=_square,
    answer=lambda h, w: Conv2D(1, 1, 1, bias=False).macs((h, w, 1)),
    unit="uses",
    tolerance=Absolute(0),
    expect=12_544,
    source="worked by hand: 112 x 112",
    misconceptions=(
        Misconception(
            lambda h, w: h * w * 64,
            "You multiplied by the filters: a weight belongs to one of them and fills one map.",
            printed_only=True,
        ),
        Misconception(
            lambda h, w: 2 * h * 2 * w,
            "Those are input positions: a weight is used once per output position.",
        ),
        Misconception(lambda h, w: h + w, "You added the sides: the positions fill an area."),
    ),
    hints=("Follow one weight while its kernel slides.", "h x w."),
    steps=lambda h, w: (
        "one use per position of the output map",
        f"{h} x {w} = {h * w:,} uses",
    ),
)

RESNET_CONV1_MFLOPS = Exercise(
    id="macs.resnet_conv1_mflops",
    title="The FLOPs of that layer",
    prompt="A {k}x{k} convolution without bias turns {ci} input channels into {co} maps of {h} x {w}. "
    "How many million floating-point operations (MFLOP) is that, at two for each multiply-accumulate?",
    given=STEM,
    draws=_stems,
    answer=lambda **given: 2 * _macs(**given) / 1e6,
    unit="MFLOP",
    tolerance=Relative(0.002),
    expect=236.027904,
    source="worked by hand: 2 x 118,013,952 / 10^6",
    misconceptions=(
        Misconception(
            lambda **given: _macs(**given) / 1e6,
            "Those are million MACs: each holds two operations, a multiply and an add.",
        ),
        Misconception(
            lambda **given: 2 * _macs(**given) / 2**20,
            "You divided by 2^20: a million operations are 10^6; only bytes come in powers of two.",
        ),
    ),
    hints=("MACs first, then two operations for each.", "2 x co x ci x k x k x h x w / 10^6."),
    steps=lambda co, ci, k, h, w: (
        f"{co * ci * k * k:,} weights x {h * w:,} positions = {co * ci * k * k * h * w:,} MAC",
        f"x 2 = {2 * co * ci * k * k * h * w:,} FLOP",
        f"{2 * co * ci * k * k * h * w / 1e6:,.2f} MFLOP",
    ),
)


def _middle(rng: Rng) -> dict:
    h = rng.int(7, 112)
    ci, co, k = rng.int(16, 256), rng.log(16, 512, 2), rng.choice((1, 3, 5))
    return {"ci": ci, "co": co, "k": k, "h": h, "w": h}


CONV_QUIZ = Exercise(
    id="macs.conv_quiz",
    title="A mid-network convolution (quiz)",
    prompt="A {k}x{k} convolution with stride 1 maps {ci} to {co} channels; its output is {h} x {w}. "
    "How many multiply-accumulates (MAC) does it cost?",
    given={"ci": 128, "co": 256, "k": 3, "h": 56, "w": 56},
    draws=_middle,
    answer=lambda ci, co, k, h, w: Conv2D(ci, co, k, padding="same").macs((h, w, ci)),
    unit="MAC",
    tolerance=Absolute(0),
    expect=924_844_032,
    source="worked by hand: 294,912 weights x 3,136 positions",
    misconceptions=(
        Misconception(
            lambda ci, co, k, h, w: co * ci * k * h * w, "The kernel is used once: it has k x k taps."
        ),
        Misconception(
            lambda ci, co, k, h, w: 2 * co * ci * k * k * h * w,
            "That is the FLOP count: one MAC is a multiply and an add together.",
        ),
        Misconception(
            lambda ci, co, k, h, w: co * ci * k * k,
            "Those are the weights: each works once per output position.",
        ),
        Misconception(
            lambda ci, co, k, h, w: co * k * k * h * w,
            "That is a depthwise layer: here every filter reads all input channels.",
        ),
    ),
    hints=("Weights times output positions.", "co x ci x k x k x h x w."),
    steps=lambda ci, co, k, h, w: (
        f"weights: {k} x {k} x {ci} x {co} = {co * ci * k * k:,}",
        f"x {h} x {w} positions = {co * ci * k * k * h * w:,} MAC",
    ),
)

EXERCISES = (
    BERT_FFN,
    BERT_FFN_FLOPS,
    RESNET_CONV1_PARAMS,
    RESNET_CONV1,
    RESNET_CONV1_REUSE,
    RESNET_CONV1_MFLOPS,
    CONV_QUIZ,
)
