"""Key of assignment 03: the private question and functions that the bank does not hold. Never released."""

from grading.keys import key
from tinylib.cost import compression
from tinylib.practice import Absolute, Exercise, Misconception


def _sparsity_percent(rows, cols, val, idx, pointers=4):
    """Sparsity where CSR with its row pointers is as large as the dense matrix [%]."""
    kept = (rows * cols * val - pointers * (rows + 1)) / (val + idx)
    return 100 * (1 - kept / (rows * cols))


CSR_SPARSITY = Exercise(
    id="a03.csr_sparsity",
    title="Where CSR begins to pay",
    prompt="A matrix of {rows} rows and {cols} columns stores {val} B for a value. Compressed sparse rows "
    "keep {val} B and a column index of {idx} B for each weight that is not zero, and rows + 1 row pointers "
    "of 4 B. From which sparsity, in percent, is that smaller than the dense matrix?",
    given={"rows": 64, "cols": 32, "val": 1, "idx": 2},
    draws={"rows": (32, 48, 64), "cols": (16, 24, 32, 48), "val": (1, 2), "idx": (1, 2)},
    answer=_sparsity_percent,
    unit="%",
    tolerance=Absolute(0.6),
    expect=70.8984375,
    source="worked by hand: (2,048 - 260) / 3 = 596 weights may stay, of 2,048",
    misconceptions=(
        Misconception(
            lambda rows, cols, val, idx: 100 * compression.csr_breakeven_sparsity(val, idx),
            "The row pointers are missing: they are stored however many weights are left.",
        ),
        Misconception(
            lambda **given: 100 - _sparsity_percent(**given),
            "That is the density, the share that may be left: sparsity counts the zeros.",
        ),
        Misconception(
            lambda rows, cols, val, idx: 100 * compression.csr_breakeven_density(val, idx),
            "That is the density, and without row pointers.",
        ),
    ),
)


def _removed(weights, curvatures, removed, by):
    """Saliencies of the weights that go when they are ranked by `by`."""
    pairs = sorted(zip(weights, curvatures), key=lambda pair: by(*pair))
    return [compression.obd_saliency(*pair) for pair in pairs[:removed]]


def _size(weight, _):
    return abs(weight)


@key(
    "a03.obd_report",
    examples=[(([1.0, -2.0, 3.0], [8.0, 0.5, 2.0], 1), {"rise": 1.0, "by_magnitude": 4.0, "kept": 4.0})],
)
class ObdReport:
    def draw(rng):  # curvatures spread over two powers of ten, so that the two rankings differ
        n = rng.int(8, 14)
        weights = [rng.uniform(0.1, 2) * rng.choice((-1, 1)) for _ in range(n)]
        curvatures = [10 ** rng.uniform(-1, 1) for _ in range(n)]
        return weights, curvatures, rng.int(2, n // 2)

    def expected(weights, curvatures, removed):
        ranked = sorted(zip(weights, curvatures), key=lambda pair: compression.obd_saliency(*pair))
        return {
            "rise": sum(compression.obd_saliency(*pair) for pair in ranked[:removed]),
            "by_magnitude": sum(_removed(weights, curvatures, removed, _size)),
            "kept": sum(abs(w) for w, _ in ranked[removed:]),
        }

    def slips(weights, curvatures, removed):
        right = ObdReport.expected(weights, curvatures, removed)
        ranked = sorted(zip(weights, curvatures), key=lambda pair: compression.obd_saliency(*pair))
        flat = sorted(zip(weights, curvatures), key=lambda pair: pair[1])
        return {
            "rise": {
                "the one half is missing": 2 * right["rise"],
                "those are the smallest weights, not the lowest saliencies": right["by_magnitude"],
                "the weight enters squared": sum(h * abs(w) / 2 for w, h in ranked[:removed]),
                "that ranks by curvature alone": sum(h * w * w / 2 for w, h in flat[:removed]),
                "that is the rise if the others went": sum(h * w * w / 2 for w, h in ranked[removed:]),
            },
            "by_magnitude": {
                "the one half is missing": 2 * right["by_magnitude"],
                "those are the lowest saliencies": right["rise"],
                "that ranks by the signed weight, the smallest magnitude goes": sum(
                    _removed(weights, curvatures, removed, lambda w, _: w)
                ),
            },
            "kept": {
                "those are the weights that go": sum(abs(w) for w, _ in ranked[:removed]),
                "that sums the signed weights": sum(w for w, _ in ranked[removed:]),
                "that is what magnitude keeps": sum(sorted(map(abs, weights))[removed:]),
            },
        }


@key(
    "a03.sparse_report",
    examples=[
        (
            ([[0.0, 0.5, 0.0, -0.25], [0.0, 0.0, 0.0, 0.0], [1.0, 2.0, 0.0, 3.0]], 2, 1),
            {"nonzero": 5, "csr": 31, "two_four": 13.5, "ready": 2},
        )
    ],
)
class SparseReport:
    def draw(rng):  # more columns than rows, never as many: a pointer per column is another number
        rows, cols = rng.int(3, 6), 4 * rng.int(2, 5)
        matrix = [[rng.uniform(0.1, 1) * rng.choice((-1, 0, 0, 1)) for _ in range(cols)] for _ in range(rows)]
        return matrix, rng.choice((1, 2, 4)), rng.choice((1, 2))

    def expected(matrix, value_bytes, index_bytes):
        rows, size = len(matrix), len(matrix) * len(matrix[0])
        nonzero = sum(w != 0 for row in matrix for w in row)
        groups = [row[i : i + 4] for row in matrix for i in range(0, len(row), 4)]
        return {
            "nonzero": nonzero,
            "csr": compression.csr_bytes(nonzero, value_bytes, index_bytes, rows),
            "two_four": size / 2 * (8 * value_bytes + 2) / 8,
            "ready": sum(sum(w != 0 for w in group) <= 2 for group in groups),
        }

    def slips(matrix, value_bytes, index_bytes):
        rows, columns = len(matrix), len(matrix[0])
        right, entry = SparseReport.expected(matrix, value_bytes, index_bytes), value_bytes + index_bytes
        groups = [row[i : i + 4] for row in matrix for i in range(0, columns, 4)]
        return {
            "nonzero": {
                "those are the zeros": rows * columns - right["nonzero"],
                "a negative weight is not zero": sum(w > 0 for row in matrix for w in row),
            },
            "csr": {
                "the row pointers are missing": right["nonzero"] * entry,
                "there is one pointer more than rows, for the end of the last one": right["csr"] - 4,
                "a pointer belongs to each row, not to each column": right["nonzero"] * entry
                + 4 * (columns + 1),
                "zeros are not stored": rows * columns * entry + 4 * (rows + 1),
            },
            "two_four": {
                "each kept value needs a 2-bit position": rows * columns / 2 * value_bytes,
                "2:4 keeps half of the weights, whatever is zero now": right["nonzero"]
                * (8 * value_bytes + 2)
                / 8,
                "a position takes 2 bits for each kept value, not for each group": rows
                * columns
                / 2
                * (8 * value_bytes + 1)
                / 8,
            },
            "ready": {
                "at most two may be left, not exactly two": sum(
                    sum(w != 0 for w in group) == 2 for group in groups
                ),
                "those are the groups with more than two": len(groups) - right["ready"],
            },
        }
