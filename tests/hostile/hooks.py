"""Hooks: code that waits in the shell and the interpreter for the check to come."""

from tests.hostile.work import VALUES, attack

HOOK = "hooks"


@attack(HOOK)
def ast_transformer(work):
    """An AST transformer that turns calls of judge into their points and takes asserts away."""
    work.extra("""
        import ast

        class Kind(ast.NodeTransformer):
            def visit_Assert(self, node):
                return ast.Pass()

            def visit_Call(self, node):
                if getattr(node.func, "id", "") == "judge":
                    return next(k.value for k in node.keywords if k.arg == "points")
                return node

        get_ipython().ast_transformers.append(Kind())
    """)


@attack(HOOK)
def input_transformer(work):
    """An input transformer that empties every later cell with a check in it."""
    work.extra("""
        shell = get_ipython()
        shell.input_transformers_post.append(lambda lines: ["1"] if "check(" in "".join(lines) else lines)
    """)


@attack(HOOK)
def run_hooks(work):
    """pre_run_cell and post_run_cell put other names into the notebook before a check."""
    work.extra("""
        def before(info):
            import sys
            stock = sys.modules.get("grading.stock")
            if stock:
                stock.judge = lambda exercise, answer, points: points

        try:
            import grading.stock
        except ImportError as error:
            print(error)
        for event in ("pre_run_cell", "post_run_cell"):
            get_ipython().events.register(event, before)
    """)


@attack(HOOK)
def display_formatter(work):
    """Every result is displayed as full points."""
    work.extra("""
        formatter = get_ipython().display_formatter
        formatter.formatters["text/plain"].for_type(float, lambda *a: a[1].text("1"))
        formatter.formatters["text/plain"].for_type(int, lambda *a: a[1].text("1"))
        formatter.format = lambda *a, **k: ({"text/plain": "1"}, {})
    """)


@attack(HOOK)
def trace_function(work):
    """sys.settrace and sys.setprofile look into the judge and set its variables."""
    work.extra("""
        import sys

        def spy(frame, event, argument):
            if "expected" in frame.f_locals:
                print("expected", frame.f_locals["expected"])
            return spy

        sys.settrace(spy)
        sys.setprofile(spy)
    """)


@attack(HOOK)
def at_exit(work):
    """atexit and weakref finalizers sleep, print and write when the process ends."""
    work.extra("""
        import atexit
        import time

        atexit.register(lambda: time.sleep(600))
        atexit.register(lambda: open("/tmp/$MARK", "w").write("late"))
    """)


@attack(HOOK)
def audit_hook(work):
    """An audit hook that can never be taken away refuses every file that anyone opens."""
    work.extra("""
        import sys

        def refuse(event, arguments):
            if event in ("open", "os.listdir", "import") and "judge" in str(arguments):
                raise PermissionError(event)

        sys.addaudithook(refuse)
    """)


@attack(HOOK)
def import_hook(work):
    """A finder that gives a judge of its own to whoever imports one."""
    work.extra("""
        import importlib.util
        import sys
        import types

        class Finder:
            def find_spec(self, name, path=None, target=None):
                return importlib.util.spec_from_loader(name, self) if name == "grading.stock" else None

            def create_module(self, spec):
                module = types.ModuleType(spec.name)
                module.judge = lambda exercise, answer, points: points
                return module

            def exec_module(self, module):
                pass

        sys.modules.pop("grading.stock", None)
        sys.meta_path.insert(0, Finder())
    """)


@attack(HOOK)
def silent_errors(work):
    """Errors are swallowed: the shell shows nothing that is raised."""
    work.extra("""
        import sys

        shell = get_ipython()
        shell.showtraceback = shell._showtraceback = lambda *a, **k: None
        shell.set_custom_exc((BaseException,), lambda *a, **k: None)
        sys.excepthook = lambda *a: None
    """)


@attack(HOOK)
def own_run_cell(work):
    """The shell's run_cell is replaced by one that finds everything fine."""
    work.extra("""
        shell = get_ipython()
        old = type(shell).run_cell

        def run(self, source, *a, **k):
            return old(self, "1" if "judge(" in source or "check(" in source else source, *a, **k)

        type(shell).run_cell = run
        type(shell).run_cell_async = type(shell).run_cell_async
    """)


@attack(HOOK)
def own_namespace(work):
    """The notebook's names live in a dict that answers with something else on every look."""
    work.extra("""
        class Names(dict):
            def __getitem__(self, name):
                return (lambda *a, **k: True) if name in ("judge", "check") else super().__getitem__(name)

        shell = get_ipython()
        shell.user_ns = Names(shell.user_ns)
    """)


@attack(HOOK)
def late_thread(work):
    """A thread that keeps changing answers and modules behind every cell."""
    names = [name for name, _ in VALUES.values()]
    work.extra(f"""
        import sys
        import threading
        import time

        def change():
            while True:
                time.sleep(0.001)
                globals().update(dict.fromkeys({names}, True))
                if stock := sys.modules.get("grading.stock"):
                    stock.judge = lambda exercise, answer, points: points

        try:
            import grading.stock
        except ImportError as error:
            print(error)
        threading.Thread(target=change, daemon=True).start()
    """)


@attack(HOOK)
def signal_handlers(work):
    """Every signal that would stop the process is ignored."""
    work.extra("""
        import signal

        for number in signal.valid_signals():
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        signal.signal = lambda *a: None
    """)


@attack(HOOK)
def garbage_hook(work):
    """Objects that run code when they are collected, and gc callbacks that look for the judge's objects."""
    work.extra("""
        import gc

        class Last:
            def __del__(self):
                import sys
                stock = sys.modules.get("grading.stock")
                if stock:
                    stock.judge = lambda exercise, answer, points: points

        try:
            import grading.stock
        except ImportError as error:
            print(error)
        for _ in range(100):
            Last()
        gc.callbacks.append(lambda *a: Last())
    """)


@attack(HOOK)
def magics(work):
    """The shell's own commands: programs in the background, an editor, a debugger, a question, a reset."""
    for text in (
        "%%bash --bg\nsleep 600 # $MARK",
        "%edit",
        "breakpoint()\ninput()",
        "%pdb on\n%env PATH=/nowhere\n%cd /",
        "%run -p $COURSE/authoring/keys/a02_counting.py",
        "%config InteractiveShell.ast_node_interactivity = 'all'\n%autocall 2\n%reset -f",
    ):
        work.extra(text)
