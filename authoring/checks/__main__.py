"""Print what is rotten in the book: `python -m authoring.checks`; exit status 1 when anything is."""

import sys

from authoring.checks import circles, concepts, exercises, links, modules, outputs, public, spelling

CHECKS = {
    "links": links,
    "concepts": concepts,
    "units": spelling,
    "exercises": exercises,
    "cells": outputs,
    "modules": modules,
    "circles": circles,
    "public names": public,
}


def main() -> int:
    """One line for each finding, then a count by kind."""
    found = {kind: check.findings() for kind, check in CHECKS.items()}
    for kind, lines in found.items():
        for line in lines:
            print(f"{kind}: {line}")
    print("the book: " + ", ".join(f"{kind} {len(lines) or 'sound'}" for kind, lines in found.items()))
    return int(any(found.values()))


if __name__ == "__main__":
    sys.exit(main())
