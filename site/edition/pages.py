"""Every page of the site, as its file name and the function that makes it."""

from collections.abc import Callable, Iterator
from html import escape

from edition import lessons
from edition.book import CANVASES, Book
from edition.frame import exercise, page
from tinylib.practice import BANK, CHAPTERS, plan
from tinylib.show import canvases, cheat_sheet
from tinylib.show.book_map import book_map


def pages(book: Book) -> Iterator[tuple[str, Callable[[], str]]]:
    """(file, function that gives its HTML) of all pages."""
    yield "index.html", lambda: page("The TinyML workbook", home(book), here="Book")
    yield "canvases.html", lambda: page("Canvases", five_canvases(book), here="Canvases")
    yield "figures.html", lambda: page("Figures", figure_index(book), here="Figures")
    yield "cheat-sheet.html", lambda: page("Cheat sheet", sheet(), here="Cheat sheet")
    yield "practice/index.html", lambda: page("Practice", chapters(), 1, "Practice")
    for title in CHAPTERS:
        yield f"practice/{chapter_file(title)}", lambda t=title: page(t, chapter(t), 1, "Practice")
    for entry in book.lessons:
        yield (
            f"lessons/{entry['script']}.html",
            lambda e=entry: page(e["title"], lesson(book, e["script"]), 1),
        )
    for entry in book.assignments:
        yield f"assignments/{entry['script']}.html", lambda e=entry: page(e["title"], assignment(book, e), 1)


def chapter_file(title: str) -> str:
    """The file of a chapter below practice/."""
    return f"{lessons.slug(title)}.html"


def _counted(link: str, words: str, ids: list[str], more: str = "", extra: str = "") -> str:
    """A line of a map: a link, its questions, and room for how many are right."""
    return f"""<li data-exercises="{" ".join(ids)}"{extra}><a href="{link}">{escape(words)}</a>
<span class="more">{more}</span><span class="count">{len(ids)} questions</span>
<progress hidden aria-label="right answers, {escape(words)}"></progress></li>"""


def _section(title: str, body: str) -> str:
    name = lessons.slug(title)
    return f'<section aria-labelledby="{name}"><h2 id="{name}">{escape(title)}</h2>{body}</section>'


def home(book: Book) -> str:
    """The map of the book, questions that come again, weak concepts, and the record [text]."""

    def rows(entries: list[dict], folder: str, asked: Callable, extra: str = "") -> str:
        lines = (
            _counted(f"{folder}/{s}.html", e["title"], asked(s), f"{e['minutes']} min", extra)
            for e in entries
            if (s := e["script"])
        )
        return f'<ol class="map">{"".join(lines)}</ol>'

    first = book.lessons[0]
    return f"""<h1>The TinyML workbook</h1>
<p class="lead">Derive every number of efficient deep learning, and see the mistake behind a wrong one. Here
the book runs in the browser alone: read, move the figures, answer.</p>
<p class="go"><span id="go-words">Begin with</span>
<a id="next-lesson" href="lessons/{first["script"]}.html">{escape(first["title"])}</a>
<span class="quiet" id="minutes-left"></span></p>
<figure id="map"><div class="picture">{book_map(plan.stops(plan.standings(()))[0])}</div></figure>
<div id="again" hidden>{_section("Once wrong, asked again", _REVIEW)}
<div id="weak" hidden>{_section("Weak so far", "<ul></ul>")}</div></div>
{_section("Lessons", rows(book.lessons, "lessons", book.quizzes, " data-lesson"))}
{_section("Assignments, as practice", _PRACTICE + rows(book.assignments, "assignments", book.questions))}
<div id="record" hidden>{_section("Your record", _RECORD.format(total=len(BANK)))}</div>"""


_REVIEW = """<p>What you got wrong comes back with fresh numbers after a day, then after 2, 4, 8 and 16.
<span id="review-said" role="status"></span></p>
<button id="review-early" type="button" hidden>Ask five now</button><div id="review"></div>"""
_PRACTICE = """<p>Their questions of the bank. Functions, and questions that are judged at grading, are in the
notebooks.</p>"""
_RECORD = """<p id="record-line" data-total="{total}"></p>
<p class="row"><button id="record-out" type="button">Save it as a file</button>
<label class="button">Add answers from a file<input id="record-file" type="file" accept=".jsonl"></label>
<button id="record-forget" type="button">Delete it</button></p><p id="record-said" role="status"></p>
<p>It is kept in this browser alone, in the form of the notebooks' <code>progress.jsonl</code>.</p>"""


def five_canvases(book: Book) -> str:
    """The five large figures on one page [text]."""
    parts = [
        '<h1>Five canvases</h1><p class="lead">The large figures of the book. Move a control: the picture is '
        "drawn by the same Python as in the lessons.</p>"
    ]
    for name, (script, _, said) in CANVASES.items():
        found = book.canvas(name)
        there = f"lessons/{script}.html#figure-{book.of(script).index(found) + 1}"
        parts.append(f'<h2>{escape(name)}</h2><p>{escape(said)} <a href="{there}">In its lesson</a></p>')
        parts.append(lessons.figure(lessons.slug(name), found, True))
    return "".join(parts)


def figure_index(book: Book) -> str:
    """All figures by lesson, and which of them move [text]."""
    parts = [
        f'<h1>Figures and calculators</h1><p class="lead">{len(book.alive)} of {len(book.figures)} figures '
        "move in the browser. The others follow what numpy computes, and stay as saved.</p>"
    ]
    for entry in book.lessons:
        rows = []
        for place, f in enumerate(book.of(entry["script"]), 1):
            title = escape(canvases.alternative(f.saved).split(". ")[0])
            still = "" if f.key in book.alive else " <small>as saved</small>"
            rows.append(f'<li><a href="lessons/{f.lesson}.html#figure-{place}">{title}</a>{still}</li>')
        if rows:
            parts.append(f"<h2>{escape(entry['title'])}</h2><ul>{''.join(rows)}</ul>")
    return "".join(parts)


def sheet() -> str:
    """The cheat sheet, its links turned to pages [text]."""
    made = cheat_sheet.sheet("lessons/").replace('.ipynb"', '.html"')
    return f'<h1>Cheat sheet</h1><div class="wide" role="group" aria-label="Tables">{made}</div>'


def chapters() -> str:
    """The chapters of the bank [text]."""
    rows = "".join(_counted(chapter_file(t), t, [e.id for e in asked]) for t, asked in CHAPTERS.items())
    return f"""<h1>Practice</h1><p class="lead">{len(BANK)} questions. A wrong answer is told its mistake
where it is a known one; most questions come again with fresh numbers.</p>
<ol class="map">{rows}</ol>"""


def chapter(title: str) -> str:
    """All questions of a chapter [text]."""
    names = list(CHAPTERS)
    after = names[(names.index(title) + 1) % len(names)]
    asked = "".join(exercise(e, 2) for e in CHAPTERS[title])
    onward = f'<p>Next chapter: <a href="{chapter_file(after)}">{escape(after)}</a></p>'
    return f"<h1>{escape(title)}</h1>{asked}{onward}"


def lesson(book: Book, script: str) -> str:
    """One lesson to read [text]."""
    figures = {f.cell: f for f in book.of(script)}
    return f"<article>{lessons.html(book.cells[script], figures, book.alive)}</article>"


def assignment(book: Book, entry: dict) -> str:
    """The bank questions of an assignment to practise, and what else its notebook asks [text]."""
    release, others = book.releases[entry["script"]], []
    for name in dict.fromkeys(release.questions):
        if name in release.private:
            asked = release.private[name]
            words = escape(asked.text(asked.given))
            others.append(f"<li><strong>{escape(asked.title)}.</strong> {words}</li>")
        elif name in release.functions:
            others.append(f"<li>The function of <code>{escape(name)}</code></li>")
    rest = f"<h2>In the notebook, judged at grading</h2><ul>{''.join(others)}</ul>" if others else ""
    goals = "".join(f"<li>{escape(goal)}</li>" for goal in entry["objectives"])
    return f"""<h1>{escape(entry["title"])}</h1><p><strong>By the end you can</strong></p><ul>{goals}</ul>
<p>{entry["minutes"]} minutes; builds on {escape(", ".join(entry["needs"]))}.</p>
{"".join(exercise(BANK[q], 2) for q in book.questions(entry["script"]))}{rest}"""
