"""Convolutional networks beside torch (float) and LiteRT (int8): two keyword spotters.

KWS: 474 parameters, 33,288 MACs. DS-CNN: the keyword spotter of MLPerf Tiny. Random weights of their
shapes; outputs are compared before anything is timed, the int8 ones for equality with the reference
kernels (`double` rounding) and with XNNPACK (`single`), whose compiled kernels are out of our reach.
"""

import numpy as np
from beside import medians, row, show

from tinylib.nets.arithmetic import FLOAT32
from tinylib.nets.conv import Conv2D, DepthwiseConv2D, PointwiseConv2D
from tinylib.nets.dense import Dense
from tinylib.nets.int8 import Int8Network, Step, from_float
from tinylib.nets.int8_pool import Int8Softmax
from tinylib.nets.network import Network
from tinylib.nets.pool import AvgPool2D, Flatten, GlobalAvgPool2D, MaxPool2D

KWS, DS_CNN = (20, 20, 1), (49, 10, 1)
ROUNDS = 15
DRAWN = {"activation": "relu", "ops": FLOAT32}


def kws(rng: np.random.Generator) -> Network:
    """3x3 convolution to 8 channels, max pool, depthwise, pointwise to 16, mean, 10 classes."""
    return Network(
        (
            Conv2D.draw(rng, 1, 8, 3, **DRAWN),
            MaxPool2D(2),
            DepthwiseConv2D.draw(rng, 8, 3, **DRAWN),
            PointwiseConv2D.draw(rng, 8, 16, **DRAWN),
            GlobalAvgPool2D(),
            Dense.draw(rng, 16, 10, ops=FLOAT32),
        )
    )


def ds_cnn(rng: np.random.Generator) -> Network:
    """10x4 convolution to 64 channels, four separable layers, mean, 12 classes; batch norm is folded."""
    parts = [Conv2D.draw(rng, 1, 64, (10, 4), **DRAWN, stride=2, padding="same")]
    for _ in range(4):
        parts.append(DepthwiseConv2D.draw(rng, 64, 3, **DRAWN, padding="same"))
        parts.append(PointwiseConv2D.draw(rng, 64, 64, **DRAWN))
    return Network((*parts, AvgPool2D((25, 5)), Flatten(), Dense.draw(rng, 64, 12, ops=FLOAT32)))


def as_torch(net: Network, in_shape: tuple[int, ...]):
    """The same network as a torch module, channels first; its margins are those of TensorFlow SAME."""
    import torch

    nn, found, shape = torch.nn, [], in_shape
    for part in net.parts:
        match part:
            case Conv2D() | PointwiseConv2D():
                w = part.w.transpose(0, 3, 1, 2)
            case DepthwiseConv2D():
                w = part.w.transpose(2, 3, 0, 1)
            case MaxPool2D():
                found.append(nn.MaxPool2d(part.kernel_size))
            case AvgPool2D():
                found.append(nn.AvgPool2d(part.kernel_size))
            case GlobalAvgPool2D():
                found += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
            case Flatten():
                found.append(nn.Flatten())
            case Dense():
                found.append(nn.Linear(*part.w.shape))
                found[-1].weight.data, found[-1].bias.data = torch.tensor(part.w.T), torch.tensor(part.b)
        if hasattr(part, "dilation"):
            layer = part.layer
            sizes = zip(layer.positions(*shape[:2]), layer.stride, part.layer.reach, shape[:2])
            need = [max((o - 1) * s + k - n, 0) for o, s, k, n in sizes]
            before = [n // 2 for n in need]
            if any(n % 2 for n in need):
                found.append(nn.ZeroPad2d((before[1], need[1] - before[1], before[0], need[0] - before[0])))
                before = (0, 0)
            window = (layer.reach, layer.stride, tuple(before))
            conv = nn.Conv2d(layer.in_channels, layer.out_channels, *window, groups=layer.groups)
            conv.weight.data, conv.bias.data = torch.tensor(w.copy()), torch.tensor(part.b)
            found += [conv, nn.ReLU()]
        if part.layer is not None:
            shape = part.layer.out_shape(shape)
    return nn.Sequential(*found).eval()


def in_float(name: str, net: Network, in_shape: tuple[int, ...], goals: dict) -> list[dict]:
    """Forward in float32, for each batch size."""
    try:
        import torch
    except ModuleNotFoundError as error:
        return [row(f"{name} float", "torch", None, note=f"not installed: {error.name}")]
    torch.set_num_threads(1)
    module, found = as_torch(net, in_shape), []
    for batch, (must, aim) in goals.items():
        x = np.random.default_rng(1).normal(size=(batch, *in_shape)).astype(np.float32)
        theirs = torch.tensor(x.transpose(0, 3, 1, 2).copy())

        def peer(theirs=theirs):
            with torch.inference_mode():
                return module(theirs)

        def ours(x=x):
            return net.forward(x, FLOAT32)[0]

        np.testing.assert_allclose(ours(), peer().numpy(), atol=1e-4)
        ours_s, peer_s = medians(ours, peer, rounds=ROUNDS)
        note = f"{1e6 * ours_s:,.0f} µs against {1e6 * peer_s:,.0f} µs"
        found.append(row(f"{name} float, B={batch}", "torch", peer_s / ours_s, must, aim, note))
    return found


def as_int8(net: Network, in_shape: tuple[int, ...]) -> Int8Network:
    """The network quantized on random data, with a softmax at its end."""
    data = np.random.default_rng(2).normal(size=(32, *in_shape))
    body = from_float(net, data)
    return Int8Network(
        (*body.steps, Step(Int8Softmax(body.target), (body.steps[-1].makes,), "softmax")), body.source
    )


def interpreter(model: bytes, kernels: str):
    """A function of codes (1, ...) that runs the file in LiteRT on one thread."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kind = getattr(OpResolverType, kernels)
    run = Interpreter(model_content=model, experimental_op_resolver_type=kind, num_threads=1)
    run.allocate_tensors()
    at, out = run.get_input_details()[0]["index"], run.get_output_details()[0]["index"]

    def forward(x: np.ndarray) -> np.ndarray:
        run.set_tensor(at, x)
        run.invoke()
        return run.get_tensor(out)

    return forward


def in_int8(name: str, net: Network, in_shape: tuple[int, ...], must=None, aim=None) -> list[dict]:
    """Forward in int8 at B = 1, equal to either runtime on 20 random inputs before it is timed."""
    try:
        import ai_edge_litert  # noqa: F401

        from benchmarks.reference.tflite_file import written
    except ModuleNotFoundError as error:
        return [row(f"{name} INT8", "LiteRT", None, note=f"not installed: {error.name}")]
    ours = as_int8(net, in_shape)
    model = written(ours, in_shape)
    xs = np.random.default_rng(3).integers(-128, 128, (20, 1, *in_shape)).astype(np.int8)
    found = []
    for runtime, kernels, peer, goals in (
        ("reference", "BUILTIN_REF", "LiteRT reference", (must, aim)),
        ("xnnpack", "BUILTIN", "LiteRT XNNPACK", (None, None)),
    ):
        theirs = interpreter(model, kernels)
        for x in xs:
            np.testing.assert_array_equal(ours.forward(x, runtime), theirs(x))
        ours_s, peer_s = medians(
            lambda r=runtime: ours.forward(xs[0], r), lambda t=theirs: t(xs[0]), rounds=ROUNDS
        )
        note = f"{1e6 * ours_s:,.0f} µs against {1e6 * peer_s:,.0f} µs, equal outputs"
        found.append(row(f"{name} INT8 exact, B=1", peer, peer_s / ours_s, *goals, note))
    return found


def rows() -> list[dict]:
    """Both networks in float and in int8; a ratio below 1 says that the peer is faster."""
    rng = np.random.default_rng(0)
    small, large = kws(rng), ds_cnn(rng)
    return [
        *in_float("KWS", small, KWS, {1: (1.4, 2.5), 64: (None, None)}),
        *in_float("DS-CNN", large, DS_CNN, {1: (0.7, 1.1), 64: (0.2, 0.5)}),
        *in_int8("KWS", small, KWS),
        *in_int8("DS-CNN", large, DS_CNN, 1.1, 1.7),
    ]


if __name__ == "__main__":
    show(rows())
