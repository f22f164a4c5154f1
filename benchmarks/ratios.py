"""Networks and number formats beside named peers: one table of ratios, one picture, one dated page.

Each script of benchmarks/peers measures in a process of its own, on one thread, ours and the peer in turn.
A ratio is the peer's time over ours: above 1 we are faster. Writes RESULTS.md and results/ratios.svg
beside this file; --keep leaves them as they are.

    python benchmarks/ratios.py [--only xor,kan] [--keep]
"""

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from tqdm import tqdm

from tinylib.show import svg

HERE = Path(__file__).resolve().parent
PAGE, PICTURE = HERE / "RESULTS.md", HERE / "results" / "ratios.svg"
PACKAGES = ("numpy", "torch", "apytypes", "fxpmath", "ncps", "pykan", "ai-edge-litert")
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
RUN = "import json, sys; sys.path.insert(0, {folder!r}); import {name}; print(json.dumps({name}.rows()))"


def measured(name: str) -> list[dict]:
    """The rows of one script; a script that fails gives one row that says so."""
    code = RUN.format(folder=str(HERE / "peers"), name=name)
    paths = os.pathsep.join(filter(None, (str(HERE.parent), os.environ.get("PYTHONPATH"))))
    env = os.environ | THREADS | {"PYTHONPATH": paths}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return [{"work": name, "peer": "", "ratio": None, "note": f"failed: {reason}"}]
    return json.loads(done.stdout.strip().splitlines()[-1])


def verdict(row: dict) -> str:
    """How a ratio stands to its goals."""
    if row["ratio"] is None:
        return "not measured"
    must, aim = row.get("must"), row.get("aim")
    if must is None:
        return "slower" if row["ratio"] < 1 else ""
    if row["ratio"] < must:
        return "short of the goal"
    return "aim" if aim is not None and row["ratio"] >= aim else "goal"


def table(rows: list[dict]) -> str:
    """The rows as a Markdown table."""
    lines = ["| work | peer | ratio | must | aim | | note |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        numbers = (f"{row[k]:.3g}" if row.get(k) is not None else "" for k in ("ratio", "must", "aim"))
        cells = (row["work"], row["peer"], *numbers, verdict(row), row.get("note") or "")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def picture(rows: list[dict]) -> str:
    """Ratios as bars from 1 on a log axis, to the right where we are faster, goals as marks [text]."""
    rows = [row for row in rows if row["ratio"]]
    plot = svg.axes(
        svg.Axis("time of the peer / time of tinylib, by powers of ten", 0.1, 1000, log=True),
        left=330, top=84, width=330, height=26 * len(rows),
    )  # fmt: skip
    parts = [svg.text(24, 34, "How much faster than the peer", size=18, bold=True), plot.body]
    parts.append(
        svg.text(24, 55, "one thread; | what must hold, ¦ the aim; left of 1 the peer wins", "muted")
    )
    for i, row in enumerate(rows):
        y, one, end = plot.top + 26 * i + 4, plot.x(1), plot.x(row["ratio"])
        role = "over_budget" if row["ratio"] < (row.get("must") or 1) else "weights"
        parts.append(svg.text(322, y + 13, f"{row['work']} | {row['peer']}", "ink", 11, "end"))
        parts.append(svg.rect(min(one, end), y, max(abs(end - one), 1), 17, role, f"{row['ratio']:.3g} x"))
        for goal, dash in ((row.get("must"), ""), (row.get("aim"), "2 2")):
            if goal:
                parts.append(svg.line(plot.x(goal), y - 3, plot.x(goal), y + 20, "ink", 2, dash))
        parts.append(svg.text(668, y + 13, f"{row['ratio']:.3g}", "ink", 12, bold=True))
    spoken = "; ".join(f"{row['work']} against {row['peer']} {row['ratio']:.3g}" for row in rows)
    height = plot.top + plot.height + 60
    return svg.picture("How much faster than the peer", f"{spoken}.", "".join(parts), 720, height)


def versions() -> str:
    """Python and the packages that took part."""
    found = [f"Python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} absent")
    return ", ".join(found)


def machine() -> str:
    """The processor, as the system names it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{name or platform.processor() or 'unknown processor'}, {os.cpu_count()} cores"


def page(rows: list[dict]) -> str:
    """The dated page of results."""
    lost = [f"{row['work']} ({row['peer']}: {row['ratio']:.2g})" for row in rows if (row["ratio"] or 1) < 1]
    loses = f"The peer is faster in: {'; '.join(lost)}." if lost else "No peer is faster in these rows."
    return "\n".join(
        [
            "# Results",
            "",
            f"{datetime.date.today()}, {machine()}, one thread. {versions()}.",
            "",
            "A ratio is the peer's time over ours, median of interleaved rounds in one run: above 1 we are",
            "faster. Results were equal before they were timed. Other benchmarks: `results/`.",
            "",
            table(rows),
            "",
            loses,
            "",
            "![Ratios as bars](results/ratios.svg)",
            "",
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", default="", help="scripts of benchmarks/peers, with commas between")
    parser.add_argument("--keep", action="store_true", help="do not write RESULTS.md and ratios.svg")
    options = parser.parse_args()
    names = [p.stem for p in sorted((HERE / "peers").glob("*.py")) if p.stem != "beside"]
    wanted = [name for name in names if not options.only or name in options.only.split(",")]
    rows: list[dict] = []
    for name in (bar := tqdm(wanted, disable=not sys.stderr.isatty())):
        bar.set_description(name)
        rows += measured(name)
    print(page(rows))
    if not options.keep and not options.only:
        PAGE.write_text(page(rows), encoding="utf-8")
        PICTURE.write_text(picture(rows), encoding="utf-8")
    return int(any(row["note"].startswith("failed") for row in rows if row["ratio"] is None))


if __name__ == "__main__":
    sys.exit(main())
