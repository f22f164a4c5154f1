"""Exported C on this computer: what is found, what is refused, and pointers that follow their arrays."""

import gc
from dataclasses import replace

import numpy as np
import pytest

from tinylib.deploy import c99, host
from tinylib.formats.qformat import QFormat
from tinylib.nets import Fixed, mlp

OPS = Fixed(QFormat(8, 8))
NET = mlp((2, 3, 1), rng=np.random.default_rng(0), ops=OPS, limit=1.0)


@pytest.fixture(scope="module")
def library(cc):
    return host.Library(c99.export(NET, OPS, "net"))


def test_missing_compiler_is_one_sentence(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(host.MissingTool, match="a C compiler is missing: install gcc or clang"):
        host.compiler()


def test_wanted_compiler_goes_first(cc, monkeypatch):
    monkeypatch.setenv("CC", cc)
    assert host.compiler() == cc


def test_pointers_follow_arrays_that_come_and_go(library):
    for i in range(200):
        xs = np.full((3, 2), i, np.int16)
        assert np.array_equal(library.run(xs), NET.forward(xs.astype(int), OPS)[0])
        del xs
        gc.collect(0)


def test_the_output_may_be_given(library):
    xs, out = np.array([[256, -256]], np.int16), np.zeros((1, 1), np.int16)
    assert library.run(xs, out) is out
    assert out[0, 0] == NET.forward(xs.astype(int), OPS)[0][0, 0]


@pytest.mark.parametrize(
    "xs, sentence",
    [
        (np.zeros((3, 3), int), r"xs must be codes \(samples, 2\)"),
        (np.zeros((3, 2)), "xs must be codes"),
        (np.zeros(2, int), "xs must be codes"),
        (np.full((1, 2), 40_000), "codes of 16 bits, got 40000"),
    ],
)
def test_inputs_that_are_no_codes_are_refused(library, xs, sentence):
    with pytest.raises(ValueError, match=sentence):
        library.run(xs)


def test_output_of_another_shape_or_type_is_refused(library):
    for out in np.zeros((2, 1), int), np.zeros((1, 1), np.int16), np.zeros((4, 1), np.int16)[::2]:
        with pytest.raises(ValueError, match="out must be"):
            library.run(np.zeros((2, 2), np.int16), out)


def test_a_network_that_only_infers_does_not_learn(library):
    with pytest.raises(ValueError, match="must be exported as trainable"):
        library.train(np.zeros((1, 2), int), np.zeros((1, 1), int))


def test_a_wrong_vector_fails_the_test_program(cc):
    made = c99.export(NET, OPS, "net", vectors=4)
    start = "ys[4][1] = {\n    {"
    wrong = made.test.replace(start, start + "1 + ")
    assert wrong != made.test
    with pytest.raises(RuntimeError, match="net must pass its own test, got net: 1 codes differ"):
        host.tested(replace(made, test=wrong), flags=())


def test_broken_c_names_the_compiler(cc):
    made = c99.export(NET, OPS, "net", vectors=4)
    with pytest.raises(RuntimeError, match="must succeed, got exit status"):
        host.Library(replace(made, source=made.source + "int f(void) { return }\n"))
