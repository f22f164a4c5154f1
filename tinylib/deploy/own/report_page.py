"""The report of a run as one page of HTML: no script, nothing loaded, light and dark, in a fixed order.

What was found, how good it is and how far to trust that, what it takes, what was tried, what was done to the
data, and how to use the C files. Every picture carries its words.
"""

from html import escape

from tinylib.deploy.measure import CYCLES_PER_INSTRUCTION
from tinylib.deploy.own import figures
from tinylib.deploy.own.choose import Trial
from tinylib.deploy.own.run import Found
from tinylib.deploy.own.windows import PARTS
from tinylib.show.page_style import PAGE
from tinylib.units import format_bytes

WHY = "why not"
STYLE = f"""{PAGE}
body{{max-width:48rem}}
.lead{{font-size:1.12rem;border-left:4px solid var(--fit-words);padding:.1rem 0 .1rem .8rem}}
.lead.no{{border-color:var(--over-words)}}.warn{{color:var(--over-words)}}.muted{{color:var(--muted)}}
table{{width:100%;font-size:.92rem}}
th,td{{padding:.3rem .6rem .3rem 0;text-align:right}}th:first-child,.why{{text-align:left}}
td{{white-space:nowrap}}td.why{{white-space:normal;min-width:11rem}}
tr.taken{{background:var(--panel);font-weight:600}}svg{{display:block}}
"""


def page(found: Found, name: str = "own") -> str:
    """The whole page [text]."""
    lost = found.program is None
    body = [
        f"<h1>{escape(_title(found))}</h1>",
        f'<p class="lead{" no" * lost}">{escape(found.verdict)}</p>',
        _how_good(found),
        _takes(found),
        _tried(found),
        _evidence(found),
        _data(found),
        _files(found, name),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(_title(found))}</title><style>{STYLE}</style></head>\n"
        f"<body><main>\n{''.join(part for part in body if part)}</main></body></html>\n"
    )


def _title(found: Found) -> str:
    what = "An anomaly score" if found.detector else "A classifier"
    return f"{what} for {found.target}"


def _section(title: str, *parts: str) -> str:
    return f"<section><h2>{escape(title)}</h2>\n{''.join(parts)}</section>\n"


def _paragraph(words: str, kind: str = "") -> str:
    start = f'<p class="{kind}">' if kind else "<p>"
    return f"{start}{_code(words)}</p>\n"


def _code(words: str) -> str:
    """Words with what stands between backquotes as code [text]."""
    return "".join(
        f"<code>{escape(p)}</code>" if i % 2 else escape(p) for i, p in enumerate(words.split("`"))
    )


def _figure(drawing: str) -> str:
    return f"<figure>{drawing}</figure>\n"


def _table(caption: str, head: list[str], rows: list[tuple[bool, list[str]]]) -> str:
    words = ' class="why"'
    top = "".join(f'<th scope="col"{words * (h == WHY)}>{escape(h)}</th>' for h in head)
    lines = "".join(
        f"<tr{' class=taken' * taken}>"
        + "".join(
            f'<th scope="row">{escape(c)}</th>'
            if i == 0
            else f"<td{words * (head[i] == WHY)}>{escape(c)}</td>"
            for i, c in enumerate(cells)
        )
        + "</tr>\n"
        for taken, cells in rows
    )
    label = escape(caption.replace("`", ""))
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{label}">'
        f"<table><caption>{_code(caption)}</caption><thead><tr>{top}</tr></thead>"
        f"<tbody>{lines}</tbody></table></div>\n"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _span(found: Found) -> str:
    return f"{_percent(found.low)} to {_percent(found.high)} ({found.how})"


def _how_good(found: Found) -> str:
    if found.detector:
        d = found.detector
        rows = [(False, [kind, _percent(share)]) for kind, share in d.seen.items()]
        said = f"False alarms: {_percent(d.alarms)}, {_span(found)}."
        caption = "Made-up disturbances of the test part: no faults, only a sign that the score sees a change"
        made_up = _table(caption, ["disturbance", "raises an alarm"], rows)
        drawing = figures.alarms(d.scores, d.program.threshold, d.alarms)
        return _section("How often it cries wolf", _paragraph(said), _figure(drawing), made_up)
    if not len(found.y):
        return ""
    counts = [int((found.y == k).sum()) for k in range(len(found.windows.classes))]
    commonest = max(counts) / sum(counts)
    said = f"Accuracy {_percent(found.accuracy)}, {_span(found)}. "
    said += f"Mean hit rate of the classes {_percent(found.hit_rate)}. "
    said += (
        f"Who always says {found.windows.classes[counts.index(max(counts))]} is right {_percent(commonest)}."
    )
    drawing = figures.confusion(found.y, found.guess, found.windows.classes)
    return _section("How good it is", _paragraph(said), _figure(drawing))


def _takes(found: Found) -> str:
    taken = found.taken
    if taken is None:
        return ""
    if taken.where == "nothing":
        check = "NOT CHECKED: there is neither a cross compiler nor a C compiler here; sizes are estimates."
    elif taken.measured:
        check = (
            f"On the {taken.where} core ({taken.compiler}), {taken.compared} windows of the test part gave "
        )
    else:
        check = (
            f"Compiled on {taken.where} ({taken.compiler}), {taken.compared} windows of the test part gave "
        )
    if taken.where != "nothing":
        check += (
            "exactly the scores of Python. " if not taken.differing else f"{taken.differing} OTHER scores. "
        )
    if not taken.measured and taken.where != "nothing":
        check += (
            "Flash, RAM and instructions are estimates: `make lab EXTRAS=device` gets the tools that measure."
        )
    note = (
        f"RAM holds the window of readings, all buffers, and the stack that was used. The time assumes "
        f"{CYCLES_PER_INSTRUCTION:g} cycles for an instruction; a chip decides that."
    )
    return _section(
        "What it takes",
        _paragraph(check),
        _figure(figures.budgets(taken, found.limits)),
        _paragraph(note, "muted"),
    )


def _tried(found: Found) -> str:
    if found.detector:
        every = (found.detector, *found.others)
        rows = [
            (d is found.detector, [d.program.candidate.what, _percent(d.alarms), _percent(d.found),
             f"{d.taken.flash:,}", d.why or "taken"])
            for d in every
        ]  # fmt: skip
        head = ["score", "false alarms", "disturbances seen", "flash [B]", WHY]
        return _section("What was tried", _table("Scores, and why one was taken", head, rows))
    rows = []
    for t in found.trials:
        winner = found.winner is not None and t.candidate is found.winner.candidate
        rows.append((winner, _row(t, winner)))
    head = [
        "network",
        "to choose by",
        "as integers",
        "test, float",
        "flash [B]",
        "RAM [B]",
        "instructions",
        WHY,
    ]
    caption = "Mean hit rate of the classes. Chosen by the column `as integers`; the test part had no say."
    drawn = figures.learning({t.candidate.name: t.curve.score for t in found.trials if not t.candidate.free})
    kinds = _paragraph(
        "; ".join(f"{t.candidate.name}: {t.candidate.what}" for t in found.trials) + ".", "muted"
    )
    return _section("What was tried", _table(caption, head, rows), kinds, _figure(drawn))


def _row(t: Trial, winner: bool) -> list[str]:
    sizes = ["", "", ""]
    if t.taken:
        about = "" if t.taken.measured else "~"
        sizes = [f"{about}{v:,}" for v in (t.taken.flash, t.taken.ram, t.taken.instructions)]
    integer = _percent(t.integer) if t.integer is not None else ""
    return [
        t.candidate.name,
        _percent(t.validation),
        integer,
        _percent(t.accuracy),
        *sizes,
        "taken" if winner else t.why,
    ]


def _evidence(found: Found) -> str:
    """What the numbers do not say."""
    w = found.windows
    lines = []
    if w.honest:
        lines.append(
            "The test part holds machines or subjects that no other part knows: the numbers are those on a "
            "new one of the same kind, not on another kind."
        )
    else:
        lines.append(
            "WARNING: the machine or subject is not known or could not be kept apart. The numbers hold for "
            "those that were recorded; on a new one expect less."
        )
    if len(found.y) and len(found.y) < 200:
        lines.append(f"{len(found.y)} windows are few: take the interval, not the number.")
    if not found.detector:
        lines.append(
            f"{len(found.trials)} networks were compared on the part to choose by, whose numbers are "
            f"therefore too kind; the test part had no say. Do not tune until it looks good."
        )
    else:
        lines.append(
            "Nothing here has seen a fault. Whether a fault raises an alarm can only be known from one."
        )
    lines.append("Labels are taken as true, and the sensor as mounted as in the recordings.")
    items = "".join(f"<li{' class=warn' * s.startswith('WARNING')}>{escape(s)}</li>\n" for s in lines)
    return _section("How far to trust this", f"<ul>{items}</ul>")


def _data(found: Found) -> str:
    w = found.windows
    head = ["class", *PARTS]
    rows = [(False, [name, *(f"{n:,}" for n in w.counts[:, k])]) for k, name in enumerate(w.classes)]
    items = "".join(f"<li{' class=warn' * s.startswith('WARNING')}>{escape(s)}</li>\n" for s in found.notes)
    rate = f" at {w.rate_hz:.6g} samples per second" if w.rate_hz else ", rate not known"
    size = w.x.shape[1]
    said = f"{found.table_rows:,} rows, readings {', '.join(w.channels)}{rate}; windows of {size} samples."
    return _section("The data", _paragraph(said), _table("Windows", head, rows), f"<ul>{items}</ul>")


def _files(found: Found, name: str) -> str:
    p = found.program
    if p is None:
        return ""
    bits = ", ".join(f"{c}: reading = {p.sensor.told(k)}" for k, c in enumerate(p.channels))
    if found.detector:
        use = f"uint32_t score = {name}_anomaly(window);\n/* an alarm if score > {name.upper()}_THRESHOLD */"
    else:
        use = f"{name}_code scores[{len(p.classes)}];\nint best = {name}_classify(window, scores);\n/* "
        use += ", ".join(f"{i} {c}" for i, c in enumerate(p.classes)) + " */"
    code = f'#include "{name}_sensor.h"\n\nint16_t window[{p.time * len(p.channels)}];   '
    code += f"/* {p.time} rows of {len(p.channels)} readings */\n{use}"
    flash, ram = (format_bytes(int(v)) for v in (found.limits.flash_bytes, found.limits.ram_bytes))
    made = f"Made with seed {found.seed} in {found.seconds:.0f} s. Limits: {flash} of flash and {ram} of RAM."
    return _section(
        "Use it",
        f"<pre><code>{escape(code)}</code></pre>\n",
        _paragraph(f"Readings are whole numbers of 16 bits: {bits}."),
        _paragraph("`make run` compiles both tests with all warnings and compares every score."),
        _paragraph(made, "muted"),
    )
