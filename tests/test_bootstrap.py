"""The one implementation of every task: what a learner keeps, what is refused, what an old Python is told."""

import ast
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
import bootstrap  # noqa: E402
from tests.pythons import at_hand  # noqa: E402


@pytest.fixture
def course(tmp_path):
    """A small course in a folder with a space and a letter beyond ASCII; returns (root, my)."""
    root = tmp_path / "my course é"
    put(root / "notebooks/00_start.ipynb", "lesson v1")
    put(root / "exercises/a01/a01.ipynb", "exercise v1")
    put(root / "exercises/a01/release.json", "{}")
    put(root / "exercises/.ipynb_checkpoints/a01.ipynb", "no")
    return root, root / "my"


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def tree(my: Path) -> dict[str, str]:
    files = (p for p in my.rglob("*") if p.is_file() and p.name != ".delivered.json")
    return {p.relative_to(my).as_posix(): p.read_text(encoding="utf-8") for p in files}


def run(
    *words: str, python: str = sys.executable, cwd: Path = ROOT, **env: str
) -> subprocess.CompletedProcess:
    clean = {k: v for k, v in os.environ.items() if k not in bootstrap.OPTIONS}
    command = [python, str(ROOT / "bootstrap.py"), *words]
    return subprocess.run(command, env={**clean, **env}, cwd=cwd, capture_output=True, text=True, timeout=60)


# ---- delivery


def test_first_delivery_copies_lessons_and_exercises_and_the_second_nothing(course):
    names = {"lessons/00_start.ipynb", "exercises/a01/a01.ipynb", "exercises/a01/release.json"}
    assert {p.relative_to(course[1]).as_posix() for p in bootstrap.deliver(*course)} == names
    assert set(tree(course[1])) == names
    assert bootstrap.deliver(*course) == []


def test_untouched_copy_is_updated_in_place(course):
    bootstrap.deliver(*course)
    put(course[0] / "notebooks/00_start.ipynb", "lesson v2")
    assert bootstrap.deliver(*course) == [course[1] / "lessons/00_start.ipynb"]
    assert tree(course[1])["lessons/00_start.ipynb"] == "lesson v2"
    assert len(tree(course[1])) == 3


def test_changed_copy_stays_and_each_update_lands_beside_it_once(course, capsys):
    root, my = course
    bootstrap.deliver(root, my)
    mine, new = my / "exercises/a01/a01.ipynb", my / "exercises/a01/a01.new.ipynb"
    put(mine, "my answers")
    assert bootstrap.deliver(root, my) == [] and not new.exists()
    put(root / "exercises/a01/a01.ipynb", "exercise v2")
    assert bootstrap.deliver(root, my) == [new]
    assert (mine.read_text(), new.read_text()) == ("my answers", "exercise v2")
    assert "is yours and stays" in capsys.readouterr().out
    new.unlink()
    assert bootstrap.deliver(root, my) == [] and not new.exists()
    put(root / "exercises/a01/a01.ipynb", "exercise v3")
    assert bootstrap.deliver(root, my) == [new]
    assert (mine.read_text(), new.read_text()) == ("my answers", "exercise v3")


def test_update_that_was_worked_in_is_not_overwritten_by_the_next(course):
    root, my = course
    bootstrap.deliver(root, my)
    put(my / "lessons/00_start.ipynb", "mine")
    put(root / "notebooks/00_start.ipynb", "v2")
    bootstrap.deliver(root, my)
    put(my / "lessons/00_start.new.ipynb", "mine too")
    put(root / "notebooks/00_start.ipynb", "v3")
    bootstrap.deliver(root, my)
    found = {k: v for k, v in tree(my).items() if k.startswith("lessons/")}
    assert found == {
        "lessons/00_start.ipynb": "mine",
        "lessons/00_start.new.ipynb": "mine too",
        "lessons/00_start.new2.ipynb": "v3",
    }


def test_learners_own_file_of_the_same_name_is_never_overwritten(course):
    put(course[1] / "lessons/00_start.ipynb", "was here before")
    bootstrap.deliver(*course)
    assert tree(course[1])["lessons/00_start.ipynb"] == "was here before"
    assert tree(course[1])["lessons/00_start.new.ipynb"] == "lesson v1"


def test_deleted_copy_is_delivered_again(course):
    bootstrap.deliver(*course)
    (course[1] / "lessons/00_start.ipynb").unlink()
    bootstrap.deliver(*course)
    assert tree(course[1])["lessons/00_start.ipynb"] == "lesson v1"


@pytest.mark.parametrize("damage", ["", "{", "[]", "null"])
def test_damaged_record_costs_no_work(course, damage):
    bootstrap.deliver(*course)
    put(course[1] / "lessons/00_start.ipynb", "mine")
    put(course[1] / ".delivered.json", damage)
    bootstrap.deliver(*course)
    assert tree(course[1])["lessons/00_start.ipynb"] == "mine"


def test_delivery_that_is_broken_off_loses_nothing_and_repeats_nothing(course):
    root, my = course
    bootstrap.deliver(root, my)
    put(my / "exercises/a01/a01.ipynb", "my answers")
    before = (my / ".delivered.json").read_bytes()
    put(root / "notebooks/00_start.ipynb", "lesson v2")
    put(root / "exercises/a01/a01.ipynb", "exercise v2")
    bootstrap.deliver(root, my)
    after = tree(my)
    (my / ".delivered.json").write_bytes(before)  # as if killed before the record was written
    bootstrap.deliver(root, my)
    assert tree(my) == after and len(after) == 4
    put(root / "notebooks/00_start.ipynb", "lesson v3")
    bootstrap.deliver(root, my)
    assert tree(my) == {**after, "lessons/00_start.ipynb": "lesson v3"}


# ---- ports, options, old Pythons


@pytest.fixture
def busy():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_port_in_use_is_one_sentence_and_status_2(busy):
    result = run("lab", f"PORT={busy}", "NO_BROWSER=1")
    assert result.returncode == 2 and result.stdout == ""
    assert re.fullmatch(rf"bootstrap: PORT {busy} is in use or not allowed: .*\n", result.stderr)


def test_port_comes_from_the_environment_too(busy):
    assert f"PORT {busy} is in use" in run("lab", PORT=str(busy)).stderr


@pytest.mark.parametrize("wish", ["abc", "0", "65536", "-1", "²", "8888.0"])
def test_port_that_is_none_is_refused(wish):
    with pytest.raises(bootstrap.Problem, match="PORT is a number from 1 to 65535"):
        bootstrap.choose_port(wish)


def test_default_port_moves_on_when_it_is_in_use(busy, capsys):
    with socket.socket() as server:
        try:
            server.bind(("127.0.0.1", 8888))
            server.listen()
        except OSError:
            pass  # then something else holds it, which is the same case
        assert 8888 < bootstrap.choose_port("") <= 8908
    assert "port 8888 is in use, so JupyterLab takes" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["chek"], "The task is one of help, lab, test"),
        (["lab", "PRT=1"], "Options are PORT, NO_BROWSER"),
        (["lab", "EXTRAS=gpu"], "EXTRAS names some of bench, device, import, instructor, got 'gpu'"),
        (["lab", "EXTRAS=site"], "got 'site'"),
        (["test", "ONLY=units"], "ONLY names some of style, unit, build"),
    ],
)
def test_mistyped_word_is_one_sentence_and_status_2(words, sentence):
    result = run(*words)
    assert result.returncode == 2 and sentence in result.stderr and result.stderr.count("\n") == 1


@pytest.mark.parametrize("version", [(2, 7), (3, 6), (3, 10)])
def test_old_python_is_told_which_one_it_needs(version):
    message = bootstrap.too_old((*version, 4))
    assert "needs Python 3.11 or newer" in message and f"got {version[0]}.{version[1]}:" in message


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13), (4, 0)])
def test_new_python_is_accepted(version):
    assert bootstrap.too_old((*version, 0)) == ""


def test_bootstrap_parses_on_old_pythons():
    ast.parse((ROOT / "bootstrap.py").read_text(encoding="utf-8"), feature_version=(3, 7))


def test_every_old_python_here_prints_one_sentence():
    for python in (p for version, p in at_hand().items() if version < bootstrap.OLDEST):
        result = run("lab", python=python)
        assert result.returncode == 1 and result.stdout == ""
        assert result.stderr.startswith("The workbook needs Python 3.11") and result.stderr.count("\n") == 1


def test_imports_are_of_the_standard_library():
    nodes = ast.walk(ast.parse((ROOT / "bootstrap.py").read_text(encoding="utf-8")))
    names = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    assert {n.split(".")[0] for n in names} <= set(sys.stdlib_module_names)


# ---- tasks, Makefile, environment


def test_makefile_and_bootstrap_agree_task_by_task():
    rules = re.findall(r"^(\w+): ## (.*)\n\t(.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert [(name, text) for name, text, _ in rules] == [
        (n, text) for n, (_, text) in bootstrap.TASKS.items()
    ]
    assert {command for _, _, command in rules} == {'@"$(PYTHON)" bootstrap.py $@'}


def test_makefile_passes_every_option():
    export = re.search(r"^export (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert export[1].split() == list(bootstrap.OPTIONS)


def test_make_without_a_target_is_help():
    make = shutil.which("make")
    assert make, "make is missing: apt-get install make"
    command = [make, f"PYTHON={sys.executable}"]
    shown = subprocess.run(command, cwd=ROOT, env=bootstrap.tool_env(), capture_output=True, text=True)
    assert shown.stdout == run().stdout == run("help").stdout
    assert all(f"  {name} " in shown.stdout for name in (*bootstrap.TASKS, *bootstrap.OPTIONS))


def test_stamp_of_another_folder_or_of_a_broken_start_means_anew(tmp_path):
    assert "another folder" in bootstrap.why_anew({"folder": str(tmp_path)})
    assert "not finished" in bootstrap.why_anew({"unfinished": True})


def test_environment_puts_the_venv_first_and_drops_what_reroutes_python(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    env = bootstrap.tool_env(EXTRA="1")
    assert env["PATH"].split(os.pathsep)[0] == str(bootstrap.BIN)
    assert not {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"} & set(env) and env["EXTRA"] == "1"


def test_what_slows_every_start_is_left_out_where_the_packages_lie():
    here = Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    assert bootstrap.library() == bootstrap.VENV / here
    code = bootstrap.SOONER.decode() + "import jsonschema; print(jsonschema.validate(1, {'type': 'integer'}))"
    done = subprocess.run([sys.executable, "-X", "importtime", "-c", code], capture_output=True, text=True)
    assert done.stdout == "None\n" and "jsonschema" in done.stderr
    assert "rfc3987_syntax.syntax_helpers" not in done.stderr


def test_sealed_environment_keeps_the_users_settings_out(monkeypatch, tmp_path):
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    monkeypatch.setenv("TINYML_PROGRESS", "record")
    env = bootstrap.sealed_env(str(tmp_path))
    assert "JUPYTERHUB_USER" not in env and "TINYML_PROGRESS" not in env
    assert env["MPLBACKEND"] == "agg" and env["JUPYTER_CONFIG_DIR"].startswith(str(tmp_path))


def test_totals_count_what_pytest_reports(tmp_path):
    put(tmp_path / "pytest.ini", "[pytest]\n")
    put(
        tmp_path / "test_five.py",
        "import pytest\n"
        "def test_right(): pass\n"
        "def test_wrong(): assert 0\n"
        "@pytest.fixture\ndef broken(): raise OSError\n"
        "def test_error(broken): pass\n"
        "@pytest.mark.skip(reason='no tool')\ndef test_skipped(): pass\n"
        "@pytest.mark.xfail\ndef test_expected(): assert 0\n",
    )
    report = tmp_path / "report.xml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--junitxml={report}",
        str(tmp_path),
    ]
    code = subprocess.run(command, cwd=tmp_path, capture_output=True).returncode
    assert bootstrap.count_report(report, code) == (1, 2, ["no tool"])
    assert bootstrap.count_report(tmp_path / "none.xml", 4) == (0, 1, [])


def test_every_slow_test_lies_where_its_tier_looks():
    places = [ROOT / word for word in bootstrap.SLOW.split()]
    here = Path(__file__)
    marked = [p for p in (ROOT / "tests").rglob("test_*.py") if p != here and "mark.slow" in p.read_text()]
    assert marked and all(any(p.is_relative_to(place) for place in places) for p in marked)


def test_run_that_collects_nothing_counts_as_failed(tmp_path):
    report = put(tmp_path / "r.xml", "<testsuites><testsuite tests='0'></testsuite></testsuites>")
    assert bootstrap.count_report(report, 5) == (0, 1, [])
