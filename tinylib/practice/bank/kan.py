"""Chapter "KAN": what an edge with a spline stores, a small network of them, and the MLP beside it."""

from tinylib.cost import Dense
from tinylib.cost.sequence import KAN
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative

EDGE_PARAMS = Exercise(
    id="kan.edge_params",
    title="Parameters of one edge",
    prompt="An edge of a Kolmogorov-Arnold network holds a B-spline of degree {k} over {G} grid intervals, "
    "and one weight each for the spline and for its base function. How many parameters is that?",
    given={"G": 5, "k": 1},
    draws=lambda rng: {"G": rng.int(2, 16), "k": rng.int(1, 3)},
    answer=lambda G, k: KAN(1, 1, grid=G, degree=k).params,
    unit="parameters",
    tolerance=Absolute(0),
    expect=8,
    source="worked by hand: 5 + 1 coefficients and 2 weights",
    misconceptions=(
        Misconception(
            lambda G, k: G + k,
            "Those are the spline coefficients alone: add the weight of the spline and that of the base.",
        ),
        Misconception(
            lambda G, k: G * k + 2,
            "Grid times degree: each degree adds one basis function, so a spline has G + k of them.",
        ),
    ),
    hints=("How many basis functions cover G intervals at degree k?", "G + k coefficients + 2 weights."),
    steps=lambda G, k: (
        f"coefficients: {G} + {k} = {G + k}",
        f"with spline weight and base weight: {G + k} + 2 = {G + k + 2}",
    ),
)


def _edges(i: int, h: int, o: int) -> int:
    return Dense(i, h).weights + Dense(h, o).weights


NET_PARAMS = Exercise(
    id="kan.net_params",
    title="A KAN with one hidden layer",
    prompt="A Kolmogorov-Arnold network has {i} inputs, {h} hidden nodes and {o} output; every edge stores "
    "{e} parameters and nodes store none. How many parameters has the network?",
    given={"i": 2, "h": 5, "o": 1, "e": 8},
    draws=lambda rng: {"h": rng.int(2, 16), "e": rng.int(5, 20)},
    answer=lambda i, h, o, e: _edges(i, h, o) * e,
    unit="parameters",
    tolerance=Absolute(0),
    expect=120,
    source="worked by hand: (10 + 5) edges x 8",
    misconceptions=(
        Misconception(
            lambda i, h, o, e: _edges(i, h, o),
            "Those are the edges: each of them stores a whole function.",
        ),
        Misconception(
            lambda i, h, o, e: (Dense(i, h).params + Dense(h, o).params) * e,
            "You gave each node a bias, as an MLP has: a KAN node only sums its edges.",
        ),
        Misconception(
            lambda i, h, o, e: _edges(i, h, o) * (e - 2),
            "Those are the spline coefficients alone: an edge also has a spline weight and a base weight.",
        ),
    ),
    hints=("How many edges are there between two layers?", "(i x h + h x o) x parameters per edge."),
    steps=lambda i, h, o, e: (
        f"edges: {i} x {h} + {h} x {o} = {_edges(i, h, o):,}",
        f"{_edges(i, h, o):,} edges x {e} = {_edges(i, h, o) * e:,} parameters",
    ),
)

OVER_MLP = Exercise(
    id="kan.over_mlp",
    title="KAN against an MLP of the same shape",
    prompt="A 2-5-1 network has {k} parameters as a KAN and {m} as an MLP with biases. "
    "By which factor has the KAN more parameters?",
    given={"k": 120, "m": 21},
    answer=lambda k, m: k / m,
    unit="x",
    tolerance=Relative(0.01),
    expect=120 / 21,
    source="worked by hand: 15 x 8 over 15 + 6",
    misconceptions=(
        Misconception(
            lambda k, m: 4208 / 1008,
            "That compares whole objects, 4,208 B with 1,008 B: they also hold states and gradients. "
            "Compare the parameters.",
            printed_only=True,
        ),
        Misconception(
            lambda k, m: k / (Dense(2, 5).weights + Dense(5, 1).weights),
            "You divided by the weights of the MLP alone: it has biases as well, one per node.",
        ),
    ),
    hints=("Both counts are given.", "parameters of the KAN / parameters of the MLP."),
    steps=lambda k, m: (f"{k} / {m} = {k / m:.2f}",),
)

EXERCISES = (EDGE_PARAMS, NET_PARAMS, OVER_MLP)
