"""What is made ready beside the run: every result comes once, none of them early, a few at a time."""

import threading
import time

from grading.inside.task import Result
from grading.judging.ahead import ahead


def results(count: int) -> list[Result]:
    return [Result(f"d{n}", (), "finished", "A") for n in range(count)]


def test_each_result_comes_once_and_only_when_it_is_ready():
    ready = set()

    def prepare(result):
        time.sleep(0.01 * (int(result.digest[1:]) % 3))
        ready.add(result.digest)

    seen = []
    for result in ahead(iter(results(20)), prepare, 3):
        assert result.digest in ready
        seen.append(result.digest)
    assert sorted(seen) == sorted(r.digest for r in results(20))


def test_as_many_at_a_time_as_were_asked_for():
    under_way, most, both = [], [], threading.Barrier(2, timeout=20)

    def prepare(result):
        under_way.append(result)
        most.append(len(under_way))
        both.wait()  # would not end, were there one at a time
        under_way.remove(result)

    assert len(list(ahead(iter(results(8)), prepare, 2))) == 8
    assert max(most) == 2


def test_what_fails_comes_too():
    def prepare(result):
        raise RuntimeError("no compiler")

    assert len(list(ahead(iter(results(3)), prepare, 2))) == 3


def test_a_run_that_is_left_ends_what_waits():
    held = []
    run = ahead(iter(results(50)), held.append, 1)
    next(run)
    run.close()
    assert len(held) < 5
