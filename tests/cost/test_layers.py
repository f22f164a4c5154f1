"""Layers: published counts, closed forms, and a second road that walks every output position and tap."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.cost import (
    Add,
    AvgPool1D,
    AvgPool2D,
    Concat,
    Conv1D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAvgPool2D,
    GlobalMaxPool1D,
    MaxPool2D,
    PointwiseConv2D,
)

STEM = Conv2D(3, 64, kernel_size=7, stride=2, padding=3, bias=False)


def test_stem_of_resnet50():  # He et al., arXiv 1512.03385, table 1; 9408 * 112 * 112
    assert STEM.params == 9408
    assert STEM.out_shape((224, 224, 3)) == (112, 112, 64)
    assert STEM.macs((224, 224, 3)) == 118_013_952


def test_separable_convolution():  # worked by hand: 32 -> 64 channels, 3x3: 288 + 2,048 against 18,432
    assert DepthwiseConv2D(32, 3, bias=False).params == 288
    assert PointwiseConv2D(32, 64, bias=False).params == 2048
    assert Conv2D(32, 64, 3, bias=False).params == 18_432


def test_first_layers_of_ds_cnn():  # MLPerf Tiny keyword spotting, kernel 10x4, stride 2, SAME, batch norm
    conv = Conv2D(1, 64, (10, 4), stride=2, padding="same", batch_norm=True)
    assert (conv.weights, conv.params, conv.params_bn_folded) == (2560, 2752, 2624)
    assert conv.out_shape((49, 10, 1)) == (25, 5, 64) and conv.macs((49, 10, 1)) == 320_000


def test_dense_of_bert():  # 768 x 3072 and back: 2,362,368 + 2,360,064 with biases
    assert Dense(768, 3072).params == 2_362_368 and Dense(3072, 768).params == 2_360_064


@pytest.mark.parametrize(
    "layer, in_shapes, out",
    [
        (MaxPool2D(3, stride=2), [(55, 55, 64)], (27, 27, 64)),  # AlexNet
        (MaxPool2D(3, stride=2, padding=1), [(112, 112, 64)], (56, 56, 64)),  # ResNet
        (AvgPool2D(2), [(28, 28, 6)], (14, 14, 6)),  # LeNet-5
        (AvgPool1D(4), [(20, 3)], (5, 3)),
        (Conv1D(3, 8, 5, stride=2), [(20, 3)], (8, 8)),
        (Conv2D(2, 3, (1, 5), padding=(0, 2)), [(4, 7, 2)], (4, 7, 3)),
        (GlobalAvgPool2D(), [(7, 7, 1024)], (1024,)),
        (GlobalMaxPool1D(), [(50, 6)], (6,)),
        (Dense(1024, 10), [(1, 1, 1024)], (10,)),
        (Add(), [(5, 5, 3)] * 3, (5, 5, 3)),
        (Concat(), [(5, 5, 3), (5, 5, 4)], (5, 5, 7)),
    ],
)
def test_output_shapes(layer, in_shapes, out):
    assert layer.out_shape(*in_shapes) == out
    if not hasattr(layer, "bias") or not layer.weights:
        assert layer.macs(*in_shapes) == layer.params == layer.params_bn_folded == 0


def test_depthwise_and_pointwise_are_convolutions():
    x = (11, 9, 6)
    deep = DepthwiseConv2D(6, 3, stride=2, padding="same", multiplier=2)
    same = Conv2D(6, 12, 3, stride=2, padding="same", groups=6)
    assert (deep.params, deep.macs(x), deep.out_shape(x)) == (same.params, same.macs(x), same.out_shape(x))
    point, one = PointwiseConv2D(6, 4, stride=2, groups=2), Conv2D(6, 4, 1, stride=2, groups=2)
    assert (point.params, point.macs(x), point.out_shape(x)) == (one.params, one.macs(x), one.out_shape(x))


@pytest.mark.parametrize(
    "bias, batch_norm, params, folded", [(0, 0, 9, 9), (1, 0, 12, 12), (0, 1, 15, 12), (1, 1, 18, 12)]
)
def test_bias_and_batch_norm(bias, batch_norm, params, folded):  # 9 weights, 3 outputs
    layer = Dense(3, 3, bias=bool(bias), batch_norm=bool(batch_norm))
    assert (layer.params, layer.params_bn_folded) == (params, folded)


def windows(n, k, s, padding):
    """Second road: left edges of the windows, found by stepping until one leaves the padded axis."""
    if padding == "same":  # the fewest zeros with which a window starts at every stride below n
        starts = [i for i in range(n) if i % s == 0]
        return len(starts)
    p = 0 if padding == "valid" else padding
    return sum(1 for left in range(0, n + 2 * p, s) if left + k <= n + 2 * p)


sizes = st.integers(1, 9)


@given(
    h=sizes,
    w=sizes,
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.sampled_from(["valid", "same", 0, 1, 2]),
    groups=st.integers(1, 3),
    per_group=st.tuples(st.integers(1, 2), st.integers(1, 2)),
)
def test_macs_by_counting_every_tap(h, w, kernel, stride, padding, groups, per_group):
    c_in, c_out = groups * per_group[0], groups * per_group[1]
    conv = Conv2D(c_in, c_out, kernel, stride, padding, groups)
    rows, columns = (windows(n, k, s, padding) for n, k, s in zip((h, w), kernel, stride))
    if not rows or not columns:
        with pytest.raises(ValueError, match="as large as its kernel"):
            conv.out_shape((h, w, c_in))
        return
    macs = 0
    for _, _, o in itertools.product(range(rows), range(columns), range(c_out)):
        for _, _, i in itertools.product(range(kernel[0]), range(kernel[1]), range(c_in)):
            macs += i // per_group[0] == o // per_group[1]  # only taps of the own group
    assert conv.out_shape((h, w, c_in)) == (rows, columns, c_out)
    assert conv.macs((h, w, c_in)) == macs


@given(n=st.integers(1, 40), k=st.integers(1, 7), s=st.integers(1, 5))
def test_same_padding_covers_the_input_as_tensorflow_defines_it(n, k, s):
    out = Conv1D(1, 1, k, stride=s, padding="same").out_shape((n, 1))[0]
    assert out == math.ceil(n / s)
    zeros = max((out - 1) * s + k - n, 0)  # TensorFlow: total padding, the odd zero at the end
    assert len([left for left in range(0, n + zeros - k + 1, s)]) == out


def test_layers_are_values():
    assert repr(STEM) == "Conv2D(3, 64, kernel_size=7, stride=2, padding=3, bias=False)"
    assert Conv2D(3, 64, (7, 7), 2, (3, 3), bias=False) == STEM and hash(STEM) == hash(eval(repr(STEM)))
    assert AvgPool2D(2) != MaxPool2D(2)


@pytest.mark.parametrize("bad", ["3", None, math.nan, math.inf, 3.0, 1j, True, [3], (3, 3), b"3"], ids=repr)
@pytest.mark.parametrize("name", ["in_channels", "out_channels", "groups"])
def test_a_count_that_is_no_whole_number_is_refused(name, bad):
    arguments = {"in_channels": 4, "out_channels": 4, "kernel_size": 1} | {name: bad}
    with pytest.raises(TypeError, match=f"{name} must be a whole number, got"):
        Conv2D(**arguments)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: Conv2D(0, 1, 1), "in_channels must lie between 1 and .*, got 0"),
        (lambda: Conv2D(1, -2, 1), "out_channels .* got -2"),
        (lambda: Conv2D(1, 10**5000, 1), "got an integer of about 5,001 digits"),
        (lambda: Conv2D(1, 1, 1, stride=-1), "stride must lie .* got -1"),
        (lambda: Conv2D(1, 1, (1, 2, 3)), "kernel_size must have one entry per axis"),
        (lambda: Conv2D(1, 1, 1, padding="SAME"), "padding must be 'valid', 'same' or a number, got 'SAME'"),
        (lambda: Conv2D(3, 4, 1, groups=2), "in_channels must divide into 2 groups, got 3"),
        (lambda: Conv2D(4, 3, 1, groups=2), "out_channels must divide into 2 groups, got 3"),
        (lambda: Conv2D(3, 1, 9).macs((4, 4, 3)), "needs an input as large as its kernel"),
        (lambda: STEM.macs((224, 224, 4)), r"expects 3 input channels, got shape \(224, 224, 4\)"),
        (lambda: STEM.macs(224, 224, 3), "takes one input shape"),
        (lambda: STEM.macs((224, 224)), r"\(height, width, channels\), got shape \(224, 224\)"),
        (lambda: STEM.macs((0, 224, 3)), "each axis of its input must lie between 1"),
        (lambda: Dense(10, 3).out_shape((3, 4)), r"expects 10 input elements, got shape \(3, 4\)"),
        (lambda: Add().out_shape((1,), (2,)), "inputs of one shape"),
        (lambda: Add().out_shape((1,)), "two or more input shapes"),
        (lambda: Concat().out_shape((2, 2, 1), (3, 2, 1)), "equal but for the last axis"),
        (lambda: MaxPool2D(2, padding=2), "at most half the kernel"),
    ],
)
def test_impossible_layers_and_inputs_are_refused(make, words):
    with pytest.raises(ValueError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 250


def test_numpy_integers_are_counts_and_arrays_are_not():
    np = pytest.importorskip("numpy")
    conv = Conv2D(np.int8(3), np.uint16(64), np.int64(7))
    assert conv.weights == 9408 and type(conv.in_channels) is int
    for bad in (np.array([3]), np.array([3, 4]), np.float64(3), np.bool_(True)):
        with pytest.raises(TypeError, match="in_channels must be a whole number"):
            Conv2D(bad, 1, 1)
    with pytest.raises(TypeError, match="must be a shape"):
        STEM.macs(np.zeros(3))


# Dilation


@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 3), st.integers(1, 30))
def test_dilated_positions_by_enumeration(kernel, dilation, stride, size):
    layer = Conv2D(1, 1, kernel_size=kernel, stride=stride, dilation=dilation)
    starts = range(0, size, stride)
    places = [s for s in starts if s + dilation * (kernel - 1) < size]  # the last tap still lies inside
    if places:
        assert layer.out_shape((size, size, 1)) == (len(places), len(places), 1)
        assert layer.macs((size, size, 1)) == len(places) ** 2 * kernel**2
    else:
        with pytest.raises(ValueError, match="as large as its kernel"):
            layer.out_shape((size, size, 1))


def test_dilation_widens_the_reach_and_not_the_weights():
    dilated = Conv2D(3, 8, kernel_size=3, dilation=2)
    assert dilated.reach == (5, 5) and dilated.weights == Conv2D(3, 8, kernel_size=3).weights
    assert repr(dilated) == "Conv2D(3, 8, kernel_size=3, dilation=2)"
    with pytest.raises(ValueError, match="dilation must lie"):
        DepthwiseConv2D(4, 3, dilation=0)
