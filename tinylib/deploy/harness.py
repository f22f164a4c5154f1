"""The program around an exported network on a core: what it reads, what it has to answer, bit by bit.

It reads jobs, each a kind and a number of rows, until there are none: RUN answers every row of inputs, TRAIN
takes a step for every row of inputs and targets and answers with its loss, WEIGHTS writes all weights.
Between marks stands one call of the network and nothing else.
"""

from dataclasses import dataclass
from functools import cached_property
from string import Template
from typing import Any

import numpy as np

from tinylib.deploy import c99_test, c99_train
from tinylib.deploy.emit.sources import Sources
from tinylib.nets import one_net
from tinylib.nets.int8 import Int8Network
from tinylib.nets.int8_cfc import Int8CfC
from tinylib.nets.network import Network
from tinylib.nets.optimizers import SGD

Array = np.ndarray
RUN, TRAIN, WEIGHTS = range(3)  # what the harness is asked for

HARNESS = """#include "device.h"
#include "$name.h"

${state}static ${name}_code y[$outputs];
HARNESS_BSS static ${name}_code x[$room];
HARNESS_BSS static uint32_t job[2]; /* what, and how often */

HARNESS int main(void)
{
    uint32_t i;
$start    while (device_read(job, sizeof job) == sizeof job)
        for (i = 0; i < job[1]; i++) {
$train            device_read(x, $inputs * sizeof x[0]);
            mark_start();
            ${run}
            mark_stop();
            device_write(y, sizeof y);
        }
    return 0;
}
"""
LEARNING = """            if (job[0] == 1) {
                device_read(x, sizeof x);
                mark_start();
                y[0] = ${name}_train(x, x + $inputs);
                mark_stop();
                device_write(y, sizeof y[0]);
                continue;
            }
            if (job[0] == 2) {
                device_write(${name}_weights, sizeof ${name}_weights);
                continue;
            }
"""


@dataclass(frozen=True)
class Case:
    """One network with everything that it is compared on; codes and answers of Python."""

    network: Network | Int8Network | Int8CfC
    ops: Any
    sources: Sources
    xs: Array
    ts: Array | None
    optimizer: SGD
    dead_zone: float
    elapsed: bool = False

    @cached_property
    def expected(self) -> Array:
        """All codes that the harness has to write."""
        net, xs = self.network, self.xs
        if isinstance(net, Int8CfC):
            return net.forward(xs[:, None])[:, 0].ravel()
        if isinstance(net, Int8Network):
            return net.forward(xs, self.ops).ravel()
        first = c99_test.answers(net, self.ops, xs, self.elapsed).ravel()
        if self.ts is None:
            return first
        values = self.ops.values(xs), self.ops.values(self.ts)
        settings = {"optimizer": self.optimizer, "ops": self.ops, "dead_zone": self.dead_zone}
        learnt, history = one_net.train(net, *values, **settings, keep_steps=True)
        losses = self.ops.number(np.array(history.steps))
        weights = c99_train.codes(learnt)
        return np.concatenate([first, losses, weights, c99_test.answers(learnt, self.ops, xs).ravel()])

    def jobs(self, samples: int) -> bytes:
        """What the harness reads, for the first samples alone."""
        kind = np.dtype(f"<i{self.sources.bits // 8}")
        rows = self.xs[:samples].reshape(samples, -1).astype(kind)
        run = _job(RUN, samples) + rows.tobytes()
        if self.ts is None:
            return run
        lesson = np.hstack((rows, self.ts[:samples].astype(kind))).tobytes()
        return run + _job(TRAIN, samples) + lesson + _job(WEIGHTS, 1) + run


def _job(what: int, times: int) -> bytes:
    return np.array([what, times], "<u4").tobytes()


def program(made: Sources) -> str:
    """The C file with main, which goes with an exported network."""
    name = made.name
    call = f"{name}_step(&state, x, y);" if made.stateful else f"{name}_run(x, y);"
    numbers = {"name": name, "inputs": made.inputs, "outputs": made.outputs}
    return Template(HARNESS).substitute(
        numbers,
        run=call,
        room=made.inputs + made.outputs * bool(made.weights),
        state=f"static {name}_state state;\n" if made.stateful else "",
        start=f"    {name}_start(&state);\n" if made.stateful else "",
        train=Template(LEARNING).substitute(numbers) if made.weights else "",
    )
