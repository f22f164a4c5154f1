"""Every exportable network in every arithmetic on every core: each code equals Python's and this computer's.

    python -m tests.soak.emulation [--samples 1000] [--compiler zig]

XOR learns for 20,000 steps on each core, from the weights of a reference run to its last ones. The exit
status is 1 when a code differs, or when a tool is missing and CI is set.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from tqdm import tqdm

from tests.deploy import test_c99, test_c99_int8, test_c99_train
from tinylib.deploy import c99_train, emulator, host, toolchain
from tinylib.deploy.c99_test import answers, draw, draw_int8
from tinylib.deploy.image import MissingTool
from tinylib.deploy.measure import measure
from tinylib.deploy.toolchain import TARGETS
from tinylib.nets import CfC, int8
from tinylib.nets.int8_cfc import quantized

INT8 = test_c99_int8.images, test_c99_int8.flattened, test_c99_int8.shortcut


def cases(samples: int) -> Iterator[tuple[str, Any, np.ndarray, np.ndarray, dict]]:
    """Name, network, inputs, answers of Python, and options of `measure`."""
    for name, (build, shape) in test_c99.NETWORKS.items():
        for rule, ops in test_c99.ARITHMETICS.items():
            try:
                net, xs = build(np.random.default_rng(3), ops), draw(ops, shape, samples, seed=9)
                wanted = answers(net, ops, xs)
            except ValueError as error:  # a narrow format cannot hold a table, or a count
                print(f"left out: {name}, {rule}: {error}")
                continue
            yield f"{name}, {rule}", net, xs, wanted, {"ops": ops, "in_shape": shape}
    for build in INT8:
        net, xs = build(np.random.default_rng(2)), draw_int8((samples, *test_c99_int8.IMAGE))
        for runtime in int8.RUNTIMES:
            wanted = net.forward(xs, runtime).reshape(samples, -1)
            yield f"int8 {build.__name__}, {runtime}", net, xs, wanted, {"ops": runtime}
    for sizes in (2, 3, 4), (4, 8, 16):
        rng = np.random.default_rng(1)
        cell = quantized(CfC.draw(rng, *sizes, dt=0.5), rng.normal(0, 1, (50, 4, sizes[0])))
        xs = draw_int8((samples, sizes[0]))
        yield f"int8 CfC {sizes}", cell, xs, cell.forward(xs[:, None])[:, 0], {}


def compared(net: Any, xs: np.ndarray, wanted: np.ndarray, options: dict) -> int:
    """Codes that differ, on this computer and on all cores [count]."""
    found = [measure(net, target, xs, counted=1, **options) for target in TARGETS]
    here = host.Library(found[0].sources).run(xs.reshape(len(xs), -1))
    return sum(m.differing + np.sum(m.outputs != wanted) for m in found) + np.sum(here != wanted)


def learnt(target: str, compiler: str | None) -> bool:
    """Whether a core learns XOR to the last weights of the reference run."""
    example = json.loads(test_c99_train.EXAMPLE.read_text())["cases"][0]
    net, (xs, ts) = test_c99_train.start(example), test_c99_train.samples(example)
    rules = {"optimizer": test_c99_train.SETTINGS, "dead_zone": test_c99_train.DEAD_ZONE}
    ops, options = test_c99_train.Q16_16, {"trainable": True, "counted": 1, "compiler": compiler}
    found = measure(net, target, xs, ops=ops, targets=ts, **rules, **options)
    last = net.with_arrays(c99_train.shaped(found.weights, net))
    return found.equal and test_c99_train.flat(last).tolist() == example["final_weights_raw"]


def main() -> int:
    """Run all; 1 when anything differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--samples", type=int, default=1_000)
    parser.add_argument("--compiler", choices=("zig", "gcc"))
    chosen = parser.parse_args()
    try:
        toolchain.chosen(chosen.compiler)
        emulator.tools()
    except MissingTool as missing:
        print(f"not run: {missing}")
        return int(bool(os.environ.get("CI")))
    failed = done = 0
    for name, net, xs, wanted, options in tqdm([*cases(chosen.samples)], unit="network", disable=None):
        differing = compared(net, xs, wanted, options | {"compiler": chosen.compiler})
        failed, done = failed + bool(differing), done + 1
        if differing:
            tqdm.write(f"FAILED {name}: {differing} codes differ")
    for target in TARGETS:
        right = learnt(target, chosen.compiler)
        failed, done = failed + (not right), done + 1
        print(f"{'' if right else 'FAILED '}XOR learnt in 20,000 steps on {target}")
    print(f"{done} cases of {chosen.samples} samples on {len(TARGETS)} cores and here, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
