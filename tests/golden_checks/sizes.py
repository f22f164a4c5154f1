"""Object sizes: the bytes that the reference measured, from the description of a layer or network."""

from tests.golden_checks import Compared
from tinylib.cost import layers as L
from tinylib.cost.footprint import KINDS, Network, value
from tinylib.cost.layer_footprint import int8_cfc, layer_bytes
from tinylib.cost.sequence import LTC, BinaryDense, CfC, Dropout, TernaryDense

LAYERS = {  # kind -> (layer, input shape or None) of a measured row
    "conv1d": lambda r: (L.Conv1D(1, r["filters"], r["kernel"], r["stride"]), None),
    "conv2d": lambda r: (L.Conv2D(r["in_ch"], r["filters"], (r["kh"], r["kw"]), (r["sh"], r["sw"])), None),
    "depthwise2d": lambda r: (L.DepthwiseConv2D(r["channels"], (r["kh"], r["kw"])), None),
    "pointwise2d": lambda r: (L.PointwiseConv2D(r["in_ch"], r["filters"]), None),
    "maxpool1d": lambda r: (L.MaxPool1D(r["pool"], r["stride"]), (r["length"], r["channels"])),
    "avgpool1d": lambda r: (L.AvgPool1D(r["pool"], r["stride"]), (r["length"], r["channels"])),
    "maxpool2d": lambda r: (L.MaxPool2D((r["ph"], r["pw"]), (r["sh"], r["sw"])), _image(r)),
    "avgpool2d": lambda r: (L.AvgPool2D((r["ph"], r["pw"]), (r["sh"], r["sw"])), _image(r)),
    "globalavgpool2d": lambda r: (L.GlobalAvgPool2D(), _image(r)),
    "dropout": lambda r: (Dropout(r["percent"] / 100), (r["size"],)),
    "binarydense": lambda r: (BinaryDense(r["inputs"], r["outputs"]), None),
    "ternarydense": lambda r: (TernaryDense(r["inputs"], r["outputs"]), None),
}


def _image(r):
    return r["h"], r["w"], r["channels"]


def network(kind, r):
    hidden = (r["hidden"],) * r["hidden_layers"] if kind == "kan" else r["hidden"]
    rest = {name: r[name] for name in ("trainable", "batch", "pointer_bytes", "grid", "degree") if name in r}
    return Network(kind, r["inputs"], hidden, r["outputs"], weights=r["format"], **rest)


def computed(r):
    """Column -> value of a row's measured columns, computed from its other columns."""
    kind = r["arch"].removesuffix("_struct")
    if kind in KINDS:
        return {"bytes": network(kind, r).bytes}
    if kind in LAYERS:
        layer, in_shape = LAYERS[kind](r)
        return {"bytes": layer_bytes(layer, r["format"], in_shape, r["pointer_bytes"])}
    if kind == "ltc":
        return {"num_params": LTC(r["inputs"], r["state"]).params}
    cell = CfC(r["inputs"], r["state"], r["backbone"])
    if kind == "cfc":
        return {"num_params": cell.params}
    int8 = int8_cfc(cell, r["pointer_bytes"])
    return {"bytes": int8.object_bytes, "weight_bytes": int8.weight_bytes, "bias_bytes": int8.bias_bytes}


def sizeof(case):
    sizes = computed(case)
    measured = {"bytes", "num_params", "weight_bytes", "bias_bytes"} & case.keys()
    yield from (Compared(name, sizes.get(name), case[name]) for name in sorted(measured))
    if "value_bytes" in case:
        yield Compared("value_bytes", value(case["format"]).size, case["value_bytes"])


CHECKS = {"sizeof": sizeof}
