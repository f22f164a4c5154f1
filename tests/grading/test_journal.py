"""The journal and the lock: what was written stays through kills and damage; one run at a time."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from grading.book.journal import FILE, Journal, JournalError
from grading.book.lock import FILE as LOCK
from grading.book.lock import Locked, held
from grading.inside.task import Outcome, Result

ROOT = Path(__file__).resolve().parents[2]


def result(digest: str, value=1.5) -> Result:
    outputs = ({"output_type": "stream", "name": "stdout", "text": "é\u2028"},)
    asked = Outcome("size", value=value, outputs=outputs, seconds=0.25)
    called = Outcome("macs", values=({"value": [1, 2.5]}, {"refused": "it raised ValueError"}))
    return Result(digest, (asked, called, Outcome("x", error=("KeyError", "'a'"))), "finished", "A", 1.0, 0.5)


def child(code: str, *arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_a_result_comes_back_as_it_was_also_from_another_process(tmp_path):
    with Journal(tmp_path / FILE) as journal:
        journal.put("a01", "ada", result("d1"))
        assert journal.get("d1") == result("d1")
    with Journal(tmp_path / FILE) as journal:
        assert journal.get("d1") == result("d1") and journal.has("d1")
        assert journal.get("d2") is None and not journal.has("d2")
        assert journal.digests("a01") == {"d1": "ada"} and journal.digests("a02") == {}


def test_a_later_result_of_the_same_digest_takes_its_place(tmp_path):
    with Journal(tmp_path / FILE) as journal:
        journal.put("a01", "ada", result("d1", 1.0))
        journal.put("a01", "ada", result("d1", 2.0))
        assert journal.get("d1").outcomes[0].value == 2.0
        assert journal.digests("a01") == {"d1": "ada"}


def test_rows_written_before_a_kill_are_there_after_it(tmp_path):
    code = """
        import sys
        from pathlib import Path
        from grading.book.journal import Journal
        from grading.inside.task import Result
        journal = Journal(Path(sys.argv[1]))
        for number in range(10_000):
            journal.put("a01", f"s{number}", Result(f"d{number}", ()))
            print(number, flush=True)
    """
    process = child(code, str(tmp_path / FILE))
    seen = [int(process.stdout.readline()) for _ in range(50)]
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with Journal(tmp_path / FILE) as journal:
        assert not journal.notes
        assert all(journal.get(f"d{number}") == Result(f"d{number}", ()) for number in seen)


@pytest.mark.parametrize(
    "damage", [b"", b"not a database at all, " * 500, b"SQLite format 3\0" + b"x" * 9000]
)
def test_a_damaged_journal_is_set_aside_and_said(tmp_path, damage):
    (tmp_path / FILE).write_bytes(damage)
    with Journal(tmp_path / FILE) as journal:
        journal.put("a01", "ada", result("d1"))
        assert journal.get("d1") == result("d1")
        assert bool(journal.notes) == bool(damage)  # an empty file is a new journal
    aside = [p.read_bytes() for p in tmp_path.glob("*.damaged-*")]
    assert aside == ([damage] if damage else [])


def test_a_damaged_row_counts_as_absent(tmp_path):
    with Journal(tmp_path / FILE) as journal:
        journal.put("a01", "ada", result("d1"))
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("update answers set result = ?", (b"torn",))
    db.close()
    with Journal(tmp_path / FILE) as journal:
        assert journal.get("d1") is None


def test_merge_takes_what_is_new(tmp_path):
    with Journal(tmp_path / "one") as one, Journal(tmp_path / "two") as two:
        one.put("a01", "ada", result("d1"))
        two.put("a01", "ada", result("d1", 9.0))
        two.put("a01", "ben", result("d2"))
    with Journal(tmp_path / "one") as one:
        assert one.merge([tmp_path / "two"]) == 1
        assert one.get("d1") == result("d1") and one.get("d2") == result("d2")


def test_a_journal_that_cannot_be_made_is_refused_with_a_reason(tmp_path):
    with pytest.raises(JournalError, match=f"journal {FILE} must be writable, got: "):
        Journal(tmp_path / "nowhere" / FILE)


# ---- the lock

HOLD = """
    import sys
    from pathlib import Path
    from grading.book.lock import held
    with held(Path(sys.argv[1])):
        print("held", flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(HOLD), str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_a_second_run_says_who_holds_the_course(tmp_path, holder):
    said = f"is being graded by process {holder.pid} on .* since 20"
    with pytest.raises(Locked, match=said), held(tmp_path, wait=False):
        pass


def test_a_second_run_waits_until_the_first_ends(tmp_path, holder):
    said = []

    def say(text: str) -> None:
        said.append(text)
        holder.stdin.close()  # only now does the first one end

    with held(tmp_path, say=say):
        assert len(said) == 1 and f"process {holder.pid}" in said[0]
        assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()
    assert (tmp_path / LOCK).read_text() == ""


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path, holder):
    holder.kill()
    holder.wait()
    assert f'"pid": {holder.pid}' in (tmp_path / LOCK).read_text()
    with held(tmp_path, wait=False):
        assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()
