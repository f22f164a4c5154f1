"""A table of one's own: what is read, guessed, repaired, cut and said; columns, rates, gaps, honest parts."""

import numpy as np
import pytest

from tinylib.datasets.motions import basic_motions, motions_csv
from tinylib.deploy.own.cleaning import FILL, recordings
from tinylib.deploy.own.roles import classes, roles_of
from tinylib.deploy.own.tables import PIECE, read
from tinylib.deploy.own.windows import MACHINES, PARTS, RUNS, windows


def csv(*lines):
    return ("\n".join(lines) + "\n").encode()


def hum(machine, label, rate=100, seconds=30, hz=7.0, start=0.0, seed=0):
    """Rows of a machine: time, a tone with noise, the label."""
    rng, t = np.random.default_rng(seed), np.arange(rate * seconds) / rate
    x = np.sin(2 * np.pi * hz * t) + 0.1 * rng.normal(size=len(t))
    return [f"{machine},{start + a:.4f},{b:.5f},{label}" for a, b in zip(t, x)]


def fleet(machines=6, **options):
    rows = ["machine,time_s,acc,state"]
    for m in range(machines):
        rows += hum(f"m{m}", "slow", hz=5 + m / 10, seed=m, **options)
        rows += hum(f"m{m}", "fast", hz=15 + m / 10, start=100, seed=m + 50, **options)
    return rows


def clean(*lines, **roles):
    table = read(csv(*lines))
    return recordings(table, roles_of(table, **roles))


def said(notes, words):
    return any(words in note for note in notes)


def test_numbers_come_back_exactly():
    table = read(motions_csv())
    whole = basic_motions()
    assert table.rows == 8000 and not table.notes
    ax = table.columns["ax"].reshape(80, 100)
    np.testing.assert_array_equal(ax, np.round(whole.x[:, :, 0].T, 5))
    assert table.columns["activity"][[0, 7999]].tolist() == ["standing", "badminton"]


def test_more_rows_than_a_piece_stay_in_order():
    rows = [f"{i},{i % 7}" for i in range(PIECE + 5)]
    column = read(csv("a,b", *rows)).columns["a"]
    np.testing.assert_array_equal(column, np.arange(PIECE + 5))


def test_decimal_commas_marks_and_a_missing_head_are_found_out():
    table = read(b"\xef\xbb\xbf" + csv("t;x", "0;1,5", "1;-2,25"))
    assert table.columns["x"].tolist() == [1.5, -2.25]
    headless = read(csv("0,1.5", "1,2.5"))
    assert list(headless.columns) == ["c1", "c2"] and said(headless.notes, "no head line")
    assert list(read(csv("x\ty", "1\t2")).columns) == ["x", "y"]


def test_words_that_come_again_are_no_head_line():
    rows = [f"{i},{i / 2},idle" for i in range(20)]
    bare = read(csv(*rows))
    assert list(bare.columns) == ["c1", "c2", "c3"] and bare.rows == 20 and said(bare.notes, "no head line")
    for head in ("1,2,label", ",0,state", "t,x,idle"):  # channels by number, a table with an index, a name
        assert read(csv(head, *rows)).rows == 20


def test_what_is_missing_is_missing_and_text_among_numbers_is_said():
    cells = ["1", "", "NA", "nan", "null", "?", "inf", "oops", *map(str, range(20))]
    table = read(csv("t,x", *(f"{i},{c}" for i, c in enumerate(cells))))
    column = table.columns["x"]
    assert np.isnan(column[1:8]).all() and column[8:].tolist() == list(range(20))
    assert said(table.notes, "x: 1 cell with text among numbers")


def test_ragged_rows_are_left_out_and_counted():
    table = read(csv("a,b", "1,2", "3", "4,5,6", "7,8"))
    assert table.columns["a"].tolist() == [1, 7] and said(table.notes, "2 rows with more or fewer")


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"", "empty file"),
        (b"\0\0", "binary file"),
        (b"a,b\n", "rows under its head"),
        (b",\n1,2\n", "names of its"),
        (b"\x89PNG\r\n\x1a\n\x04\xff,", "binary file"),
        (b"a,b\n1," + 200_000 * b"x", "a quotation mark may be open"),
        (csv("a,b", '"1,2', *["3,4"] * 60), "mark is open, got one row of lines 2 to 62"),
        (csv("A title", "a,b", "1,2"), "comes first, got 2 rows with more or fewer columns"),
    ],
)
def test_what_is_no_table_is_refused(content, sentence):
    with pytest.raises(ValueError, match=sentence):
        read(content)


def test_what_spreadsheets_write_is_read():
    said_twice = csv("sep=;", "t;x", "0;1,5").replace(b"\n", b"\r\n")
    for content in said_twice, csv("t\tx", "0\t1,5").decode().encode("utf-16"):
        table = read(content)
        assert list(table.columns) == ["t", "x"] and table.columns["x"].tolist() == [1.5]


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match="must be a CSV file that exists"):
        read(tmp_path / "none.csv")


def test_roles_are_guessed_and_every_guess_is_said():
    rows = [
        f"{i},M{i // 20},run{i // 10},{i / 10},{(i * 7) % 5},21.5,word{i % 9},{'ab'[i % 2]}"
        for i in range(60)
    ]
    table = read(csv("row,machine,trial,time,acc,temp,remark,state", *rows))
    roles = roles_of(table)
    assert (roles.label, roles.group, roles.run, roles.time) == ("state", "machine", "trial", "time")
    assert roles.channels == ("acc",)
    for words in (
        "state is taken as the label",
        "temp never changes",
        "remark holds text",
        "row only counts",
    ):
        assert said(roles.notes, words)


def test_given_roles_win_and_an_unknown_column_is_named():
    table = read(motions_csv())
    roles = roles_of(table, label="", time="", rate_hz=10, channels=("ax", "gz"))
    assert (roles.label, roles.time, roles.channels) == (None, None, ("ax", "gz"))
    with pytest.raises(ValueError, match="label must be a column"):
        roles_of(table, label="nothing")
    with pytest.raises(ValueError, match="channels must be columns of numbers"):
        roles_of(table, channels=("activity",))
    with pytest.raises(ValueError, match="channels must be named once each"):
        roles_of(table, channels=("ax", "ax"))
    with pytest.raises(ValueError, match="rate must be positive"):
        roles_of(table, rate_hz=float("inf"))
    with pytest.raises(ValueError, match=r"numbers that change, got 'a' \(text\), 'b' \(numbers\) in 2 rows"):
        roles_of(read(csv("a,b", "x,1", "y,1")))


def test_short_gaps_are_filled_along_a_line_and_long_ones_cut():
    x = [str(v) for v in range(40)]
    x[10:13] = [""] * 3
    x[25 : 26 + FILL] = [""] * (FILL + 1)
    noisy = [f"{i},{v},{i * i % 7}" for i, v in enumerate(x)]
    found = clean("k,x,z", *noisy, rate_hz=1, label="", channels=("x", "z"))
    assert [len(r.x) for r in found.parts] == [25, 40 - 26 - FILL]
    assert found.parts[0].x[9:14, 0].tolist() == [9, 10, 11, 12, 13]
    assert said(found.notes, f"9 rows ({9 / 40:.1%}) without a reading")


def test_a_number_that_means_no_value_is_missing_but_a_reading_of_that_size_is_not():
    rows = [f"{np.sin(i):.3f}" for i in range(50)]
    rows[20] = "-9999"
    found = clean("x", *rows, rate_hz=1)
    assert said(found.notes, "-9999 stands 1 time") and found.parts[0].x.min() >= -1
    large = clean("x", *(str(9000 + 20 * i) for i in range(99)), rate_hz=1, channels=("x",))
    assert large.parts[0].x.max() == 9000 + 20 * 98


@pytest.mark.filterwarnings("error")
def test_numbers_that_no_sensor_tells_are_missing():
    rows = [f"{i % 7},{np.sin(i):.3f}" for i in range(50)]
    rows[20] = "3,-1e308"
    found = clean("x,z", *rows, rate_hz=1)
    assert said(found.notes, "z: 1 number beyond 1e+30") and np.abs(found.parts[0].x).max() < 7
    with pytest.raises(ValueError, match="more than half of each column is empty or beyond"):
        clean("x", *(f"{(-1) ** i}e308" for i in range(20)), rate_hz=1)
    with pytest.raises(ValueError, match="by less than 1,000,000 s"):
        clean("time_s,x", *(f"{i}e300,{i % 7}" for i in range(60)))


def test_labels_that_differ_by_capitals_are_one():
    rows = [f"{i % 7},{('Run', 'run', 'RUN')[i % 3 * (i > 5)] if i < 40 else 'idle'}" for i in range(80)]
    found = clean("x,label", *rows, rate_hz=1)
    assert [r.label for r in found.parts] == ["Run", "idle"] and said(found.notes, "run as Run")
    table = read(csv("x,label", *rows[:40]))
    assert classes(table, roles_of(table)) == 1


def test_rates_become_one_and_a_tone_keeps_its_frequency():
    rows = ["machine,time_s,acc,state", *hum("a", "run", 200, hz=4), *hum("b", "run", 100, hz=4)]
    found = clean(*rows)
    assert found.rate_hz == 100 and said(found.notes, "another rate (200 Hz)")
    for r in found.parts:
        spectrum = np.abs(np.fft.rfft(r.x[:, 0] - r.x.mean()))
        assert spectrum.argmax() / (len(r.x) / 100) == pytest.approx(4, abs=0.05)
        assert len(r.x) == pytest.approx(3000, abs=2)


def test_pieces_shorter_than_a_step_of_the_common_rate_are_kept():
    rows = [f"{i / 10:.3f},{i % 5}" for i in range(100)]  # 10 Hz, then three samples at 100 Hz
    made = clean("time_s,acc", *rows, *(f"{20 + i / 100:.3f},{i}" for i in range(3)))
    assert made.rate_hz == 10 and [len(part.x) for part in made.parts] == [100, 1]


def test_a_lost_sample_is_put_back_in_its_place():
    t = [i / 10 for i in range(100) if i not in (30, 31)]
    found = clean("time,x", *(f"{a},{3 * a + 1:.4f}" for a in t))
    (r,) = found.parts
    np.testing.assert_allclose(r.x[:, 0], 1 + 0.3 * np.arange(100), atol=1e-3)
    assert said(found.notes, "uneven samples")


@pytest.mark.filterwarnings("error")
def test_time_in_milliseconds_or_as_dates_gives_the_same_rate():
    by_name = clean("time_ms,x", *(f"{20 * i},{i % 7}" for i in range(60)))
    by_size = clean("timestamp,x", *(f"{20 * i},{i % 7}" for i in range(60)))
    dates = clean("date,x", *(f"2026-01-31 12:00:{i / 50:06.3f}Z,{i % 7}" for i in range(60)))
    zones = ("12:00:{:06.3f}Z", "13:00:{:06.3f}+01:00")
    apart = clean("date,x", *(f"2026-01-31T{zones[i % 2].format(i / 50)},{i % 7}" for i in range(60)))
    assert by_name.rate_hz == by_size.rate_hz == dates.rate_hz == apart.rate_hz == 50
    with pytest.raises(ValueError, match="time must be numbers or dates"):
        clean("date,x", "soon,1", "later,2")


def test_machines_mixed_row_by_row_are_sorted_out():
    rows = [f"{'ab'[i % 2]},{i // 2},{i % 2 * 100 + i // 2 % 5}" for i in range(80)]
    found = clean("machine,time_s,x", *rows)
    assert [len(r.x) for r in found.parts] == [40, 40]
    assert [r.x.max() for r in found.parts] == [4, 104]


def test_a_column_that_only_names_the_recording_is_no_reading():
    rows = [f"m{i // 50},{i // 50 * 1.5},{i % 50},{np.sin(i):.3f}" for i in range(200)]
    found = clean("machine,offset,time_s,x", *rows)
    assert found.channels == ("x",) and said(found.notes, "offset stands still within every recording")


def parted(rows, seed=0, **roles):
    table = read(csv(*rows))
    chosen = roles_of(table, **roles)
    apart = MACHINES if chosen.group else RUNS if chosen.run else ""
    return windows(recordings(table, chosen), bool(chosen.label), apart, seed=seed)


@pytest.mark.parametrize("seed", range(3))
def test_no_machine_is_in_two_parts_and_every_class_in_all(seed):
    cut = parted(fleet(), seed)
    machines = [set(cut.groups[cut.of(part)]) for part in PARTS]
    assert all(machines) and sum(map(len, machines)) == len(set.union(*machines)) == 6
    assert (cut.counts > 0).all() and cut.honest and said(cut.notes, "none is in two parts")


def test_three_machines_or_three_recordings_of_a_class_are_enough():
    cut = parted(fleet(3, seconds=12))
    assert cut.honest and [len(np.unique(cut.groups[cut.of(part)])) for part in PARTS] == [1, 1, 1]
    rows = ["run,acc,state"]
    rows += [f"r{r},{(i * 7 + r) % 11},s{r % 8}" for r in range(24) for i in range(400)]
    cut = parted(rows)
    assert cut.apart == RUNS and (cut.counts > 0).all() and len(cut.classes) == 8
    few = [f"r{r},{(i * 7 + r) % 11},s{r}" for r in range(2) for i in range(1000)]
    with pytest.raises(ValueError, match=r"or one of 2,560 samples: to learn, .* got s0 in 1, s1 in 1"):
        parted(["run,acc,state", *few])


def test_without_a_machine_time_is_parted_and_no_sample_is_in_two_parts():
    rows = ["time_s,acc,state"]
    rows += [f"{i / 100},{i},{'slow' if i < 20_000 else 'fast'}" for i in range(40_000)]
    table = read(csv(*rows))
    cut = windows(recordings(table, roles_of(table, channels=("acc",))), True, "")
    seen = [set(cut.x[cut.of(part), :, 0].ravel().astype(int).tolist()) for part in PARTS]
    assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]
    assert not cut.honest and said(cut.notes, "WARNING: no column names the machine")


def test_a_class_of_two_machines_cannot_be_tested_honestly_and_says_so():
    rows = fleet()
    rows += [line for m in range(2) for line in hum(f"m{m}", "odd", hz=30, start=200, seconds=60)]
    cut = parted(rows)
    assert not cut.honest and said(cut.notes, "odd from 2")
    assert cut.classes == ("fast", "odd", "slow")


def test_rare_classes_and_too_little_data_are_said():
    cut = parted(fleet() + hum("m1", "rare", seconds=3, start=300))
    assert "rare" not in cut.classes and said(cut.notes, "left out: rare (")
    with pytest.raises(ValueError, match="each class must have at least 8 windows"):
        parted(fleet(2, seconds=3))


def test_a_window_longer_than_every_recording_is_refused():
    table = read(csv(*fleet()))
    found = recordings(table, roles_of(table))
    with pytest.raises(ValueError, match="window must fit into a recording"):
        windows(found, True, MACHINES, 8000)
    assert windows(found, True, MACHINES).x.shape[1] == 256  # about two seconds of 100 Hz


def test_one_example_in_each_row_is_not_for_this():
    with pytest.raises(ValueError, match=r"not one example in each row.*got at most 1"):
        clean("f1,f2,label", *(f"{i * 7 % 5},{i * 3 % 7},{'ab'[i % 2]}" for i in range(60)))


def test_a_quantity_is_no_label_and_one_label_is_none():
    rows = [f"{i},{(i * 7) % 5},{i / 10}" for i in range(60)]
    table = read(csv("t,x,label", *rows))
    with pytest.raises(ValueError, match="label must name at most 30 classes"):
        classes(table, roles_of(table))
    one = read(csv("t,x,label", *(f"{i},{(i * 7) % 5},{'' if i % 3 else 1}" for i in range(60))))
    assert classes(one, roles_of(one)) == 1 and classes(one, roles_of(one, label="")) == 0
