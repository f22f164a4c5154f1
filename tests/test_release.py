"""What is handed out, as a stranger gets it: the wheel beside numpy alone, citation, Binder's last step."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import warnings
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
import yaml

from grading.exchange.release_archive import leaks
from tests.pythons import at_hand

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PACKAGES = ("tinylib", "grading")
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT")
NO_BYTECODE = shutil.ignore_patterns("__pycache__", "*.egg-info", ".ipynb_checkpoints")


def run(command: list[str], cwd: Path, first: Path | None = None) -> str:
    """Run a command outside the repository, a folder first on the PATH; its output, or the test fails."""
    gone = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET", "PIP_USER")
    env = {key: value for key, value in os.environ.items() if key not in gone}
    env["PATH"] = os.pathsep.join([*([str(first)] if first else []), env["PATH"]])
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def copied(folder: Path, packages: tuple[str, ...] = PACKAGES) -> Path:
    """The files that a wheel is made of, in a new folder where nothing of an earlier build lies."""
    folder.mkdir(exist_ok=True)
    for name in packages:
        shutil.copytree(ROOT / name, folder / name, ignore=NO_BYTECODE)
    for name in SOURCES:
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of the sources without asking an index."""
    source, out = copied(tmp_path_factory.mktemp("source")), tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    run([*pip, "-w", str(out), str(source)], out)
    (path,) = out.iterdir()
    return path


@pytest.fixture(scope="module")
def members(wheel):
    """Name -> content of each file in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def installed(wheel: Path, python: str, folder: Path) -> Path:
    """The programs of a new environment that holds the wheel, what it needs and nothing else."""
    run([python, "-m", "venv", "--without-pip", str(folder)], folder.parent)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    new = str(programs / "python")
    uv = [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", new]
    pip = [sys.executable, "-m", "pip", "--python", new, "install", "-q"]
    what = ["-c", str(ROOT / "requirements.lock"), str(wheel)]
    for command in ([*uv, "--offline", *what], [*uv, *what]):  # what the cache holds is not fetched again
        if subprocess.run(command, cwd=folder, capture_output=True).returncode == 0:
            return programs
    run([*pip, *what], folder)
    return programs


# ---- the wheel


def test_wheel_holds_every_file_of_its_packages_and_nothing_else(members):
    files = {
        p.relative_to(ROOT).as_posix() for name in PACKAGES for p in (ROOT / name).rglob("*") if p.is_file()
    }
    wanted = {name for name in files if "__pycache__" not in name}
    info = f"tinyml_workbook-{PROJECT['version']}.dist-info"
    found = {name for name in members if not name.startswith(info)}
    assert found == wanted and len(found) > 200
    assert {f"{info}/licenses/{name}" for name in PROJECT["license-files"]} <= set(members)


def test_wheel_holds_no_key_no_solution_and_no_test(members):
    """tinylib/ is what students get too, and is searched there; here the instructor's program is."""
    program = {f"wheel/{name}": content for name, content in members.items() if name.startswith("grading/")}
    assert len(program) > 40 and leaks(program, ROOT) == []
    assert not [name for name in members if re.search(r"(^|/)(tests?|test_\w+|keys?/|a\d\d_\w+)", name)]


def test_wheel_needs_numpy_alone(members):
    meta = message_from_bytes(next(c for name, c in members.items() if name.endswith("/METADATA")))
    needs = [r for r in meta.get_all("Requires-Dist") if "extra ==" not in r]
    assert [re.match(r"[\w-]+", r)[0] for r in needs] == ["numpy"]
    assert meta["Requires-Python"] == ">=3.11" and meta["Version"] == PROJECT["version"]


def examples(long: bool) -> list[tuple[str, str]]:
    """(file name, content) of each marked block of the how-to for engineers; long ones only if asked."""
    text = (ROOT / "docs" / "engineers.md").read_text(encoding="utf-8")
    found = re.findall(r"<!-- try( long)?: (\S+) -->\n```\w+\n(.*?)```", text, re.S)
    return [(name, body) for only, name, body in found if long or not only]


def goes_through(programs: Path, folder: Path, long: bool = False) -> None:
    """Run the how-to for engineers in a folder, with an installed wheel."""
    where = run(["python", "-c", "import tinylib; print(tinylib.__file__)"], folder, programs)
    assert Path(where.strip()).is_relative_to(programs.parent)
    for name, body in examples(long):
        (folder / name).write_text(body, encoding="utf-8")
        if name.endswith(".sh"):
            assert run(["bash", "-e", name], folder, programs)
        if name.endswith(".py"):
            assert run(["python", name], folder, programs)
    assert {"model.json", "sheet.html", "xor"} <= {p.name for p in folder.iterdir()}
    assert "</table>" in (folder / "sheet.html").read_text(encoding="utf-8")
    helps = [re.sub(r"/__main__$", "", p.with_suffix("").relative_to(ROOT).as_posix()).replace("/", ".")
             for p in sorted((ROOT / "tinylib").rglob("__main__.py"))]  # fmt: skip
    for module in helps:
        assert f"python -m {module}" in run(["python", "-m", module, "--help"], folder, programs)


@pytest.mark.slow
def test_installed_beside_numpy_alone_the_how_to_for_engineers_works(wheel, tmp_path):
    programs = installed(wheel, sys.executable, tmp_path / "bare")
    (place := tmp_path / "an engineer's place é").mkdir()
    goes_through(programs, place)
    lists = sorted(p.name.split("-")[0] for p in (tmp_path / "bare").rglob("*.dist-info"))
    assert lists == ["numpy", "tinyml_workbook"]
    grading = [programs / "python", "-I", "-m", "grading", "--help"]
    done = subprocess.run(grading, cwd=place, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "grading needs the extras course and instructor, got no module 'nbformat'\n"


@pytest.mark.soak
def test_installed_on_the_newest_python_at_hand_the_how_to_for_engineers_works(wheel, tmp_path):
    """Where the running Python is the newest, there is no other to try: the warning says which it was."""
    version, python = max(at_hand().items())
    warnings.warn(
        f"the newest Python at hand is {version[0]}.{version[1]}", stacklevel=1
    )  # shown under xdist too
    (place := tmp_path / "place").mkdir()
    goes_through(installed(wheel, python, tmp_path / "bare"), place, long=True)
    assert (place / "motions-own" / "report.html").is_file()


# ---- beside the wheel


def test_one_version_everywhere():
    import tinylib

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    newest = re.search(r"^## (\S+)(.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    versions = {PROJECT["version"], tinylib.__version__, str(citation["version"]), newest[1]}
    assert versions == {PROJECT["version"]} and str(citation["date-released"]) in newest[2]


def test_citation_says_what_the_format_asks_for():
    """The keys that version 1.2.0 of the format requires, and licences as pyproject.toml states them."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["cff-version"] == "1.2.0" and citation["type"] == "software"
    assert citation["authors"] and all(set(a) == {"name"} for a in citation["authors"])
    short = {"CC-BY-4.0", "MIT"}
    assert set(citation["license"]) == short == set(PROJECT["license"].split(" AND "))
    assert citation["authors"][0]["name"] in (ROOT / "LICENSE").read_text(encoding="utf-8")


@pytest.mark.slow
def test_binders_last_step_installs_the_workbook_and_delivers_the_lessons(tmp_path):
    """postBuild in a clone, in an environment that has the locked packages but not the workbook."""
    clone = copied(tmp_path / "clone", (*PACKAGES, "notebooks", "exercises"))
    for name in ("postBuild", "bootstrap.py"):
        shutil.copy(ROOT / name, clone / name)
    run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "env")], tmp_path)
    programs = tmp_path / "env" / "bin"
    site = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = run([sys.executable, "-c", site], tmp_path).strip()
    own = Path(run(["python", "-c", site], tmp_path, programs).strip())
    for entry in Path(packages).iterdir():
        if not re.match(r"(__editable__|tinyml_workbook)", entry.name):
            (own / entry.name).symlink_to(entry)
    assert "files in my/" in run([str(clone / "postBuild")], tmp_path, programs)
    where = run(["python", "-c", "import tinylib, grading; print(tinylib.__file__)"], tmp_path, programs)
    assert Path(where.strip()) == clone / "tinylib" / "__init__.py"
    assert {p.name for p in (clone / "my" / "lessons").iterdir()} == {
        p.name for p in (ROOT / "notebooks").iterdir() if p.suffix == ".ipynb"
    }
