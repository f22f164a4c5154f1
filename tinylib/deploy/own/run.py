"""All steps in a row: table, windows, training, choice, check; each tells what it does to whoever asks.

`train` needs a label column, `watch_over` needs none. Both return a `Found`, which the report page shows and
`pages.write` puts into a folder.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic

import numpy as np

from tinylib.deploy.measure import Limits
from tinylib.deploy.own import anomaly, candidates, checking, cleaning, training
from tinylib.deploy.own.anomaly import Detector
from tinylib.deploy.own.candidates import Candidate
from tinylib.deploy.own.choose import Trial, chosen, interval
from tinylib.deploy.own.inputs import Sensor, features
from tinylib.deploy.own.programs import Program, program
from tinylib.deploy.own.roles import Roles, classes
from tinylib.deploy.own.tables import Table
from tinylib.deploy.own.windows import MACHINES, PARTS, RUNS, Windows, windows
from tinylib.nets import FLOAT32

Array = np.ndarray
SHARE = 0.9  # of the accuracy of the best candidate that a chosen one should keep
TIME_FOR = {"spectrum": 1.0, "signal": 5.0, "frames": 3.0}  # shares of the time to train


@dataclass(frozen=True)
class Watch:
    """Who wants to know: a sentence, and the curve of a candidate after each epoch; both may do nothing."""

    say: Callable[[str], None] = lambda text: None
    epoch: Callable[[str, int, int, float, float], None] = lambda name, at, of, loss, score: None
    progress: bool = False


@dataclass(frozen=True)
class Found:
    """What came of a table.

    trials: all candidates, or () without labels      taken: the winner's sizes, compared on more windows
    y, guess: classes of the test part and what the program says      accuracy, low, high: of them [0..1]
    detector, others: without labels
    """

    table_rows: int
    roles: Roles
    windows: Windows
    target: str
    limits: Limits
    seed: int
    seconds: float
    notes: tuple[str, ...]
    trials: tuple[Trial, ...] = ()
    winner: Trial | None = None
    y: Array = field(default_factory=lambda: np.empty(0, int))
    guess: Array = field(default_factory=lambda: np.empty(0, int))
    accuracy: float = 0.0
    hit_rate: float = 0.0
    low: float = 0.0
    high: float = 1.0
    how: str = ""
    detector: Detector | None = None
    others: tuple[Detector, ...] = ()
    rate: float = 0.0
    vectors: Array | None = field(default=None, repr=False)

    @property
    def program(self) -> Program | None:
        """What is deployed, or None when nothing keeps the limits."""
        if self.detector:
            return self.detector.program
        return self.winner.program if self.winner else None

    @property
    def taken(self) -> checking.Taken | None:
        """What the program takes."""
        if self.detector:
            return self.detector.taken
        return self.winner.taken if self.winner else None

    @property
    def best(self) -> Trial | None:
        """The candidate that is best on the test part in floating point, limits or not."""
        return max(self.trials, key=lambda t: t.accuracy, default=None)

    @property
    def share_of_best(self) -> float:
        """Hit rate of the winner over that of the best candidate [0..1]."""
        return self.hit_rate / self.best.accuracy if self.best and self.best.accuracy else 0.0

    @property
    def verdict(self) -> str:
        """One sentence: what was taken and how good it is, or why nothing was."""
        if d := self.detector:
            return (
                f"An anomaly score, {d.program.candidate.what}: {100 * d.alarms:.1f} % false alarms on "
                f"{len(d.scores):,} normal windows never seen ({100 * self.rate:g} % wanted), and an alarm "
                f"on {100 * d.found:.0f} % of windows with made-up disturbances."
            )
        if self.winner is None:
            tried = (t for t in self.trials if t.taken)
            nearest = min(tried, key=lambda t: len(t.taken.broken(self.limits)))
            return f"Nothing keeps the limits. The nearest, {nearest.candidate.name}: {nearest.why}."
        kept = 100 * self.share_of_best
        words = f"that is {kept:.0f} % of the best candidate without limits ({self.best.candidate.name})"
        if self.share_of_best < SHARE:
            words += ", less than nine tenths: what is better does not fit or lost by rounding, see the table"
        return (
            f"{self.winner.candidate.name}: {100 * self.accuracy:.1f} % right on the test part "
            f"({100 * self.low:.0f} to {100 * self.high:.0f} %); {words}."
        )


def prepared(
    table: Table, roles: Roles, labelled: bool, window: int | None, seed: int, watch: Watch
) -> tuple[Windows, tuple[str, ...]]:
    """The windows of a table, and all that was said on the way."""
    for note in (*table.notes, *roles.notes):
        watch.say(note)
    clean = cleaning.recordings(table, roles)
    for note in clean.notes:
        watch.say(note)
    apart = MACHINES if roles.group else RUNS if roles.run else ""
    cut = windows(clean, labelled, apart, window, seed)
    for note in cut.notes:
        watch.say(note)
    return cut, (*table.notes, *roles.notes, *clean.notes, *cut.notes)


def find(
    table: Table,
    roles: Roles,
    target: str,
    limits: Limits,
    window: int | None = None,
    seconds: float = 120.0,
    rate: float = 0.01,
    seed: int = 0,
    watch: Watch = Watch(),
) -> Found:
    """`train` where the label column has two classes or more, else `watch_over`."""
    if classes(table, roles) > 1:
        return train(table, roles, target, limits, window, seconds, seed, watch)
    watch.say("No column is a label with two classes: all rows count as normal, for an anomaly score.")
    return watch_over(table, roles, target, limits, window, rate, seed, watch)


def train(
    table: Table,
    roles: Roles,
    target: str,
    limits: Limits,
    window: int | None = None,
    seconds: float = 120.0,
    seed: int = 0,
    watch: Watch = Watch(),
) -> Found:
    """All candidates trained for the label of a table, and one taken. ValueError for data that cannot do."""
    begin = monotonic()
    cut, notes = prepared(table, roles, True, window, seed, watch)
    if len(cut.classes) < 2:
        raise ValueError(
            f"label must name two classes or more: give --label '' for an anomaly score, got {cut.classes}"
        )
    sensor = Sensor.of(cut.x[cut.of("train")])
    readings = {part: sensor.readings(cut.x[cut.of(part)]) for part in PARTS}
    y = {part: cut.y[cut.of(part)] for part in PARTS}
    time, channels = cut.x.shape[1:]
    width = features(readings["train"][:1]).shape[1]
    tried = candidates.candidates(time, channels, len(cut.classes), width)
    left = max(1.0, 0.7 * (seconds - (monotonic() - begin)))  # the rest is for checks
    total, trials = sum(TIME_FOR[c.kind] for c in tried), []
    names = cut.classes, cut.channels, time
    for c in tried:
        watch.say(f"Training {c.name}: {c.what}.")
        share = left * TIME_FOR[c.kind] / total
        trial = _trial(c, readings, y, sensor, names, share, seed, watch)
        if not c.free:
            trial = replace(trial, taken=checking.taken(trial.program, readings["test"], target))
        trials.append(trial)
    winner, told = chosen(trials, limits)
    found = Found(
        table.rows,
        roles,
        cut,
        target,
        limits,
        seed,
        0.0,
        notes,
        tuple(told),
        None,
        vectors=readings["test"][:8],
    )
    if winner is None:
        return replace(found, seconds=monotonic() - begin)
    watch.say(f"Checking {winner.candidate.name} on {min(len(readings['test']), checking.COMPARED)} windows.")
    winner = replace(winner, taken=checking.taken(winner.program, readings["test"], target, thorough=True))
    guess = winner.program.classify(readings["test"])
    groups = cut.groups[cut.of("test")] if cut.apart else None
    low, high, how = interval(guess == y["test"], groups, seed)
    return replace(
        found,
        winner=winner,
        y=y["test"],
        guess=guess,
        accuracy=float(np.mean(guess == y["test"])),
        hit_rate=training.hit_rate(y["test"], guess, len(cut.classes)),
        low=low,
        high=high,
        how=how,
        seconds=monotonic() - begin,
    )


def _trial(
    c: Candidate,
    readings: dict,
    y: dict,
    sensor: Sensor,
    names: tuple,
    seconds: float,
    seed: int,
    watch: Watch,
) -> Trial:
    columns = {part: candidates.columns(c.kind, r) for part, r in readings.items()}
    codes, step = candidates.fitted(c.kind, c.bits, columns["train"])
    x = {part: candidates.shaped(c.kind, c.frames, codes(v)) * step for part, v in columns.items()}
    network = c.draw(np.random.default_rng(seed))
    one = x["train"].shape
    macs = network.model((one[0], one[2]) if c.kind == "frames" else one[1:]).macs
    network, curve = training.fit(
        network, c.kind, (x["train"], y["train"]), (x["validation"], y["validation"]), macs, seconds, seed,
        lambda *epoch: watch.epoch(c.name, *epoch), c.name, watch.progress,
    )  # fmt: skip
    n = len(names[0])
    held = network.forward(x["validation"].astype(np.float32), FLOAT32)[0].argmax(-1)
    last = network.forward(x["test"].astype(np.float32), FLOAT32)[0].argmax(-1)
    scores = training.hit_rate(y["validation"], held, n), training.hit_rate(y["test"], last, n)
    if curve.late:
        watch.say(f"{c.name}: ended by the clock after {len(curve.loss)} epochs; another run may differ.")
    if c.free:
        return Trial(c, curve, *scores)
    made = program(c, network, sensor, codes, step, x["train"], names)
    whole = training.hit_rate(y["validation"], made.classify(readings["validation"]), n)
    return Trial(c, curve, *scores, made, whole)


def watch_over(
    table: Table,
    roles: Roles,
    target: str,
    limits: Limits,
    window: int | None = None,
    rate: float = 0.01,
    seed: int = 0,
    watch: Watch = Watch(),
) -> Found:
    """An anomaly score for a table of normal readings. Raises ValueError for data that cannot do."""
    begin = monotonic()
    cut, notes = prepared(table, roles, False, window, seed, watch)
    parts = {part: cut.x[cut.of(part)].astype(np.float64) for part in PARTS}
    if len(parts["validation"]) < 20:
        raise ValueError(
            "normal data must hold 20 windows to set a threshold by: record more, "
            f"got {len(parts['validation'])}"
        )
    sensor = Sensor.of(parts["train"])
    watch.say("Fitting three anomaly scores.")
    found = anomaly.detectors(parts, sensor, cut.channels, rate, seed)
    held = cut.groups[cut.of("validation")]
    notes = (*notes, *_alone(found[0], sensor.readings(parts["validation"]), held, cut, watch))
    last = sensor.readings(parts["test"])
    checked = [replace(d, taken=checking.taken(d.program, last, target)) for d in found]
    fit = [d for d in checked if not d.taken.broken(limits)]
    if not fit:
        raise ValueError(f"no score keeps the limits: {'; '.join(checked[0].taken.broken(limits))}, got none")
    winner, others = fit[0], [d for d in checked if d is not fit[0]]
    told = tuple(
        replace(d, why="; ".join(d.taken.broken(limits)) or "sees no more on the part to choose by")
        for d in others
    )
    groups = cut.groups[cut.of("test")] if cut.apart else None
    low, high, how = interval(winner.scores > winner.program.threshold, groups, seed)
    if len(parts["validation"]) < 1 / rate:
        few = len(parts["validation"])
        said = f"{few} windows are too few for {100 * rate:g} % false alarms: the largest score is taken."
        watch.say(said)
        notes = (*notes, said)
    return Found(
        table.rows, roles, cut, target, limits, seed, monotonic() - begin, notes, low=low, high=high, how=how,
        detector=winner, others=told, rate=rate, vectors=last[:8],
    )  # fmt: skip


def _alone(d: Detector, readings: Array, groups: Array, cut: Windows, watch: Watch) -> list[str]:
    """A sentence when one machine of the part to choose by is unlike the others and sets the threshold."""
    scores, names = d.program.scores(readings)[:, 0], np.unique(groups)
    if len(names) < 2:
        return []
    medians = np.array([np.median(scores[groups == g]) for g in names])
    top = int(medians.argmax())
    if medians[top] < 4 * np.median(np.delete(medians, top)):
        return []
    said = (
        f"WARNING: {cut.group_names[names[top]]} is unlike the others and sets the threshold, so that little "
        f"raises an alarm. Record more machines, or give --group '' for a score of these very machines."
    )
    watch.say(said)
    return [said]
