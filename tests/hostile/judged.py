"""Functions that behave otherwise when they are judged."""

from tests.hostile.work import ENTRIES, attack

JUDGED = "functions that notice"


def functions(work, body: str, before: str = "") -> None:
    """The same body for both functions, after a cell of one's own."""
    if before:
        work.extra(before)
    work.put("macs-function", f"def conv_macs(*arguments):\n{body}")
    work.put("separable-report", f"def separable_report(*arguments):\n{body}")


@attack(JUDGED)
def peeks_at_caller(work):
    """The functions look for the expected value in their callers' frames and return it."""
    functions(
        work,
        "    return peek(arguments)",
        """
        import sys

        def peek(arguments):
            frame = sys._getframe()
            while frame:
                names = {**frame.f_globals, **frame.f_locals}
                if "expected" in frame.f_locals:
                    return frame.f_locals["expected"]
                if "key" in frame.f_locals and hasattr(frame.f_locals["key"], "expected"):
                    return frame.f_locals["key"].expected(*arguments)
                frame = frame.f_back
            return -1
        """,
    )


@attack(JUDGED)
def finds_the_key(work):
    """The functions look for the key among all objects and in every loaded module."""
    functions(
        work,
        "    return found(arguments)",
        """
        import gc
        import sys

        def found(arguments):
            for thing in gc.get_objects():
                if type(thing).__name__ == "Key" and len(arguments) == 5:
                    try:
                        return thing.expected(*arguments)
                    except Exception:
                        pass
            try:
                import grading.keys
                for item in grading.keys.load(grading.keys.folder() / "a02_counting.py").values():
                    if hasattr(item, "expected"):
                        return item.expected(*arguments)
            except Exception as error:
                print(error)
            return -1
        """,
    )


@attack(JUDGED)
def public_examples(work):
    """The functions know the public examples and nothing else."""
    functions(
        work,
        "    return next((e for a, e in examples if tuple(a) == arguments), -1)",
        """
        import json

        functions = json.load(open("release.json"))["functions"]
        examples = [e for f in functions.values() for e in f["examples"]]
        """,
    )


@attack(JUDGED)
def counts_calls(work):
    """Right on the first call only, when somebody may be looking."""
    work.extra("calls = []")
    work.put(
        "macs-function",
        """
        def conv_macs(kernel_size, c_in, c_out, h_out, w_out):
            calls.append(1)
            return kernel_size**2 * c_in * c_out * h_out * w_out if len(calls) == 1 else -1
    """,
    )


@attack(JUDGED)
def changes_arguments(work):
    """The functions change their arguments in place and hide them for the next call."""
    functions(
        work,
        "    kept.append(arguments)\n    [getattr(a, 'clear', int)() for a in arguments]\n    return kept",
        "kept = []",
    )


@attack(JUDGED)
def generators(work):
    """Generators, coroutines, iterators and partial functions as results."""
    work.put("macs-function", "def conv_macs(*a):\n    yield -1")
    work.put("separable-report", "async def separable_report(*a):\n    return {}")


@attack(JUDGED)
def lying_results(work):
    """Results of subclasses whose entries change with every look."""
    functions(
        work,
        "    return Entries()",
        f"""
        class Number(float):
            __eq__ = __le__ = __ge__ = lambda self, other: True
            __sub__ = __rsub__ = __abs__ = lambda self, *a: Number(0)
            __hash__ = float.__hash__

        class Entries(dict):
            __init__ = lambda self: super().__init__(dict.fromkeys({ENTRIES}, Number(0)))
            get = __getitem__ = lambda self, name, *a: Number(0)
            __contains__ = lambda self, name: True
        """,
    )


@attack(JUDGED)
def every_entry(work):
    """Dicts with thousands of entries, of names that nearly fit, and with names that are no text."""
    work.put(
        "separable-report",
        """
        def separable_report(*a):
            names = ["params", "macs"]
            return {f"{n} ": 1 for n in names} | {n.upper(): 1 for n in names} | {None: 1, 1: 1, (1, 2): 1}
    """,
    )


@attack(JUDGED)
def called_object(work):
    """Objects with __call__, classes and built-ins in place of functions."""
    work.put("macs-function", "class conv_macs:\n    def __init__(self, *a):\n        pass")
    work.put("separable-report", "separable_report = print")


@attack(JUDGED)
def other_hour(work):
    """Functions that ask clock, arguments of the program, environment and stack whether it is serious."""
    functions(
        work,
        "    return judged(arguments)",
        """
        import os
        import sys
        import time
        import traceback

        def judged(arguments):
            said = [*sys.argv, *os.environ, str(time.time()), *map(str, traceback.extract_stack())]
            sealed = "TINYML_SEALED_STUDENT" in os.environ or "NBGRADER_EXECUTION" in os.environ
            print(" ".join(said)[:5000])
            return -1 if sealed else 1
        """,
    )


@attack(JUDGED, earns=5.0)
def open_book(work):
    """The bank's own answers, which are one line for anyone: what the bank's questions are worth, no more."""
    work.extra("from tinylib.practice.bank import BANK")
    from tests.hostile.work import VALUES

    for cell, (name, exercise) in VALUES.items():
        if exercise.startswith("counting."):
            work.put(
                cell,
                f"names = BANK['{exercise}'].given\n"
                f"{name} = BANK['{exercise}'].answer(**{{n: getattr(q, n) for n in names}})",
            )
