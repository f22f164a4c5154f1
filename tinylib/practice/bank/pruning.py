"""Chapter "Pruning": share of zeros, saliency of a weight, 2:4 patterns and the bytes of sparse storage."""

from tinylib import units
from tinylib.cost import compression
from tinylib.practice.draws import Rng
from tinylib.practice.exercise import Absolute, Exercise, Misconception


def _pruned(rng: Rng) -> dict:
    total = rng.log(10_000, 10_000_000, 2)
    return {"total": total, "zeroed": total * rng.int(10, 95) // 100}


SPARSITY = Exercise(
    id="pruning.sparsity",
    title="Sparsity after magnitude pruning",
    prompt="Magnitude pruning sets {zeroed} of {total} weights to zero. What is the sparsity in percent?",
    given={"total": 500_000, "zeroed": 350_000},
    draws=_pruned,
    answer=lambda total, zeroed: 100 * compression.sparsity(total, total - zeroed),
    unit="%",
    tolerance=Absolute(0.1),
    expect=70.0,
    source="worked by hand: 350 of 500 thousand",
    misconceptions=(
        Misconception(
            lambda total, zeroed: 100 * (total - zeroed) / total,
            "That is the density, the share that survives: sparsity counts the zeros.",
        ),
        Misconception(
            lambda total, zeroed: total / zeroed,
            "That is the ratio of all weights to zeros: a share is the part over the whole, in percent.",
        ),
        Misconception(
            lambda total, zeroed: 100 * zeroed / (total - zeroed),
            "You divided by the survivors: the whole is all weights, zeros included.",
        ),
    ),
    hints=("Which part is at zero, and of how many in all?", "sparsity = 100 x zeros / weights."),
    steps=lambda total, zeroed: (
        f"zeros: {zeroed:,} of {total:,}",
        f"100 x {zeroed:,} / {total:,} = {100 * zeroed / total:g} %",
    ),
)

OBD = Exercise(
    id="pruning.obd",
    title="Second-order saliency",
    prompt="At a minimum of the loss, a weight is {w} and its diagonal Hessian entry is {hii}. By how much "
    "does the loss rise, to second order, when the weight is zeroed?",
    given={"w": 0.4, "hii": 5.0},
    draws=lambda rng: {"w": rng.int(-150, 150) / 100, "hii": rng.log(0.1, 20.0, 2)},
    answer=lambda w, hii: compression.obd_saliency(w, hii),
    unit="",
    tolerance=Absolute(0.005),
    expect=0.4,
    source="worked by hand: 5 x 0.16 / 2",
    misconceptions=(
        Misconception(
            lambda w, hii: hii * w * w, "The one half is missing: it belongs to the second Taylor term."
        ),
        Misconception(
            lambda w, hii: hii * w / 2,
            "The weight enters once: the term is quadratic in the step, and the step is the weight itself.",
        ),
        Misconception(
            lambda w, hii: (hii * w) ** 2 / 2,
            "The curvature is squared as well: only the displacement of the weight is.",
        ),
    ),
    hints=(
        "The gradient is zero at a minimum: what is the next term of the Taylor series?",
        "rise = h w^2 / 2.",
    ),
    steps=lambda w, hii: (
        f"zeroing moves the weight by {abs(w):g}; squared {w * w:.4f}",
        f"{hii:g} x {w * w:.4f} / 2 = {hii * w * w / 2:.4f}",
    ),
)

_PATTERNS = ((1, 4), (2, 4), (2, 8), (4, 8))

NM_SPARSITY = Exercise(
    id="pruning.nm_sparsity",
    title="N:M structured sparsity",
    prompt="A {n}:{m} pattern keeps {n} of each {m} weights. What is the sparsity in percent?",
    given={"n": 2, "m": 4},
    draws=lambda rng: dict(zip(("n", "m"), rng.choice(_PATTERNS))),
    answer=lambda n, m: 100 * compression.sparsity(m, n),
    unit="%",
    tolerance=Absolute(0),
    expect=50.0,
    source="worked by hand: two of four are zero",
    misconceptions=(
        Misconception(
            lambda n, m: 100 * n / (m + n),
            "You added group and kept weights: the kept ones are already in the group.",
        ),
        Misconception(
            lambda n, m: 100 * n / (m - n), "That is kept over removed: put the zeros over the group size."
        ),
        Misconception(lambda n, m: 100 / m, "That is one weight of a group: how many of the group are zero?"),
    ),
    hints=("Look at one group: how many of its weights are zero?", "sparsity = 100 x (m - n) / m."),
    steps=lambda n, m: (
        f"zeros in a group: {m} - {n} = {m - n}",
        f"100 x {m - n} / {m} = {100 * (m - n) / m:g} %",
    ),
)


def _sparse_matrix(rng: Rng) -> dict:
    total = rng.log(100_000, 10_000_000, 2)
    nnz = total * rng.int(2, 50) // 100
    return {"total": total, "nnz": nnz, "val": rng.choice((1, 2, 4)), "idx": rng.choice((1, 2, 4))}


CSR_BYTES = Exercise(
    id="pruning.csr_bytes",
    title="CSR storage without row pointers",
    prompt="Of {total} weights {nnz} are not zero. Compressed sparse rows keep a value of {val} B and a "
    "column index of {idx} B for each of those. How many MB (10^6 bytes) are values and indices, row "
    "pointers left out?",
    given={"total": 1_000_000, "nnz": 100_000, "val": 4, "idx": 4},
    draws=_sparse_matrix,
    answer=lambda total, nnz, val, idx: compression.csr_bytes(nnz, val, idx) / units.MB,
    unit="MB",
    tolerance=Absolute(0.002),
    expect=0.8,
    source="worked by hand: 100,000 x 8 B",
    erratum="2-16",
    misconceptions=(
        Misconception(
            lambda total, nnz, val, idx: nnz * val / 1e6,
            "Those are the values alone: how does a reader know the column of each?",
        ),
        Misconception(
            lambda total, nnz, val, idx: (total - nnz) * val / 1e6,
            "That is the size of the removed weights: storage goes with what is left.",
        ),
        Misconception(
            lambda total, nnz, val, idx: nnz * (val + idx) / units.MIB,
            "That is in MiB: you divided by 2^20. The question asks for MB, 10^6 bytes.",
        ),
        Misconception(
            lambda total, nnz, val, idx: total * (val + idx) / 1e6,
            "You stored the zeros too: only non-zero weights have an entry.",
        ),
    ),
    hints=(
        "What has to be stored for one non-zero weight?",
        "bytes = non-zeros x (value + index); row pointers would add 4 B a row and 4 B.",
    ),
    steps=lambda total, nnz, val, idx: (
        f"one entry: {val} B + {idx} B = {val + idx} B",
        f"{nnz:,} x {val + idx} B = {nnz * (val + idx):,} B = {nnz * (val + idx) / 1e6:g} MB",
    ),
)

GLOBAL_NONZERO = Exercise(
    id="pruning.global_nonzero",
    title="Survivors of global pruning",
    prompt="{layers} layers hold {per} weights each. Global pruning over all of them reaches a sparsity of "
    "{sparsity}. How many weights are not zero?",
    given={"layers": 10, "per": 50_000, "sparsity": 0.4},
    draws=lambda rng: {
        "layers": rng.int(2, 50),
        "per": rng.log(1_000, 1_000_000, 2),
        "sparsity": rng.int(2, 19) / 20,
    },
    answer=lambda layers, per, sparsity: layers * per * (1 - sparsity),
    unit="weights",
    tolerance=Absolute(0.5),
    expect=300_000.0,
    source="worked by hand: 60 % of half a million",
    misconceptions=(
        Misconception(
            lambda layers, per, sparsity: layers * per * sparsity,
            "Those are the removed weights: the question asks for the survivors.",
        ),
        Misconception(
            lambda layers, per, sparsity: per * (1 - sparsity),
            "That is one layer: global pruning ranks the weights of all layers together.",
        ),
    ),
    hints=("How many weights are there in all?", "survivors = layers x weights per layer x (1 - sparsity)."),
    steps=lambda layers, per, sparsity: (
        f"in all: {layers} x {per:,} = {layers * per:,} weights",
        f"{layers * per:,} x (1 - {sparsity:g}) = {round(layers * per * (1 - sparsity)):,}",
    ),
)

EXERCISES = (SPARSITY, OBD, NM_SPARSITY, CSR_BYTES, GLOBAL_NONZERO)
