"""Chapter "L1.5 Energy": what a memory access costs beside arithmetic, in one reading and in many."""

from tinylib.cost import energy
from tinylib.practice.draws import Log
from tinylib.practice.exercise import Exercise, Misconception, Relative
from tinylib.units import format_quantity

ADDS = {0.2: "int32_add", 1.1: "float16_add", 3.1: "int32_add", 3.7: "float32_add"}  # multiply [pJ] -> add

DRAM_OVER_MULT = Exercise(
    id="energy.dram_over_mult",
    title="DRAM read against multiply",
    prompt="At 45 nm, reading a 32-bit word from DRAM costs {d} pJ and one multiplication {m} pJ. "
    "How many multiplications does the energy of one read pay for?",
    given={"d": 640, "m": 3.7},
    draws={"d": (640,), "m": (0.2, 1.1, 3.1, 3.7)},
    answer=lambda d, m: d / m,
    unit="x",
    tolerance=Relative(0.005),
    expect=172.97297297297297,
    source="worked by hand: 640 / 3.7",
    erratum="4-14",
    misconceptions=(
        Misconception(
            lambda d, m: d / (m + energy.pj(ADDS.get(m, "float32_add"))),
            "That is a whole multiply-accumulate: the add is in it, and only the multiply is asked.",
        ),
        Misconception(
            lambda d, m: d / energy.pj("sram_8kb"),
            "That is DRAM over SRAM: the divisor is the multiplication, not another memory.",
        ),
        Misconception(
            lambda d, m: d / 3.1,
            "You took the 32-bit integer multiply, 3.1 pJ: the one given here is another.",
            printed_only=True,
        ),
    ),
    hints=("Which number is the energy of one read, and which of one multiplication?", "ratio = d / m."),
    steps=lambda d, m: (
        f"one DRAM read: {d:g} pJ, one multiplication: {m:g} pJ",
        f"{d:g} / {m:g} = {d / m:,.1f}",
    ),
)

DRAM_OVER_SRAM = Exercise(
    id="energy.dram_over_sram",
    title="DRAM against on-chip SRAM",
    prompt="A 32-bit word costs {d} pJ from DRAM and {s} pJ from on-chip SRAM. "
    "By which factor is the DRAM access dearer?",
    given={"d": 640, "s": 5},
    draws={"s": (5, 10, 20, 50, 100)},
    answer=lambda d, s: d / s,
    unit="x",
    tolerance=Relative(0.005),
    expect=128.0,
    source="worked by hand: 640 / 5",
    erratum="4-16",
    misconceptions=(
        Misconception(lambda d, s: d - s, "That is the difference in pJ: a factor is a quotient."),
        Misconception(
            lambda d, s: d / 0.5,
            "That divides by the 0.5 pJ of a cache as a lecture prints it: the SRAM here costs 5 pJ.",
            printed_only=True,
        ),
    ),
    hints=("A factor has no unit: pJ must cancel.", "factor = DRAM energy / SRAM energy."),
    steps=lambda d, s: (f"{d:g} pJ / {s:g} pJ = {d / s:g}",),
)

COMPUTE_UJ = Exercise(
    id="energy.compute_uj",
    title="Arithmetic energy of a layer",
    prompt="A layer performs {n} multiply-accumulates. Taken at {e} pJ per MAC, how many microjoules (µJ) "
    "does its arithmetic cost?",
    given={"n": 118_013_952, "e": 3.7},
    draws={"n": Log(100_000, 1_000_000_000, 3), "e": (0.23, 1.5, 3.7, 4.6)},
    answer=lambda n, e: energy.spent_uj(n, e),
    unit="µJ",
    tolerance=Relative(0.003),
    expect=436.6516224,
    source="worked by hand: 118,013,952 MACs of ResNet-50's first layer x 3.7 pJ / 10^6",
    erratum="4-13",
    misconceptions=(
        Misconception(
            lambda n, e: n * (e + 0.9) / 1e6,
            "That adds 0.9 pJ for the accumulate: sound physics, but use the constant given per MAC.",
            printed_only=True,
        ),
        Misconception(lambda n, e: n * e / 1e9, "That is in millijoules: a microjoule is 10^6 pJ, not 10^9."),
        Misconception(
            lambda n, e: 2 * n * e / 1e6,
            "That charges each MAC twice: the constant is per MAC, not per FLOP.",
        ),
    ),
    hints=("First the energy in pJ, then the unit.", "µJ = MACs x pJ per MAC / 10^6."),
    steps=lambda n, e: (
        f"{n:,} MAC x {e:g} pJ = {format_quantity(n * e, 'pJ', 12)}",
        f"divided by 10^6: {format_quantity(n * e / 1e6, 'µJ', 6)}",
    ),
)

DRAM_ONCE_UJ = Exercise(
    id="energy.dram_once_uj",
    title="Loading each weight once",
    prompt="A layer has {n} weights of 32 bits. Each is read once, and one 32-bit access costs {e} pJ. "
    "How many microjoules (µJ) do the reads cost?",
    given={"n": 9408, "e": 640},
    draws={"n": Log(1_000, 10_000_000, 2), "e": (5, 640)},
    answer=lambda n, e: energy.spent_uj(n, e),
    unit="µJ",
    tolerance=Relative(0.005),
    expect=6.02112,
    source="worked by hand: 9,408 x 640 = 6,021,120 pJ",
    erratum="4-12",
    misconceptions=(
        Misconception(
            lambda n, e: n * e / 1e9,
            "A factor of 1000 is lost: that is in mJ, and 1 µJ is 10^6 pJ.",
        ),
        Misconception(
            lambda n, e: n * 2 * e / 1e6,
            "That is two accesses per weight: one access moves all 32 bits.",
        ),
        Misconception(
            lambda n, e: n * (5 if e == 640 else 640) / 1e6,
            "That is the energy of the other memory: DRAM costs 640 pJ a word, a small SRAM 5 pJ.",
        ),
    ),
    hints=("How many accesses are there, when one moves 32 bits?", "µJ = accesses x pJ / 10^6."),
    steps=lambda n, e: (
        f"{n:,} accesses x {e:g} pJ = {n * e:,} pJ",
        f"divided by 10^6: {format_quantity(n * e / 1e6, 'µJ', 6)}",
    ),
)

DRAM_UNCACHED_MJ = Exercise(
    id="energy.dram_uncached_mj",
    title="Reloading a weight at every position",
    prompt="A convolution has {n} weights of 32 bits and {r} output positions. Without a cache each weight "
    "is fetched anew for every position, at {e} pJ per access. How many millijoules (mJ) is that?",
    given={"n": 9408, "r": 12_544, "e": 640},
    draws={"r": Log(49, 12_544, 3)},
    answer=lambda n, r, e: energy.spent_uj(n * r, e) / 1000,
    unit="mJ",
    tolerance=Relative(0.008),
    expect=75.52892928,
    source="worked by hand: 9,408 x 12,544 x 640 pJ / 10^9",
    erratum="4-13",
    misconceptions=(
        Misconception(lambda n, r, e: n * r * e / 1e6, "That is in microjoules: 1 mJ is 10^9 pJ."),
        Misconception(
            lambda n, r, e: n * e / 1e9,
            "That reads each weight once: without a cache it is read at every output position.",
        ),
        Misconception(
            lambda n, r, e: n * r * energy.pj("sram_8kb") / 1e9,
            "That is with 5 pJ, the access of a small SRAM: these weights come from DRAM.",
        ),
    ),
    hints=("How many accesses are there in all?", "mJ = weights x positions x pJ / 10^9."),
    steps=lambda n, r, e: (
        f"accesses: {n:,} x {r:,} = {n * r:,}",
        f"energy: {n * r:,} x {e:g} pJ = {n * r * e:,} pJ",
        f"divided by 10^9: {format_quantity(n * r * e / 1e9, 'mJ', 5)}",
    ),
)

INT8_AND_CACHE = Exercise(
    id="energy.int8_and_cache",
    title="Fewer bytes and a nearer memory",
    prompt="A network of {p} weights reads each once: either as FP32 from DRAM at {d} pJ per 32-bit word, "
    "or packed {q} to a word from SRAM at {s} pJ per word. By which factor is the first way dearer?",
    given={"p": 10_000_000, "d": 640, "s": 5, "q": 4},
    draws={"p": Log(100_000, 100_000_000, 2), "q": (2, 4, 8)},
    answer=lambda p, d, s, q: energy.spent_uj(p, d) / (p / q * s / 1e6),
    unit="x",
    tolerance=Relative(0.005),
    expect=512.0,
    source="worked by hand: 640 / 5 x 4",
    misconceptions=(
        Misconception(
            lambda p, d, s, q: q,
            "That is the saving in words alone: each of the fewer words is also cheaper.",
        ),
        Misconception(
            lambda p, d, s, q: d / s,
            "That is the nearer memory alone: each access there also brings several weights.",
        ),
        Misconception(lambda p, d, s, q: d / s + q, "You added the two factors: they act one on the other."),
    ),
    hints=(
        "Count the word accesses of both ways: the number of weights cancels.",
        "factor = (d / s) x weights per word.",
    ),
    steps=lambda p, d, s, q: (
        f"FP32 from DRAM: {p:,} accesses x {d:g} pJ = {format_quantity(p * d / 1e6, 'µJ', 6)}",
        f"packed in SRAM: {p:,} / {q} accesses x {s:g} pJ = {format_quantity(p / q * s / 1e6, 'µJ', 6)}",
        f"factor: {d / s:g} x {q} = {d / s * q:g}",
    ),
)

EXERCISES = (
    DRAM_OVER_MULT,
    DRAM_OVER_SRAM,
    COMPUTE_UJ,
    DRAM_ONCE_UJ,
    DRAM_UNCACHED_MJ,
    INT8_AND_CACHE,
)
