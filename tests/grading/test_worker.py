"""One worker: values in order, outputs as in a notebook, every crash a result, nothing left behind."""

import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest

from grading.inside.task import Ask, Result, Step, Task, packed, within
from grading.workers import answers
from grading.workers.pool import Worker, WorkerLost
from tests.grading.sandboxed import QUICK, alive, descendants, level, task, value_of

ROOT = Path(__file__).resolve().parents[2]
IN_TMP = any(
    Path("/tmp") in path.resolve().parents for path in (ROOT, Path(sys.prefix), Path(sys.base_prefix))
)
TEMPORARY = "/scratch/work" if IN_TMP else "/tmp"  # a workbook in /tmp lies there inside, too: read-only


@pytest.fixture(scope="module")
def worker():
    worker = Worker(level("A"))
    yield worker
    worker.close()


def outcome(worker, source, **more):
    return worker.run(task(source, **more)).outcomes[0]


def text_of(outcome) -> str:
    return "".join(o.get("text", "") for o in outcome.outputs)


def test_a_value_is_asked_when_its_turn_comes(worker):
    result = worker.run(task("a = 1", Ask("q", "a"), "a = 2", Ask("q", "a"), "del a", Ask("q", "a")))
    assert [o.value for o in result.outcomes] == [None, 1, None, 2, None, None]
    assert result.outcomes[-1].refused == "a was never defined"
    assert (result.ended, result.note, result.level) == ("finished", "", "A")


@pytest.mark.parametrize(
    "source, value",
    [
        ("13", 13), ("True", True), ("2.5", 2.5), ("'13 MiB'", "13 MiB"), ("None", None),
        ("2**3000", 2**3000), ("(1, [2.0])", [1, [2.0]]),
        ("{'k': 3}", {"k": 3}), ("np.float32(0.5)", 0.5), ("np.int8(-3)", -3),
        ("np.arange(6).reshape(2, 3)", [[0, 1, 2], [3, 4, 5]]), ("np.float64('inf')", float("inf")),
        ("'a\\0b\\ud800'", "a\ufffdb\ufffd"),
    ],
)  # fmt: skip
def test_plain_values_arrive_as_they_are(worker, source, value):
    got = value_of(worker, f"import numpy as np\nx = {source}")
    assert got == value and type(got) is type(value)


@pytest.mark.parametrize(
    "source, why",
    [
        ("class A(float): pass\nx = A(1)", "got an A"),
        ("x = 1j", "complex number"),
        ("x = lambda: 1", "a function"),
        ("x = [0] * 200_000", "at most 100,000 values"),
        ("x = 10**5000", "at most 4,000 digits"),
        ("x = [['y' * 9000] * 100] * 9", "must fit into"),
        ("x = []\nx.append(x)", "nested deeper"),
        ("import numpy as np\nx = np.array([object()])", "real numbers"),
    ],
)
def test_other_values_are_refused_in_one_sentence(worker, source, why):
    answer = worker.run(task(source, Ask("q", "x"))).outcomes[1]
    assert why in answer.refused and answer.value is None and "\n" not in answer.refused


def test_a_function_is_called_on_each_set_of_arguments(worker):
    source = "def f(a, b):\n    print('called')\n    b.append(1)\n    return {'q': a / len(b)}"
    shared = [[0]]
    result = worker.run(task(source, Ask("q", "f", ((6, [0, 0]), (1, []), ("a", [1]), (6, shared[0])))))
    good, one, bad, last = result.outcomes[1].values
    assert good == {"value": {"q": 2.0}} and one == {"value": {"q": 1.0}} and last == {"value": {"q": 3.0}}
    assert bad["refused"].startswith("it raised TypeError: unsupported operand")
    assert text_of(result.outcomes[1]) == "called\n" * 4


@pytest.mark.parametrize("body", ["raise SystemExit(0)", "exit()", "raise KeyboardInterrupt"])
def test_a_function_that_leaves_answers_with_its_error(worker, body):
    answer = worker.run(task(f"def f(a):\n    {body}", Ask("q", "f", ((1,), (2,))), "y = 1", Ask("q", "y")))
    assert len(answer.outcomes[1].values) == 2 and answer.outcomes[3].value == 1


def test_asking_a_number_for_a_function_says_so(worker):
    answer = worker.run(task("f = 3", Ask("q", "f", ((1,),)))).outcomes[1]
    assert answer.refused == "f must be a function, and none was defined" and answer.values == ()


def test_outputs_are_those_of_a_notebook(worker):
    source = """import sys, subprocess
from IPython.display import HTML, display, update_display, clear_output
print("gone")
clear_output()
print("one")
print("two", file=sys.stderr)
display(HTML("<b>x</b>"))
handle = display("old", display_id="d")
update_display("new", display_id="d")
!echo shell; echo err >&2
1 + 1"""
    shown = outcome(worker, source).outputs
    assert [o["output_type"] for o in shown] == [
        "stream",
        "stream",
        "display_data",
        "display_data",
        "execute_result",
        "stream",
    ]
    assert [o.get("text") for o in shown[:2]] == ["one\n", "two\n"]
    assert shown[2]["data"]["text/html"] == "<b>x</b>"
    assert shown[3]["data"]["text/plain"] == "'new'"
    assert shown[4]["data"] == {"text/plain": "2"} and shown[4]["execution_count"] == 1
    assert shown[5] == {"output_type": "stream", "name": "stdout", "text": "shell\nerr\n"}


def test_outputs_make_a_valid_notebook(worker):
    source = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nprint(1)\nplt.show()\n1 / 0"
    found = outcome(worker, source)
    assert found.error == ("ZeroDivisionError", "division by zero")
    assert "image/png" in found.outputs[1]["data"]
    cell = nbformat.v4.new_code_cell(source, outputs=[nbformat.from_dict(o) for o in found.outputs])
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))


def test_a_magic_an_await_and_a_widget_work(worker):
    source = """%matplotlib inline
import asyncio
from ipywidgets import IntSlider
from tinylib.lab import explore
async def two():
    await asyncio.sleep(0.001)
    return 2
x = await two()
explore(lambda side: "<svg/>", side=IntSlider(value=3))"""
    result = worker.run(task(source, Ask("q", "x")))
    assert result.outcomes[0].error is None and result.outcomes[1].value == 2


def test_an_assignment_opens_with_the_identity_handed_in(worker):
    release = (ROOT / "exercises/a02_counting/release.json").read_bytes()
    source = """from tinylib.lab import question
from tinylib.practice import begin, check, hint
opened = begin("{}")
q = question("counting.conv_macs")
import sys
x = [opened.student, q.k, q.c_in, sys.stderr is sys.stdout]"""
    files = packed({"release.json": release})
    ada = value_of(worker, source.format(""), student="ada", files=files)
    named = value_of(worker, source.format("ada"), student="ben", files=files)
    assert ada == named and ada[0] == "ada" and ada[3] is True
    assert value_of(worker, source.format(""), student="ben", files=files)[0] == "ben"


def test_the_same_submission_draws_the_same_numbers(worker):
    source = "import random, numpy as np\nx = [random.random(), np.random.rand(), hash('a')]"
    assert value_of(worker, source, name="a") == value_of(worker, source, name="a")
    assert value_of(worker, source, name="a") != value_of(worker, source, name="b")


@pytest.mark.parametrize(
    "source, note",
    [
        ("import os; os._exit(3)", "the notebook ended itself with status 3 in cell c2"),
        ("import ctypes; ctypes.string_at(0)", "the notebook was ended by SIGSEGV in cell c2"),
        ("import os, signal; os.kill(os.getpid(), 9)", "the notebook was ended by SIGKILL in cell c2"),
        (
            "import sys\nsys.setrecursionlimit(10**9)\nx = []\nfor _ in range(10**6): x = [x]\nrepr(x)",
            "the notebook was ended by SIGSEGV in cell c2",
        ),
    ],
)
def test_a_crash_keeps_the_answers_before_it(worker, source, note):
    result = worker.run(task("a = 1", Ask("q", "a"), source, Ask("q", "a")))
    assert result.outcomes[1].value == 1
    assert (result.ended, result.note) == ("died", note)
    assert result.outcomes[3].refused == note and result.outcomes[2].refused == note
    assert value_of(worker, "x = 5") == 5


def test_leaving_politely_ends_one_cell_only(worker):
    result = worker.run(task("a = 1\nquit()", "raise SystemExit(1)", "import sys; sys.exit()", Ask("q", "a")))
    assert result.ended == "finished" and result.outcomes[3].value == 1
    assert result.outcomes[1].error == ("SystemExit", "1")


@pytest.mark.slow
def test_a_loop_is_interrupted_and_the_cells_after_it_run(worker):
    result = worker.run(task("a = 1", "while True: pass", Ask("q", "a"), limits=QUICK))
    assert result.outcomes[1].error == ("TimeoutError", "stopped after 2 s")
    assert result.outcomes[2].value == 1
    assert (result.ended, result.note) == ("cell time", "cell c1 was stopped after 2 s")


STUBBORN = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"


@pytest.mark.slow
def test_a_stubborn_loop_is_killed_and_the_answers_before_it_stay(worker):
    result = worker.run(task("a = 1", Ask("q", "a"), STUBBORN, Ask("q", "a"), limits=QUICK))
    assert result.outcomes[1].value == 1
    assert result.ended == "cell time"
    assert result.outcomes[3].refused == "the notebook was stopped after 2 s in cell c2"


@pytest.mark.slow
def test_a_call_that_loops_leaves_the_others(worker):
    source = "def f(n):\n    while n == 2: pass\n    return n"
    values = worker.run(task(source, Ask("q", "f", ((1,), (2,), (3,))), limits=QUICK)).outcomes[1].values
    assert values == ({"value": 1}, {"refused": "it took longer than 2 s"}, {"value": 3})
    stubborn = "\n    ".join(["def f(n):", "if n == 1: return 1", *STUBBORN.splitlines()])
    result = worker.run(task(stubborn, Ask("q", "f", ((1,), (2,), (3,))), limits=QUICK))
    late = {"refused": "the notebook was stopped after 2 s in cell c1"}
    assert result.outcomes[1].values == ({"value": 1}, late, late)


@pytest.mark.slow
def test_a_whole_notebook_has_its_time_too(worker):
    limits = within(QUICK, wall_s=3.0, cell_s=2.9)
    result = worker.run(task(*["import time; time.sleep(1.2)"] * 6, limits=limits))
    assert result.ended == "notebook time"
    assert result.note.startswith("the notebook was stopped after 3 s, in cell c")
    assert result.outcomes[5].refused == result.note


@pytest.mark.slow
def test_processor_time_is_limited(worker):
    limits = within(QUICK, cpu_s=1, cell_s=30, wall_s=30)
    result = worker.run(task("while True: pass", limits=limits))
    assert (result.ended, result.note) == (
        "notebook time",
        "the notebook used 1 s of processor time, in cell c0",
    )


@pytest.mark.slow
def test_memory_of_many_processes_counts_together(worker):
    source = """
import os, time
for _ in range(12):
    if os.fork() == 0:
        block = bytearray(200 * 2**20)
        for i in range(0, len(block), 4096): block[i] = 1
        time.sleep(30)
        os._exit(0)
time.sleep(30)"""
    result = worker.run(task(source, limits=within(QUICK, memory_bytes=2**30, cell_s=20, wall_s=25)))
    assert result.note == f"the notebook used more than {2**30:,} bytes of memory in cell c0"


def test_floods_are_cut(worker):
    limits = within(QUICK, output_bytes=50_000)
    printed = outcome(worker, "for _ in range(10**5): print('x' * 99)", limits=limits)
    assert 50_000 <= len(text_of(printed)) < 50_200 and "output cut: a cell may show 50,000 bytes" in text_of(
        printed
    )
    raw = outcome(worker, "import os\nfor _ in range(2000): os.write(1, b'y' * 1000)", limits=limits)
    assert len(text_of(raw)) < 50_200
    many = outcome(worker, "from IPython.display import display\nfor i in range(2000): display(i)")
    assert len(many.outputs) <= 502


FIND = """
import fcntl, os
def pipes():
    for number in range(3, 256):
        try:
            if os.readlink(f"/proc/self/fd/{number}").startswith("pipe"):
                yield number
        except OSError: pass
(answers,) = pipes()
"""


@pytest.mark.parametrize(
    "forged",
    [
        b'{"value": 7}\n', b"not json\n", b"[" * 5000 + b"\n", b"\xff\xfe\n",
        b'{"outputs": [], "value": 1, "refused": ""}\n', b'{"call": {"value": 1}}\n',
        b'{"outputs": [{"output_type": "stream"}], "error": null}\n',
        b'{"outputs": 3}\n', b"null\n", b'{"outputs": [], "error": ["a", {}]}\n', b"1" * 9000 + b"\n",
    ],
)  # fmt: skip
def test_forged_lines_end_the_forgers_own_answers(worker, forged):
    before = worker.run(task("a = 1", Ask("q", "a"), FIND, f"os.write(answers, {forged!r})", Ask("q", "a")))
    assert before.outcomes[1].value == 1, "what was answered before stays"
    assert before.ended == "died"
    assert before.note.startswith("the notebook wrote into its own answers in cell c3: ")
    assert before.outcomes[4].refused == before.note
    assert value_of(worker, "x = 5", student="ben") == 5


def test_a_line_of_too_many_parts_is_not_read():
    """Each empty list costs a hundred bytes in the grader; brackets in text cost one."""
    step = Step("c0", "1")
    line = b'{"outputs": [%s], "error": null, "seconds": 0.5}'
    said = b'{"output_type": "stream", "name": "stdout", "text": "\\\\\\"%s\\n"}' % (b"[]," * 2**20)
    assert answers.outcome(step, iter([line % said])).outputs[0]["text"].startswith('\\"[],[]')
    with pytest.raises(answers.Garbled, match="more than an answer"):
        answers.outcome(step, iter([line % (b"[]," * 2**20 + b"0")]))


def test_displays_that_no_page_can_show_cost_nothing(worker):
    source = """
from IPython.display import display
display({"text/plain": ["a"], "text/html": 5, "x/json": [[]] * 9, 7: "x", "image/png": b"ab"}, raw=True)
"""
    result = worker.run(task(source, "x = 1", Ask("x", "x")))
    assert result.ended == "finished" and result.outcomes[2].value == 1
    assert result.outcomes[0].outputs[0]["data"] == {"7": "x", "image/png": "YWI="}


@pytest.mark.slow
@pytest.mark.parametrize("flood", ["b'x' * 65536", "b'{}\\n' * 9999"])
def test_a_flood_into_the_pipe_is_stopped(worker, flood):
    result = worker.run(task("a = 1", Ask("q", "a"), FIND, f"while True: os.write(answers, {flood})"))
    assert result.ended == "died" and result.outcomes[1].value == 1
    assert value_of(worker, "x = 5") == 5


def test_an_orphan_does_not_outlive_its_task(worker):
    source = """
import os, signal, subprocess, sys, threading, time, atexit
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
        os._exit(0)
subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"], start_new_session=True)
threading.Thread(target=time.sleep, args=(600,)).start()
atexit.register(time.sleep, 600)
x = 1"""
    idle = set(descendants())
    assert value_of(worker, source) == 1
    assert not set(alive(descendants())) - idle


def test_a_fork_in_a_cell_does_not_answer_twice(worker):
    result = worker.run(task("import os\npid = os.fork()", "a = 3", Ask("q", "a")))
    assert (result.ended, result.outcomes[2].value) == ("finished", 3)


@pytest.mark.slow
def test_a_fork_bomb_is_a_result(worker):
    result = worker.run(task("a = 1", Ask("q", "a"), "import os\nwhile True:\n    os.fork()", limits=QUICK))
    assert result.outcomes[1].value == 1
    assert value_of(worker, "x = 5") == 5


@pytest.mark.parametrize(
    "litter",
    [
        "open('f', 'w').write('x'); os.makedirs('a/b/c'); os.symlink('/etc', 'link')",
        f"open('{TEMPORARY}/y', 'w')",
        "os.mkdir('locked'); open('locked/f', 'w'); os.chmod('locked', 0)",
        pytest.param("[os.mkdir('d') or os.chdir('d') for _ in range(1500)]", marks=pytest.mark.soak),
        pytest.param("[open(f'f{i}', 'w').close() for i in range(6000)]", marks=pytest.mark.soak),
        "os.mkfifo('pipe')",
    ],
)
def test_the_next_task_finds_an_empty_scratch(worker, litter):
    result = worker.run(task(f"import os\n{litter}"))
    assert result.outcomes[0].error is None, result.outcomes[0].error
    places = f"os.listdir('/scratch'), os.listdir('{TEMPORARY}'), os.listdir('/dev/shm')"
    seen = f"import os\nx = [os.listdir(), {places}]"
    assert value_of(worker, seen) == [[], ["work"], [], []]


@pytest.mark.parametrize(
    "litter", ["os.mkdir('locked'); open('locked/f', 'w'); os.chmod('locked', 0)", "os.makedirs('a/b')"]
)
def test_without_namespaces_nothing_stays_either(litter, monkeypatch):
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)  # the worker's own user must be able to reach its scratch
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    worker = Worker(level("B"), warm=("IPython", "matplotlib.pyplot"))
    before = set(descendants())
    try:
        worker.run(task(f"import os\n{litter}\nif os.fork() == 0:\n    import time; time.sleep(600)"))
        assert value_of(worker, "import os; x = os.listdir()") == []
    finally:
        worker.close()
    place.rmdir()
    assert not alive(sorted(set(descendants()) - before))


def test_nothing_of_a_student_stays_in_the_memory_of_the_next(worker):
    """Search every writable page of the next child; first of the same one, to know that the search finds."""
    search = """
import ctypes, re
def found(what):
    count = 0
    for line in open("/proc/self/maps"):
        span, mode = line.split()[:2]
        if mode.startswith("rw") and "[v" not in line:
            low, high = (int(part, 16) for part in span.split("-"))
            count += len(what.findall(ctypes.string_at(low, high - low)))
    return count
x = found(re.compile(b"Q[X]ZJans[w]er"))
"""
    first = f"secret = 'QXZJanswer of ada'\nprint(secret)\n{search}"
    assert value_of(worker, first, files=packed({"own.txt": b"QXZJanswer" * 100})) > 0
    assert value_of(worker, search, student="ben") == 0


def test_an_impossible_file_name_is_no_way_out(worker):
    broken = Task("d", "ada", "a02", task("x = 1").steps, {"../evil": ""})
    with pytest.raises(WorkerLost, match=r"plain name, got '\.\./evil'"):
        worker.run(broken)
    assert value_of(worker, "x = 5") == 5


def test_a_result_survives_its_journey_as_text(worker):
    result = worker.run(task("print('x')\n1/0", "f = len", Ask("q", "f", (([1],),))))
    assert Result.from_json(result.to_json()) == result
    json.loads(result.to_json())
    assert result.seconds > 0 and result.cpu_seconds > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["A", "B"])
def test_a_killed_worker_leaves_no_process_in_the_middle_of_a_task(name):
    before = set(descendants())
    worker = Worker(level(name), warm=("IPython", "matplotlib.pyplot"))
    source = "import os\nfor _ in range(4): os.fork()\nwhile True: pass"
    with ThreadPoolExecutor() as threads:
        worker.start()
        running = threads.submit(worker.run, task(source))
        while len(set(descendants()) - before) < 17:
            time.sleep(0.01)
        mine = sorted(set(descendants()) - before)
        worker.kill()
        with pytest.raises(WorkerLost, match="a worker ended"):
            running.result()
    worker.close()
    assert not alive(mine)


@pytest.mark.slow
def test_without_namespaces_a_lost_worker_leaves_no_process_when_it_is_closed():
    if os.getuid() != 0:
        pytest.skip("only root can give a worker a user id of its own")
    worker = Worker(level("B"), warm=("IPython", "matplotlib.pyplot"))
    before = set(descendants())
    with ThreadPoolExecutor() as threads:
        worker.start()
        running = threads.submit(
            worker.run, task("import os\nfor _ in range(3): os.fork()\nwhile True: pass")
        )
        while len(mine := set(descendants()) - before) < 9:
            time.sleep(0.01)
        worker._process.kill()
        with pytest.raises(WorkerLost):
            running.result()
    assert not alive(sorted(mine))


def test_arrays_of_a_function_say_their_dtype_and_shape(worker):
    source = "import numpy as np\ndef f(n): return {'a': np.zeros((n, 2), np.int8), 'b': 3}"
    (got,) = worker.run(task(source, Ask("q", "f", ((2,),)))).outcomes[-1].values
    assert got == {"value": {"a": [[0, 0], [0, 0]], "b": 3}, "arrays": {"a": ["int8", [2, 2]]}}
    liar = "class N: ndarray = dict\nimport sys\nsys.modules['numpy'] = N\ndef f(n): return {'a': n}"
    assert worker.run(task(liar, Ask("q", "f", ((2,),)))).outcomes[-1].values[0].keys() <= {
        "value",
        "refused",
    }
