"""The student's half of the worker: an in-process IPython shell that runs steps and says what came out.

Everything here runs inside the sandbox, in a process that student code may change at will. So nothing that it
writes is believed: it can only speak for this one student's own answers.
"""

import base64
import contextlib
import io
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from grading.inside.task import Ask, Limits, Step, Task
from tinylib.practice.plain import NotPlain, plain

Send = Callable[[dict], None]
MAX_OUTPUTS = 500  # of one cell
MAX_DIGITS = 4_000  # of an integer: Python refuses to turn longer ones into text


class Recorder:
    """What the present cell has shown, as nbformat outputs, up to a number of bytes."""

    def __init__(self) -> None:
        self.fresh(0)

    def fresh(self, room: int) -> None:
        self.outputs: list[dict] = []
        self.room = self.most = room

    def add(self, output: dict, size: int) -> None:
        if self.room < 0:
            return
        self.room -= size
        if self.room < 0 or len(self.outputs) >= MAX_OUTPUTS:
            self.room = -1
            notice = f"\n[output cut: a cell may show {self.most:,} bytes]\n"
            output = {"output_type": "stream", "name": "stderr", "text": notice}
        self.outputs.append(output)

    def stream(self, name: str, text: str) -> None:
        fits = text[: max(self.room, 0)]
        last = self.outputs[-1] if self.outputs else {}
        if fits and last.get("name") == name and "parts" in last:
            last["parts"].append(fits)
            self.room -= len(fits)
        elif fits:
            self.add({"output_type": "stream", "name": name, "parts": [fits]}, len(fits))
        if len(fits) < len(text):
            self.add({}, len(text))

    def bundle(self, kind: str, data: dict, **more: Any) -> None:
        data = _texts(data)
        self.add({"output_type": kind, "data": data, "metadata": {}, **more}, sum(map(len, data.values())))

    def taken(self) -> list[dict]:
        for output in self.outputs:
            if "parts" in output:
                output["text"] = "".join(output.pop("parts"))
        return self.outputs


def _texts(data: dict) -> dict[str, str]:
    """The kinds of a displayed thing that pages can show: text, or bytes as base64."""
    found = {str(k): base64.b64encode(v).decode() if isinstance(v, bytes) else v for k, v in data.items()}
    return {kind: str(value) for kind, value in found.items() if isinstance(value, str)}


SHOWN = Recorder()
_FIRST = """from matplotlib import pyplot
pyplot.plot([0, 1])
pyplot.title("warm")
pyplot.show()
1 / 0
"""


class Stream(io.TextIOBase):
    """sys.stdout or sys.stderr of a cell; its file number is that of the real one, for child programs."""

    encoding, errors = "utf-8", "replace"

    def __init__(self, name: str, number: int) -> None:
        self.name, self._number = name, number

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        SHOWN.stream(self.name, str(text))
        return len(text)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._number


class Publisher(DisplayPublisher):
    def publish(self, data, metadata=None, *, transient=None, update=False, **_):
        name = (transient or {}).get("display_id")
        if update:
            for output in SHOWN.outputs:
                if name is not None and output.get("id") == name:
                    output |= {"data": _texts(data)}
            return
        SHOWN.bundle("display_data", data, **({"id": name} if name is not None else {}))

    def clear_output(self, wait=False):
        SHOWN.outputs.clear()


class Result(DisplayHook):
    def write_output_prompt(self):
        pass

    def write_format_data(self, format_dict, md_dict=None):
        SHOWN.bundle("execute_result", format_dict, execution_count=self.prompt_count)

    def finish_displayhook(self):
        pass


class Shell(InteractiveShell):
    """A shell without history, profile or terminal."""

    def _showtraceback(self, etype, evalue, stb):
        trace = [str(line) for line in stb]
        message = {"ename": str(etype.__name__), "evalue": _text(evalue), "traceback": trace}
        SHOWN.add({"output_type": "error", **message}, sum(map(len, trace)))

    def ask_exit(self):
        """quit() ends nothing: the cells after it are run."""

    def enable_gui(self, gui=None):
        """There is no window to open."""

    def init_virtualenv(self):
        pass


def warm_shell() -> Shell:
    """The one shell of this process, with figures shown as PNG; children inherit it unused."""
    from IPython.core.pylabtools import activate_matplotlib
    from matplotlib_inline import backend_inline

    quiet = Config()
    quiet.HistoryManager.enabled = False
    shell = Shell.instance(config=quiet, displayhook_class=Result, display_pub_class=Publisher)
    shell.colors = "nocolor"
    shell.system = shell.system_raw
    activate_matplotlib("module://matplotlib_inline.backend_inline")
    backend_inline.configure_inline_support(shell, "inline")
    SHOWN.fresh(2**20)
    shell.run_cell(_FIRST, store_history=False)
    shell.reset()
    SHOWN.fresh(0)
    return shell


def _text(value: Any) -> str:
    try:
        return str(value)[:2_000]
    except BaseException as error:
        return f"(its text raised {type(error).__name__})"


class Stopped(KeyboardInterrupt):
    """The supervisor's signal that the cell has had its time."""


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """SIGINT interrupts what runs in here, and nothing outside."""

    def stop(*_: object) -> None:
        raise Stopped("the cell has had its time")

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def run_steps(shell: Shell, task: Task, capture: int, send: Send) -> None:
    """Run every step in order, one line to `send` for each call and each step.

    capture: file number of what the cells' programs write to the real stdout and stderr
    """
    me = os.getpid()
    for step in task.steps:
        SHOWN.fresh(task.limits.output_bytes)
        start = time.perf_counter()
        try:
            found = _asked(shell, step.ask, task.limits, send) if step.ask else _ran(shell, step, task.limits)
        except Stopped:
            found = _late(step, task.limits)
        if os.getpid() != me:  # a fork in the cell came back here: there is one notebook, not two
            os._exit(0)
        _take_programs_output(capture)
        found |= {"outputs": SHOWN.taken(), "seconds": round(time.perf_counter() - start, 6)}
        send(found)


def _late(step: Step, limits: Limits) -> dict:
    if step.ask:
        return {"refused": f"it took longer than {limits.cell_s:g} s"}
    return {"error": ["TimeoutError", f"stopped after {limits.cell_s:g} s"]}


def _ran(shell: Shell, step: Step, limits: Limits) -> dict:
    with stoppable():
        result = shell.run_cell(step.source, store_history=True)
    error = result.error_before_exec or result.error_in_exec
    if isinstance(error, Stopped):
        return _late(step, limits)
    return {"error": [type(error).__name__, _text(error)] if error is not None else None}


def _asked(shell: Shell, ask: Ask, limits: Limits, send: Send) -> dict:
    """The plain value of a name, or what the function of that name gives for each set of arguments."""
    if ask.name not in shell.user_ns:
        return {"refused": f"{ask.name} was never defined"}
    value = shell.user_ns[ask.name]
    if not ask.calls:
        with stoppable():
            return _encoded(value, limits)
    if not callable(value):
        return {"refused": f"{ask.name} must be a function, and none was defined"}
    for arguments in ask.calls:
        send({"call": _called(value, arguments, limits)})
    return {}


def _called(function: Callable, arguments: tuple, limits: Limits) -> dict:
    try:
        with stoppable():
            got = function(*json.loads(json.dumps(arguments)))
            found = _encoded(got, limits)
            return found | _arrays(got) if "value" in found else found
    except Stopped:
        return {"refused": f"it took longer than {limits.cell_s:g} s"}
    except BaseException as error:
        return {"refused": f"it raised {type(error).__name__}: {_text(error):.200}"}


def _encoded(value: Any, limits: Limits) -> dict:
    try:
        value = plain(value)
        size = len(json.dumps(value))
    except NotPlain as error:
        return {"refused": str(error)}
    except ValueError:
        return {"refused": f"an answer's integers must have at most {MAX_DIGITS:,} digits"}
    except Exception as error:  # a kind of number that does not let itself be read, or what was rebound
        return {"refused": f"an answer must be a number, text, list or array, got {type(error).__name__}"}
    if size > limits.answer_bytes:
        return {"refused": f"an answer must fit into {limits.answer_bytes:,} bytes, got {size:,}"}
    return {"value": value}


def _arrays(value: Any) -> dict:
    """dtype and shape of an array, or of the arrays in a dict, which plain lists forget."""
    array = getattr(sys.modules.get("numpy"), "ndarray", ())  # what stands there is the student's affair
    named = value if type(value) is dict else {"": value}
    facts = {name: [str(v.dtype), list(v.shape)] for name, v in named.items() if type(v) is array}
    return {"arrays": facts} if facts else {}


def _take_programs_output(capture: int) -> None:
    """What child programs and C code wrote past sys.stdout; the file is emptied for the next cell."""
    size = os.fstat(capture).st_size
    if size:
        raw = os.pread(capture, min(size, max(SHOWN.room, 0) + 1), 0)
        SHOWN.stream("stdout", raw.decode("utf-8", "replace"))
        os.ftruncate(capture, 0)
