"""Build the course from its percent scripts: notebooks/ (executed), solutions/ and exercises/.

    python authoring/build.py build     write what changed
    python authoring/build.py check     say what is not up to date, and why

One description (scripts and course.toml) gives all three; jupytext reads, nbclient runs, nbgrader releases.
"""

import filecmp
import json
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import contents
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from scripts import AUTHORING, CHECK_CALL, METADATA, RuleError, assignment, foot, lesson
from tqdm import tqdm

from grading import keys
from grading.book.course import NbGraderError, done, nbgrader
from tinylib.practice import BANK, Exercise
from tinylib.practice.draws import to_json
from tinylib.practice.exercise import digest

ROOT = AUTHORING.parent


def released(trial: keys.Trial) -> dict:
    """The public half of a trial: as that of a private question, and the form of what is handed in."""
    numbers = {"given": dict(trial.given), "draws": to_json(trial.draws)}
    return {"title": trial.title, "prompt": trial.prompt, **numbers, "unit": "", "form": trial.form}


def release(entry: dict, nb: nbformat.NotebookNode, salt: str) -> str:
    """The text of release.json: salt, bank digest, and the public half of what the key holds."""
    order = [found[0] for cell in nb.cells for found in CHECK_CALL.findall(cell.source)]
    ids = sorted(set(order))
    known = keys.load(AUTHORING / "keys" / f"{entry['script']}.py")
    if missing := [i for i in ids if i not in BANK and i not in known]:
        raise RuleError(
            f"assignments/{entry['script']}.py checks {missing}, which neither bank nor key knows"
        )
    private = {
        i: {
            "title": e.title,
            "prompt": e.prompt,
            "given": dict(e.given),
            "draws": to_json(e.draws),
            "unit": e.unit,
        }
        for i, e in known.items()
        if isinstance(e, Exercise)
    }
    private |= {i: released(t) for i, t in known.items() if isinstance(t, keys.Trial)}
    functions = {i: {"examples": k.examples} for i, k in known.items() if isinstance(k, keys.Key)}
    used = {i: BANK[i] for i in ids if i in BANK}
    parts = {
        "assignment": entry["script"],
        "salt": salt,
        "bank": list(used),
        "digest": digest(used),
        "questions": order,
    }
    return json.dumps({**parts, "private": private, "functions": functions}, indent=1) + "\n"


def execute(nb: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Run a lesson; figures keep their SVG and text alternative, widgets leave no state behind."""
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            nb,
            timeout=300,
            kernel_name="python3",
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
            resources={"metadata": {"path": folder}},
        ).execute()
    nb.metadata = nbformat.from_dict(METADATA)
    for cell in (c for c in nb.cells if c.cell_type == "code"):
        cell.metadata.pop("execution", None)
        for output in cell.outputs:
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    return nb


def generate(solutions: Path, exercises: Path) -> None:
    """Make the student versions with nbgrader's own API and a gradebook that is thrown away."""
    with tempfile.TemporaryDirectory() as folder, nbgrader(Path(folder)) as api:
        shutil.copytree(solutions, Path(folder) / "solutions")
        for name in tqdm(
            sorted(p.name for p in solutions.iterdir() if p.is_dir()), "releasing", disable=None
        ):
            done(api.generate_assignment(name), f"releasing solutions/{name}")
        shutil.copytree(Path(folder) / "exercises", exercises, dirs_exist_ok=True)


def course() -> dict:
    """course.toml, each entry with the foot that leads on from it."""
    data = tomllib.loads((AUTHORING / "course.toml").read_text(encoding="utf-8"))
    titles = {e["script"]: e["title"] for e in (*data["lesson"], *data["assignment"])}
    for entry, after in zip(data["lesson"], [*data["lesson"][1:], {"script": ""}]):
        entry["foot"] = foot(entry, after["script"], titles, data["course"]["lectures"])
    return data


def made(data: dict) -> Iterator[tuple[str, Callable[[], str | nbformat.NotebookNode]]]:
    """Every file that is made from a script, with how to make it (lessons not yet executed)."""
    yield contents.FILE, lambda: contents.contents(data)
    yield "notebooks/home.ipynb", lambda: lesson(contents.HOME)
    for entry in data["lesson"]:
        yield f"notebooks/{entry['script']}.ipynb", lambda e=entry: lesson(e)
    for entry in data["assignment"]:
        folder = f"solutions/{entry['script']}"
        yield f"{folder}/{entry['script']}.ipynb", lambda e=entry: assignment(e)
        yield f"{folder}/release.json", lambda e=entry: release(e, assignment(e), data["course"]["salt"])


def stale(path: Path, new: str | nbformat.NotebookNode) -> str:
    """Why a committed file differs from what its script gives; empty when it does not."""
    if not path.exists():
        return "is missing"
    if isinstance(new, str):
        return "" if path.read_text(encoding="utf-8") == new else "differs from its script"
    old = nbformat.read(path, as_version=4)
    if old.metadata != new.metadata:
        return "has other notebook metadata"
    if [c.id for c in old.cells] != [c.id for c in new.cells]:
        return f"has other cells or ids: {len(old.cells)} in the file, {len(new.cells)} from the script"
    for number, (a, b) in enumerate(zip(old.cells, new.cells), 1):
        for part in ("cell_type", "source", "metadata"):
            if a[part] != b[part]:
                return f"has another {part} in cell {number} ({a.id})"
    return ""


def write(path: Path, new: str | nbformat.NotebookNode) -> None:
    """Write through a temporary name, so that a killed build leaves whole files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(new if isinstance(new, str) else nbformat.writes(new) + "\n", encoding="utf-8")
    part.replace(path)


def files(folder: Path) -> set[Path]:
    """The files below a folder, relative to it."""
    return {
        p.relative_to(folder)
        for p in folder.rglob("*")
        if p.is_file() and ".ipynb_checkpoints" not in p.parts
    }


def build() -> int:
    """Write every file that is not up to date; lessons are executed."""
    failed = []
    for name, make in tqdm(list(made(course())), "building", disable=None):
        new = make()
        if "--all" in sys.argv or stale(ROOT / name, new):
            try:
                write(ROOT / name, execute(new) if name.startswith("notebooks/") else new)
            except CellExecutionError as error:
                failed.append(f"{name} stopped at a cell:\n{error}")
            else:
                tqdm.write(f"wrote {name}")
    generate(ROOT / "solutions", ROOT / "exercises")
    print("\n".join(failed), end="", file=sys.stderr)
    return 1 if failed else 0


def check() -> int:
    """Compare every committed file with what the scripts give; 1 and a line each when they differ."""
    wrong = [f"{name} {why}" for name, make in made(course()) if (why := stale(ROOT / name, make()))]
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "exercises"
        generate(ROOT / "solutions", fresh)
        for name in sorted(files(fresh) | files(ROOT / "exercises")):
            pair = fresh / name, ROOT / "exercises" / name
            if not all(p.exists() for p in pair) or not filecmp.cmp(*pair, shallow=False):
                wrong.append(f"exercises/{name} differs from what nbgrader makes of solutions/")
    print(
        "\n".join(wrong) + "\nRun: make build"
        if wrong
        else "notebooks, solutions and exercises are up to date"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit({"build": build, "check": check}[sys.argv[1] if len(sys.argv) > 1 else "build"]())
    except (ValueError, NbGraderError) as error:
        sys.exit(f"build: {error}")
