"""Reference networks built from the block tables of their papers, shortcuts included.

    >>> resnet50().params, resnet50().macs
    (25557032, 4089184256)

Convolutions carry batch norm and no bias; pooling, additions and activations cost no MACs. `padding="same"`
is TensorFlow SAME, an int adds that many zeros on each side. Sizes of a block follow from its input, so any
`side` that a network can take gives its own MACs and peaks, with the same parameters.
"""

from collections.abc import Callable

from tinylib.cost.layers import (
    Add,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAvgPool2D,
    Layer,
    MaxPool2D,
    PointwiseConv2D,
    count,
)
from tinylib.cost.models import INPUT, Model, Node
from tinylib.units import real


class _Builder:
    """Nodes in the order they run; `last` names the one added last and `channels` its depth.

    With `bias`, convolutions keep one before their batch norm, which makes it idle, as Keras does by default.
    """

    def __init__(self, channels: int, bias: bool = False) -> None:
        self.nodes: list[Node] = []
        self.norm = {"bias": bias, "batch_norm": True}
        self.last, self.channels = INPUT, channels

    def add(self, name: str, layer: Layer, *src: str) -> str:
        self.nodes.append(Node(name, layer, src or (self.last,)))
        self.last, self.channels = name, getattr(layer, "outputs", 0) or self.channels
        return name

    def conv(self, name: str, out: int, kernel: int, stride: int = 1, padding: str | int = "same") -> str:
        return self.add(name, Conv2D(self.channels, out, kernel, stride, padding, **self.norm))

    def depthwise(self, name: str, stride: int = 1, padding: str | int = 1) -> str:
        return self.add(name, DepthwiseConv2D(self.channels, 3, stride, padding, **self.norm))

    def pointwise(self, name: str, out: int) -> str:
        return self.add(name, PointwiseConv2D(self.channels, out, **self.norm))

    def head(self, classes: int) -> None:
        """Mean over all positions and a dense layer with bias."""
        self.add("mean", GlobalAvgPool2D())
        self.add("fc", Dense(self.channels, count("classes", classes)))

    def model(self, name: str, side: int, source: str, channels: int = 3) -> Model:
        return Model(name, (side, side, channels), tuple(self.nodes), source=source)


# ResNet: He et al., Deep Residual Learning, arXiv 1512.03385


def _shortcut(net: _Builder, name: str, start: str, depth: int, stride: int) -> str:
    """What a block adds to its own output: its input, or a strided 1x1 where the shape changes."""
    out, end = net.channels, net.last
    if stride == 1 and depth == out:
        return start
    norm = {"bias": True} if net.norm["bias"] else net.norm
    net.add(f"{name}.short", Conv2D(depth, out, 1, stride, 0, **norm), start)
    net.last = end
    return f"{name}.short"


def _basic_block(net: _Builder, name: str, width: int, stride: int, padding: str | int = 1) -> None:
    """Two 3x3 convolutions around a shortcut (figure 5, left)."""
    start, depth = net.last, net.channels
    net.conv(f"{name}.a", width, 3, stride, padding)
    end = net.conv(f"{name}.b", width, 3, 1, padding)
    net.add(name, Add(), end, _shortcut(net, name, start, depth, stride))


def _bottleneck(net: _Builder, name: str, width: int, stride: int) -> None:
    """1x1, 3x3 and 1x1 to four times the width (figure 5, right); the 3x3 carries the stride (v1.5)."""
    start, depth = net.last, net.channels
    net.pointwise(f"{name}.a", width)
    net.conv(f"{name}.b", width, 3, stride, 1)
    end = net.pointwise(f"{name}.c", 4 * width)
    net.add(name, Add(), end, _shortcut(net, name, start, depth, stride))


def _resnet(name: str, blocks: tuple[int, ...], block: Callable, side: int, classes: int) -> Model:
    net = _Builder(3)
    net.conv("stem", 64, 7, 2, 3)
    net.add("pool", MaxPool2D(3, stride=2, padding=1))
    for stage, repeats in enumerate(blocks):
        for i in range(repeats):
            block(net, f"s{stage + 2}.{i}", 64 * 2**stage, 2 if stage and not i else 1)
    net.head(classes)
    return net.model(name, side, "He et al., arXiv 1512.03385, table 1")


def resnet18(side: int = 224, classes: int = 1000) -> Model:
    """ResNet-18: 11,689,512 parameters, 1,814,073,344 MACs.

    Basic blocks 2, 2, 2, 2, projection shortcuts where the shape changes (option B).
    Source: He et al., arXiv 1512.03385, table 1; totals of the torchvision model table.
    """
    return _resnet("ResNet-18", (2, 2, 2, 2), _basic_block, side, classes)


def resnet50(side: int = 224, classes: int = 1000) -> Model:
    """ResNet-50 v1.5: 25,557,032 parameters, 4,089,184,256 MACs.

    Bottlenecks 3, 4, 6, 3. The stride is in the 3x3; the paper has it in the first 1x1, which
    costs about 3.86 G MACs with the same parameters.
    Source: He et al., arXiv 1512.03385, table 1; totals of the torchvision model table.
    """
    return _resnet("ResNet-50 v1.5", (3, 4, 6, 3), _bottleneck, side, classes)


def resnet8(classes: int = 10) -> Model:
    """ResNet-8 of MLPerf Tiny for 32x32 images: 77,706 values folded, 12,501,632 MACs.

    Three basic blocks of 16, 32 and 64 channels, TensorFlow padding. Convolutions have a bias as well as
    batch norm, the 1x1 shortcuts a bias alone: 78,186 trainable values.
    Source: Banbury et al., MLPerf Tiny Benchmark, arXiv 2106.07597, table 1 (image classification).
    """
    net = _Builder(3, bias=True)
    net.conv("stem", 16, 3)
    for stage, width in enumerate((16, 32, 64)):
        _basic_block(net, f"s{stage + 1}", width, 2 if stage else 1, "same")
    net.head(classes)
    return net.model("ResNet-8", 32, "Banbury et al., arXiv 2106.07597, table 1")


# MobileNets


def _eighths(channels: float) -> int:
    """The multiple of 8 nearest to `channels`, at least 8 and never more than 10 % below it."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def _width(width: float) -> float:
    width = real("width", width)
    if not 0 < width <= 10:
        raise ValueError(f"width must be a multiplier above 0 and at most 10, such as 0.35, got {width}")
    return width


MOBILENET_V1 = (  # arXiv 1704.04861, table 1: stride of the depthwise 3x3, channels of the 1x1
    *((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512)),
    *((1, 512),) * 5,
    *((2, 1024), (1, 1024)),
)
MOBILENET_V2 = (  # arXiv 1801.04381, table 2: expansion t, channels c, repeats n, first stride s
    *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
    *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
)


def mobilenet_v1(width: float = 1.0, side: int = 224, classes: int = 1000, channels: int = 3) -> Model:
    """MobileNetV1: 4,231,976 parameters, 568,740,352 MACs at width 1.0 and side 224.

    Thirteen depthwise-separable blocks; `width` scales every layer (alpha), rounded down as in Keras.
    Source: Howard et al., arXiv 1704.04861, table 1 (body) and tables 6 and 7 (width, resolution).
    """
    scale, net = _width(width), _Builder(count("channels", channels))
    net.conv("stem", max(1, int(32 * scale)), 3, 2)
    for i, (stride, out) in enumerate(MOBILENET_V1):
        net.depthwise(f"dw{i + 1}", stride, "same")
        net.pointwise(f"pw{i + 1}", max(1, int(out * scale)))
    net.head(classes)
    source = "Howard et al., arXiv 1704.04861, table 1"
    return net.model(f"MobileNetV1 {width:g}", side, source, net.nodes[0].layer.in_channels)


def mobilenet_v1_vww() -> Model:
    """MobileNetV1 of MLPerf Tiny, person or not: 210,850 values folded, 7,489,664 MACs.

    Width 0.25, 96x96 pixels, two classes. The idle biases of its Keras model are not counted.
    Source: Banbury et al., MLPerf Tiny Benchmark, arXiv 2106.07597, table 1 (visual wake words).
    """
    return mobilenet_v1(width=0.25, side=96, classes=2)


def _inverted_residual(net: _Builder, name: str, expand: int, out: int, stride: int) -> None:
    """1x1 up, depthwise 3x3, 1x1 down; the shortcut joins the narrow ends (figure 4, table 1)."""
    start, depth = net.last, net.channels
    if expand > 1:
        net.pointwise(f"{name}.up", expand * depth)
    net.depthwise(f"{name}.dw", stride)
    end = net.pointwise(f"{name}.down", out)
    if stride == 1 and depth == out:
        net.add(name, Add(), end, start)


def mobilenet_v2(width: float = 1.0, side: int = 224, classes: int = 1000, head: int | None = None) -> Model:
    """MobileNetV2: 3,504,872 parameters, 300,774,272 MACs; at width 0.35 1,677,128 and 59,285,808.

    Channels are rounded to multiples of 8; the last 1x1 keeps 1,280 channels below width 1, unless
    `head` says otherwise. Source: Sandler et al., arXiv 1801.04381, table 2; totals of torchvision.
    """
    scale, net = _width(width), _Builder(3)
    net.conv("stem", _eighths(32 * scale), 3, 2, 1)
    for row, (expand, out, repeats, first) in enumerate(MOBILENET_V2):
        for i in range(repeats):
            _inverted_residual(net, f"b{row}.{i}", expand, _eighths(out * scale), 1 if i else first)
    net.pointwise("head", _eighths(1280 * max(1.0, scale)) if head is None else count("head", head))
    net.head(classes)
    return net.model(f"MobileNetV2 {width:g}", side, "Sandler et al., arXiv 1801.04381, table 2")
