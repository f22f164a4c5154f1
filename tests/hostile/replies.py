"""Forged replies: saved outputs, results and frames that nobody asked for."""

import json

from tests.hostile.work import attack, claims

REPLY = "forged replies"


@attack(REPLY)
def saved_outputs(work):
    """Saved outputs under every check say full points."""
    for cell in work.checks():
        data = {"text/plain": str(claims(cell)["points"])}
        cell["outputs"] = [
            {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 1}
        ]
        cell["execution_count"] = 1


@attack(REPLY)
def saved_record(work):
    """Saved records of the judge under every check say share 1."""
    record = {"share": 1.0, "reason": "✓ Right.", "mistake": None, "answer": 1, "student": work.student}
    for cell in work.checks():
        data = {"application/vnd.tinylib.judged+json": record, "text/plain": "✓ Right."}
        cell["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {}}]


@attack(REPLY)
def early_result(work):
    """An execute_result with full points is published from within the check, before it fails."""
    work.extra("""
        def reply(points):
            hook = get_ipython().displayhook
            if getattr(hook, "session", None):
                content = {"execution_count": 1, "data": {"text/plain": str(points)}, "metadata": {}}
                hook.session.send(hook.pub_socket, "execute_result", content, hook.parent_header)
            else:
                hook(points)

        def judge(exercise, answer, points):
            reply(points)
            return old(exercise, answer, points)

        reply(15)
        try:
            import grading.stock
            old, grading.stock.judge = grading.stock.judge, judge
        except ImportError as error:
            print(error)
    """)


@attack(REPLY)
def displayed_record(work):
    """Records of the judge with share 1 are displayed in every cell."""
    work.extra("""
        from IPython.display import display

        record = {"id": "a02.largest_side", "share": 1.0, "reason": "right", "mistake": None, "answer": 1}
        forge = lambda *a: display(
            {"application/vnd.tinylib.judged+json": record, "text/plain": "6"}, raw=True
        )
        get_ipython().events.register("post_run_cell", forge)
        get_ipython().events.register("pre_run_cell", forge)
    """)


@attack(REPLY)
def forged_frames(work):
    """Frames of the engine's own kind, saying full marks, are written to every open file."""
    outcome = {"cell": "separable-report-check", "value": 1, "values": [{"value": {"share": 1}}] * 6}
    outcome |= {"share": 1.0, "points": 6, "outputs": [], "error": None, "refused": "", "seconds": 0}
    result = {"digest": "0", "outcomes": [outcome], "ended": "finished", "level": "A", "note": "right"}
    lines = [json.dumps(line) for line in (outcome, result, {"call": {"value": 1}}, {"started": True})]
    work.extra(f"""
        import os
        import struct

        lines = {lines!r}
        for number in range(256):
            for line in lines:
                body = line.encode()
                framed = b"d" + struct.pack("=I", len(body)) + body
                for content in (body + b"\\n", framed, b"e\\0\\0\\0\\2{{}}"):
                    try:
                        os.write(number, content)
                    except OSError:
                        pass
    """)


@attack(REPLY)
def torn_frames(work):
    """Half lines, bad UTF-8, NaN, deep JSON and huge numbers are written to every open file."""
    work.extra("""
        import os

        junk = [b"{\\n", b"\\xff\\xfe\\n", b"NaN\\n", b"[" * 5000 + b"\\n", b"9" * 5000 + b"\\n", b"null\\n"]
        junk += [b'{"value": 1e999}\\n', b'{"outputs": 3, "error": 7, "seconds": "x"}\\n', b"\\0" * 4096]
        for number in range(256):
            for line in junk:
                try:
                    os.write(number, line)
                except OSError:
                    pass
    """)


@attack(REPLY)
def closed_files(work):
    """Every open file of the process is closed."""
    work.extra("import os\n\nos.closerange(0, 4096)")


@attack(REPLY)
def swapped_files(work):
    """The pipe for answers is swapped with /dev/null and with a pipe of one's own."""
    work.extra("""
        import os

        mine = os.pipe()
        for number in range(3, 256):
            if number not in mine:
                try:
                    os.fstat(number)
                    os.dup2(mine[1], number)
                except OSError:
                    pass
    """)


@attack(REPLY)
def endless_answers(work):
    """Line after line of answers is written for as long as anyone reads."""
    work.extra("""
        import os

        line = b'{"call": {"value": 1}, "outputs": [], "error": null, "seconds": 0}\\n'
        files = [n for n in range(3, 256) if os.path.exists(f"/proc/self/fd/{n}")]
        while files:
            for number in list(files):
                try:
                    os.write(number, line * 1000)
                except OSError:
                    files.remove(number)
    """)


@attack(REPLY)
def held_pipe(work):
    """A second process keeps the pipe for answers open and goes on writing after the first has ended."""
    work.extra("""
        import os
        import time

        if os.fork() == 0:
            os.setsid()
            while True:
                for number in range(3, 64):
                    try:
                        os.write(number, b'{"value": 1, "share": 1.0}\\n')
                    except OSError:
                        pass
                time.sleep(0.05)
    """)


@attack(REPLY, says="a line holds more than an answer")
def bracket_flood(work):
    """Outputs and answers of millions of empty lists, each a hundred bytes to whoever reads them."""
    work.extra("""
        import os

        head = b'{"outputs":[{"output_type":"display_data","metadata":{},"data":{"x/json":['
        lines = [head + b"[]," * 3_000_000 + b'0]}}],"seconds":0.1,"error":null}\\n']
        lines += [b'{"value":[' + b"{}," * 3_000_000 + b"0]}\\n"]
        for number in range(3, 256):
            for line in lines:
                try:
                    while line:
                        line = line[os.write(number, line) :]
                except OSError:
                    break
    """)
