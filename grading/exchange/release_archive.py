"""The archive that students get: files on a list, in a zip that is the same every time, with no key inside.

What may go in is written down; everything else stays. Before the file is written, every member is searched
for what must not leave: lines of private keys and of solutions, hidden tests, instructor folders, outputs.
"""

import argparse
import ast
import io
import json
import os
import re
import zipfile
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path

from grading.book.course import HERE, in_words

TOP = "tinyml-workbook"
FILES = (
    "README.md",
    "LICENSE",
    "LICENSE-TEXT",
    "CHANGELOG.md",
    "CITATION.cff",
    "CODE_OF_CONDUCT.md",
    "Makefile",
    "bootstrap.py",
    "environment.yml",
    "postBuild",
    "pyproject.toml",
    "requirements.lock",
    "docs/lesson03.png",  # the picture in README.md
)
FOLDERS = {  # folder -> what its files are called
    "exercises": re.compile(r"(?P<assignment>\w[\w.-]*)/\w[\w .-]*\.(ipynb|json|csv|npz|png|toml|txt)"),
    "notebooks": re.compile(r"[\w.-]+\.ipynb"),
    "locks": re.compile(r"[a-z]+\.lock"),
    "tinylib": re.compile(r"([a-z][\w-]*/)*\w+\.(py|toml|json|npz|c|h|ld|js|md)"),
}
NEEDED = ("README.md", "LICENSE", "LICENSE-TEXT", "bootstrap.py", "pyproject.toml", "requirements.lock")
DATE = (1980, 1, 1, 0, 0, 0)
MARKS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "BEGIN MARK SCHEME", "grading.stock")
INSTRUCTOR = re.compile(r"(authoring|solutions|grading|tests)/")
LINK = re.compile(r"(?<!!)\[(?P<words>[^\]]+)\]\((?P<to>[^)#:\s]+)\)")
SHORTEST = 24  # characters of a line without spaces: a shorter one is everybody's, such as return x
TEACHING, COMMON, REPEATS = ("tinylib/", "notebooks/"), 60, 3  # these may share a short line with a key: they
# teach the same formulas; but no long one, and not more than a few with one key


class ReleaseError(ValueError):
    """No archive is written; the message is one sentence."""


def members(root: Path, assignments: Iterable[str] = ()) -> dict[str, bytes]:
    """Name -> content of every file that students get; assignments: only these, all when empty.

    Raises ReleaseError for a link on the list and for what is missing.
    """
    wanted, found = set(assignments), {}
    for name in FILES:
        if (root / name).exists():
            found[name] = _content(root, root / name)
    for folder, pattern in FOLDERS.items():
        for path in sorted((root / folder).rglob("*")):
            match = pattern.fullmatch(path.relative_to(root / folder).as_posix())
            assignment = match and match.groupdict().get("assignment")
            if match and not path.is_dir() and (not wanted or assignment is None or assignment in wanted):
                found[path.relative_to(root).as_posix()] = _content(root, path)
    there = {name.split("/")[1] for name in found if name.startswith("exercises/")}
    missing = [n for n in NEEDED if n not in found] + [f"exercises/{n}" for n in sorted(wanted - there)]
    if missing or not there:
        raise ReleaseError(f"a release needs {', '.join(missing) or 'exercises/'}, found none in {root}")
    found["README.md"] = unlinked(found["README.md"].decode(), found).encode()
    return found


def unlinked(text: str, names: Container[str]) -> str:
    """Markdown whose links to files that are not among these are words alone; pictures and addresses stay."""
    return LINK.sub(lambda m: m[0] if m["to"] in names else m["words"], text)


def _content(root: Path, path: Path) -> bytes:
    if path.is_symlink() or not path.resolve().is_relative_to(root.resolve()):
        raise ReleaseError(f"a release holds files, not links, got {path.relative_to(root)}")
    return path.read_bytes()


def leaks(found: Mapping[str, bytes], root: Path) -> list[str]:
    """One sentence for each thing in the members that must not leave; the sources are those in `root`."""
    texts = {name: _spoken(name, content) for name, content in found.items()}
    said = [f"{name} lies in an instructor's folder" for name in found if INSTRUCTOR.match(name)]
    for name, text in texts.items():
        if name.startswith("exercises/"):
            said += [f"{name} holds {mark!r}" for mark in MARKS if mark in text]
            cells = json.loads(found[name]).get("cells", []) if name.endswith(".ipynb") else []
            said += [f"{name} holds outputs"] if any(cell.get("outputs") for cell in cells) else []
    squeezed = {name: _squeezed(text) for name, text in texts.items()}
    everything = "\0".join(squeezed.values())
    repeated: Counter[tuple[str, str]] = Counter()
    for source, private in private_parts(root):
        sought = _squeezed(private)
        holders = [name for name, text in squeezed.items() if sought in text] if sought in everything else []
        if any(not name.startswith(TEACHING) for name in holders) or len(sought) > COMMON:
            said += [f"{name} holds {private.strip()[:60]!r} of {source}" for name in holders]
        else:
            repeated.update((name, source) for name in holders)
    return said + [f"{n} repeats {k} lines of {source}" for (n, source), k in repeated.items() if k > REPEATS]


def private_parts(root: Path) -> Iterator[tuple[str, str]]:
    """(source, text) of all that must stay: functions and sentences of keys, solutions of assignments.

    What a key shares with the release (prompt, title, unit, names, numbers) is not private.
    """
    for path in sorted((root / "authoring" / "keys").glob("*.py")):
        texts = dict.fromkeys(_key_parts(path.read_text(encoding="utf-8")))
        yield from ((f"authoring/keys/{path.name}", t) for t in texts if len(_squeezed(t)) >= SHORTEST)
    for path in sorted((root / "solutions").glob("*/*.ipynb")):
        blocks = solution_blocks(path)
        texts = dict.fromkeys(text for block in blocks for text in (block, *block.splitlines()))
        source = path.relative_to(root).as_posix()
        yield from ((source, text) for text in texts if len(_squeezed(text)) >= SHORTEST)


def solution_blocks(path: Path) -> list[str]:
    """The text between each BEGIN SOLUTION and END SOLUTION of an instructor's notebook."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    pattern = re.compile(r"^[ \t]*### BEGIN SOLUTION\n(.*?)^[ \t]*### END SOLUTION", re.DOTALL | re.MULTILINE)
    return [block for cell in cells for block in pattern.findall("".join(cell["source"]) + "\n")]


def _key_parts(text: str) -> Iterator[str]:
    """Functions, lambdas and sentences of a key file, but for the arguments that a release shows."""
    tree, lines = ast.parse(text), text.encode().splitlines(keepends=True)
    public = {id(n) for call in ast.walk(tree) if isinstance(call, ast.Call) for n in _released(call)}
    for node in ast.walk(tree):
        if id(node) in public:
            continue
        if isinstance(node, ast.FunctionDef):
            yield "\n".join(parts := [_segment(lines, part) for part in node.body])
            yield from parts
        elif isinstance(node, ast.Lambda):
            yield _segment(lines, node.body)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _segment(lines: list[bytes], node: ast.stmt | ast.expr) -> str:
    """The source of a node; ast.get_source_segment would cut the text into lines for each one."""
    part = lines[node.lineno - 1 : node.end_lineno]
    part[-1] = part[-1][: node.end_col_offset]
    part[0] = part[0][node.col_offset :]
    return b"".join(part).decode()


def _released(call: ast.Call) -> Iterator[ast.AST]:
    """The nodes below the arguments that `release.json` shows to students."""
    shown = ("prompt", "title", "unit", "given", "draws", "id", "examples", "form")
    for argument in call.keywords:
        if argument.arg in shown:
            yield from ast.walk(argument.value)
    if isinstance(call.func, ast.Name) and call.func.id in ("key", "Trial"):
        yield from (n for a in call.args if not isinstance(a, ast.Lambda) for n in ast.walk(a))


def _spoken(name: str, content: bytes) -> str:
    """A member as text; of a notebook or JSON also every string in it as it reads."""
    text = content.decode("utf-8", "replace")
    if name.endswith((".ipynb", ".json")):
        return text + "\n" + "\n".join(_strings(json.loads(text)))
    return text


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        if value and all(isinstance(v, str) for v in value):
            yield "".join(value)
        else:
            for item in value:
                yield from _strings(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)


def _squeezed(text: str) -> str:
    """Text without spaces and quotes: how a line is laid out or quoted makes it no other line."""
    return re.sub(r"[\s\"'\\]+", "", text)


def packed(found: Mapping[str, bytes], top: str = TOP) -> bytes:
    """The members as a zip that depends on nothing but them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(found):
            info = zipfile.ZipInfo(f"{top}/{name}", DATE)
            info.create_system, info.external_attr = 3, 0o100644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, found[name])
    return out.getvalue()


def release(root: Path, target: Path, assignments: Iterable[str] = ()) -> tuple[int, int]:
    """Write the archive; (files, bytes). Raises ReleaseError when anything private is found."""
    found = members(root, assignments)
    if said := leaks(found, root):
        more = f", and {len(said) - 1} more" if len(said) > 1 else ""
        raise ReleaseError(f"a release must hold nothing private: {said[0]}{more}")
    content = packed(found)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    part.write_bytes(content)
    os.replace(part, target)
    return len(found), len(content)


def add_command(commands: argparse._SubParsersAction) -> None:
    """Register `release`."""
    one = commands.add_parser("release", help="pack what students get, and prove that no key is inside")
    one.add_argument("assignments", nargs="*", help="only these (default: all)")
    one.add_argument("--out", type=Path, default=Path("dist") / f"{TOP}.zip", metavar="FILE")
    one.add_argument("--course", type=Path, default=HERE, help="the workbook's folder")
    one.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        count, size = release(options.course, options.out, options.assignments)
    except (ReleaseError, OSError, SyntaxError, json.JSONDecodeError) as error:
        print(f"release: {in_words(error)}")
        return 2
    print(f"{options.out}: {count} files, {size / 1e6:.1f} MB, searched for keys and solutions")
    return 0
