"""Planning: hand-worked buffers, halos and recomputed MACs by enumeration, arenas that never overlap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.cost import (
    Conv1D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    MaxPool2D,
    Model,
    Node,
    PointwiseConv2D,
    devices,
    memory,
    models,
    planning,
)

WINDOW = st.builds(
    lambda k, s, padding, pool: MaxPool2D(k, s) if pool else Conv2D(1, 1, k, s, padding if k > 2 else "same"),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from(("same", "valid", 1)),
    st.booleans(),
)


def test_inplace_depthwise():  # 56 x 56 x 64 + 56 x 56, where two maps take 401,408
    layer = DepthwiseConv2D(64, 3, padding="same")
    assert planning.inplace_depthwise_elements(layer, (56, 56, 64)) == 203_840
    strided = DepthwiseConv2D(64, 3, stride=2, padding="same")
    assert planning.inplace_depthwise_elements(strided, (56, 56, 64)) == 200_704 + 28 * 28


def test_im2col_and_rows():  # 3 x 3 x 32 x 14 x 14; 3 rows of 56 x 64
    assert planning.im2col_elements(Conv2D(32, 64, 3, padding="same"), (14, 14, 32)) == 56_448
    layer = DepthwiseConv2D(64, 3, padding="same")
    assert planning.row_tile_elements(layer, (56, 56, 64)) == 10_752
    assert planning.row_tile_elements(layer, (56, 56, 64), out_rows=4) == 6 * 56 * 64
    assert planning.row_tile_elements(layer, (56, 56, 64), out_rows=56) == 56 * 56 * 64


def test_halo_of_two_3x3_layers():  # 14 -> 16 -> 18; stride 2: (14 - 1) 2 + 3 = 29, and 31 before that
    twice = [Conv2D(8, 8, 3), Conv2D(8, 8, 3)]
    assert planning.needed_side(twice, 14) == 18
    assert planning.needed_side([Conv2D(8, 8, 3), Conv2D(8, 8, 3, stride=2)], 14) == 31
    assert planning.needed_side([MaxPool2D(2), MaxPool2D(2)], 3) == 12  # pools share nothing


def test_two_by_two_patches_of_a_56_px_stage():  # each side 28 + 1 at the border: (58/56)^2 - 1 = 7.3 %
    stage = [Conv2D(8, 8, 3, padding="same"), Conv2D(8, 8, 3, padding="same")]
    plan = planning.plan_patches(stage, (56, 56, 8), patches=2)
    assert set(plan.tiles) == {((30, 30), (29, 29), (28, 28))}
    assert plan.recomputed_macs == 576 * (58**2 - 56**2)
    assert plan.overhead == pytest.approx(((58 / 56) ** 2 - 1) / 2)
    assert plan.peak_elements == 56 * 56 * 8 + (900 + 841) * 8
    assert plan.whole_elements == 2 * 56 * 56 * 8
    assert plan.peak_bytes(16) == 2 * plan.peak_elements
    held = planning.plan_patches(stage, (56, 56, 8), patches=2, hold_input=True)
    assert held.peak_elements == 2 * 56 * 56 * 8 + 841 * 8 and held.macs == plan.macs


def test_one_layer_halo_of_four_by_four_patches():  # inner patches read 16 of 56 px: 12.25 times less, not 16
    plan = planning.plan_patches([Conv2D(8, 8, 3, padding="same")], (56, 56, 8), patches=4)
    assert sorted(set(tile[0] for tile in plan.tiles)) == [(15, 15), (15, 16), (16, 15), (16, 16)]
    assert plan.recomputed_macs == 0  # a single layer is computed once; it only reads its input again


def test_patches_pay_where_the_maps_shrink():  # a stem with two strides: the big maps are never whole
    stem = [Conv2D(3, 16, 3, 2, "same"), DepthwiseConv2D(16, 3, 1, "same"), Conv2D(16, 24, 3, 2, "same")]
    plan = planning.plan_patches(stem, (160, 160, 3), patches=4)
    assert plan.whole_elements == 2 * 80 * 80 * 16
    assert plan.peak_elements < plan.whole_elements / 3
    held = planning.plan_patches(stem, (160, 160, 3), patches=4, hold_input=True)
    assert held.peak_elements > 160 * 160 * 3 + 40 * 40 * 24


@given(st.lists(WINDOW, min_size=1, max_size=3), st.integers(30, 40), st.integers(30, 36), st.integers(1, 3))
def test_tiles_and_macs_equal_enumerated_receptive_fields(stack, height, width, patches):
    shapes = [(height, width, 1)]
    try:
        for layer in stack:
            shapes.append(layer.out_shape(shapes[-1]))
    except ValueError:
        return
    if min(shapes[-1][:2]) < patches:
        return
    plan = planning.plan_patches(stack, shapes[0], patches)
    enumerated = [enumerate_tiles(stack, [s[axis] for s in shapes], patches, axis) for axis in (0, 1)]
    assert plan.tiles == tuple(tuple(zip(r, q)) for r in enumerated[0] for q in enumerated[1])
    work = sum(
        h * w * layer.weights
        for r in enumerated[0]
        for q in enumerated[1]
        for h, w, layer in zip(r[1:], q[1:], stack)
    )
    whole = sum(layer.macs(shape) for layer, shape in zip(stack, shapes))
    assert plan.recomputed_macs == work - whole
    if patches == 1 and all(layer.stride <= layer.kernel_size for layer in stack):
        assert plan.recomputed_macs <= 0


def enumerate_tiles(stack, sizes, patches, axis):
    """Second road: every output index names the taps it reads; the box around them is the tile."""
    sides = []
    for i in range(patches):
        wanted = [
            j for j in range(sizes[-1]) if i * sizes[-1] // patches <= j < (i + 1) * sizes[-1] // patches
        ]
        side = [len(wanted)]
        for layer, size, out in zip(stack[::-1], sizes[-2::-1], sizes[:0:-1]):
            k, s, padding = layer.kernel_size[axis], layer.stride[axis], layer.padding
            missing = (out - 1) * s + k - size
            if padding == "same":
                before = missing // 2 if missing > 0 else 0
            else:
                before = 0 if padding == "valid" else padding[axis]
            taps = {j * s - before + t for j in wanted for t in range(k)}
            real = sorted(t for t in taps if 0 <= t < size)
            wanted = list(range(real[0], real[-1] + 1))
            side.append(len(wanted))
        sides.append(side[::-1])
    return sides


@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 5))
def test_one_patch_of_dense_windows_recomputes_nothing(side, k, n):
    stack = [Conv2D(2, 2, k, padding="same") for _ in range(n)]
    plan = planning.plan_patches(stack, (side, side, 2), 1)
    assert plan.recomputed_macs == 0 and plan.tiles == (((side, side),) * (n + 1),)


@given(st.lists(WINDOW, min_size=1, max_size=4), st.integers(1, 9))
def test_needed_side_by_enumeration(stack, out_side):
    read = set(range(out_side))
    for layer in reversed(stack):
        read = {i * layer.stride[0] + t for i in read for t in range(layer.kernel_size[0])}
    assert planning.needed_side(stack, out_side) == max(read) + 1


def test_arena_of_a_chain_is_the_pair():  # 100, 400, 50: the output goes where the input lay
    model = models.sequential("mlp", (100,), [Dense(100, 400), Dense(400, 50)])
    arena = planning.plan_arena(model)
    assert [(s.name, s.offset, s.size) for s in arena.slots] == [
        ("input", 400, 100),
        ("l0", 0, 400),
        ("l1", 400, 50),
    ]
    assert arena.arena_bytes == arena.lower_bound_bytes == 500
    assert planning.plan_arena(model, bits=4, align=16).arena_bytes == 208 + 64


def random_model(channels, picks):
    nodes = [Node("n0", PointwiseConv2D(3, channels[0]))]
    for i, (c, pick) in enumerate(zip(channels[1:], picks), 1):
        src = pick % i
        nodes.append(Node(f"n{i}", PointwiseConv2D(channels[src], c), (f"n{src}",)))
    return Model("random", (2, 2, 3), tuple(nodes))


@given(
    st.lists(st.integers(1, 40), min_size=2, max_size=12),
    st.lists(st.integers(0, 50), min_size=12, max_size=12),
    st.sampled_from((1, 4, 16)),
    st.sampled_from((4, 8, 32)),
)
def test_tensors_alive_together_never_overlap(channels, picks, align, bits):
    model = random_model(channels, picks)
    arena = planning.plan_arena(model, bits, align)
    slots = {slot.name: slot for slot in arena.slots}
    for step in memory.timeline(model):
        taken = [byte for name, _ in step.live for byte in bytes_of(slots[name])]
        assert len(taken) == len(set(taken)) <= arena.lower_bound_bytes
    assert all(slot.offset % align == 0 for slot in arena.slots)
    assert arena.lower_bound_bytes <= arena.arena_bytes <= sum(slot.size for slot in arena.slots)


def bytes_of(slot):
    return range(slot.offset, slot.offset + slot.size)


@pytest.mark.parametrize("name", models.NAMES)
def test_arena_of_reference_networks(name):
    model = models.named(name)
    arena = planning.plan_arena(model)
    assert arena.lower_bound_bytes == memory.peak_activation_bytes(model, live=True) <= arena.arena_bytes


def test_fit_names_what_binds():  # course: 512 KiB flash, 256 KiB SRAM
    course = devices.named("course")
    wide = models.sequential("wide", (1000,), [Dense(1000, 520)])  # 520,000 weights + 2,080 bytes of biases
    result = planning.fit(wide, course)
    assert (result.flash_needed_bytes, result.sram_needed_bytes) == (522_080, 1520)
    assert result.fits and result.binding == "flash" and result.flash_left_bytes == 2208
    assert not planning.fit(wide, course, flash_reserved_bytes=20_000).fits
    loaded = planning.fit(wide, course, weights_in_sram=True)
    assert not loaded.fits and loaded.binding == "SRAM" and loaded.sram_left_bytes == 262_144 - 523_600
    maps = models.sequential("maps", (96, 96, 16), [PointwiseConv2D(16, 16)])
    assert planning.fit(maps, course).binding == "SRAM"
    assert planning.fit(maps, course).sram_left_bytes == 262_144 - 294_912


def test_a_million_weights_and_a_full_sram_leave_no_room_on_the_nano():
    nano = devices.named("course")
    nano = type(nano)("nano", "1 MiB part", 262_144, 1_048_576, "M4", None, "a test", "a test")
    model = models.sequential("big", (1000,), [Dense(1000, 1000, bias=False)])
    assert planning.fit(model, nano).flash_left_bytes == 48_576


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: planning.im2col_elements(Dense(2, 2), (2,)), "layer must be a 2-D convolution"),
        (lambda: planning.im2col_elements(Conv1D(2, 2, 3), (9, 2)), "layer must be a 2-D convolution"),
        (lambda: planning.inplace_depthwise_elements(Conv2D(2, 2, 3), (9, 9, 2)), "layer must be depthwise"),
        (
            lambda: planning.inplace_depthwise_elements(DepthwiseConv2D(2, 1, padding=1), (9, 9, 2)),
            "output must not outgrow",
        ),
        (lambda: planning.row_tile_elements(Conv2D(1, 1, 3), (9, 9, 1), 8), "out_rows must be at most the 7"),
        (lambda: planning.plan_patches([], (9, 9, 1), 2), "layers must hold at least one"),
        (lambda: planning.plan_patches([Conv2D(1, 1, 3)], (9, 9, 1), 8), "patches must be at most"),
        (lambda: planning.fit(models.named("lenet5"), "course"), "device must be a row"),
        (lambda: planning.plan_arena(models.named("lenet5"), align=0), "align must lie between 1"),
    ],
)
def test_what_cannot_be_planned_is_refused_with_a_reason(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_an_output_made_of_padding_alone_reads_nothing():
    layer = Conv2D(1, 1, 1, padding=2)  # 5 px become 9: outputs 0, 1, 7 and 8 see zeros only
    assert planning.input_span(layer, 5, (7, 9)) == (5, 5)
    assert planning.input_span(layer, 5, (0, 2)) == (0, 0)
    assert planning.input_span(layer, 5, (0, 9)) == (0, 5)
