"""Shadowed modules and start-up files, handed in or written at run time."""

from tests.hostile.work import MARK, Work, attack

SHADOW = "shadowed modules"
FULL_JUDGE = "def judge(exercise, answer, points):\n    return points\n"
PATCH = "import grading.stock\ngrading.stock.judge = lambda exercise, answer, points: points\n"


def shadow(work: Work, paths: dict[str, str]) -> None:
    """The files are handed in beside the notebook and written again at run time where Python may look."""
    work.files |= {path: text.encode() for path, text in paths.items()}
    work.extra(f"""
        import os
        import site
        from pathlib import Path

        for folder in (".", os.path.expanduser("~"), site.getusersitepackages()):
            for name, text in {paths!r}.items():
                try:
                    Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
                    Path(folder, name).write_text(text)
                except OSError as error:
                    print(error)
    """)


@attack(SHADOW)
def own_numpy(work):
    """numpy.py beside the notebook."""
    shadow(work, {"numpy.py": PATCH + "isclose = allclose = lambda *a, **k: True\nndarray = generic = int\n"})


@attack(SHADOW)
def own_tinylib(work):
    """A folder tinylib beside the notebook, in which check and begin are one's own."""
    text = "begin = check = hint = lambda *a, **k: None\n"
    shadow(work, {"tinylib/__init__.py": "", "tinylib/practice.py": text})


@attack(SHADOW)
def own_grading(work):
    """A folder grading beside the notebook, with a judge that is easily pleased."""
    shadow(work, {"grading/__init__.py": "", "grading/stock.py": FULL_JUDGE})


@attack(SHADOW)
def own_kernel(work):
    """ipykernel_launcher.py beside the notebook, which runs instead of the kernel."""
    shadow(work, {"ipykernel_launcher.py": PATCH + f"open('/tmp/{MARK}-kernel', 'w').write('ran')\n"})


@attack(SHADOW)
def start_up_files(work):
    """sitecustomize, usercustomize, a .pth file and conftest."""
    text = "import grading.stock; grading.stock.judge = lambda *a, points: points\n"
    shadow(work, dict.fromkeys(("sitecustomize.py", "usercustomize.py", "own.pth", "conftest.py"), text))


@attack(SHADOW)
def ipython_start_up(work):
    """IPython's start-up folder, its config and Jupyter's, handed in and written into the home folder."""
    text = (
        "c = get_config()\nc.InteractiveShellApp.exec_lines = ['import grading.stock as s; s.judge = max']\n"
    )
    start = ".ipython/profile_default/startup/00.py"
    configs = (
        ".ipython/profile_default/ipython_config.py",
        "ipython_config.py",
        ".jupyter/jupyter_config.py",
    )
    shadow(work, {start: PATCH} | dict.fromkeys(configs, text))


@attack(SHADOW)
def own_config(work):
    """nbgrader_config.py beside the notebook switches the grader off."""
    shadow(work, {"nbgrader_config.py": "c = get_config()\nc.Autograde.autograde_preprocessors = []\n"})


@attack(SHADOW)
def own_standard_library(work):
    """json.py, struct.py, random.py and encodings of one's own."""
    texts = {
        "json.py": "dumps = loads = lambda *a, **k: '15'\n",
        "struct.py": "pack = unpack = lambda *a: b''\n",
    }
    shadow(work, texts | dict.fromkeys(("random.py", "colorsys.py"), PATCH))


@attack(SHADOW)
def python_start_up(work):
    """PYTHONSTARTUP, PYTHONPATH and LD_PRELOAD are set for whatever is started next."""
    work.files["own.py"] = PATCH.encode()
    work.extra("""
        import os

        names = ("PYTHONSTARTUP", "PYTHONPATH", "LD_PRELOAD", "PYTHONINSPECT", "PYTHONBREAKPOINT")
        os.environ.update(dict.fromkeys(names, os.path.abspath("own.py")))
    """)


@attack(SHADOW)
def poisoned_library(work):
    """The installed library's sources and compiled files are overwritten in place."""
    work.extra("""
        import sys
        from pathlib import Path

        import numpy
        import tinylib

        for package in (tinylib, numpy):
            folder = Path(package.__file__).parent
            for path in [*folder.glob("*.py"), *folder.glob("__pycache__/*.pyc"), folder / "$MARK.py"]:
                try:
                    with open(path, "ab") as file:
                        file.write(b"# $MARK")
                except OSError as error:
                    print(error)
    """)
