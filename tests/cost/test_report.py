"""Report: figures of two reference networks by hand, remedies recounted by a second fold, honest fits."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.cost import (
    Add,
    AvgPool2D,
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
    networks,
    planning,
)
from tinylib.cost.imported import MatMul, operator_row
from tinylib.cost.report import first_stage, inplace_arena_bytes, narrower, remedies, report, separable

KWS = models.named("mlperf_tiny_kws_dscnn")
LENET = models.named("lenet5")
V2 = networks.mobilenet_v2(0.35, 160)
NETWORKS = [*(models.named(name) for name in models.NAMES), V2, networks.resnet8(), networks.resnet18(64)]
CASES = st.tuples(
    st.sampled_from(NETWORKS), st.sampled_from(list(devices.DEVICES)), st.sampled_from([4, 8, 16, 32])
)


def by_name(model, device="course", bits=8):
    return {remedy.name: remedy for remedy in remedies(model, device, bits)}


def test_keyword_network():  # 22,016 weights and 588 folded biases; two maps of 25 x 5 x 64
    r = report(KWS, "stm32l072")
    assert (r.params, r.params_bn_folded, r.macs, r.flops) == (23_756, 22_604, 2_656_768, 5_313_536)
    assert r.weight_bytes == 22_016 + 4 * 588 == 24_368
    assert (r.arena_bytes, r.lower_bound_bytes, r.peak_step) == (16_000, 16_000, "l1")
    # 490 inputs, nine maps of 8,000, the pooled 64, 12 outputs: each written and read
    assert r.traffic_bytes == 24_368 + 2 * (490 + 9 * 8_000 + 64 + 12) == 169_500
    assert r.intensity_flop_per_byte == pytest.approx(5_313_536 / 169_500)
    assert r.compute_time_s == 2_656_768 / 8e6
    assert (r.energy_format, r.energy_uj) == ("int8", pytest.approx(2.656768 * 0.3))  # 0.2 + 0.1 pJ
    assert r.fits and r.binding == "SRAM"


def test_lenet_in_float():  # 61,470 weights, 236 biases; no clock on the course budget
    r = report(LENET, bits=32)
    assert (r.weight_bytes, r.arena_bytes, r.macs) == (4 * 61_706, 4 * (4_704 + 1_176), 416_520)
    assert (r.compute_time_s, r.binding, r.device) == (None, "flash", devices.named("course"))
    assert r.energy_uj == pytest.approx(0.41652 * 4.6)  # 3.7 + 0.9 pJ
    assert [row.name for row in r.heaviest(2)] == ["l4", "l0"]


def test_lenet_remedies_by_hand():
    found = by_name(LENET, bits=32)
    assert "in-place depthwise" not in found  # there is nothing depthwise in it
    assert found["INT8"].weight_bytes == 61_470 + 4 * 236
    assert found["INT4"].weight_bytes == 61_470 // 2 + 4 * 236
    assert found["INT4"].peak_bytes == 5_880 // 2
    # groups of 4 in 150, 2400, 48000, 10080 and 840 weights, two of each kept at 32 + 2 bits
    values = 2 * (38 + 600 + 12_000 + 2_520 + 210)
    assert found["2:4 sparsity"].weight_bytes == values * 34 // 8 + 4 * 236 == 131_572
    assert found["2:4 sparsity"].macs == 416_520 // 2


def test_patches_of_a_small_stage_by_hand():
    # 3x3 same, 8 x 8 x 1 -> 8 x 8 x 4, pool to 4 x 4: a quarter reads 5 x 5 and computes 4 x 4, no overlap
    net = Model("two", (8, 8, 1), (Node("a", Conv2D(1, 4, 3, padding="same")), Node("b", MaxPool2D(2))))
    assert first_stage(net) == 2
    two = by_name(net)["2 x 2 patches"]
    assert two.macs == net.macs  # pools of 2 do not overlap
    assert two.peak_bytes == 4 * 4 * 4 + 5 * 5 + 4 * 4 * 4
    assert report(net).arena_bytes == 8 * 8 * 4 + 8 * 8


def test_first_stage_ends_at_the_second_stride_and_at_shortcuts():
    assert first_stage(V2) == 5  # stem with stride 2, dw, down, up, dw with stride 2
    assert first_stage(networks.resnet8()) == 1  # its output is read twice
    assert first_stage(KWS, 2) == 9 and first_stage(models.named("mlperf_tiny_ad_autoencoder")) == 0


def test_separable_by_hand():  # 9 c_in + c_in c_out in place of 9 c_in c_out; shapes stay
    net = Model("one", (16, 16, 8), (Node("a", Conv2D(8, 32, 3, 2, "same")), Node("b", Conv2D(32, 4, 1))))
    after = separable(net)
    assert after.weights == 9 * 8 + 8 * 32 + 32 * 4
    assert after.macs == 64 * after.weights
    assert [row.out_shape for row in after.rows] == [(8, 8, 8), (8, 8, 32), (8, 8, 4)]
    assert separable(models.named("mlperf_tiny_ad_autoencoder")) is None


def test_inplace_depthwise_by_hand():  # 1 channel grows to 16, one depthwise layer, then pooled
    layers = (PointwiseConv2D(1, 16), DepthwiseConv2D(16, 3, padding="same"), AvgPool2D(8))
    net = Model("dw", (8, 8, 1), tuple(Node(f"l{i}", layer) for i, layer in enumerate(layers)))
    assert report(net).arena_bytes == 2 * 16 * 64
    assert inplace_arena_bytes(net) == 16 * 64 + 64
    held = Model("held", (8, 8, 16), (Node("a", layers[1]), Node("b", Add(), ("a", "input"))))
    assert inplace_arena_bytes(held) is None and inplace_arena_bytes(LENET) is None


def test_peaks_of_mobilenet_by_hand():
    # overwriting its input, the strided depthwise layer no longer peaks: 1x1 up from 8 to 48 channels does
    found = by_name(V2, "stm32f746")
    assert report(V2).arena_bytes == 80 * 80 * 48 + 40 * 40 * 48
    assert found["in-place depthwise"].peak_bytes == 80 * 80 * (8 + 48)
    # past the patches, the next block holds two maps of 48 channels and a shortcut of 8
    assert found["4 x 4 patches"].peak_bytes == 40 * 40 * (48 + 48 + 8)
    assert found["4 x 4 patches"].macs > found["2 x 2 patches"].macs > V2.macs


@given(st.sampled_from([V2, networks.mobilenet_v1_vww(), KWS]), st.sampled_from([4, 8, 16]))
def test_inplace_arena_is_not_below_what_is_alive(model, bits):
    steps, most = memory.timeline(model), 0
    for i, (row, node) in enumerate(zip(model.rows, model.nodes)):
        later = steps[i + 1].live if i + 1 < len(steps) else ()
        dies = row.src[0] not in dict(later)
        saved = row.activation_elements - math.prod(row.out_shape[:2])
        most = max(most, steps[i].elements - (dies and isinstance(node.layer, DepthwiseConv2D)) * saved)
    assert memory.weight_bytes(most, bits) <= inplace_arena_bytes(model, bits)
    assert inplace_arena_bytes(model, bits) <= planning.plan_arena(model, bits).arena_bytes


def test_narrower_by_hand():  # 120 x 0.5 = 60 -> 64, 84 x 0.5 = 42 -> 40, 16 -> 8; 6 is below 8 already
    half = narrower(LENET, 0.5)
    assert [row.out_shape[-1] for row in half.rows] == [6, 6, 8, 8, 64, 40, 10]
    assert half.weights == 25 * 6 + 25 * 6 * 8 + 200 * 64 + 64 * 40 + 40 * 10
    coder = narrower(models.named("mlperf_tiny_ad_autoencoder"), 0.5)
    assert [row.out_shape[-1] for row in coder.rows] == [64] * 4 + [8] + [64] * 4 + [640]
    assert narrower(coder, 1.0) is None
    # the same half by the paper's own width multiplier, but for the classes
    v1 = narrower(networks.mobilenet_v1(1.0, 64), 0.5)
    assert (v1.params, v1.macs) == (lambda m: (m.params, m.macs))(networks.mobilenet_v1(0.5, 64))


def test_operators_of_a_file_follow_the_narrower_layers():
    def chain(*between):  # an operator without work after each layer, as an ONNX file has them
        dense = Dense(8 * 8 * 16, 10)
        layers = Conv2D(3, 16, 3, 2, 1), DepthwiseConv2D(16, 3, padding="same"), MaxPool2D(2), dense
        nodes = [node for layer in zip(layers, between) for node in layer if node] if between else layers
        return Model("a", (32, 32, 3), tuple(Node(f"n{i}", layer) for i, layer in enumerate(nodes)))

    clip, flat = operator_row("Clip")((16, 16, 16)), operator_row("Reshape")((8 * 8 * 16,))
    plain, filed = narrower(chain(), 0.5), narrower(chain(clip, clip, flat, None), 0.5)
    assert filed.params == plain.params == 27 * 8 + 8 + 9 * 8 + 8 + 512 * 10 + 10
    assert filed.macs == plain.macs == 256 * (27 * 8 + 9 * 8) + 512 * 10
    assert [row.out_shape for row in filed.rows if row.op in ("Clip", "Reshape")] == [
        *2 * [(16, 16, 8)],
        (512,),
    ]
    for fixed in operator_row("PRelu")((16, 16, 16), 16), MatMul((16, 16, 16), inner=16):
        assert narrower(chain(fixed, None, None, None), 0.5) is None  # what it becomes is not known
    assert narrower(chain(None, None, operator_row("DepthToSpace")((16, 16, 4)), None), 0.5) is None


@given(CASES)
def test_remedies_hold_what_they_say(case):
    model, device, bits = case
    now, found = report(model, device, bits), remedies(model, device, bits)
    figures = (now.weight_bytes, now.macs, now.arena_bytes)
    for r in found:
        assert min(r.weight_bytes, r.macs, r.peak_bytes) >= 0 and r.price.endswith(".")
        assert any(a < b for a, b in zip((r.weight_bytes, r.macs, r.peak_bytes), figures))
        assert (
            r.model.input_shape == model.input_shape
            and r.model.rows[-1].out_shape == model.rows[-1].out_shape
        )
        if r.name.startswith(("INT", "depthwise", "width")):  # a model of its own: count it again
            assert r.macs == sum(
                math.prod(row.out_shape[:-1]) * node.layer.weights
                for row, node in zip(r.model.rows, r.model.nodes)
            )
            fit = planning.fit(r.model, devices.named(device), r.bits)
            assert (fit, fit.fits) == (r.fit, r.fits)
        if r.name == "in-place depthwise":  # never below what is alive beside the spare channel
            assert memory.peak_live(model)[0] * bits // 16 <= r.peak_bytes < now.arena_bytes
    order = [(not r.fits, -r.freed) for r in found]
    assert order == sorted(order)


@given(CASES)
def test_json_round_trip_and_table(case):
    r = report(*case)
    plain = r.to_json()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["weight_bytes"] + plain["flash_left_bytes"] == plain["flash_bytes"]
    assert plain["arena_bytes"] + plain["sram_left_bytes"] == plain["sram_bytes"]
    assert len(plain["remedies"]) == len(r.remedies) and "FLOP/byte" in r.table()


def test_table_says_units_and_fit():
    lines = report(V2, "stm32f746").table().splitlines()
    assert lines[4] == "weights       1,694,208 of 1,048,576 bytes flash"
    assert "flash over by 645,632 bytes and SRAM over by 56,320 bytes; flash binds" in lines[7]
    assert lines[12].split()[:2] == ["remedy", "weights"] and lines[13].startswith("width x 0.5")


def test_wrong_arguments_are_refused_with_a_sentence():
    with pytest.raises(TypeError, match="model must be a Model"):
        report("lenet5")
    with pytest.raises(ValueError, match="device must be one of"):
        report(LENET, "nobody")
    with pytest.raises(ValueError, match="bits must be 1 to 32"):
        remedies(LENET, bits=64)
    with pytest.raises(ValueError, match="width must be a multiplier"):
        narrower(LENET, 0)
