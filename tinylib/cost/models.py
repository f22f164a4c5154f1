"""Models: an input shape and layers with skip edges; folding them gives rows, totals are sums of rows.

`read` takes the JSON format of `data/models.json`. A layer there has `op` (conv dwconv fc maxpool avgpool
add concat), `src` (earlier layers or "input"; missing = the layer before) and what the op needs: `kernel`,
`stride`, `pad` (an int or "same"), `out` (the output shape, or its channels alone as an int), `groups`,
`bias`, `bn`. What is missing has the default of the layer class. Shapes a file states (`inp`, `out`) must
follow from the input; counts and totals it states are compared by `stated.differences` and never used.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from tinylib.cost import layers as L
from tinylib.units import shown

INPUT = "input"  # how a node names the input of the model


class ModelError(ValueError):
    """A model that cannot be counted: one sentence naming file, model, layer and value."""


@dataclass(frozen=True)
class Node:
    """A named layer and the earlier nodes (or "input") it reads; src () = the node before."""

    name: str
    layer: L.Layer
    src: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """What one node costs, all in counts; `activation_elements` is the size of its output."""

    name: str
    op: str
    src: tuple[str, ...]
    in_shapes: tuple[L.Shape, ...]
    out_shape: L.Shape
    weights: int
    params: int
    params_bn_folded: int
    macs: int
    activation_elements: int


@dataclass(frozen=True)
class Model:
    """A network: input shape (no batch axis) and nodes in the order they run. Raises ModelError.

    `id` is a short key, `source` a reference, `stated` what a file says about the model beside its layers.
    """

    name: str
    input_shape: L.Shape
    nodes: tuple[Node, ...]
    id: str = ""
    source: str = ""
    stated: Mapping = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        try:
            _check_name(self.name)
            object.__setattr__(self, "nodes", tuple(self.nodes))
            object.__setattr__(self, "input_shape", L.shape("input", self.input_shape))
        except (TypeError, ValueError) as error:
            raise ModelError(f"model {shown(self.name)}: {error}") from None
        if not self.nodes:
            raise ModelError(f"model {shown(self.name)} must have at least one layer, got none")
        _ = self.rows  # the fold checks names, edges and shapes

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """One row per node, in order: the fold over the layers."""
        shapes: dict[str, L.Shape] = {INPUT: self.input_shape}
        rows: list[Row] = []
        names = {getattr(node, "name", None) for node in self.nodes}
        for node in self.nodes:
            try:
                rows.append(_row(node, shapes, names))
            except (TypeError, ValueError) as error:
                raise ModelError(
                    f"model {shown(self.name)}, layer {shown(getattr(node, 'name', node))}: {error}"
                ) from None
            shapes[node.name] = rows[-1].out_shape
        return tuple(rows)

    @property
    def weights(self) -> int:
        """Values in kernels and matrices [count]."""
        return sum(r.weights for r in self.rows)

    @property
    def params(self) -> int:
        """Trainable values [count], batch norm not folded."""
        return sum(r.params for r in self.rows)

    @property
    def params_bn_folded(self) -> int:
        """Values to store with batch norm folded [count]."""
        return sum(r.params_bn_folded for r in self.rows)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference [MAC]."""
        return sum(r.macs for r in self.rows)

    def __str__(self) -> str:
        return f"{self.name}: {len(self.nodes)} layers, {self.params:,} parameters, {self.macs:,} MACs"


def sequential(name: str, input_shape: L.Shape, layers: Iterable[L.Layer]) -> Model:
    """A model without shortcuts; its nodes are called l0, l1, ..."""
    return Model(name, input_shape, tuple(Node(f"l{i}", layer) for i, layer in enumerate(layers)))


def _row(node: Node, shapes: dict[str, L.Shape], names: set[str]) -> Row:
    if not isinstance(node, Node) or not isinstance(node.layer, L.Layer):
        raise TypeError(f"a node must hold a layer, got {shown(node)}")
    _check_name(node.name)
    if node.name in shapes:
        raise ValueError(f"its name must be new: the name is taken, got {shown(node.name)}")
    src = (node.src,) if isinstance(node.src, str) else tuple(node.src) or (next(reversed(shapes)),)
    for s in src:
        if s not in shapes:
            why = "it comes later or is the layer itself, a cycle" if s in names else "no layer has that name"
            raise ValueError(f"src must name earlier layers or 'input': {why}, got {shown(s)}")
    layer, ins = node.layer, tuple(shapes[s] for s in src)
    out = layer.out_shape(*ins)
    work, elements = layer.work(out, ins), math.prod(out)
    counts = layer.weights, layer.params, layer.params_bn_folded, work, elements
    return Row(node.name, type(layer).__name__, src, ins, out, *counts)


def _check_name(name: object) -> str:
    if not isinstance(name, str) or not 0 < len(name) <= 200 or not name.isprintable():
        raise ValueError(f"name must be printable text of 1 to 200 characters, got {shown(name)}")
    return name


# Reading files


@dataclass(frozen=True)
class LeftOut:
    """A model that a file names without a list of layers, and why it is not counted."""

    id: str
    name: str
    reason: str


@dataclass(frozen=True)
class Contents:
    """What a file holds: the models that can be counted, in file order, and those left out."""

    models: tuple[Model, ...]
    left_out: tuple[LeftOut, ...] = ()


def read(source: str | Path | Mapping) -> Contents:
    """Models of a JSON file, or of its parsed content. Raises ModelError: one sentence, never a trace.

    The top level is one model {"name", "input", "layers"} or {"models": list or dict of such}.
    """
    if isinstance(source, Mapping):
        return _contents(source, "model")
    if not isinstance(source, (str, Path)):
        raise ModelError(f"models file must be a path or a dict, got {shown(source)}")
    try:
        return _contents(_load(source), Path(source).stem)
    except ModelError as error:
        raise ModelError(f"{shown(str(source), 200)}: {error}") from None


def _load(path: str | Path) -> object:
    import json

    def once(pairs: list[tuple[str, object]]) -> dict:
        content = dict(pairs)
        if len(content) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise ModelError(f"each key must appear once in its object, got {shown(twice)} twice")
        return content

    def finite(constant: str) -> None:
        raise ModelError(f"numbers must be finite, got {constant}")

    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=once, parse_constant=finite)
    except OSError as error:
        raise ModelError(f"the file must be readable, got {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        value = shown(error.object[error.start : error.start + 1])
        raise ModelError(f"the file must be UTF-8 text, got {value} at byte {error.start}") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise ModelError(f"the file must be JSON, got {error.msg} at {where}") from None
    except RecursionError:
        raise ModelError("the file must be JSON of moderate depth, got too many nested brackets") from None
    except ModelError:
        raise
    except ValueError as error:  # a path with a null byte, an integer of thousands of digits
        raise ModelError(f"the file must be readable JSON, got {error}") from None


def _contents(top: object, stem: str) -> Contents:
    if not isinstance(top, Mapping) or not ("models" in top or "layers" in top):
        got = shown(top) if not isinstance(top, Mapping) else f"the keys {shown(list(top))}"
        raise ModelError(f"the top level must be an object with 'models' or 'layers', got {got}")
    listed = top.get("models", {stem: top})
    if isinstance(listed, Mapping):
        pairs = list(listed.items())
    elif isinstance(listed, (list, tuple)):
        pairs = [(_key(i, entry), entry) for i, entry in enumerate(listed)]
    else:
        raise ModelError(f"'models' must be a list or an object, got {shown(listed)}")
    read_models = [_model(key, entry) for key, entry in pairs]
    return Contents(
        tuple(m for m in read_models if isinstance(m, Model)),
        tuple(m for m in read_models if isinstance(m, LeftOut)),
    )


def _key(i: int, entry: object) -> str:
    keys = [entry.get("id"), entry.get("name")] if isinstance(entry, Mapping) else []
    return next((key for key in keys if isinstance(key, str) and key), f"model {i}")


def _model(key: str, entry: object) -> Model | LeftOut:
    try:
        _check_name(key)
        if not isinstance(entry, Mapping):
            raise ValueError(f"it must be an object with 'input' and 'layers', got {shown(entry)}")
        name = _check_name(entry.get("name", key))
        listed = entry.get("layers")
        if listed is None or isinstance(listed, str):
            return LeftOut(key, name, f"no layer list: {listed if listed else 'layers is missing'}"[:200])
        if not isinstance(listed, (list, tuple)):
            raise ValueError(f"'layers' must be a list, got {shown(listed)}")
        if "input" not in entry:
            raise ValueError("'input' must be given: shapes follow from it, got no such key")
        input_shape = L.shape("'input'", entry["input"])
    except (TypeError, ValueError) as error:
        raise ModelError(f"model {shown(key)}: {error}") from None
    nodes: list[Node] = []
    shapes: dict[str, L.Shape] = {INPUT: input_shape}
    names = {layer["name"] for layer in listed if isinstance(layer, Mapping) and _is_text(layer.get("name"))}
    for i, given in enumerate(listed):
        label = given.get("name", f"l{i}") if isinstance(given, Mapping) else f"l{i}"
        try:
            nodes.append(_node(given, label, shapes))
            row = _row(nodes[-1], shapes, names)
            _compare_shapes(given, row)
        except (TypeError, ValueError) as error:
            raise ModelError(f"model {shown(key)}, layer {shown(label)}: {error}") from None
        shapes[label] = row.out_shape
    source = entry.get("source", "")
    stated = {k: entry[k] for k in ("recomputed", "published") if isinstance(entry.get(k), Mapping)}
    stated["layers"] = {node.name: given for node, given in zip(nodes, listed)}
    return Model(name, input_shape, tuple(nodes), key, source if _is_text(source) else "", stated)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


_KEYS = ("kernel", "stride", "pad", "groups", "bias", "bn", "out")
_OTHER_NAMES = ("strides", "padding", "kernel_size", "filters", "units", "use_bias", "batch_norm", "dilation")


def _ignored(key: object) -> bool:
    """Whether a key is one of the format under another name, or misspelt by about a letter."""
    if not _is_text(key) or key in _KEYS:
        return False
    word = key.lower().replace("-", "_")
    return word in (*_OTHER_NAMES, "batchnorm") or bool(get_close_matches(word, _KEYS, 1, cutoff=0.8))


def _node(given: object, name: object, shapes: dict[str, L.Shape]) -> Node:
    if not isinstance(given, Mapping):
        raise TypeError(f"a layer must be an object, got {shown(given)}")
    _check_name(name)
    src = given.get("src")
    src = [next(reversed(shapes))] if src is None else [src] if _is_text(src) else src
    if not isinstance(src, (list, tuple)) or not src or not all(_is_text(s) for s in src):
        raise TypeError(f"'src' must be a name or a list of names, got {shown(given['src'])}")
    unknown = [key for key in given if _ignored(key)]
    if unknown:
        raise ValueError(f"keys must be those of the format: this one would be ignored, got {unknown[0]!r}")
    op = given.get("op")
    if not _is_text(op) or op not in _BUILD:
        raise ValueError(f"'op' must be one of {' '.join(_BUILD)}, got {shown(op)}")
    known = [shapes[s] for s in src if s in shapes]
    return Node(name, _BUILD[op](given, known[0] if known else (1, 1, 1)), tuple(src))


def _needed(given: Mapping, key: str) -> object:
    if key not in given:
        raise ValueError(f"a {given['op']} must have {key!r}, got the keys {shown(sorted(map(str, given)))}")
    return given[key]


def _channels(given: Mapping) -> object:
    out = _needed(given, "out")
    return out[-1] if isinstance(out, (list, tuple)) and out else out


def _options(given: Mapping, *keys: str) -> dict:
    """The keys of a file as arguments of a layer class; a missing one is left to its default."""
    words = {"pad": "padding", "bn": "batch_norm"}
    return {words.get(key, key): given[key] for key in keys if key in given}


def _conv(given: Mapping, in_shape: L.Shape) -> L.Layer:
    options = _options(given, "stride", "pad", "groups", "bias", "bn")
    return L.Conv2D(in_shape[-1], _channels(given), _needed(given, "kernel"), **options)


def _dwconv(given: Mapping, in_shape: L.Shape) -> L.Layer:
    channels, out = in_shape[-1], L.count("'out'", _channels(given))
    if given.get("groups", channels) != channels:
        raise ValueError(f"'groups' must be the {channels} input channels, got {shown(given['groups'])}")
    if out % channels:
        raise ValueError(f"'out' must be a multiple of the {channels} input channels, got {out}")
    options = _options(given, "stride", "pad", "bias", "bn")
    return L.DepthwiseConv2D(channels, _needed(given, "kernel"), multiplier=out // channels, **options)


def _fc(given: Mapping, in_shape: L.Shape) -> L.Layer:
    return L.Dense(math.prod(in_shape), _channels(given), **_options(given, "bias", "bn"))


_BUILD = {
    "conv": _conv,
    "dwconv": _dwconv,
    "fc": _fc,
    "maxpool": lambda given, _: L.MaxPool2D(_needed(given, "kernel"), **_options(given, "stride", "pad")),
    "avgpool": lambda given, _: L.AvgPool2D(_needed(given, "kernel"), **_options(given, "stride", "pad")),
    "add": lambda *_: L.Add(),
    "concat": lambda *_: L.Concat(),
}


def _compare_shapes(given: Mapping, row: Row) -> None:
    """Refuse stated shapes that do not follow from the input; axes of length 1 do not matter."""
    for key, computed in ("inp", row.in_shapes[0]), ("out", row.out_shape):
        stated = given.get(key)
        if stated is None or not isinstance(stated, (list, tuple)):
            continue
        nested = key == "inp" and stated and isinstance(stated[0], (list, tuple))
        for one, shape in zip(stated, row.in_shapes) if nested else [(stated, computed)]:
            one = L.shape(f"'{key}'", one)
            same = [n for n in one if n > 1] == [n for n in shape if n > 1]
            if not same and not (key == "inp" and row.op == "Dense" and math.prod(one) == math.prod(shape)):
                raise ValueError(f"{key!r} must be {shape}: shapes follow from the input, got {shown(one)}")


# Reference networks


def _catalogue() -> dict[str, Model]:
    if not _named:
        _named.update({m.id: m for m in read(Path(__file__).parent / "data" / "models.json").models})
    return _named


_named: dict[str, Model] = {}


def named(name: str) -> Model:
    """A reference network by its id, such as "lenet5" or "vgg16"; `NAMES` lists them."""
    if not isinstance(name, str) or name not in _catalogue():
        raise ValueError(f"model must be one of {', '.join(_catalogue())}, got {shown(name)}")
    return _catalogue()[name]


def __getattr__(name: str) -> object:
    if name == "NAMES":  # read on first use: importing this module opens no file
        return tuple(_catalogue())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
