"""Weights of a torch MLP, RNN, LSTM or GRU as a network of ours; from .npz or text, never from a pickle.

    numpy.savez("net.npz", **{name: value.numpy() for name, value in model.state_dict().items()})

    torch                                              here
    weight (out, in), y = weight x + bias              w (in, out)
    LSTM blocks i f g o, two biases that are added     g f i o, one bias
    GRU blocks r z n,  h' = (1 - z) n + z h            update (1 - z = sigmoid(-z's sum)), reset, candidate
        n = tanh(W x + b_ih + r (U h + b_hh))          b, b_rec: both biases, the second behind the reset

A text file holds for each array a line `name shape`, such as `0.weight 3 2`, and its values; a folder
holds `name.txt` for each, values alone. Arrays are named as in a `state_dict`, in the order they run; in a
folder recurrent layers come first, then the names in their order.
Source: documentation of torch.nn.Linear, RNN, LSTM and GRU (equations and order of the blocks).
"""

import math
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from tinylib.nets.arithmetic import FLOAT, Arithmetic
from tinylib.nets.dense import Dense
from tinylib.nets.network import Network
from tinylib.nets.params import Arrays
from tinylib.nets.recurrent import GRU, LSTM, Elman
from tinylib.nets.scan import Recurrent
from tinylib.units import shown

Array = np.ndarray
CELLS = {1: Elman, 3: GRU, 4: LSTM}  # by number of blocks
BLOCKS = {1: ((0, 1),), 3: ((1, -1), (0, 1), (2, 1)), 4: ((2, 1), (1, 1), (0, 1), (3, 1))}  # torch's, sign
ROLES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
NAME = re.compile(rf"(?P<owner>.*?)(?P<role>{'|'.join(ROLES)})_l(?P<layer>\d+)")


def read(path: str | Path) -> Arrays:
    """The arrays of a .npz file, a text file or a folder of text files, by name, as float64."""
    path = Path(path)
    if path.is_dir():
        found = {
            p.stem: _numbers(p.stem, p.read_text(encoding="utf-8").split())
            for p in sorted(path.glob("*.txt"))
        }
        found = {name: _shaped_by_bias(name, a, found) for name, a in found.items()}
        return _checked(_ordered(found), path)
    if path.suffix == ".npz":
        return _checked(_npz(path), path)
    if path.suffix == ".txt":
        return _checked(_text(path), path)
    raise ValueError(
        "weights must come as .npz, .txt or a folder of .txt: a checkpoint of torch is a pickle, "
        f"which runs code when it is read, got {shown(path.name)}"
    )


def _npz(path: Path) -> Arrays:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, zipfile.BadZipFile, EOFError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"{path.name} must hold arrays of numbers alone, got {error}") from None


def _text(path: Path) -> Arrays:
    found: dict[str, list[str]] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    name = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        first, *rest = line.split() or [""]
        if first and not _is_number(first):
            if first in found or not rest or not all(word.isdecimal() for word in rest):
                raise ValueError(f"line {number} must name a new array and its shape, got {shown(line)}")
            name, found[first], shapes[first] = first, [], tuple(int(word) for word in rest)
        elif first:
            if not name:
                raise ValueError(
                    f"line {number} must follow a line with a name and a shape, got {shown(line)}"
                )
            found[name] += [first, *rest]
    arrays = {name: _numbers(name, words) for name, words in found.items()}
    for name, a in arrays.items():
        if a.size != math.prod(shapes[name]):
            raise ValueError(
                f"{name} must have as many values as its shape {shapes[name]} says, got {a.size}"
            )
    return {name: a.reshape(shapes[name]) for name, a in arrays.items()}


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _numbers(name: str, words: list[str]) -> Array:
    for word in words:
        if not _is_number(word):
            raise ValueError(f"{name} must hold numbers, got {shown(word)}")
    return np.array([float(word) for word in words])


def _shaped_by_bias(name: str, a: Array, arrays: Arrays) -> Array:
    """A flat weight as a matrix with one row per bias of the same owner."""
    if "weight" not in name:
        return a
    bias = name.replace("weight", "bias")
    rows = arrays[bias].size if bias in arrays else 0
    if not rows or a.size % rows:
        raise ValueError(
            f"{name} must be rows of equal length, one for each value of {bias}, got {a.size} values"
        )
    return a.reshape(rows, -1)


def _ordered(arrays: Arrays) -> Arrays:
    """Recurrent layers first, then names in natural order: 2.weight before 10.weight."""

    def place(name: str) -> tuple:
        words = re.split(r"(\d+)", name)
        return not NAME.fullmatch(name), [int(w) if w.isdecimal() else w for w in words]

    return {name: arrays[name] for name in sorted(arrays, key=place)}


def _checked(arrays: Mapping[str, Array], path: object = "arrays") -> Arrays:
    if not arrays:
        raise ValueError(f"{path} must hold the arrays of a network, got none")
    for name, a in arrays.items():
        if not isinstance(a, np.ndarray) or a.dtype.kind not in "fiu":
            raise ValueError(f"{name} must be an array of real numbers, got {shown(getattr(a, 'dtype', a))}")
        if not np.isfinite(a).all():
            raise ValueError(
                f"{name} must be finite: a network cannot run on NaN or infinity, shape {a.shape}"
            )
    return {name: np.asarray(a, np.float64) for name, a in arrays.items()}


def _array(arrays: Arrays, name: str, shape: tuple[int, ...]) -> Array:
    """The array of a name; `shape` holds what it must be, 0 = any."""
    if name not in arrays:
        raise ValueError(f"{name} must be there, got {', '.join(arrays)}")
    got = arrays[name].shape
    if len(got) != len(shape) or any(wanted not in (0, size) for wanted, size in zip(shape, got)):
        said = " x ".join(str(n) if n else "any" for n in shape)
        raise ValueError(f"{name} must have the shape {said}, got {got}")
    return arrays[name]


def _blocks(a: Array, gates: int) -> Array:
    """Blocks of rows in our order and with our sign, as columns: (g m, n) -> (n, g m), (g m,) -> (g m,)."""
    pieces = np.split(a, gates)
    return np.concatenate([sign * pieces[k] for k, sign in BLOCKS[gates]]).T


def cell(
    arrays: Mapping[str, Array], owner: str = "", layer: int = 0, ops: Arithmetic = FLOAT
) -> Elman | GRU | LSTM:
    """The cell of one layer of a torch RNN (tanh), GRU or LSTM; the number of blocks tells which it is."""
    checked = _checked(arrays)
    w_ih, w_hh, b_ih, b_hh = (f"{owner}{role}_l{layer}" for role in ROLES)
    rec = _array(checked, w_hh, (0, 0))
    gates, left = divmod(rec.shape[0], max(rec.shape[1], 1))
    if left or gates not in CELLS:
        raise ValueError(f"{w_hh} must have 1, 3 or 4 square blocks (RNN, GRU, LSTM), got {rec.shape}")
    rows = rec.shape[0]
    w_in, w_rec = _blocks(_array(checked, w_ih, (rows, 0)), gates), _blocks(rec, gates)
    if b_ih not in checked and b_hh not in checked:
        return CELLS[gates](w_in, w_rec, np.zeros(rows)).mapped(ops.number)
    b, b_rec = (_blocks(_array(checked, name, (rows,)), gates) for name in (b_ih, b_hh))
    found = GRU(w_in, w_rec, b, b_rec) if gates == 3 else CELLS[gates](w_in, w_rec, b + b_rec)
    return found.mapped(ops.number)


def dense(
    arrays: Mapping[str, Array], owner: str = "", activation: str = "linear", ops: Arithmetic = FLOAT
) -> Dense:
    """The layer of a torch Linear."""
    checked = _checked(arrays)
    w = _array(checked, f"{owner}weight", (0, 0))
    bias = _array(checked, f"{owner}bias", w.shape[:1]) if f"{owner}bias" in checked else np.zeros(len(w))
    return Dense(np.ascontiguousarray(w.T), bias, activation).mapped(ops.number)


def network(
    source: str | Path | Mapping[str, Array],
    hidden: str = "tanh",
    output: str = "linear",
    last_only: bool = True,
    ops: Arithmetic = FLOAT,
) -> Network:
    """The network whose arrays a file, a folder or a `state_dict` of arrays holds, in the order they stand.

    A state_dict does not name activations: `hidden` bends all Linear layers but the last, `output` that.
    With `last_only`, the last recurrent layer hands on its last state alone.
    """
    arrays = _checked(source) if isinstance(source, Mapping) else read(source)
    owners = list(dict.fromkeys(_owner(name) for name in arrays))
    last_recurrent = max((k for k, (_, layer) in enumerate(owners) if layer is not None), default=-1)
    parts: list[Recurrent | Dense] = []
    for k, (owner, layer) in enumerate(owners):
        if layer is None:
            parts.append(dense(arrays, owner, output if k == len(owners) - 1 else hidden, ops))
        else:
            parts.append(Recurrent(cell(arrays, owner, layer, ops), last_only and k == last_recurrent))
    _fit(parts, (f"{owner}{'weight' if layer is None else f'weight_ih_l{layer}'}" for owner, layer in owners))
    return Network(tuple(parts))


def _owner(name: str) -> tuple[str, int | None]:
    """(prefix, number of the recurrent layer or None) that an array belongs to."""
    if found := NAME.fullmatch(name):
        return found["owner"], int(found["layer"])
    if re.fullmatch(r"(.*\.)?(weight|bias)", name):
        return name.removesuffix("weight").removesuffix("bias"), None
    raise ValueError(
        f"{name} must belong to a Linear, RNN, GRU or LSTM that runs forward without projection: "
        "no other array can be read"
    )


def _fit(parts: list, names: Iterable[str]) -> None:
    """Raise where a part does not take what the part before it gives."""
    given = None
    for part, name in zip(parts, names):
        wants = part.layer.in_features
        if given not in (None, wants):
            raise ValueError(f"{name} must take the {given} features of the layer before, got {wants}")
        given = part.layer.out_features if isinstance(part, Dense) else part.layer.hidden_features
