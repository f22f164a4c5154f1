"""Files that are no notebook, or hardly one."""

import copy
import json
import os

from tests.hostile.work import FULL, attack, claims, solutions

BROKEN = "broken files"


def honest(work) -> None:
    for cell, source in solutions().items():
        work.put(cell, source)


@attack(BROKEN, says="got an empty file")
def empty_file(work):
    """A file of no bytes."""
    return b""


@attack(BROKEN, says="must be JSON")
def not_json(work):
    """A text that is not JSON."""
    return b"Dear grader, my notebook would not save. Kind regards"


@attack(BROKEN, says="must be JSON")
def cut_short(work):
    """A notebook whose second half is missing."""
    raw = work.raw()
    return raw[: len(raw) // 2]


@attack(BROKEN, says="must be a JSON object")
def other_json(work):
    """JSON, but a list."""
    return b"[1, 2, 3]"


@attack(BROKEN, says="must hold a list of cells")
def no_cells(work):
    """A notebook without cells."""
    return b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}'


@attack(BROKEN, says="nested too deep")
def deep_json(work):
    """JSON nested a hundred thousand lists deep."""
    return b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@attack(BROKEN)
def odd_cells(work):
    """Cells that are numbers, lists and nothing; sources that are objects."""
    work.notebook["cells"] = [None, 3, [], "x", {}, {"cell_type": "code"}, {"cell_type": 3, "source": {}}]
    work.notebook["cells"] += [{"cell_type": "code", "source": [1, None]}, {"cell_type": "x", "source": "y"}]


@attack(BROKEN, earns=FULL, says="format 3")
def format_three(work):
    """Honest work in nbformat 3, as old programs write it."""
    honest(work)
    cells = []
    for cell in copy.deepcopy(work.cells):
        if cell["cell_type"] == "code":
            cell |= {"input": cell.pop("source"), "language": "python", "collapsed": False, "outputs": []}
            cell["prompt_number"] = cell.pop("execution_count")
        cells.append(cell)
    sheet = {"cells": cells, "metadata": {}}
    return json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [sheet]}).encode()


@attack(BROKEN, earns=FULL, says="format 5")
def format_five(work):
    """Honest work that says it is nbformat 5, which does not exist yet."""
    honest(work)
    work.notebook |= {"nbformat": 5, "nbformat_minor": 99}


@attack(BROKEN, earns=FULL, says="not UTF-8")
def bad_utf8(work):
    """Honest work with a comment in another encoding."""
    honest(work)
    work.extra("# Fran$c", after="begin")
    return work.raw().replace(b"Fran$c", b"Fran\xe7")


@attack(BROKEN, earns=FULL)
def utf16(work):
    """Honest work saved as UTF-16."""
    honest(work)
    return work.raw().decode().encode("utf-16")


@attack(BROKEN, earns=FULL)
def byte_order_mark(work):
    """Honest work with a byte-order mark and Windows line ends."""
    honest(work)
    for cell in work.cells:
        cell["source"] = "".join(cell["source"]).replace("\n", "\r\n")
    return b"\xef\xbb\xbf" + json.dumps(work.notebook, indent=1).encode().replace(b"\n", b"\r\n")


@attack(BROKEN)
def surrogates(work):
    """Lone surrogates in sources, names and metadata, which no file can hold."""
    work.extra("text = '\ud800'\nprint(text)")
    work.every("'\ud800'")
    work.notebook["metadata"]["title"] = "\udfff"
    claims(work.checks()[0])["grade_id"] = "\ud800"


@attack(BROKEN)
def doubled_keys(work):
    """JSON with every key twice and numbers that are none."""
    raw = work.raw().replace(b'"cell_type":', b'"cell_type": "x", "cell_type":')
    return raw.replace(b'"points": 1.0', b'"points": 1, "points": Infinity')


@attack(BROKEN)
def null_bytes(work):
    """Null bytes in the sources of every cell."""
    for cell in work.cells:
        cell["source"] = "".join(cell["source"]) + "\0"


@attack(BROKEN, says="at most 20 MB", how="sparse")
def giant_file(work):
    """A file of 200 MB."""


@attack(BROKEN, says="missing|no notebook|not handed in|found", how="missing")
def missing_notebook(work):
    """A folder without the notebook."""
    work.files["readme.txt"] = b"see my email"


@attack(BROKEN, how="folder")
def folder_instead(work):
    """A folder in the notebook's place."""


@attack(BROKEN, how="link")
def link_instead(work):
    """A link to a classmate's notebook in the notebook's place."""


@attack(BROKEN, how="loop")
def link_to_itself(work):
    """A link to itself in the notebook's place."""


@attack(BROKEN, how="pipe")
def pipe_instead(work):
    """A named pipe in the notebook's place, at which a reader waits for ever."""


@attack(BROKEN, how="unreadable", stock=False)
def unreadable_file(work):
    """A file that may not be read; where the grader is root it is graded as it is."""


@attack(BROKEN, says="not handed in, found 'a", how="missing")
def names_beside(work):
    """Notebooks of other names, which clear a terminal and are not UTF-8, in place of the one asked for."""
    work.files = {"a\x1b[2J\x1b]0;owned\x07.ipynb": b"", os.fsdecode(b"b\xff.ipynb"): b""}


@attack(BROKEN, says="timestamp.txt must hold a time")
def first_day(work):
    """A time of handing in on the first of all days, before which no calendar reaches."""
    work.files["timestamp.txt"] = b"0001-01-01 00:00:00+14:00"


@attack(BROKEN, says="got a link", how="student")
def linked_student(work):
    """A link to a classmate's folder in place of the student's own."""


@attack(BROKEN, says="got a link", how="nowhere")
def linked_nowhere(work):
    """A link to nowhere in place of the assignment's folder."""
