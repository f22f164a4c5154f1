"""Golden runner: `python tests/golden.py DIR [--progress]` holds the library against reference vectors.

Walks DIR/*.json and DIR/tflite/*.json, hands each case to its check in `golden_checks` and counts every
value. A value passes when it is equal (or within its tolerance), is set aside when it differs just where a
defect listed in `golden_aside.toml` bites, and fails otherwise; an unreadable file, a case that no check
knows and a check that raises fail too. The last line is `N passed, M failed, K set aside`.
"""

import argparse
import importlib
import json
import math
import pkgutil
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, from any directory

import tests.golden_checks as checks_package  # noqa: E402
from tests.golden_checks import Compared  # noqa: E402

Case = dict[str, Any]
Check = Callable[[Case], Iterable[Compared]]
SHOWN = 20  # failures printed


class Failure(NamedTuple):
    """One value, or one case as a whole, that did not hold."""

    file: str
    case: str
    path: str
    got: Any
    want: Any


class Tally(NamedTuple):
    """Counts of one file, its failures, and how often each defect was met."""

    file: str
    passed: int
    failures: list[Failure]
    aside: Counter


def defects() -> list[dict]:
    """The listed defects: name, case kinds, paths (patterns) and reason."""
    return tomllib.loads((ROOT / "tests" / "golden_aside.toml").read_text())["defect"]


def discover() -> tuple[dict[str, Check], list[Failure]]:
    """Every check by case kind, and a failure for each module that does not load."""
    found: dict[str, Check] = {}
    broken = []
    for module in pkgutil.iter_modules(checks_package.__path__):
        name = f"{checks_package.__name__}.{module.name}"
        try:
            found |= importlib.import_module(name).CHECKS
        except Exception as error:
            broken.append(Failure("-", "-", name, repr(error), "a module with CHECKS"))
    return found, broken


def flat(values: Any) -> list:
    """Numbers of nested sequences or of an array, in order."""
    if hasattr(values, "tolist"):
        values = values.tolist()
    if isinstance(values, list | tuple):
        return [number for item in values for number in flat(item)]
    return [values]


def same(got: Any, want: Any, rtol: float) -> bool:
    """Equal, or within rtol of |want| (of 0.001 where |want| is smaller); NaN is never right."""
    if want is None or got is None or isinstance(want, str):
        return got == want
    return got == want if rtol == 0 else math.isclose(got, want, rel_tol=rtol, abs_tol=rtol * 1e-3)


def fraction(case: Case) -> int | None:
    """Fractional bits of the codes of a case, when it holds a Q format."""
    fixed = re.fullmatch(r"U?Q\d+\.(\d+)", str(case.get("format")))
    return int(fixed[1]) if fixed else None


def mirrored(case: Any, frac_bits: int, path: str = "") -> Iterator[Compared]:
    """Wherever a record holds raw codes `x_raw` and numbers `x`: the numbers that the codes stand for.

    `frac_bits` is what the name of the format says, so the field is compared as well.
    """
    if isinstance(case, list):
        for i, item in enumerate(case):
            if isinstance(item, dict):
                yield from mirrored(item, frac_bits, f"{path}[{i}].")
    elif isinstance(case, dict):
        if "frac_bits" in case:
            yield Compared(f"{path}frac_bits", frac_bits, case["frac_bits"])
        for name, value in case.items():
            if (codes := case.get(f"{name}_raw")) is not None:
                values = [None if c is None else math.ldexp(c, -frac_bits) for c in flat(codes)]
                yield Compared(f"{path}{name}", values, value)
            elif isinstance(value, list | dict):
                yield from mirrored(value, frac_bits, f"{path}{name}" + "." * isinstance(value, dict))


class Run:
    """One pass over some files."""

    def __init__(self) -> None:
        self.checks, self.broken = discover()
        self.defects = defects()

    def listed(self, kind: str, compared: Compared) -> bool:
        """Whether the defect of a comparison is listed for this kind of case and this path."""
        return any(
            d["name"] == compared.defect
            and any(fnmatch(kind, pattern) for pattern in d["cases"])
            and any(fnmatch(compared.path, pattern) for pattern in d["paths"])
            for d in self.defects
        )

    def judge(self, file: str, label: str, kind: str, compared: Compared, tally: Tally) -> int:
        """Passed values of one comparison; failures and defects met go to the tally."""
        got, want = flat(compared.got), flat(compared.want)
        if len(got) != len(want):
            tally.failures.append(
                Failure(file, label, compared.path, f"{len(got)} values", f"{len(want)} values")
            )
            return 0
        wrong = [i for i, (g, w) in enumerate(zip(got, want)) if not same(g, w, compared.rtol)]
        if wrong:
            mask, instead = flat(compared.where), flat(compared.instead)
            mask = mask * len(want) if len(mask) == 1 else mask
            listed = compared.defect and self.listed(kind, compared)
            for i in wrong:
                known = compared.instead is None or same(instead[i], want[i], compared.rtol)
                if listed and mask[i] and known:
                    tally.aside[compared.defect] += 1
                else:
                    path = f"{compared.path}[{i}]" if len(want) > 1 else compared.path
                    tally.failures.append(Failure(file, label, path, got[i], want[i]))
        return len(want) - len(wrong)

    def cases(self, record: Any) -> list[tuple[str, Case]]:
        """(kind, case) of a file: its cases, or the file as a whole where it describes one operator."""
        if "op" in record:
            return [(f"tflite:{record['op']}", record)]
        return [(case["case"], case) for case in record["cases"]]

    def file(self, path: Path, root: Path) -> Tally:
        """Everything that one file says."""
        name = path.relative_to(root).as_posix()
        tally, passed = Tally(name, 0, [], Counter()), 0
        try:
            cases = self.cases(json.loads(path.read_text(encoding="utf-8")))
        except Exception as error:
            tally.failures.append(Failure(name, "-", "file", repr(error), "readable cases"))
            return tally
        if not cases:
            tally.failures.append(Failure(name, "-", "cases", "none", "at least one"))
        for i, (kind, case) in enumerate(cases):
            label, found = f"{i} {kind}", 0
            if kind not in self.checks:
                tally.failures.append(Failure(name, label, "case", "no check", "a known kind of case"))
                continue
            try:
                for compared in self.checks[kind](case):
                    found += len(flat(compared.want))
                    passed += self.judge(name, label, kind, compared, tally)
                bits = fraction(case)
                for compared in mirrored(case, bits) if bits is not None else ():
                    passed += self.judge(name, label, kind, compared, tally)
            except Exception as error:
                tally.failures.append(Failure(name, label, "check", repr(error), "a check that runs"))
                continue
            if not found:
                tally.failures.append(Failure(name, label, "check", "no value", "values to compare"))
        return tally._replace(passed=passed)


def paths(root: Path) -> list[Path]:
    """The files of a directory: its own, then those of tflite/."""
    return sorted(root.glob("*.json")) + sorted(root.glob("tflite/*.json"))


def watched(files: list[Path], shown: bool) -> Iterable[Path]:
    """The files, behind a progress bar where one is wanted and tqdm is installed."""
    if shown:
        try:
            from tqdm import tqdm
        except ModuleNotFoundError:
            return files
        return tqdm(files, desc="golden", unit="file")
    return files


def main(arguments: list[str] | None = None) -> int:
    """Run, print, and return the exit status: 0 only if something passed and nothing failed."""
    parser = argparse.ArgumentParser(description="Hold tinylib against reference vectors, value by value.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--progress", action="store_true", help="show a bar even where stderr is no terminal")
    options = parser.parse_args(arguments)
    if not options.directory.is_dir():
        parser.error(f"directory must exist, got {options.directory}")
    run = Run()
    files = paths(options.directory)
    bar = options.progress or sys.stderr.isatty()
    tallies = [run.file(path, options.directory) for path in watched(files, bar)]
    failures = run.broken + [failure for tally in tallies for failure in tally.failures]
    aside = sum((tally.aside for tally in tallies), Counter())
    print(f"{'file':32} {'passed':>8} {'failed':>8} {'set aside':>10}")
    for tally in tallies:
        print(f"{tally.file:32} {tally.passed:8} {len(tally.failures):8} {tally.aside.total():10}")
    for name, times in sorted(aside.items()):
        print(f"set aside {times} times: {name}")
    for failure in failures[:SHOWN]:
        file, case, path, got, want = failure
        print(f"FAILED {file} case {case}: {path}: got {got}, want {want}")
    if len(failures) > SHOWN:
        print(f"... and {len(failures) - SHOWN} more")
    passed = sum(tally.passed for tally in tallies)
    print(f"{passed} passed, {len(failures)} failed, {aside.total()} set aside")
    return 0 if passed and not failures else 1


if __name__ == "__main__":
    sys.exit(main())
