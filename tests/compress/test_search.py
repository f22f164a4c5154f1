"""Search: fronts by hand, costs from two sides, limits that hold, one answer for any jobs, and resuming."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinylib.compress import pareto, search, space
from tinylib.compress.__main__ import main
from tinylib.cost import devices

points = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 12), st.just(2)), elements=st.integers(0, 6).map(float)
)
SMALL = {"generations": 2, "population": 4, "epochs": 1}

# Fronts


def area(p, worst):
    """Area that points (n, 2) dominate up to the corner `worst` (hypervolume)."""
    p = np.asarray(p, dtype=float)
    p = p[(p < np.asarray(worst)).all(axis=1)]
    total, ceiling = 0.0, worst[1]
    for x, y in sorted(set(map(tuple, p[pareto.front(p)]))):
        total, ceiling = total + (worst[0] - x) * (ceiling - y), y
    return total


def test_front_by_hand():
    p = [(1, 5), (2, 2), (3, 3), (4, 1), (2, 2), (5, 5)]
    assert pareto.front(p).tolist() == [True, True, False, True, True, False]
    assert pareto.ranks(p).tolist() == [0, 0, 1, 0, 0, 2]
    assert area([(1, 5), (2, 2), (4, 1)], worst=(6, 6)) == 5 * 1 + 4 * 3 + 2 * 1
    assert pareto.crowding([(0, 4), (1, 2), (4, 0)]).tolist() == [np.inf, 2.0, np.inf]


@given(points)
def test_nobody_on_the_front_is_beaten_and_everybody_else_is(p):
    keep = pareto.front(p)
    for i, a in enumerate(p):
        beaten = any((b <= a).all() and (b < a).any() for b in p)
        assert keep[i] == (not beaten)
    assert sorted(pareto.best(p, 3)) == sorted(set(pareto.best(p, 3)))
    ranks = pareto.ranks(p)
    assert max(ranks[pareto.best(p, 3)]) <= np.sort(ranks)[: min(3, len(p))][-1]


@given(points)
def test_area_grows_with_every_point(p):
    counted = sum(((p <= (x, y)).all(axis=1)).any() for x in range(7) for y in range(7))  # unit squares
    assert area(p, (7, 7)) == counted
    assert area(p[1:], (7, 7)) <= area(p, (7, 7))


# Genomes


@given(st.integers(0, 500))
def test_costs_are_those_of_the_arrays(seed):
    rng = np.random.default_rng(seed)
    genome = space.draw(rng)
    net, cost = search.build(genome, rng), search.costs(genome)
    biases = sum(a.size for part in net.parts for n, a in part.arrays.items() if n == "b")
    assert cost["flash_bytes"] == net.count - biases + 4 * biases
    assert net.predict(np.zeros((1, 8, 8, 1))).shape == (1, 10)
    assert cost["macs"] >= 10 and cost["sram_bytes"] >= 64 + 8


def test_costs_by_hand():
    cost = search.costs(search.Genome(first=8, second=16, kernel_size=3, separable=True, hidden=32))
    macs = 64 * 9 * 8 + 16 * 9 * 8 + 16 * 8 * 16 + 2 * 2 * 16 * 32 + 32 * 10
    weights = 72 + 72 + 128 + 2048 + 320
    assert cost == {
        "macs": macs,
        "sram_bytes": 64 * 8 + 16 * 8,
        "flash_bytes": weights + 4 * (8 + 8 + 16 + 32 + 10),
    }


@given(st.integers(0, 500))
def test_silent_genes_make_no_new_genome(seed):
    rng = np.random.default_rng(seed)
    a, b = space.draw(rng), space.draw(rng)
    for child in (space.mutated(a, rng), space.crossed(a, b, rng)):
        assert child == child.expressed()
        assert child.first or (child.second, child.separable, child.kernel_size) == (0, False, 3)
    assert search.Genome(first=0, second=8, separable=True).expressed() == search.Genome(first=0)


def test_names_tell_genomes_apart():
    rng = np.random.default_rng(0)
    genomes = {space.draw(rng) for _ in range(300)}
    assert len({str(g) for g in genomes}) == len(genomes)
    assert str(search.Genome(8, 16, 3, True, 32)) == "c8k3-s16-h32"
    assert str(search.Genome(0).expressed()) == "linear"


# Search


@pytest.fixture(scope="module")
def found():
    return search.evolve(**SMALL)


def test_everything_trained_fits_the_device(found):
    row, limits = devices.named("stm32l011"), search.budget("stm32l011")
    assert (limits.sram_bytes, limits.flash_bytes) == (row.sram_bytes // 2, row.flash_bytes // 2)
    assert len(found) == len({c.genome for c in found}) == 8
    assert all(c.sram_bytes <= limits.sram_bytes and c.flash_bytes <= limits.flash_bytes for c in found)
    assert [c.generation for c in found] == [0] * 4 + [1] * 4
    front = search.front(found)
    assert [c.macs for c in front] == sorted(c.macs for c in front)
    assert (np.diff([c.accuracy for c in front]) > 0).all()


def test_a_deadline_is_a_limit_on_macs():
    limits = search.budget("stm32l011", latency_ms=1)
    assert limits.macs == 32e6 * 0.25 / 1000
    assert not search.feasible(search.costs(search.Genome(8)), search.budget("stm32l011", latency_ms=0.5))
    assert all(c.macs <= limits.macs for c in search.evolve(limits, 1, 3, epochs=1))


def test_same_answer_for_two_jobs(found):
    assert search.evolve(**SMALL, jobs=2) == found


def test_a_stopped_search_goes_on(found, tmp_path):
    journal = tmp_path / "search.jsonl"
    assert search.evolve(**SMALL, journal=journal) == found
    lines = journal.read_text().splitlines(keepends=True)
    assert len(lines) == 9
    journal.write_text("".join(lines[:4]) + lines[4][:30])  # killed while it wrote the fourth
    assert search.evolve(**SMALL, journal=journal) == found
    assert journal.read_text().splitlines(keepends=True) == lines
    row = json.loads(lines[1])
    lines[1] = json.dumps(row | {"accuracy": 0.99}) + "\n"
    journal.write_text("".join(lines))
    assert search.evolve(**SMALL, journal=journal)[0].accuracy == 0.99  # read, not trained again
    with pytest.raises(ValueError, match="journal must be of the same search"):
        search.evolve(**SMALL | {"epochs": 2}, journal=journal)


def landscape(genome: search.Genome) -> search.Candidate:
    """A judge in closed form: every gene pays, each with less return than the one before."""
    use = genome.first / 8 + genome.second / 12 * (1 + 0.5 * genome.separable) + genome.hidden / 96
    accuracy = 1 - math.exp(-use * (1.2 if genome.kernel_size == 3 else 1))
    return search.Candidate(genome, accuracy, accuracy, **search.costs(genome))


def test_breeding_beats_drawing_at_random():  # the same number of networks, judged in the same way
    areas = {True: [], False: []}
    for seed in range(16):
        for breed, found in areas.items():
            candidates = search.evolve(generations=8, population=12, seed=seed, breed=breed, task=landscape)
            p = np.array([(1 - c.accuracy, np.log10(c.macs)) for c in candidates])
            found.append(area(p, (1, 5)))
    assert np.mean(areas[True]) > np.mean(areas[False]) + 0.02
    assert np.mean(np.array(areas[True]) > areas[False]) >= 0.65


def test_command_prints_the_front(capsys, found):
    words = ["search", "--generations", "2", "--population", "4", "--epochs", "1"]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "8 networks trained within 1,024 B SRAM, 8,192 B flash of stm32l011" in text
    assert [line.split()[0] for line in text.splitlines()[3:]] == [str(c.genome) for c in search.front(found)]
    assert main([*words, "--json"]) == 0
    assert [row["macs"] for row in json.loads(capsys.readouterr().out)] == [c.macs for c in found]


@pytest.mark.parametrize(
    "words, why",
    [
        ("search --device abacus", "device must be one of"),
        ("search --share 0.001", "limits must leave room"),
        ("search --device course --latency-ms 1", "a clock and a MAC rate"),
        ("search --generations 0", "generations must lie between"),
        ("search --jobs 0", "jobs must be a whole number"),
    ],
)
def test_command_says_why_it_stops(words, why, capsys):
    assert main(words.split()) == 2
    shown = capsys.readouterr().err
    assert why in shown and shown.count("\n") == 1
