"""Bytes: hand-worked weights and peaks, and the published peaks of the reference networks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.cost import Add, Dense, DepthwiseConv2D, Model, Node, PointwiseConv2D, memory, models

BLOCK = Model(  # inverted residual on 4x4x2, six times wider inside
    "inverted residual",
    (4, 4, 2),
    (
        Node("expand", PointwiseConv2D(2, 12)),
        Node("filter", DepthwiseConv2D(12, 3, padding="same")),
        Node("project", PointwiseConv2D(12, 2)),
        Node("add", Add(), ("project", "input")),
    ),
)


@pytest.mark.parametrize(
    "params, bits, size", [(9408, 8, 9408), (7_000_000_000, 4, 3_500_000_000), (9, 1, 2), (0, 8, 0)]
)
def test_weight_bytes(params, bits, size):
    assert memory.weight_bytes(params, bits) == size


@pytest.mark.parametrize("name", models.NAMES)
def test_published_peaks(name):
    model = models.named(name)
    stated = model.stated["recomputed"]
    pair = memory.peak_op_pair(model)
    assert pair == (stated["peak_activation_elements_op_pair"], stated["peak_at"])
    assert memory.peak_live(model)[0] == stated["peak_activation_elements_live"]
    assert memory.model_weight_bytes(model) == stated["int8_weight_bytes"]


def test_a_waiting_shortcut_is_live():  # 192 + 192 in the depthwise layer, and 32 of the input wait
    assert memory.peak_op_pair(BLOCK) == (384, "filter")
    assert memory.peak_live(BLOCK) == (416, "filter")
    steps = memory.timeline(BLOCK)
    assert [step.elements for step in steps] == [224, 416, 256, 96]
    assert steps[2].live == (("input", 32), ("filter", 192), ("project", 32))
    assert memory.peak_activation_bytes(BLOCK, bits=16, live=True) == 832


def test_four_bits_a_weight():  # 24 + 108 + 24 weights, 26 biases of 4 bytes
    assert memory.model_weight_bytes(BLOCK, bits=4) == 78 + 104


def test_totals_beyond_the_limit_of_one_count_are_still_counted():
    huge = models.sequential("huge", (2**30,), [Dense(2**30, 2**30)])
    assert memory.model_weight_bytes(huge) == 2**60 + 4 * 2**30


def test_a_tensor_read_twice_counts_once():
    twice = Model("twice", (10,), (Node("add", Add(), ("input", "input")),))
    assert memory.peak_op_pair(twice) == (20, "add")


@given(st.lists(st.integers(0, 20), min_size=1, max_size=12))
def test_live_is_never_below_the_pair_and_tensors_leave_after_their_last_reader(picks):
    nodes = [Node("n0", PointwiseConv2D(1, 1))]
    for i, pick in enumerate(picks, 1):
        nodes.append(Node(f"n{i}", Add(), (f"n{i - 1}", f"n{pick % i}")))
    model = Model("random", (3, 3, 1), tuple(nodes))
    for i, step in enumerate(memory.timeline(model)):
        waiting = {s for row in model.rows[i:] for s in row.src}  # second road: who is read from here on
        made = {"input"} | {n.name for n in nodes[: i + 1]}
        read = {s for row in model.rows for s in row.src}
        live = {n for n in made if n in waiting or n == step.name or n not in read}
        assert {name for name, _ in step.live} == live
        assert step.elements >= step.op_pair_elements


@given(st.integers(0, 10**9), st.integers(1, 64))
def test_bytes_hold_the_bits_and_no_spare_byte(params, bits):
    assert 0 <= 8 * memory.weight_bytes(params, bits) - params * bits < 8


@pytest.mark.parametrize("bits", [0, 65, -1, 10**30])
def test_other_bit_widths_are_refused(bits):
    with pytest.raises(ValueError, match="bits must be 1 to 64"):
        memory.weight_bytes(10, bits)


@pytest.mark.parametrize("count", [memory.peak_live, memory.peak_op_pair, memory.model_weight_bytes])
def test_what_a_file_holds_is_not_yet_a_model(count):
    layers = [{"op": "fc", "out": 2}]
    with pytest.raises(TypeError, match=r"model must be one Model, such as .*\.models\[0\], got Contents"):
        count(models.read({"input": [3], "layers": layers}))


@pytest.mark.parametrize("bits", [None, "8", 8.0, True])
def test_bit_widths_are_whole_numbers(bits):
    with pytest.raises(TypeError, match="bits must be a whole number"):
        memory.weight_bytes(10, bits)
