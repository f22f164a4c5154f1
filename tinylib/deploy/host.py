"""Exported C on this computer: compiled by gcc, clang or cc, called through ctypes.

Pointers are made once for an array and kept, since making one takes ten times as long as a small network.
"""

import ctypes
import os
import shutil
import subprocess
import tempfile
import weakref
from pathlib import Path

import numpy as np

from tinylib.deploy.emit.sources import Sources
from tinylib.deploy.image import MissingTool

COMPILERS = ("gcc", "clang", "cc")
WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")
SANITIZERS = ("-g", "-fsanitize=undefined,address", "-fno-sanitize-recover=all")
Array = np.ndarray

LOOP = """
void {name}_many(const {name}_code *x, {name}_code *y, long samples{extra})
{{
    for (; samples > 0; samples--, x += {inputs}, y += {outputs})
        {call};
}}
"""
TRAIN = """
void {name}_learn(const {name}_code *x, const {name}_code *t, {name}_code *losses, long samples)
{{
    for (; samples > 0; samples--, x += {inputs}, t += {outputs})
        *losses++ = {name}_train(x, t);
}}
"""
STATE = "long {name}_state_bytes(void)\n{{\n    return (long)sizeof({name}_state);\n}}\n"


def compiler() -> str:
    """Path of the first C compiler found; the variable CC goes first."""
    wanted = (os.environ.get("CC", ""), *COMPILERS)
    found = next((path for name in wanted if name and (path := shutil.which(name))), None)
    if found is None:
        raise MissingTool("a C compiler is missing: install gcc or clang, or name one in the variable CC")
    return found


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]} must succeed, got exit status {done.returncode}:\n{done.stderr}")
    return done


def tested(sources: Sources, flags: tuple[str, ...] = SANITIZERS, cc: str | None = None) -> str:
    """Compile the test program with all warnings as errors, run it, and return what it printed.

    Raises RuntimeError when it does not compile, when a code differs, or when a sanitizer stops it.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder, name = sources.write(temporary), sources.name
        _run([cc or compiler(), *WARNINGS, *flags, "-o", "test", f"{name}.c", f"{name}_test.c"], folder)
        done = subprocess.run([folder / "test"], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{name} must pass its own test, got {done.stdout.strip()} {done.stderr}")
        return done.stdout


class Library:
    """An exported network, compiled and loaded; codes in, codes out, many samples in one call.

    The state of a recurrent network stays between calls; `start` clears it.
    """

    def __init__(self, sources: Sources, flags: tuple[str, ...] = ("-O2",), cc: str | None = None) -> None:
        self.sources, name = sources, sources.name
        self.dtype = np.dtype(f"int{sources.bits}")
        folder = Path(tempfile.mkdtemp())
        self._folder = weakref.finalize(self, shutil.rmtree, folder, True)
        sources.write(folder)
        named = {"name": name, "inputs": sources.inputs, "outputs": sources.outputs}
        call = f"{name}_step(s, x, y)" if sources.stateful else f"{name}_run(x, y)"
        extra = f", {name}_state *s" if sources.stateful else ""
        text = f'#include "{name}.c"\n' + LOOP.format(**named, call=call, extra=extra)
        text += TRAIN.format(**named) if sources.weights else ""
        text += STATE.format(**named) if sources.stateful else ""
        (folder / "library.c").write_text(text, encoding="utf-8")
        _run(
            [cc or compiler(), *WARNINGS, *flags, "-shared", "-fPIC", "-o", "library.so", "library.c"], folder
        )
        self._c = ctypes.CDLL(str(folder / "library.so"))
        self._many = self._c[f"{name}_many"]
        self._many.restype = None
        self._pointers: dict[int, tuple[weakref.ref[Array], ctypes.c_void_p]] = {}
        if sources.stateful:
            size = self._c[f"{name}_state_bytes"]
            size.restype = ctypes.c_long
            self._state = ctypes.create_string_buffer(size())
            self.start()
        if sources.weights:
            self._learn = self._c[f"{name}_learn"]
            self._learn.restype = None

    def start(self) -> None:
        """The state before the first sample of a sequence."""
        self._c[f"{self.sources.name}_start"](self._state)

    def pointer(self, a: Array) -> ctypes.c_void_p:
        """Address of an array of codes; made once while the array lives."""
        kept = self._pointers.get(id(a))
        if kept is not None and kept[0]() is a:
            return kept[1]
        if len(self._pointers) > 64:
            self._pointers = {k: v for k, v in self._pointers.items() if v[0]() is not None}
        made = ctypes.c_void_p(a.ctypes.data)
        self._pointers[id(a)] = weakref.ref(a), made
        return made

    def codes(self, a: Array, width: int, what: str) -> Array:
        """An array (samples, width) of codes as C reads it; raises when it is none."""
        if (
            type(a) is np.ndarray
            and a.dtype == self.dtype
            and a.shape[1:] == (width,)
            and a.flags.c_contiguous
        ):
            return a
        a = np.asarray(a)
        if a.dtype.kind not in "iu" or a.ndim < 2 or a[0].size != width:
            raise ValueError(f"{what} must be codes (samples, {width}), got {a.dtype} {a.shape}")
        held = np.iinfo(self.dtype)
        if a.size and not held.min <= a.min() <= a.max() <= held.max:
            raise ValueError(f"{what} must be codes of {self.sources.bits} bits, got {a.min()} to {a.max()}")
        return np.ascontiguousarray(a.reshape(len(a), width), self.dtype)

    def run(self, xs: Array, out: Array | None = None) -> Array:
        """Output codes (samples, outputs) of input codes (samples, inputs), one after the other."""
        xs = self.codes(xs, self.sources.inputs, "xs")
        shape = len(xs), self.sources.outputs
        ys = np.empty(shape, self.dtype) if out is None else out
        if ys.shape != shape or ys.dtype != self.dtype or not ys.flags.c_contiguous:
            raise ValueError(f"out must be a whole {self.dtype} array {shape}, got {ys.dtype} {ys.shape}")
        state = (self._state,) if self.sources.stateful else ()
        self._many(self.pointer(xs), self.pointer(ys), ctypes.c_long(len(xs)), *state)
        return ys

    def train(self, xs: Array, targets: Array) -> Array:
        """One step of training for each sample in turn; the losses (samples,) as codes."""
        if not self.sources.weights:
            raise ValueError(
                f"{self.sources.name} must be exported as trainable to learn, got inference alone"
            )
        xs = self.codes(xs, self.sources.inputs, "xs")
        targets = self.codes(targets, self.sources.outputs, "targets")
        if len(xs) != len(targets):
            raise ValueError(f"targets must be as many as xs, {len(xs)}, got {len(targets)}")
        losses = np.empty(len(xs), self.dtype)
        self._learn(self.pointer(xs), self.pointer(targets), self.pointer(losses), ctypes.c_long(len(xs)))
        return losses

    @property
    def weights(self) -> Array:
        """The weights in the memory of a trainable network, neuron by neuron, the bias first."""
        kind = np.ctypeslib.as_ctypes_type(self.dtype) * self.sources.weights
        return np.array(kind.in_dll(self._c, f"{self.sources.name}_weights"))
