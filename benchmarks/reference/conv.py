"""Makes tests/nets/data/conv_*.json: values and gradients of convolution and pooling by autograd in torch.

Arrays are written in the layout of tinylib (channels last); torch computes with channels first. Margins are
given in full, before and behind each axis, so that the odd one of 'same' can be told. Run with torch 2.x, no
arguments, from the root of the project.
"""

import json
from pathlib import Path

import torch
from torch.nn import functional

OUT = Path(__file__).resolve().parents[2] / "tests" / "nets" / "data"
ACTIVATIONS = {"linear": lambda z: z, "relu": torch.relu, "tanh": torch.tanh}
LAYERS = {  # kind, x, w, options of tinylib, margins of the last axis first, as torch takes them
    "same_stride": (
        "Conv2D", (2, 5, 6, 3), (4, 3, 3, 3),
        {"stride": 2, "padding": "same", "activation": "relu"}, (0, 1, 1, 1),
    ),
    "dilated": (
        "Conv2D", (2, 7, 6, 2), (3, 2, 3, 2),
        {"dilation": (3, 2), "padding": 1, "activation": "tanh"}, (1, 1, 1, 1),
    ),
    "depthwise": (
        "DepthwiseConv2D", (2, 5, 5, 3), (3, 2, 3, 2), {"stride": (1, 2), "padding": "same"}, (0, 1, 1, 1)
    ),
    "depthwise_single": ("DepthwiseConv2D", (2, 5, 4, 3), (3, 3, 3, 1), {"padding": "same"}, (1, 1, 1, 1)),
    "pointwise": (
        "PointwiseConv2D", (2, 3, 4, 3), (2, 1, 1, 3), {"stride": 2, "activation": "tanh"}, (0, 0, 0, 0)
    ),
    "signal": ("Conv1D", (2, 9, 2), (3, 4, 2), {"stride": 2, "padding": "same"}, (1, 2)),
    "max": ("MaxPool2D", (2, 6, 5, 2), None, {"kernel_size": 3, "stride": 2, "padding": 1}, ()),
    "average": ("AvgPool2D", (2, 6, 5, 2), None, {"kernel_size": (3, 2), "stride": (2, 1), "padding": 1}, ()),
}  # fmt: skip


def value(kind, x, w, b, options, margins):
    """y in the layout of tinylib; x, w and b are the leaves that gradients go to."""
    x = x.movedim(-1, 1)
    if kind == "MaxPool2D":
        y = functional.max_pool2d(x, options["kernel_size"], options["stride"], options["padding"])
    elif kind == "AvgPool2D":
        sizes = options["kernel_size"], options["stride"], options["padding"]
        y = functional.avg_pool2d(x, *sizes, count_include_pad=False)
    else:
        stride, dilation = options.get("stride", 1), options.get("dilation", 1)
        x = functional.pad(x, margins)
        if kind == "DepthwiseConv2D":
            kernel = w.movedim((2, 3), (0, 1)).flatten(0, 1)[:, None]
            y = functional.conv2d(x, kernel, b, stride, 0, dilation, groups=x.shape[1])
        elif kind == "Conv1D":
            y = functional.conv1d(x, w.movedim(-1, 1), b, stride, 0, dilation)
        else:
            y = functional.conv2d(x, w.movedim(-1, 1), b, stride, 0, dilation)
        y = ACTIVATIONS[options.get("activation", "linear")](y)
    return y.movedim(1, -1)


def case(kind, x_shape, w_shape, options, margins, seed=0):
    """One layer: arrays, input, output, and gradients of sum(delta * y)."""
    rng = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return (
            (2 * torch.rand(*shape, generator=rng, dtype=torch.float64) - 1)
            .round(decimals=6)
            .requires_grad_()
        )

    arrays = {"x": draw(*x_shape)}
    if w_shape:
        outputs = w_shape[2] * w_shape[3] if kind == "DepthwiseConv2D" else w_shape[0]
        arrays |= {"w": draw(*w_shape), "b": draw(outputs)}
    y = value(kind, arrays["x"], arrays.get("w"), arrays.get("b"), options, margins)
    delta = draw(*y.shape).detach()
    (delta * y).sum().backward()
    given = {name: a.tolist() for name, a in arrays.items()}
    found = {f"d{name}": a.grad.tolist() for name, a in arrays.items()}
    return {"kind": kind, "options": options, **given, "y": y.tolist(), "delta": delta.tolist(), **found}


if __name__ == "__main__":
    source = f"benchmarks/reference/conv.py, torch {torch.__version__}"
    for name, layer in LAYERS.items():
        text = json.dumps({"source": source, **case(*layer)})
        (OUT / f"conv_{name}.json").write_text(text + "\n")
        print(name, len(text))
