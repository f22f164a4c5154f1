"""Collecting: whose file it is, what is refused and why, and that nothing is ever written elsewhere."""

import io
import os
import stat
import tempfile
import time
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.__main__ import main
from grading.exchange.arrivals import Limits, path_problem
from grading.exchange.collect import collect, sorted_out, table
from grading.exchange.senders import read_names, write_names

NB = "a01_metrics"
WHEN = (2026, 10, 5, 12, 0, 0)


def member(name, content=b"{}", when=WHEN, **attributes):
    info = zipfile.ZipInfo("x", when)
    info.filename = info.orig_filename = name
    info.compress_type = zipfile.ZIP_DEFLATED
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, content


def packed(path, *members):
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore", UserWarning)  # of names that are there twice: that is the test
        for info, content in members:
            archive.writestr(info, content)
    return path


@pytest.fixture
def place(tmp_path):
    """A course beside a zip's path: (zip, course)."""
    (tmp_path / "course").mkdir()
    return tmp_path / "sent.zip", tmp_path / "course"


def tree(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def taken(student):
    return f"submitted/{student}/{NB}/{NB}.ipynb"


# ---- whose it is


@pytest.mark.parametrize(
    "name, student",
    [
        ("Ada Lovelace_1234567_assignsubmission_file_/a01_metrics.ipynb", "ada-lovelace"),
        ("Ada Lovelace_1234567_assignsubmission_file/work.ipynb", "ada-lovelace"),
        ("Ada Lovelace_1234567_assignsubmission_file_a01_metrics.ipynb", "ada-lovelace"),
        ("Zoë Größe_7_assignsubmission_file_/a01_metrics.ipynb", "zoe-grosse"),
        ("李 明_8_assignsubmission_file_/a01_metrics.ipynb", "moodle-8"),
        ("lovelaceada_12345_678910_a01_metrics.ipynb", "lovelaceada"),
        ("lovelaceada_LATE_12345_678910_a01_metrics-2.ipynb", "lovelaceada"),
        ("lovelaceada_late_12345_678910_a01_metrics.ipynb", "lovelaceada"),
        ("ada/a01_metrics/a01_metrics.ipynb", "ada"),
        ("everything/ada/a01_metrics/a01_metrics.ipynb", "ada"),
        ("ada/any name.ipynb", "ada"),
        ("s.o@uni-1.example/a01_metrics.ipynb", "s.o@uni-1.example"),
    ],
)
def test_names_of_moodle_canvas_and_nbgrader(place, name, student):
    rows = collect(packed(place[0], member(name, b"work")), place[1], NB)
    assert [(r.student, r.what) for r in rows] == [(student, "collected")]
    assert tree(place[1]) == {taken(student): b"work"}


def test_canvas_says_late_and_the_row_repeats_it(place):
    (row,) = collect(packed(place[0], member("lovelaceada_LATE_1_2_a01_metrics.ipynb")), place[1], NB)
    assert "late, says Canvas" in row.note and "id is made from the name" in row.note


def test_mapping_names_people_by_number_or_name(place, tmp_path):
    names = tmp_path / "names.csv"
    names.write_text("name,number,student\nGrace Hopper,,hopper\n,77,ada\n", encoding="utf-8-sig")
    members = [f"{who}_assignsubmission_file_/{NB}.ipynb" for who in ("Grace  HOPPER_5", "Somebody_77")]
    rows = collect(packed(place[0], *map(member, members)), place[1], NB, read_names(names))
    assert sorted((r.student, r.note) for r in rows) == [("ada", ""), ("hopper", "")]


def test_mapping_to_fill_in_lists_everybody_and_reads_back(place, tmp_path):
    source = packed(place[0], member("b_2_3_x.ipynb"), member("Ann Ö_7_assignsubmission_file_/x.ipynb"))
    write_names(tmp_path / "names.csv", sorted_out(source, NB)[0])
    lines = (tmp_path / "names.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines == ["name,number,student", "Ann Ö,7,", "b,2,"]
    (tmp_path / "names.csv").write_text("\n".join([lines[0], lines[1] + "ann", lines[2] + "ben"]))
    assert read_names(tmp_path / "names.csv") == {"ann ö": "ann", "7": "ann", "b": "ben", "2": "ben"}


def test_two_people_of_one_name_are_told_apart_by_the_numbers_that_the_form_lists(place, tmp_path):
    members = [member(f"Ann Lee_{n}_assignsubmission_file_/{NB}.ipynb", b"%d" % n) for n in (7, 8)]
    source = packed(place[0], *members)
    assert {r.what for r in collect(source, place[1], NB)} == {"refused"}
    write_names(tmp_path / "names.csv", sorted_out(source, NB)[0])
    lines = (tmp_path / "names.csv").read_text(encoding="utf-8-sig").splitlines()
    (tmp_path / "names.csv").write_text("\n".join([lines[0], lines[1] + "ann", lines[2] + "lee"]))
    names = read_names(tmp_path / "names.csv")
    assert names == {"7": "ann", "8": "lee"}
    collect(source, place[1], NB, names)
    assert tree(place[1]) == {taken("ann"): b"7", taken("lee"): b"8"}


def test_mapping_that_a_spreadsheet_saved_is_read_or_says_what_is_wrong(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text("name;number;student\nLee, Ann;7;ann\n", encoding="utf-8-sig")
    assert read_names(path) == {"lee, ann": "ann", "7": "ann"}
    path.write_text("name,number,student\nJörg,7,joerg\n", encoding="cp1252")
    with pytest.raises(ValueError, match=r"^names.csv must be saved as CSV in UTF-8, got another encoding$"):
        read_names(path)


@pytest.mark.parametrize(
    "assignment, course, sentence",
    [
        ("a01_metrix", "course", "collect: an assignment must lie in exercises/, found none of the name"),
        (NB, "curse", "collect: the course must be a folder, found none at"),
    ],
)
def test_a_slip_in_the_command_puts_nothing_anywhere(place, capsys, assignment, course, sentence):
    packed(place[0], member("ada/a.ipynb"))
    there = place[1].with_name(course)
    assert main(["collect", str(place[0]), assignment, "--course", str(there)]) == 2
    assert capsys.readouterr().out.startswith(sentence)
    assert tree(place[1]) == {} and (there.exists() == (course == "course"))


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("Ann,../x", "must be letters"),
        ("Ann,a\nANN,b", "must give each name once"),
        ("Ann,7,a\nBen,7,b", "must give each name once, got '7' twice"),
        ("Ann,7,a\nAnn,,b", "must give each name once, got 'ann' twice"),
    ],
)
def test_mapping_with_a_slip_is_refused_in_one_sentence(tmp_path, text, sentence):
    (tmp_path / "names.csv").write_text(text)
    with pytest.raises(ValueError, match=sentence):
        read_names(tmp_path / "names.csv")


def test_two_people_with_one_name_are_not_mixed_up(place):
    source = packed(place[0], *[member(f"Jo Li_{n}_assignsubmission_file_/{NB}.ipynb") for n in (1, 2)])
    rows = collect(source, place[1], NB)
    assert [r.what for r in rows] == ["refused"] * 2 and "one id must be one person" in rows[0].note
    rows = collect(source, place[1], NB, {"1": "jo1", "2": "jo2"})
    assert sorted((r.student, r.what) for r in rows) == [("jo1", "collected"), ("jo2", "collected")]


def test_last_attempt_counts_and_the_named_notebook_goes_before_others(place):
    files = [(f"{NB}.ipynb", b"1"), (f"{NB}-1.ipynb", b"2"), (f"{NB}-2.ipynb", b"3"), ("scratch.ipynb", b"4")]
    source = packed(place[0], *[member(f"li_7_{n}_{name}", c) for n, (name, c) in enumerate(files)])
    rows = collect(source, place[1], NB)
    assert sorted(r.what for r in rows) == ["collected", "refused", "refused", "refused"]
    assert tree(place[1]) == {taken("li"): b"3"}


def test_several_notebooks_of_which_none_is_named_are_refused(place):
    rows = collect(packed(place[0], member("ada/x.ipynb"), member("ada/y.ipynb")), place[1], NB)
    assert [r.note for r in rows] == ["one notebook must be named a01_metrics.ipynb, got x, y"] * 2


# ---- what is refused


@pytest.mark.parametrize(
    "name, word",
    [
        ("../ada/a.ipynb", "lead out"),
        ("ada/../../a.ipynb", "lead out"),
        ("ada\\..\\a.ipynb", "lead out"),
        ("/etc/a.ipynb", "absolute"),
        ("\\\\host\\share\\a.ipynb", "absolute"),
        ("C:\\a.ipynb", "absolute"),
        ("c:ada/a.ipynb", "absolute"),
        ("ada/a\nb.ipynb", "control"),
        ("con/a.ipynb", "reserved"),
        ("ada/NUL.ipynb", "reserved"),
        ("ada./a.ipynb", "dot or space"),
        ("ada/a.ipynb:stream.ipynb", "colon"),
        (f"ada/{'x' * 300}.ipynb", "240 bytes"),
        ("ada/" * 400 + "a.ipynb", "1,000 characters"),
        ("-rf/a.ipynb", None),
        (".hidden/a.ipynb", "must be letters"),
        ("a b/a.ipynb", "must be letters"),
        ("a..b/a.ipynb", "must be letters"),
        ("a.ipynb", "folder named after its student"),
        ("ada/notes.txt", "only notebooks"),
        ("Ada_1_assignsubmission_onlinetext_/online.ipynb", "onlinetext"),
    ],
)
def test_bad_names_cost_one_row_and_the_rest_goes_on(place, name, word):
    rows = collect(packed(place[0], member(name), member("ben/b.ipynb")), place[1], NB)
    if word is None:
        assert {r.what for r in rows} == {"collected"}
        return
    assert [(r.student, r.what) for r in rows if r.what != "refused"] == [("ben", "collected")]
    (refused,) = [r for r in rows if r.what == "refused"]
    assert word in refused.note and "\n" not in refused.note
    assert set(tree(place[1])) == {taken("ben")}


@pytest.mark.parametrize(
    "kind, word", [(stat.S_IFLNK, "a link"), (stat.S_IFIFO, "a pipe"), (stat.S_IFBLK, "a device")]
)
def test_links_pipes_and_devices_in_a_zip_are_refused(place, kind, word):
    bad = member("ada/a.ipynb", b"/etc/passwd", external_attr=(kind | 0o777) << 16)
    rows = collect(packed(place[0], bad, member("ben/b.ipynb")), place[1], NB)
    assert [r.note for r in rows if r.what == "refused"] == [f"a submission must be a plain file, got {word}"]
    assert set(tree(place[1])) == {taken("ben")}


def test_encrypted_member_is_refused(place):
    raw = bytearray(packed(place[0], member("ada/a.ipynb"), member("ben/b.ipynb")).read_bytes())
    for start in (raw.index(b"PK\3\4") + 6, raw.index(b"PK\1\2") + 8):
        raw[start] |= 1
    place[0].write_bytes(raw)
    rows = collect(place[0], place[1], NB)
    assert [r.note for r in rows if r.what == "refused"] == ["a file must not be encrypted"]
    assert set(tree(place[1])) == {taken("ben")}


def test_damaged_member_is_refused_and_the_rest_collected(place):
    raw = packed(place[0], member("ada/a.ipynb", b"x" * 100), member("ben/b.ipynb")).read_bytes()
    start = raw.index(b"ada/a.ipynb") + len("ada/a.ipynb")
    place[0].write_bytes(raw[:start] + b"\xff" + raw[start + 1 :])
    rows = collect(place[0], place[1], NB)
    assert [r.note[:28] for r in rows if r.what == "refused"] == ["a file must be readable, got"]
    assert set(tree(place[1])) == {taken("ben")}


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all"])
def test_what_is_no_zip_is_one_sentence(place, content):
    place[0].write_bytes(content)
    with pytest.raises(ValueError, match="collect needs a whole zip"):
        collect(place[0], place[1], NB)


def test_bombs_are_refused_by_ratio_size_total_and_count(place):
    small = Limits(members=4, member_bytes=3_000_000, total_bytes=4_000_000, ratio=100)
    zeros = bytes(2_500_000)
    rows = collect(packed(place[0], member("ada/a.ipynb", zeros)), place[1], NB, limits=small)
    assert "at most 100 times" in rows[0].note
    noise = os.urandom(2_500_000)
    rows = collect(packed(place[0], member("ada/a.ipynb", noise * 2)), place[1], NB, limits=small)
    assert "at most 3 MB" in rows[0].note
    both = packed(place[0], member("ada/a.ipynb", noise), member("ben/b.ipynb", noise))
    rows = collect(both, place[1], NB, limits=small)
    assert [r.what for r in rows] == ["collected", "refused"] and "limit" in rows[1].note
    many = packed(place[0], *[member(f"s{n}/a.ipynb") for n in range(5)])
    with pytest.raises(ValueError, match="at most 4 files"):
        collect(many, place[1], NB, limits=small)


def test_a_size_that_lies_is_found_while_reading(place):
    limits = Limits(member_bytes=1000)
    raw = bytearray(packed(place[0], member("ada/a.ipynb", os.urandom(5000))).read_bytes())
    start = raw.index(b"PK\1\2")
    raw[start + 24 : start + 28] = (900).to_bytes(4, "little")
    place[0].write_bytes(raw)
    (row,) = collect(place[0], place[1], NB, limits=limits)
    assert row.what == "refused" and tree(place[1]) == {}


def test_duplicates_and_case_clashes_are_refused(place):
    twice = [member("ada/a.ipynb", b"1"), member("ada/a.ipynb", b"2")]
    case = [member("Ben/b.ipynb"), member("ben/b.ipynb"), member("cleo/c.ipynb")]
    rows = collect(packed(place[0], *twice, *case), place[1], NB)
    notes = {r.note for r in rows if r.what == "refused"}
    assert any("be there once" in n for n in notes) and any("differ in more than case" in n for n in notes)
    assert set(tree(place[1])) == {taken("cleo")}
    rows = collect(packed(place[0], member("CLEO/c.ipynb")), place[1], NB)
    assert "is there already" in rows[0].note and set(tree(place[1])) == {taken("cleo")}


def test_folder_with_links_is_read_without_following_them(place, tmp_path):
    sent = tmp_path / "sent"
    for name in ("ada", "ben"):
        (sent / name).mkdir(parents=True)
    secret = tmp_path / "secret.ipynb"
    secret.write_text("secret")
    (sent / "ada" / f"{NB}.ipynb").symlink_to(secret)
    (sent / "cleo").symlink_to(tmp_path)
    os.link(secret, sent / "ben" / "hard.ipynb")
    os.mkfifo(sent / "ben" / "pipe.ipynb")
    (sent / "ben" / f"{NB}.ipynb").write_text("work")
    rows = collect(sent, place[1], NB)
    notes = sorted(r.note for r in rows if r.what == "refused")
    assert len(notes) == 4 and sum("a link" in n for n in notes) == 2
    assert any("hard link" in n for n in notes) and any("a pipe" in n for n in notes)
    assert tree(place[1]) == {taken("ben"): b"work"}


def test_course_folder_itself_is_no_source(place):
    with pytest.raises(ValueError, match="elsewhere"):
        collect(place[1], place[1], NB)


def test_links_inside_submitted_are_not_written_through(place, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (place[1] / "submitted").mkdir()
    (place[1] / "submitted" / "ada").symlink_to(outside)
    rows = collect(packed(place[0], member("ada/a.ipynb")), place[1], NB)
    assert "plain folders" in rows[0].note and tree(outside) == {}


# ---- twice


def test_newer_takes_the_place_and_both_are_kept(place):
    def send(content, day):
        return collect(
            packed(place[0], member("ada/a.ipynb", content, (2026, 10, day, 12, 0, 0))), place[1], NB
        )

    assert [r.what for r in send(b"1", 5)] == ["collected"]
    assert [r.what for r in send(b"1", 5)] == ["unchanged"]
    assert [r.what for r in send(b"2", 6)] == ["older kept"]
    assert [r.what for r in send(b"0", 4)] == ["newer kept"]
    files = tree(place[1])
    assert files.pop(taken("ada")) == b"2"
    assert sorted(files.values()) == [b"0", b"1"]
    assert all(name.startswith(f"replaced/ada/{NB}/2026100") for name in files)


def test_times_are_written_for_the_late_policy_only_when_they_are_trusted(place):
    source = packed(place[0], member("ada/a.ipynb"))
    collect(source, place[1], NB)
    assert set(tree(place[1])) == {taken("ada")}
    collect(packed(place[0], member("ben/a.ipynb")), place[1], NB, times=True)
    stamp = (place[1] / "submitted/ben" / NB / "timestamp.txt").read_text()
    seconds = time.mktime((*WHEN, 0, 0, -1))
    assert stamp == time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def test_table_is_printable_and_counts(place):
    rows = collect(packed(place[0], member("ada/a.ipynb"), member("b\x1b[31m/x.ipynb")), place[1], NB)
    assert "\x1b" not in table(rows) and table(rows).endswith("1 refused, 1 collected")
    assert table([]) == "nothing was found"


# ---- any names


ODD = st.sampled_from(["..", ".", "", "con", "NUL", "ada", "Ada", "~", "C:", " ", "a01_metrics", ".git"])
PART = st.one_of(
    ODD, st.text(max_size=12), st.sampled_from(["ada_1_2_x.ipynb", "A_1_assignsubmission_file_"])
)
NAME = st.builds(
    lambda lead, parts, glue, tail: lead + glue.join(parts) + tail,
    st.sampled_from(["", "/", "\\", "C:/", "../", "//"]),
    st.lists(PART, min_size=1, max_size=5),
    st.sampled_from(["/", "\\", "//"]),
    st.sampled_from(["", ".ipynb", "/x.ipynb", "\0.ipynb", "/a01_metrics.ipynb"]),
)


@given(names=st.lists(NAME, min_size=1, max_size=6), kind=st.sampled_from([0, stat.S_IFREG, stat.S_IFLNK]))
def test_whatever_a_zip_holds_nothing_is_written_elsewhere(names, kind):
    usable = [n for n in names if n.encode("utf-8", "ignore").decode() == n and len(n) < 60_000]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "a" / "course"
        root.mkdir(parents=True)
        (root.parent / "guard").write_text("here before")
        members = [member(n, n.encode(), external_attr=(kind | 0o644) << 16) for n in usable]
        buffer = packed(io.BytesIO(), *members)
        (Path(folder) / "sent.zip").write_bytes(buffer.getvalue())
        rows = collect(Path(folder) / "sent.zip", root, NB)
        files = tree(Path(folder))
        assert files.pop("sent.zip") and files.pop("a/guard") == b"here before"
        for name in files:
            assert len(Path(name).parts) == 6 and name.startswith("a/course/submitted/")
            assert name.endswith(f"/{NB}/{NB}.ipynb") and path_problem(name) == ""
        assert not any(p.is_symlink() for p in Path(folder).rglob("*"))
        assert sum(r.what == "collected" for r in rows) == len(files)
