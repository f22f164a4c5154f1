"""How units are spelled, in one list of rules, held against every text that a reader sees.

Prose is checked without its code. Of Python files each text of more than a word is read: prompts, hints,
printed lines, titles of figures, messages. So are the printed lines and the figures of built lessons.
"""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from authoring.checks.texts import ROOT, Passage, prose, without_code

UNIT = (
    "(?:[KMGT]i?B|[KMG]iB|kbit|Mbit|[pnuµm]?J|[nuµm]?W|[pnuµm]s|min|[kMG]?Hz|mAh|V|mA|µA|"
    "[KMGT]?MACs?|[kMGT]?FLOPs?|EUR)"
)


@dataclass(frozen=True)
class Rule:
    """A spelling that is wrong, what is right instead, and whether prose alone is held to it."""

    wrong: re.Pattern
    say: str
    prose_only: bool = False


def rule(wrong: str, say: str, prose_only: bool = False) -> Rule:
    """A rule whose pattern stands between two ends of words."""
    return Rule(re.compile(rf"(?<![\w.])(?:{wrong})(?![\w(])"), say, prose_only)


RULES = (
    rule(r"k[bB]|Kb|[MG]b|[mg]B|(?<=\d )(?:kib|mib|gib|kb|mb|gb)", "KB, MB, KiB, MiB; bits are kbit, Mbit"),
    rule(r"\d[\d,.]*" + UNIT + r"(?:/s)?", "a space stands between number and unit"),
    rule(r"u[JWA]|(?<=[\d0] )us|(?<=\[)us(?=\])", "micro is µ: µs, µJ, µW, µA"),
    rule(r"\b[KMGT]?FLOPS", "a rate is FLOP/s, a count FLOPs"),
    rule(r"[KMGT]?(?:FLOP|MAC)s/s", "a rate is FLOP/s or MAC/s, without a plural"),
    rule(r"[KMGT](?:FLOP|MAC)s", "a unit with a prefix has no plural: GFLOP, MMAC"),
    rule(r"[KMGTkmgt]?flops?|[kmgt]?macs?", "FLOP and MAC are in capitals", True),
    rule(r"[KMGkmg]?(?:HZ|hz)|KHz|mHz", "Hz, kHz, MHz, GHz"),
    rule(r"mAH|mah", "mAh", True),
    rule(r"[mun]?secs?|(?<=\d )sec", "s, ms, µs"),
    rule(r"Int-?8|int-8|INT-8|Int ?16|Fp(?:16|32)|fp-?(?:16|32)", "INT8, INT16, FP16, FP32", True),
    rule(r"u?int(?:4|8|16|32)", "INT8 and UINT8 as a format; in code between backticks", True),
    rule(r"\d[\d,.]*%", "a space stands before %", True),
)  # fmt: skip
FIELD = re.compile(r"\{[^{}\n]*\}")  # of a prompt: a number stands there
FIGURE = re.compile(r"<(?:title|desc|text|tspan)[^>]*>([^<]*)<")


def literals(path: Path) -> Iterator[Passage]:
    """The texts of more than a word in a Python file; a field of an f-string or a prompt is a number."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {id(v) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for v in n.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = ""
            for v in node.values:
                text += v.value if isinstance(v, ast.Constant) else "0 G" if _prefixed(v) else "0"
            yield Passage(path, node.lineno, text, False)
        elif isinstance(node, ast.Constant) and id(node) not in inner and " " in str(node.value).strip():
            yield Passage(path, node.lineno, FIELD.sub("0", str(node.value)), False)


def _prefixed(field: ast.expr) -> bool:
    """Whether a field already ends in a prefix: `short` writes "312 G"."""
    return "id='short'" in ast.dump(field)


def built() -> Iterator[Passage]:
    """What built lessons print and draw: output streams, and the words of their figures."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                drawn = FIGURE.findall("".join(data.get("image/svg+xml", [])))
                for text in ("".join(output.get("text", [])), "".join(data.get("text/plain", [])), *drawn):
                    yield Passage(path, 1, text, False)


def python() -> list[Path]:
    """The Python files whose texts a reader meets; `units` reads every spelling, others hold C."""
    found = [p for f in ("tinylib", "authoring", "grading", "site") for p in (ROOT / f).rglob("*.py")]
    kept = [p for p in found if not {"out", "cache", "checks"} & set(p.relative_to(ROOT).parts)]
    return sorted(p for p in kept if not p.name.startswith(("c99", "programs", "harness", "units")))


def data() -> Iterator[Passage]:
    """The texts of data rows: claims, sources, notes."""
    for path in sorted((ROOT / "tinylib").rglob("*.toml")):
        yield Passage(path, 1, path.read_text(encoding="utf-8"), False)


def wrong(passage: Passage) -> list[str]:
    """What is misspelled in one passage, with place, spelling and rule."""
    text = without_code(passage.text)
    found = []
    for r in RULES:
        if passage.prose or not r.prose_only:
            for hit in r.wrong.finditer(text):
                found.append(f"{passage.at(hit.start())} {hit.group()!r}: {r.say}")
    return found


def findings() -> list[str]:
    """Misspelled units in prose, texts of code, and built lessons."""
    passages = [*prose(), *(p for path in python() for p in literals(path)), *data(), *built()]
    return sorted({line for p in passages for line in wrong(p)})
