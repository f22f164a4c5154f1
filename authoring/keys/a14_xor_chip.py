"""Key of assignment 14: the private question, the function and the trial of a network. Never released."""

import numpy as np

from grading.keys import Trial, key
from tinylib.deploy import c99, plain_network, xor_chip
from tinylib.deploy.measure import measure
from tinylib.formats.qformat import QFormat
from tinylib.nets import xor
from tinylib.practice import Absolute, Exercise, Misconception

WHOLE_FLASH = Exercise(
    id="a14.whole_flash",
    title="Flash of the whole program",
    prompt="The tool size prints text, data and bss of two object files: {text}, {data} and {bss} bytes for "
    "the network, {tables}, 0 and 0 bytes for its tables. The map file of the linker adds {library} bytes of "
    "the compiler's library. How many bytes of flash does the network take in all?",
    given={"text": 1542, "data": 8, "bss": 580, "tables": 800, "library": 560},
    draws={
        "text": (912, 1026, 1314, 1542, 1986, 2172),
        "data": (36, 68, 104, 140),
        "bss": (176, 244, 384, 580),
        "tables": (196, 384, 768, 800),
        "library": (52, 92, 468, 560),
    },
    answer=lambda text, data, bss, tables, library: text + data + tables + library,
    unit="B",
    tolerance=Absolute(0),
    expect=2910,
    source="worked by hand: 1542 + 8 + 800 + 560",
    misconceptions=(
        Misconception(
            lambda text, data, bss, tables, library: text + data + bss + tables + library,
            "bss is RAM that starts at zero: nothing of it is stored in flash.",
        ),
        Misconception(
            lambda text, data, bss, tables, library: text + tables + library,
            "The variables of data start with values: these lie in flash until the start-up copies them.",
        ),
        Misconception(
            lambda text, data, bss, tables, library: text + data + tables,
            "The object files only refer to the compiler's library: the linker adds its code.",
        ),
        Misconception(
            lambda text, data, bss, tables, library: text + data + library,
            "The tables are in the other object file, and in the same flash.",
        ),
        Misconception(
            lambda text, data, bss, tables, library: data + bss,
            "That is RAM: start values and zeros. Flash holds code, tables and start values.",
        ),
    ),
)


# ---- one step of training


def _step(q, x, w, bias, y, t, rate, rounding="floor"):
    """delta, bias and weights after one step of a sigmoid neuron [codes]."""

    def mul(a, b):
        return q.mul(a, b, rounding)

    delta = mul(t - y, mul(y, q.one - y))
    weights = [v + mul(rate, mul(u, delta)) for u, v in zip(x, w)]
    return {"delta": delta, "bias": bias + mul(rate, delta), "weights": weights}


@key(
    "a14.learn_step",
    examples=[
        (
            ([256, 0], [100, -40], 30, 192, 0, 64, 8),
            {"delta": -36, "bias": 21, "weights": [91, -40]},
        ),
        (([-128, 256], [0, 0], 0, 128, 256, 128, 8), {"delta": 32, "bias": 16, "weights": [-8, 16]}),
    ],
)
class LearnStep:
    def draw(rng):  # remainders in every product, so that the three roundings differ
        while True:
            f = rng.int(7, 11)
            one = 2**f
            t = rng.choice((0, one))
            y = rng.odd(one // 3, one - one // 8) if t == 0 else rng.odd(one // 8, one - one // 3)
            x = [rng.choice((-1, 1)) * rng.odd(one // 2, 2 * one) for _ in range(3)]
            w = [rng.int(-2 * one, 2 * one) for _ in range(3)]
            drawn = x, w, rng.int(-one, one), y, t, rng.odd(one // 4, one), f
            right, slips = LearnStep.expected(*drawn), LearnStep.slips(*drawn)
            if all(wrong != right[name] for name, found in slips.items() for wrong in found.values()):
                return drawn

    def expected(x, w, bias, y, t, rate, frac_bits):
        return _step(QFormat(31 - frac_bits, frac_bits), x, w, bias, y, t, rate)

    def slips(x, w, bias, y, t, rate, frac_bits):
        q = QFormat(31 - frac_bits, frac_bits)
        right = _step(q, x, w, bias, y, t, rate)
        d, one = right["delta"], q.one
        up = _step(q, x, w, bias, 0, 0, rate)  # a step that changes nothing
        near, cut = (_step(q, x, w, bias, y, t, rate, how) for how in ("nearest", "toward_zero"))
        return {
            "delta": {
                "the slope y (1 - y) is missing": t - y,
                "the error runs the other way, t - y": q.mul(y - t, q.mul(y, one - y)),
                "that is rounded to the nearest code": near["delta"],
                "that is the slope of tanh": q.mul(t - y, one - q.mul(y, y)),
            },
            "bias": {
                "the rate is missing": bias + d,
                "a step towards the target is added": bias - q.mul(rate, d),
                "that is the change alone": q.mul(rate, d),
            },
            "weights": {
                "the inputs are missing": [v + q.mul(rate, d) for v in w],
                "the rate is missing": [v + q.mul(u, d) for u, v in zip(x, w)],
                "that is rounded to the nearest code": near["weights"],
                "that is cut toward zero, floor goes down": cut["weights"],
                "they did not move": up["weights"],
            },
        }


# ---- a network on the chip

FLASH, RAM, MARGIN, NOISE, NOISY, MOST = 500, 96, 0.25, 0.1, 200, 256


def _refused(value, low, high, lit):
    """What is wrong with a value before anything is built; empty when it may be."""
    try:
        xor_chip.answers(value, low, high, lit)
        plain = plain_network.read(value, (2,), outputs=1)
        if plain.network.count > MOST:
            return f"A network must have at most {MOST} codes here, got {plain.network.count:,}."
        c99.export(plain.network, plain.ops, "net", in_shape=(2,))
    except (TypeError, ValueError) as error:
        return f"{error}."
    return ""


def chip(value, given, rng):
    """Builds and runs the network: the four cases with a margin, noisy ones, flash and RAM."""
    low, high, lit = (given[name] for name in ("low", "high", "lit"))
    if refused := _refused(value, low, high, lit):
        return 0.0, refused
    plain = plain_network.read(value, (2,), outputs=1)
    cases = np.array([xor.INPUTS[rng.int(0, 3)] for _ in range(NOISY)])
    noise = np.array([[rng.uniform(-NOISE, NOISE) for _ in range(2)] for _ in range(NOISY)])
    volts = xor_chip.levels(low, high, np.vstack((xor.INPUTS, cases + noise)))
    wanted = xor_chip.lamp(lit, np.vstack((xor.INPUTS, cases)))
    options = {"ops": plain.ops, "counted": 8, "compiler": "zig"}
    found = measure(plain.network, "cortex-m0plus", plain.codes(volts), **options)
    if not found.equal:
        raise RuntimeError(f"the C must answer as Python does, got {found.differing} codes that differ")
    answers = plain.ops.values(plain.answers(volts))[:, 0]
    sure = np.where(wanted, answers - 0.5, 0.5 - answers)
    truths, noisy = int(np.sum(sure[:4] >= MARGIN)), int(np.sum(sure[4:] > 0))
    fits = found.flash <= FLASH, found.ram <= RAM
    steady = min(1.0, max(0.0, noisy / NOISY - 0.5) / 0.49)  # one per cent may fail
    share = 0.5 + 0.25 * steady + 0.125 * sum(fits)
    if truths < 4:
        share = 0.125 * max(0, truths - 2)
    words = [
        f"Cases right by {MARGIN:g} or more: {truths} of 4.",
        f"Right under noise: {noisy} of {NOISY}.",
        f"Flash {found.flash:,} of {FLASH} B: {'kept' if fits[0] else 'too much'}.",
        f"RAM {found.ram:,} of {RAM} B: {'kept' if fits[1] else 'too much'}.",
        f"{found.instructions:,} instructions.",
    ]
    return share, " ".join(words)


CHIP = Trial(
    "a14.chip",
    chip,
    "tinylib.deploy.xor_chip:answers",
    "Two switches reach your chip as voltages: {low} V when off, {high} V when on. A lamp must be lit when "
    f"the switches {{lit}}. Lit means an answer of at least {0.5 + MARGIN:g}, dark one of at most "
    f"{0.5 - MARGIN:g}. Each voltage may be off by {100 * NOISE:g} % of the way from off to on: then it is "
    f"enough to be above or below one half. The network may take {FLASH} bytes of flash and {RAM} bytes of "
    "RAM, its stack among them, on a Cortex-M0+.",
    {"low": 0.0, "high": 1.0, "lit": "differ"},
    {"low": (-1.0, -0.5, 0.0, 0.25), "high": (0.75, 1.0, 1.5), "lit": ("differ", "agree")},
    title="A network on the chip",
    seconds=60,
)
