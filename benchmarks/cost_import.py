"""Milliseconds that importing the cost room adds to a bare interpreter: medians of interleaved runs."""

import statistics
import subprocess
import sys
import time

PROGRAMS = {
    "bare": "pass",
    "import tinylib.cost": "import tinylib.cost",
    "every module of it": "from tinylib.cost import devices, layers, memory, models, roofline",
}


def seconds(program: str) -> float:
    """Wall time of one interpreter running `program` [s]."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.perf_counter() - start


def main(runs: int = 30) -> None:
    """Print what each program takes above the bare interpreter, run in turns so that drift cancels."""
    rounds = [{name: seconds(program) for name, program in PROGRAMS.items()} for _ in range(runs + 1)][1:]
    print(f"bare interpreter     {statistics.median(r['bare'] for r in rounds) * 1e3:6.1f} ms, {runs} rounds")
    for name in list(PROGRAMS)[1:]:
        print(f"{name:20}+{statistics.median(r[name] - r['bare'] for r in rounds) * 1e3:6.1f} ms")


if __name__ == "__main__":
    main()
