"""Search networks for a microcontroller: `python -m tinylib.compress search --device stm32l011 --jobs 2`.

Prints the front of accuracy against MACs on the digits. The same seed prints the same, for any --jobs;
with --journal FILE a search that was stopped goes on where it was.
"""

import argparse
import json
import sys
from dataclasses import asdict

from tinylib.compress import search
from tinylib.cost import devices

COLUMNS = ("network", "validation", "test", "MACs", "SRAM", "flash", "found in")


def table(candidates: list[search.Candidate]) -> str:
    """The candidates as aligned text."""
    rows = [
        (
            str(c.genome),
            f"{c.accuracy:.3f}",
            f"{c.test_accuracy:.3f}",
            f"{c.macs:,}",
            f"{c.sram_bytes:,} B",
            f"{c.flash_bytes:,} B",
            f"generation {c.generation}",
        )
        for c in candidates
    ]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows)]
    lines = [
        "  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths)))
        for row in (COLUMNS, *rows)
    ]
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    """The arguments of `search`."""
    top = argparse.ArgumentParser(prog="python -m tinylib.compress", description=__doc__.splitlines()[0])
    commands = top.add_subparsers(dest="command", required=True)
    add = commands.add_parser("search", help="evolve networks that fit a device").add_argument
    add("--device", default="stm32l011", metavar="ID", help=f"one of {', '.join(devices.DEVICES)}")
    add("--share", type=float, default=0.5, help="share of SRAM and flash for the model (0.5)")
    add("--latency-ms", type=float, help="deadline for the multiply-accumulates alone")
    add("--generations", type=int, default=8)
    add("--population", type=int, default=12, help="networks trained in each generation")
    add("--epochs", type=int, default=6)
    add("--seed", type=int, default=0)
    add("--jobs", type=int, default=1, help="processes on this machine")
    add("--scheduler", default="", help="address of a running Dask scheduler, such as tcp://node1:8786")
    add("--journal", metavar="FILE", help="keep every candidate here, and go on from what it holds")
    add("--json", action="store_true", help="all candidates as JSON instead of the front as text")
    return top


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 printed, 2 one sentence on stderr."""
    options = parser().parse_args(arguments)
    try:
        limits = search.budget(options.device, options.share, options.latency_ms)
        found = search.evolve(
            limits,
            options.generations,
            options.population,
            options.seed,
            options.epochs,
            jobs=options.jobs,
            scheduler=options.scheduler,
            journal=options.journal,
            progress=sys.stderr.isatty(),
        )
    except (ValueError, TypeError, OSError, ImportError) as error:
        print(f"tinylib.compress: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        kept = (
            f"{options.journal} holds what is done" if options.journal else "nothing was kept: see --journal"
        )
        print(f"tinylib.compress: stopped; {kept}", file=sys.stderr)
        return 130
    if options.json:
        print(json.dumps([asdict(c) for c in found], indent=1))
    else:
        budget = f"{limits.sram_bytes:,} B SRAM, {limits.flash_bytes:,} B flash"
        budget += "" if options.latency_ms is None else f", {limits.macs:,.0f} MACs"
        print(f"{len(found)} networks trained within {budget} of {options.device}\n")
        print(table(search.front(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
