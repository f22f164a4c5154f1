"""XOR on the chip: what is on file is what this machine finds, and it keeps what the lesson says."""

import os
from importlib.util import find_spec
from itertools import product

import numpy as np
import pytest

from tinylib.deploy import plain_network, toolchain, xor_chip
from tinylib.nets import xor

TOOLS = all(find_spec(name) for name in ("ziglang", "unicorn", "elftools"))


@pytest.fixture
def tools():
    if not TOOLS:
        if os.environ.get("CI"):
            pytest.fail("the extra device is not installed")
        pytest.skip("the extra device is not installed")


SOME = [(*pair, "cortex-m0plus", "-Os") for pair in product(xor_chip.FORMATS, xor_chip.KINDS)]
SOME += [("Q8.8", "trainable", "cortex-m4", "-Os"), ("Q16.16", "trainable", "cortex-m0plus", "-O2")]


@pytest.mark.parametrize("kept", [xor_chip.row(*which) for which in SOME], ids=map(" ".join, SOME))
def test_rows_on_file_are_those_of_this_exporter(kept, tools):
    if kept.compiler != toolchain.version("zig"):
        pytest.fail(
            f"sizes must be those of {toolchain.version('zig')}: run python -m tinylib.deploy.xor_chip"
        )
    few = 600 if kept.kind == "trainable" else xor_chip.STEPS
    now = xor_chip.measured(kept.format, kept.kind, kept.target, kept.optimise, steps=few)
    sizes = ("code", "runtime", "tables", "weights", "ram", "instructions", "train_instructions")
    stale = [name for name in sizes if getattr(now, name) != getattr(kept, name)]
    assert not stale, "run python -m tinylib.deploy.xor_chip"
    assert now.differing == 0


def test_every_format_kind_and_core_is_on_file_and_equal():
    found = {(r.format, r.kind, r.target) for r in xor_chip.rows() if r.optimise == "-Os"}
    assert len(found) == len(xor_chip.FORMATS) * len(xor_chip.KINDS) * len(toolchain.TARGETS)
    assert all(r.differing == 0 for r in xor_chip.rows())
    assert all(r.inputs == xor_chip.STEPS for r in xor_chip.rows() if r.kind == "trainable")


def test_sizes_stay_below_those_of_the_reference_library():  # g++ 12 -Os, Cortex-M0+: flash 3,314, RAM 496
    theirs = next(b for b in xor_chip.published() if b["name"] == "theirs, on the target")
    ours = xor_chip.row("Q16.16", "trainable")
    assert sum(theirs["sections"].values()) == 3_314
    assert ours.flash <= 0.75 * 3_314 and ours.ram <= 0.7 * theirs["ram"]
    inference = xor_chip.row("Q16.16", "inference")
    assert inference.flash <= 0.75 * (536 + 768) and inference.ram + inference.stack <= 156


def test_what_the_lesson_says_of_the_sections():
    for row in xor_chip.rows():
        if row.optimise == "-Os":
            assert row.code == max(row.sections.values()) and row.weights < 100
            assert (row.runtime > 0) == (row.format == "Q16.16" and row.target == "cortex-m0plus")
    wide, narrow = (xor_chip.row(name) for name in xor_chip.FORMATS)
    assert narrow.tables * 2 == wide.tables < 768 and narrow.weights * 2 == wide.weights
    assert narrow.code > wide.code


def test_every_published_size_has_its_source():
    for build in xor_chip.published():
        assert build["source"].strip() and build["note"] and all(build["sections"].values())


def test_the_tolerance_is_where_learning_stops():
    for name, ops in xor_chip.FORMATS.items():
        answers = xor_chip.learnt(name).predict(xor.INPUTS, ops)
        assert np.abs(answers - xor.TARGETS).max() <= xor_chip.DEAD_ZONE**0.5 + ops.q.step


def test_c_on_this_computer_learns_the_same_weights(cc):
    assert xor_chip._hosted("Q8.8") == "0 weights of 17 differ from Python after 20,000 samples"


def test_missing_tools_are_said_instead(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(toolchain, "compilers", tuple)
    here, there = xor_chip.live().splitlines()
    assert here.startswith("this computer: a C compiler is missing")
    assert there.startswith("cortex-m0plus: the cross compiler is missing: get it by")


def test_lamps_and_levels():
    assert xor_chip.levels(-1, 1.5).tolist() == [[-1, -1], [-1, 1.5], [1.5, -1], [1.5, 1.5]]
    assert xor_chip.lamp("differ").tolist() == [False, True, True, False]
    assert xor_chip.lamp("agree").tolist() == [True, False, False, True]


def test_answers_say_codes_and_the_four_cases():
    value = plain_network.values(xor_chip.learnt("Q8.8"), xor_chip.FORMATS["Q8.8"])
    said = xor_chip.answers(value)
    assert said.startswith("17 codes in Q8.8, 34 B; ") and "dark 0.0" in said and "lit 0.9" in said
    assert xor_chip.answers(value, lit="agree").count("lit 0.0") == 2


@pytest.mark.parametrize(
    "call, rule",
    [
        (lambda: xor_chip.row("Q4.12"), "build on file"),
        (lambda: xor_chip.sources("Q8.8", "both"), "kind must be one of trainable, inference"),
        (lambda: xor_chip.measured("Q4.12"), "format must be one of Q16.16, Q8.8"),
        (lambda: xor_chip.bar(xor_chip.row(), "SRAM"), "memory must be flash or RAM"),
        (lambda: xor_chip.others("nobody"), "published build must be one of"),
        (lambda: xor_chip.lamp("off"), "lit must be differ or agree"),
        (lambda: xor_chip.answers({"arithmetic": "Q8.8", "layers": []}), "layers must be a list"),
    ],
)
def test_what_is_not_known_is_refused(call, rule):
    with pytest.raises(ValueError, match=rule):
        call()
