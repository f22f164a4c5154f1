"""The test that goes with an exported network: vectors with the answers of Python, a program, a Makefile."""

from dataclasses import replace
from string import Template
from typing import Any

import numpy as np

from tinylib.cost.layers import Shape
from tinylib.deploy import c99_train
from tinylib.deploy.emit.sources import Sources
from tinylib.deploy.emit.text import literal
from tinylib.nets import one_net
from tinylib.nets.arithmetic import Fixed
from tinylib.nets.cfc import CfC
from tinylib.nets.network import Network
from tinylib.nets.optimizers import SGD
from tinylib.nets.scan import Recurrent, scan
from tinylib.nets.train import prepared

Array = np.ndarray


def draw(ops: Fixed, shape: Shape, samples: int, seed: int = 0) -> Array:
    """Random codes (samples, *shape): small ones, any ones, and the two ends of the format, by turns."""
    rng, q = np.random.default_rng(seed), ops.q
    small = ops.number(rng.normal(0, 1, (samples, *shape)))
    anywhere = rng.integers(q.min_raw, q.max_raw, (samples, *shape), endpoint=True)
    ends = rng.choice([q.min_raw, q.max_raw], (samples, *shape))
    turn = (np.arange(samples) % 8).reshape(-1, *(1,) * len(shape))
    return np.select([turn < 4, turn < 7], [small, anywhere], ends)


def answers(network: Network, ops: Fixed, xs: Array, elapsed: bool = False) -> Array:
    """Outputs (samples, outputs) of inputs (samples, ...); samples of a recurrent network follow in time.

    elapsed: the last input is the time since the sample before
    """
    parts = [replace(p, last_only=False) if isinstance(p, Recurrent) else p for p in network.parts]
    if elapsed:
        y, times = xs[:, None, :-1], ops.values(xs[:, None, -1])
        for part in parts:
            given = {"elapsed": times} if isinstance(getattr(part, "cell", None), CfC) else {}
            y = (scan(part.cell, y, ops, **given) if isinstance(part, Recurrent) else part.forward(y, ops))[0]
        return y[:, 0]
    if any(isinstance(part, Recurrent) for part in parts):
        return Network(tuple(parts)).forward(xs[:, None], ops)[0][:, 0]
    return network.forward(xs, ops)[0].reshape(len(xs), -1)


def timed(ops: Fixed, shape: Shape, samples: int, seed: int = 0) -> Array:
    """Random codes (samples, features + 1) as of `draw`; the last of each is a time, never negative."""
    xs = draw(ops, (shape[0] + 1,), samples, seed)
    xs[:, -1] = np.where(xs[:, -1] < 0, -1 - xs[:, -1], xs[:, -1])
    return xs


def vectors(
    network: Network, ops: Fixed, shape: Shape, samples: int, elapsed: bool = False
) -> tuple[Array, Array]:
    """Inputs (samples, inputs) and outputs (samples, outputs)."""
    xs = timed(ops, shape, samples) if elapsed else draw(ops, shape, samples)
    return xs.reshape(samples, -1), answers(network, ops, xs, elapsed)


def _matrix(kind: str, name: str, codes: Array) -> str:
    rows = ["    {" + ", ".join(map(literal, row)) + "}," for row in codes.tolist()]
    return "\n".join([f"static const {kind} {name}[{len(codes)}][{codes.shape[1]}] = {{", *rows, "};"])


def draw_int8(shape: Shape) -> Array:
    """Random int8 codes, every eighth sample made of the two ends."""
    rng = np.random.default_rng(0)
    codes = rng.integers(-128, 127, shape, np.int8, endpoint=True)
    codes[7::8] = rng.choice(np.array([-128, 127], np.int8), codes[7::8].shape)
    return codes


def program(made: Sources, checks: tuple[Array, Array], learnt: tuple[Array, Array] | None = None) -> str:
    """A program that runs the vectors, prints how many codes differ, and fails unless none does.

    learnt: targets (samples, outputs) of a training step for each sample, and the weights thereafter
    """
    (xs, ys), name = checks, made.name
    arrays = [_matrix(f"{name}_code", "xs", xs), _matrix(f"{name}_code", "ys", ys)]
    texts = {"loss": "", "head": "", "train": "", "weights": "", "after": ""}
    if learnt is not None:
        ts, weights = learnt
        arrays += [_matrix(f"{name}_code", "ts", ts), _matrix(f"{name}_code", "learnt", weights[None])]
        texts = {key: Template(text).substitute(name=name, samples=len(xs)) for key, text in LEARNING.items()}
        for key in ("head", "weights", "after"):
            texts[key] = Template(texts[key]).substitute(weights=made.weights)
    return Template(PROGRAM).substitute(
        texts,
        name=name,
        arrays="\n".join(arrays),
        samples=len(xs),
        passes=max(1, TRACED // len(xs)) if made.weights else 1,
        run=f"{name}_step(&state, xs[i], y);" if made.stateful else f"{name}_run(xs[i], y);",
        state=f"    {name}_state state;\n" if made.stateful else "",
        start=f"    {name}_start(&state);\n" if made.stateful else "",
        outputs=made.outputs,
        one=f"{made.one}.0",
    )


def lesson(
    network: Network, ops: Fixed, shape: Shape, samples: int, data: tuple[Any, Any] | None
) -> tuple[tuple[Array, Array], Array]:
    """Inputs and outputs before training, and targets (samples, outputs), as codes: of data, or random."""
    if data is None:
        checks = vectors(network, ops, shape, samples)
        return checks, ops.number(np.random.default_rng(1).uniform(0, 1, checks[1].shape))
    xs, ts = prepared(*data, ops)
    sizes = network.parts[0].w.shape[0], network.parts[-1].w.shape[1]
    if (xs.shape[1:], ts.shape[1:]) != ((sizes[0],), (sizes[1],)):
        raise ValueError(
            f"data must fit the network, {sizes[0]} to {sizes[1]}, got {xs.shape} and {ts.shape}"
        )
    return (xs, answers(network, ops, xs)), ts


def learnt(network: Network, ops: Fixed, xs: Array, ts: Array, optimizer: SGD, dead_zone: float) -> Array:
    """The weights after one step for each sample, in the order of the C array."""
    values = ops.values(xs), ops.values(ts)
    net, _ = one_net.train(network, *values, optimizer=optimizer, ops=ops, dead_zone=dead_zone)
    return c99_train.codes(net)


TRACED = 2_000  # steps of training that are drawn
LEARNING = {
    "head": '    printf(",loss");\n    for (k = 0; k < $$weights; k++)\n        printf(",w_%d", k);\n',
    "train": "            ${name}_code loss = ${name}_train(xs[i], ts[i]);\n",
    "weights": (
        '            printf(",%g", (double)loss / one);\n            for (k = 0; k < $$weights; k++)\n'
        '                printf(",%g", (double)${name}_weights[k] / one);\n'
    ),
    "after": (
        "    for (i = 0; i < $samples; i++)\n        ${name}_train(xs[i], ts[i]);\n"
        "    for (i = 0; i < $$weights; i++)\n        wrong += ${name}_weights[i] != learnt[0][i];\n"
    ),
}

PROGRAM = """/* Runs $samples samples and compares every code with the answer that the exporter computed.
   With an argument it prints a table instead: a line for each step. */
#include "$name.h"
#include <stdio.h>

$arrays

static const double one = $one;

static void table(void)
{
${state}    ${name}_code y[$outputs];
    int pass, i, k;
    printf("step");
    for (k = 0; k < $outputs; k++)
        printf(",y_%d", k);
$head    printf("\\n");
$start    for (pass = 0; pass < $passes; pass++)
        for (i = 0; i < $samples; i++) {
$train            $run
            printf("%d", pass * $samples + i);
            for (k = 0; k < $outputs; k++)
                printf(",%g", (double)y[k] / one);
$weights            printf("\\n");
        }
}

int main(int argc, char **argv)
{
${state}    ${name}_code y[$outputs];
    int i, k, wrong = 0;
    (void)argv;
    if (argc > 1) {
        table();
        return 0;
    }
$start    for (i = 0; i < $samples; i++) {
        $run
        for (k = 0; k < $outputs; k++)
            wrong += y[k] != ys[i][k];
    }
$after    printf("$name: %d codes differ\\n", wrong);
    return wrong != 0;
}
"""

MAKEFILE = """# make [all|release|run|size|plot|clean]
CFLAGS = -std=c99 -Wall -Wextra -Wconversion -pedantic -Werror -O1 -g
PYTHON = python3

all: ${name}_test

release: CFLAGS = -std=c99 -Wall -Wextra -Wconversion -pedantic -Werror -Os
release: clean ${name}_test

${name}_test: $name.c ${name}_test.c $name.h
\t$$(CC) $$(CFLAGS) -o $$@ $name.c ${name}_test.c

run: ${name}_test
\t./${name}_test

size: $name.o
\tsize $name.o

$name.o: $name.c $name.h
\t$$(CC) $$(CFLAGS) -Os -c -o $$@ $name.c

plot: ${name}_test
\t./${name}_test table > $name.csv
\t$$(PYTHON) ${name}_plot.py $name.csv $name.svg

clean:
\trm -f ${name}_test $name.o $name.csv $name.svg

.PHONY: all release run size plot clean
"""


def makefile(made: Sources) -> str:
    """A Makefile for the test program and for the sizes of the sections."""
    return Template(MAKEFILE).substitute(name=made.name)
