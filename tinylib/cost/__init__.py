"""What a network costs: parameters, MACs, bytes, peaks and rooflines as exact integers, without arrays.

    >>> stem = Conv2D(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
    >>> stem.params, stem.macs((224, 224, 3))
    (9408, 118013952)

`python -m tinylib.cost FILE.json` counts a model file. Everything is loaded on first use.
"""

from importlib import import_module

_MODULES = (
    "compression",
    "devices",
    "energy",
    "footprint",
    "growth",
    "imported",
    "latency",
    "layer_footprint",
    "layers",
    "llm",
    "memory",
    "models",
    "networks",
    "onnx_files",
    "planning",
    "processors",
    "readers",
    "report",
    "roofline",
    "sequence",
    "stated",
    "tflite_files",
)
_LAYERS = (
    "Add",
    "AvgPool1D",
    "AvgPool2D",
    "Concat",
    "Conv1D",
    "Conv2D",
    "Dense",
    "DepthwiseConv2D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "Layer",
    "MaxPool1D",
    "MaxPool2D",
    "PointwiseConv2D",
    "Shape",
)
_FROM = dict.fromkeys(_LAYERS, "layers") | dict.fromkeys(("Model", "ModelError", "Node", "Row"), "models")
_FROM |= {"Device": "devices"}

__all__ = sorted((*_MODULES, *_FROM))


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _FROM:
        return getattr(import_module(f"{__name__}.{_FROM[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
