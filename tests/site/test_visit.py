"""A reader of the browser edition, in a real Chromium with nothing outside: figures, questions, lessons."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Error

from tests.site.conftest import SHOTS
from tinylib.practice import BANK, plan, progress, variant

PAGES = (
    "index",
    "canvases",
    "figures",
    "cheat-sheet",
    "practice/1-metrics",
    "lessons/03_macs",
    "lessons/20_audit",
)


def picture(page, figure: str) -> str:
    return page.locator(f"{figure} .picture").inner_html()


def moved(page, figure: str, before: str) -> None:
    """Wait until the picture is another one."""
    page.wait_for_function(
        "([figure, before]) => document.querySelector(`${figure} .picture`).innerHTML !== before",
        arg=[figure, before],
    )


def answer(page, exercise: str, words: str) -> str:
    """Type an answer, press Enter; the reply."""
    box = page.locator(f"[data-exercise='{exercise}']")
    box.locator("input[type=text]").fill(words)
    box.locator(".reply").evaluate("reply => reply.replaceChildren()")  # else the one before might be read
    box.locator("input[type=text]").press("Enter")
    box.locator(".reply strong").wait_for()
    return box.locator(".reply").inner_text()


def test_a_request_outside_would_be_noticed_and_fails(visit):
    visitor = visit("index.html")
    visitor.page.goto("about:blank")  # which has no policy of its own
    for outside in ("http://198.51.100.1/", "https://example.org/a.js"):
        with pytest.raises(Error, match="Failed to fetch"):
            visitor.page.evaluate("where => fetch(where, {mode: 'no-cors'})", outside)
    assert visitor.outside == ["http://198.51.100.1/", "https://example.org/a.js"]
    assert len(visitor.errors) == 2
    visitor.outside.clear()
    visitor.errors.clear()


def test_five_canvases_move_with_the_keyboard(visit):
    page = visit("canvases.html").page
    page.locator("#c1-the-gap input[type=range]").fill("2017")  # before Python is there: followed afterwards
    page.locator("#c1-the-gap").get_by_text("The gap in 2017").first.wait_for(state="attached")
    figures = [f"#{name}" for name in page.locator("figure").evaluate_all("all => all.map(f => f.id)")]
    assert len(figures) == 5
    for figure in figures:
        page.locator(figure).scroll_into_view_if_needed()
        page.locator(f"{figure}[data-live=yes]").wait_for()
        before = picture(page, figure)
        control = page.locator(f"{figure} input").first
        control.focus()
        slider = control.get_attribute("type") == "range"
        at_its_end = slider and control.input_value() == control.get_attribute("max")
        control.press("Home" if at_its_end else "End" if slider else "ArrowRight")
        moved(page, figure, before)
        assert page.locator(f"{figure} svg[role=img]").count() == 1


def test_lesson_03_has_live_canvases_and_a_device_that_is_kept(visit):
    page = visit("lessons/03_macs.html#figure-2").page
    page.locator("#figure-2[data-live=yes]").wait_for()
    before = picture(page, "#figure-2")
    page.get_by_role("slider", name="c_in").fill("256")
    moved(page, "#figure-2", before)
    assert "256 to 16 channels" in picture(page, "#figure-2")
    before = picture(page, "#figure-2")
    page.get_by_label("Device").select_option(index=3)
    moved(page, "#figure-2", before)
    page.reload()
    page.locator("#figure-2[data-live=yes]").wait_for()
    assert page.get_by_label("Device").input_value() == "3"


def test_figure_drawn_beforehand_moves_without_python(visit):
    page = visit("lessons/16_xor_on_the_chip.html#figure-1").page
    page.locator("#figure-1[data-live=yes]").wait_for()
    before = picture(page, "#figure-1")
    page.locator("#figure-1").get_by_label("RAM").check()
    moved(page, "#figure-1", before)
    page.locator("#figure-1").get_by_label("flash").check()
    page.wait_for_function("() => document.querySelector('#figure-1 svg').ariaLabel.includes('flash')")
    assert page.evaluate("() => document.documentElement.dataset.python === undefined")


def test_named_mistake_hint_fresh_numbers_and_a_choice(visit):
    exercise = BANK["metrics.mac_to_flop"]
    page = visit("practice/1-metrics.html").page
    slip, value = exercise.mistakes(exercise.given)[0]
    reply = answer(page, exercise.id, f"{value:.12g}")
    assert "Not yet" in reply and slip.hint in reply
    assert "Right" in answer(page, exercise.id, f"{exercise.answer(**exercise.given):.12g} {exercise.unit}")
    box = page.locator(f"[data-exercise='{exercise.id}']")
    box.get_by_role("button", name="Hint").click()
    box.get_by_text("Hint 1 of").wait_for()
    fresh = exercise.text(variant(exercise, 1))
    box.get_by_role("button", name="New numbers").click()
    box.get_by_text(fresh).wait_for()
    assert "Right" in answer(page, exercise.id, f"{exercise.answer(**variant(exercise, 1)):.12g}")

    exercise = next(e for e in BANK.values() if e.choices)  # it wants a number and a choice
    page.get_by_role("link", name="Practice").click()
    page.locator(f"li[data-exercises~='{exercise.id}'] a").click()
    box = page.locator(f"[data-exercise='{exercise.id}']")
    box.get_by_label(exercise.choice(**exercise.given), exact=True).check()
    assert "Right" in answer(page, exercise.id, f"{exercise.answer(**exercise.given):.12g}")


def test_progress_survives_a_reload_goes_out_and_comes_in(visit, tmp_path):
    page = visit("assignments/a01_metrics.html").page
    exercise = BANK["metrics.model_size_fp32"]
    mark = page.locator(f"[data-exercise='{exercise.id}'] .mark")
    other = page.context.new_page()
    other.goto(page.url)
    answer(page, exercise.id, "1")
    assert mark.inner_text().strip() == "• tried"
    other.locator(
        f"[data-exercise='{exercise.id}'] .mark", has_text="tried"
    ).wait_for()  # in the other tab too
    other.close()
    answer(page, exercise.id, f"{exercise.answer(**exercise.given):.12g}")
    page.reload()
    assert mark.inner_text().strip() == "✓ right"
    page.get_by_role("link", name="Book").click()
    page.get_by_text("1 of 188 questions right, 2 answers given.").wait_for()
    page.locator("li", has_text="Assignment 01").get_by_text("1 of 5 right").wait_for()
    page.get_by_text("None today; 1 question later.").wait_for()
    page.get_by_role("button", name="Ask five now").click()  # the one that was once wrong, with new numbers
    prompt = page.locator(f"#review [data-exercise='{exercise.id}'] .prompt").inner_text()
    assert prompt != exercise.text(exercise.given)
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save it as a file").click()
    saved = tmp_path / "progress.jsonl"
    saving.value.save_as(saved)
    assert [(a.id, a.right, a.where) for a in progress.answers(saved)] == [
        (exercise.id, False, "quiz"),
        (exercise.id, True, "quiz"),
    ]
    for said in ("0 answers were added.", "2 answers were added."):  # at first they are there already
        page.locator("#record-file").set_input_files(saved)
        page.get_by_text(said).wait_for()
        page.once("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Delete it").click()
        page.get_by_text("Nothing recorded yet.").wait_for()
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new DOMException('full'); }; }")
    page.get_by_role("link", name="Assignment 01: metrics").click()
    assert "Kept only while this page is open" in answer(page, exercise.id, "1")
    page.get_by_role("link", name="Book").click()
    page.get_by_text("1 answer given. This browser's storage is full or switched off").wait_for()
    with page.expect_download() as saving:  # the way out
        page.get_by_role("button", name="Save it as a file").click()
    saving.value.save_as(saved)
    assert [a.id for a in progress.answers(saved)] == [exercise.id]


def test_home_says_what_the_record_says(visit, tmp_path):
    missed = [*plan.book()[2].asks[:6], *plan.book()[1].asks]  # of lesson 02, then all of lesson 01
    start = datetime.now(UTC) - timedelta(days=3)
    rows = [
        {"time": (start + timedelta(minutes=i)).isoformat(), "id": name, "value": "1", "right": False}
        for i, name in enumerate(missed)
    ]
    rows.append({**rows[-1], "time": (start + timedelta(hours=1)).isoformat(), "right": True})
    record = tmp_path / "progress.jsonl"
    record.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    given = progress.answers(record)

    page = visit("index.html").page
    assert page.locator("#next-lesson").inner_text() == plan.book()[0].title
    page.locator("#record-file").set_input_files(record)
    page.get_by_text(f"{len(missed)} questions today, 0 questions later.").wait_for()
    found = plan.standings(given)
    assert page.locator("#next-lesson").inner_text() == plan.next_lesson(found, given).title == "01 The gap"
    assert plan.spoken(plan.minutes_left(found)) in page.locator("#minutes-left").inner_text()
    weak = page.locator("#weak li").all_inner_texts()
    assert (
        weak == [f"{w.concept}: {w.missed} of {w.tried} first tries missed" for w in plan.weak(given)] != []
    )
    asked = page.locator("#review [data-exercise]")
    asked.first.wait_for()  # the five come together
    assert asked.count() == 5
    name, prompt = asked.first.get_attribute("data-exercise"), asked.first.locator(".prompt").inner_text()
    numbers = next(
        v for v in (variant(BANK[name], f"review {i}") for i in range(99)) if BANK[name].text(v) == prompt
    )
    assert "Right" in answer(page, name, f"{BANK[name].answer(**numbers):.12g}")
    row = page.evaluate("() => Progress.rows().at(-1)")
    assert (row["id"], row["where"], row["right"]) == (name, "review", True)
    page.evaluate(  # a page that is left before Python replied; a fault would be heard
        "() => { document.dispatchEvent(new Event('record'));"
        "document.querySelector('main').replaceChildren(); return Python.call('standing', ''); }"
    )


def test_python_that_does_not_come_is_said(visit):
    visitor = visit("practice/1-metrics.html")
    visitor.page.context.route("**/pyodide.asm.wasm", lambda route: route.abort())
    visitor.page.locator(".exercise input").first.fill("5")
    visitor.page.locator(".exercise input").first.press("Enter")
    visitor.page.locator(".reply", has_text="Python did not start: a file of it").wait_for()
    visitor.errors.clear()  # of the missing file


@pytest.mark.parametrize("lesson", ["03_macs", "07_fixed_point", "16_xor_on_the_chip"])
def test_lesson_is_read_to_its_end_without_javascript(visit, book, lesson):
    page = visit(f"lessons/{lesson}.html", java_script_enabled=False).page
    assert page.locator("article svg[role=img]").count() >= len(book.of(lesson)) > 0
    assert page.locator("article .exercise .prompt").count() == len(book.quizzes(lesson))
    last = page.get_by_role("heading").last
    last.scroll_into_view_if_needed()
    assert last.inner_text() == "Where to go from here"


def test_going_back_and_on_keeps_python(visit):
    page = visit("practice/1-metrics.html").page
    page.evaluate("() => { window.same = true; }")
    page.get_by_role("link", name="2 Counting").click()
    page.get_by_role("heading", level=1, name="2 Counting").wait_for()
    assert page.title() == "2 Counting" and page.url.endswith("/practice/2-counting.html")
    page.go_back()
    page.get_by_role("heading", level=1, name="1 Metrics").wait_for()
    assert page.evaluate("() => window.same === true")


def test_back_leads_to_the_place_and_the_last_click_wins(visit):
    page = visit("index.html").page
    link = page.locator("li a[href$='17_fair_benchmark.html']")
    link.scroll_into_view_if_needed()
    left = page.evaluate("() => scrollY")
    link.click()
    page.get_by_role("heading", level=1, name="17 Liquid").wait_for()
    assert left > page.evaluate("() => scrollY") == 0
    page.go_back()
    page.wait_for_function("left => Math.abs(scrollY - left) < 2", arg=left)
    assert link.evaluate("link => link === document.activeElement")
    page.evaluate(
        "() => { const now = fetch; window.fetch = (to) => !to.includes('canvases') ? now(to)"
        " : new Promise((go) => { window.late = () => go(now(to)); }); }"
    )
    page.get_by_role("link", name="Canvases").click()
    page.get_by_role("link", name="Figures").click()
    page.get_by_role("heading", level=1, name="Figures and calculators").wait_for()
    page.evaluate("async () => { late(); await new Promise(go => setTimeout(go, 200)); }")
    assert page.title() == "Figures" and page.url.endswith("/figures.html")


def test_every_control_has_a_name_and_no_page_is_wider_than_a_phone(visit):
    visitor = visit("canvases.html", **{"reduced_motion": "reduce"})
    page = visitor.page
    page.set_viewport_size({"width": 360, "height": 640})  # 200 % zoom of a small laptop is wider
    for name in PAGES:
        visitor.open(f"{name}.html")
        wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name} is {wide} pixels too wide"
    visitor.open("lessons/03_macs.html")
    page.locator("figure input").first.wait_for()
    code = page.locator("pre[data-more]").first  # it goes on to the right: its edge fades until one is there
    code.evaluate("code => { code.id = 'wide'; code.scrollLeft = 9999; }")
    page.wait_for_function("() => !document.getElementById('wide').hasAttribute('data-more')")
    page.emulate_media(media="print")
    cut = "() => [...document.querySelectorAll('pre')].filter(p => p.scrollWidth > p.clientWidth).length"
    assert page.evaluate(cut) == 0
    page.emulate_media(media="screen")
    unnamed = page.evaluate(
        "() => [...document.querySelectorAll('input,select,button')].filter(c => "
        "!c.labels?.length && !c.textContent.trim() && !c.ariaLabel).length"
    )
    assert unnamed == 0


def test_theme_follows_the_choice_and_is_kept(visit):
    page = visit("index.html", color_scheme="dark").page
    paper = "() => getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(17, 17, 17)"
    page.get_by_role("button", name=re.compile("Theme")).click()
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    page.reload()
    assert page.evaluate(paper) == "rgb(255, 255, 255)"


def test_page_opened_as_a_file_is_readable_and_says_what_it_lacks(visit, built):
    page = visit("index.html").page
    page.goto((built / "lessons" / "03_macs.html").as_uri())
    assert "run python3 -m http.server" in page.locator("#python").inner_text()
    page.get_by_role("link", name="Canvases").click()
    page.get_by_role("heading", level=1, name="Five canvases").wait_for()
    assert page.locator("figure svg[role=img]").count() == 5


@pytest.mark.soak
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_for_the_eye(visit, theme):
    """Home, a canvas, an exercise and a lesson as pictures in screenshots/."""
    SHOTS.mkdir(exist_ok=True)
    visitor = visit("index.html", color_scheme=theme)
    for name in ("index", "canvases", "practice/1-metrics", "lessons/07_fixed_point"):
        visitor.open(f"{name}.html")
        shot = SHOTS / f"site-{name.split('/')[-1]}-{theme}.png"
        visitor.page.screenshot(path=shot)
        assert shot.stat().st_size > 10_000
