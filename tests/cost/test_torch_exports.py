"""ONNX files that torch 2.13 exported (dynamo, random weights, metadata stripped) against hand-built layers.

The exporter folds batch norm into the convolution before it, so stored parameters are `params_bn_folded`.
"""

import os
from pathlib import Path

import pytest

from tinylib.cost import Add, Conv2D, Dense, DepthwiseConv2D, GlobalAvgPool2D, Model, Node, PointwiseConv2D
from tinylib.cost.readers import read_onnx
from tinylib.cost.sequence import LSTM, Attention, LayerNorm

if not os.environ.get("CI"):  # in CI the extra `import` is installed: a missing package is a failure
    pytest.importorskip("onnx")

DATA = Path(__file__).parent / "data"


def conv(cin: int, cout: int, kernel: int = 3, stride: int = 1) -> Conv2D:
    return Conv2D(cin, cout, kernel, stride=stride, padding=kernel // 2, bias=False, batch_norm=True)


RESNET = Model(
    "a residual block",
    (16, 16, 3),
    (
        Node("stem", conv(3, 8)),
        Node("a", conv(8, 16, stride=2)),
        Node("b", conv(16, 16)),
        Node("short", conv(8, 16, 1, 2), ("stem",)),
        Node("add", Add(), ("b", "short")),
        Node("pool", GlobalAvgPool2D()),
        Node("head", Dense(16, 10)),
    ),
)
MOBILENET = Model(
    "an inverted residual",
    (12, 12, 8),
    (
        Node("up", PointwiseConv2D(8, 24, bias=False, batch_norm=True)),
        Node("filter", DepthwiseConv2D(24, 3, padding=1, bias=False, batch_norm=True)),
        Node("down", PointwiseConv2D(24, 8, bias=False, batch_norm=True)),
        Node("add", Add(), ("down", "input")),
        Node("pool", GlobalAvgPool2D()),
        Node("head", Dense(8, 4)),
    ),
)


@pytest.mark.parametrize("name, built", [("torch_resnet", RESNET), ("torch_mobilenet", MOBILENET)])
def test_exported_networks_count_as_their_layer_lists(name, built):
    found = read_onnx(DATA / f"{name}.onnx")
    (model,) = found.models
    assert (model.params_bn_folded, model.macs) == (built.params_bn_folded, built.macs)
    assert found.unknown == ()


def test_exported_lstm_counts_its_time_steps():
    (model,) = read_onnx(DATA / "torch_lstm.onnx").models
    cell = LSTM(6, 8, bias_vectors=2)
    assert (model.params, model.macs) == (cell.params, cell.macs((10, 6)))


def test_exported_transformer_layer():  # 16 features, 2 heads, FFN 32, 8 tokens
    found = read_onnx(DATA / "torch_transformer.onnx")
    (model,) = found.models
    attention, up, down = Attention(16, 2, bias=True), Dense(16, 32), Dense(32, 16)
    params = attention.params + up.params + down.params + 2 * LayerNorm(16).params
    macs = attention.macs((8, 16)) + 8 * (up.weights + down.weights)
    assert (model.params, model.macs) == (params, macs)
    assert found.unknown == ()
