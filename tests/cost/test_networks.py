"""Reference networks: published totals, peaks, a second road from block tables, scaling, refusals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.cost import Add, Conv2D, ModelError, memory
from tinylib.cost.models import named
from tinylib.cost.networks import (
    MOBILENET_V1,
    MOBILENET_V2,
    mobilenet_v1,
    mobilenet_v1_vww,
    mobilenet_v2,
    resnet8,
    resnet18,
    resnet50,
)


@pytest.mark.parametrize(
    "model, params, macs",
    [
        (resnet18(), 11_689_512, 1_814_073_344),  # torchvision model table: 11689512, 1.81 G
        (resnet50(), 25_557_032, 4_089_184_256),  # torchvision: 25557032, 4.09 G
        (mobilenet_v2(), 3_504_872, 300_774_272),  # torchvision: 3504872, 0.3 G
        (mobilenet_v2(width=0.35), 1_677_128, 59_285_808),  # Sandler et al.: 1.7 M, 59 M
        (mobilenet_v2(width=0.35, side=144, head=448), 750_280, 23_499_152),  # MCUNet zoo: 0.75 M, 23.5 M
        (mobilenet_v1(), 4_231_976, 568_740_352),  # Howard et al., table 8: 4.2 M, 569 M
        (resnet8(), 78_186, 12_501_632),
        (mobilenet_v1_vww(), 213_586, 7_489_664),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_published_totals(model, params, macs):
    assert (model.params, model.macs) == (params, macs)
    assert model.source


@pytest.mark.parametrize(
    "model, folded, int8_bytes",
    [
        (resnet8(), 77_706, 77_360 + 4 * 346),
        (mobilenet_v1_vww(), 210_850, 208_112 + 4 * 2738),
        (resnet18(), 11_684_712, 11_702_112),
        (mobilenet_v2(width=0.35), 1_670_088, 1_694_208),
        (mobilenet_v1(), 4_221_032, 4_256_864),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_folded_values(model, folded, int8_bytes):  # MLPerf Tiny: the tensors of the reference INT8 files
    assert model.params_bn_folded == folded
    assert memory.model_weight_bytes(model) == int8_bytes


def test_keras_totals_with_running_statistics():  # mlcommons/tiny: model.summary() of the references
    normed = sum(n.layer.outputs for n in resnet8().nodes if n.layer.batch_norm)
    assert resnet8().params + 2 * normed == 78_666
    normed = sum(n.layer.outputs for n in mobilenet_v1_vww().nodes if n.layer.batch_norm)
    assert mobilenet_v1_vww().params + 2 * normed + normed == 221_794  # + a bias each, idle before batch norm


@pytest.mark.parametrize(
    "model, elements, where",
    [
        (resnet18(), 112 * 112 * 64 + 56 * 56 * 64, "pool"),
        (resnet50(), 3 * 56 * 56 * 256, "s2.0"),
        (mobilenet_v2(), 112 * 112 * 96 + 56 * 56 * 96, "b1.0.dw"),
        (mobilenet_v2(width=0.35), 752_640, "b1.0.dw"),
        (mobilenet_v2(width=0.35, side=144, head=448), 311_040, "b1.0.dw"),
        (mobilenet_v1(), 112 * 112 * (32 + 64), "pw1"),
        (resnet8(), 3 * 32 * 32 * 16, "s1"),
        (mobilenet_v1_vww(), 48 * 48 * (8 + 16), "pw1"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_peaks(model, elements, where):
    assert memory.peak_op_pair(model) == (elements, where)
    assert memory.peak_live(model)[0] == elements


def test_v1_of_resnet50_costs_less():  # stride in the first 1x1: three blocks start at a quarter of the size
    saved = sum(r.macs * 3 // 4 for r in resnet50().rows if r.name in ("s3.0.a", "s4.0.a", "s5.0.a"))
    assert resnet50().macs - saved == 3_857_973_248


def test_shortcuts():
    adds = {f: [r for r in f().rows if r.op == "Add"] for f in (resnet18, resnet50, mobilenet_v2, resnet8)}
    assert [len(rows) for rows in adds.values()] == [8, 16, 10, 3]  # blocks; ten of seventeen in MobileNetV2
    assert all(len(r.src) == 2 and r.in_shapes[0] == r.in_shapes[1] for rows in adds.values() for r in rows)
    assert adds[resnet18][0].src == ("s2.0.b", "pool") and adds[resnet18][2].src == ("s3.0.b", "s3.0.short")
    assert sum(isinstance(n.layer, Add) for n in mobilenet_v1().nodes) == 0


def test_mobilenet_v1_equals_the_listed_layers():
    built, listed = mobilenet_v1(), named("mobilenetv1_1.0_224")
    pairs = [(r.params, r.macs) for r in built.rows], [(r.params, r.macs) for r in listed.rows]
    assert pairs[0] == pairs[1]


def test_mobilenet_v2_from_the_table_alone():  # second road: sums of k k c_in c_out per position
    side, c_in, macs, params = 112, 32, 27 * 32 * 112 * 112, 27 * 32 + 64
    for t, c, n, s in MOBILENET_V2:
        for i in range(n):
            wide, before = t * c_in, side
            side = side // 2 if s == 2 and i == 0 else side
            up = c_in * wide if t > 1 else 0
            macs += before**2 * up + side**2 * wide * (9 + c)
            params += up + wide * (9 + c) + 2 * (wide * (2 if t > 1 else 1) + c)
            c_in = c
    macs += side**2 * c_in * 1280 + 1280 * 1000
    params += c_in * 1280 + 2 * 1280 + 1280 * 1000 + 1000
    assert (mobilenet_v2().params, mobilenet_v2().macs) == (params, macs)


@pytest.mark.parametrize("side, mmacs", [(224, 569), (192, 418), (160, 290), (128, 186)])
def test_resolution_of_mobilenet_v1(side, mmacs):  # Howard et al., table 7
    assert mobilenet_v1(side=side).macs / 1e6 == pytest.approx(mmacs, abs=0.7)  # 290.7 is printed as 290
    assert mobilenet_v1(side=side).params == 4_231_976


@pytest.mark.parametrize(
    "width, mmacs, millions", [(1.0, 569, 4.2), (0.75, 325, 2.6), (0.5, 149, 1.3), (0.25, 41, 0.5)]
)
def test_width_of_mobilenet_v1(width, mmacs, millions):  # Howard et al., table 6
    model = mobilenet_v1(width=width)
    assert model.macs / 1e6 == pytest.approx(mmacs, abs=0.6)
    assert model.params / 1e6 == pytest.approx(millions, abs=0.06)


@given(side=st.integers(32, 128), width=st.sampled_from((0.35, 0.5, 0.75, 1.0, 1.4)))
def test_parameters_do_not_depend_on_the_side(side, width):
    small, full = mobilenet_v2(width, side), mobilenet_v2(width)
    assert small.params == full.params and small.macs < full.macs
    assert all(n.layer.outputs % 8 == 0 for n in small.nodes if isinstance(n.layer, Conv2D))


def test_classes_change_the_last_layer_alone():
    assert resnet18().params - resnet18(classes=10).params == 990 * 513
    assert len(MOBILENET_V1) == 13 and mobilenet_v1(classes=2, channels=1).input_shape == (224, 224, 1)


@pytest.mark.parametrize(
    "make, error, words",
    [
        (lambda: mobilenet_v2(width=0), ValueError, "width must be a multiplier above 0 .* got 0"),
        (lambda: mobilenet_v1(width="1.0"), TypeError, "width must be"),
        (lambda: mobilenet_v1(width=math.inf), ValueError, "width must be a finite number, got inf"),
        (lambda: mobilenet_v2(head=0), ValueError, "head must lie between 1 and .* got 0"),
        (lambda: resnet18(classes=-1), ValueError, "classes must lie between 1 and .* got -1"),
        (lambda: resnet50(side=0), ModelError, "each axis of input must lie between 1 and .* got 0"),
        (lambda: resnet50(side=224.0), ModelError, "each axis of input must be a whole number, got 224.0"),
    ],
)
def test_impossible_networks_are_refused(make, error, words):
    with pytest.raises(error, match=words) as caught:
        make()
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 250
