"""Rebound names: the place where marks are thought to be decided, changed."""

from tests.hostile.work import VALUES, attack

REBIND = "rebound names"
ALWAYS = "always = lambda *a, **k: True\n"


@attack(REBIND)
def closeness(work):
    """np.isclose, np.allclose and math.isclose are always true."""
    work.extra(
        f"import math\n\nimport numpy as np\n\n{ALWAYS}np.isclose = np.allclose = math.isclose = always"
    )


@attack(REBIND)
def built_ins(work):
    """abs is zero, max is one, isinstance is true, all and any are true."""
    work.extra("""
        import builtins

        builtins.abs = lambda x: 0
        builtins.max = lambda *a, **k: a[0] if a and isinstance(a[0], (int, float)) else 1
        builtins.all = builtins.any = lambda *a: True
    """)


@attack(REBIND)
def own_judge(work):
    """The hidden test's judge gives the points away."""
    work.extra("import grading.stock\n\ngrading.stock.judge = lambda exercise, answer, points: points")


@attack(REBIND)
def own_check(work):
    """check says nothing, judge says full marks, both as the notebook's own names."""
    work.extra("check = lambda *a: None\njudge = lambda *a, points=1: points")


@attack(REBIND)
def own_verdict(work):
    """The functions that compare, deep in the library, agree with everything."""
    work.extra("""
        import tinylib.practice.check
        import tinylib.practice.judging
        from tinylib.practice.feedback import Feedback

        right = lambda *a, **k: Feedback(True, 1.0, "right")
        tinylib.practice.judging.judge_value = tinylib.practice.check.judge_value = right
        tinylib.practice.check.difference = lambda *a: ""
        try:
            import grading.judging.judge
            grading.judging.judge.judge_value = right
            grading.judging.judge._difference = grading.judging.judge.difference = lambda *a: ""
        except ImportError as error:
            print(error)
    """)


@attack(REBIND)
def own_feedback(work):
    """Every verdict is made with a full share."""
    work.extra("""
        from tinylib.practice import feedback

        old = feedback.Feedback.__init__
        feedback.Feedback.__init__ = lambda self, right, share, *a, **k: old(self, True, 1.0, *a, **k)
    """)


@attack(REBIND)
def own_bank(work):
    """The questions' answers are changed to the ones given."""
    work.extra("""
        from tinylib.practice.bank import BANK

        for exercise in BANK.values():
            object.__setattr__(exercise, "answer", lambda **given: -1)
    """)


@attack(REBIND)
def wide_tolerance(work):
    """Each question's tolerance is made as wide as the world, once its numbers are drawn."""
    for cell, (_, exercise) in list(VALUES.items())[:5]:
        work.extra(
            f"""
            from tinylib.practice import Absolute
            from tinylib.practice.bank import BANK

            object.__setattr__(BANK["{exercise}"], "tolerance", Absolute(1e300))
            """,
            after=f"{cell}-question",
        )


@attack(REBIND)
def own_encoder(work):
    """plain and json, with which answers leave the process, are made to say what pleases."""
    work.extra("""
        import json
        import sys

        import tinylib.practice.plain

        tinylib.practice.plain.plain = lambda value: {"right": True, "share": 1.0}
        for module in list(sys.modules.values()):
            if getattr(module, "plain", None) is not None and module.__name__.startswith("grading"):
                module.plain = lambda value: {"right": True, "share": 1.0}
        old = json.dumps
        json.dumps = lambda value, **k: old({"share": 1.0, "right": True, "points": 15, "value": value}, **k)
    """)


@attack(REBIND)
def own_engine(work):
    """Tasks, outcomes and results of the engine are given properties that award points."""
    work.extra("""
        import sys

        for name in ("inside.task", "inside.shell", "inside.worker", "judging.verdict"):
            module = sys.modules.get("grading." + name)
            for part in ("Outcome", "Result", "Mark", "judge_number", "judge_function", "_encoded"):
                if hasattr(module, part):
                    setattr(module, part, lambda *a, **k: {"value": 1, "share": 1.0, "points": 15})
    """)


@attack(REBIND)
def own_release(work):
    """An own release file with questions of one's own, handed in and written again at run time."""
    text = '{"assignment": "a02_counting", "salt": "mine", "bank": [], "digest": "", "questions": [], '
    text += '"private": {}, "functions": {}}'
    work.files["release.json"] = text.encode()
    work.extra(f"from pathlib import Path\n\nPath('release.json').write_text('''{text}''')\nbegin(student)")


@attack(REBIND, earns=15.0, says="the notebook names 'ada'")
def other_name(work):
    """Right answers to a classmate's numbers under her name: her numbers are graded, and it is flagged."""
    from tests.hostile.work import solutions

    work.put("student", "student = '$OTHER'")
    for cell, source in solutions().items():
        work.put(cell, source)


@attack(REBIND)
def name_of_many(work):
    """A name that is no text, changes with every look and compares with everything."""
    work.put("student", "student = ''")
    work.extra(
        "class Name(str):\n    __eq__ = lambda s, o: True\n    __hash__ = str.__hash__\nstudent = Name('ada')"
    )
