"""Floods of processes, memory, files and output; loops that never end."""

from tests.hostile.work import VALUES, attack

FLOOD, LOOP = "floods", "loops"


@attack(FLOOD, stock=False)
def fork_bomb(work):
    """Processes that start processes."""
    work.extra("""
        import os
        import time

        while True:
            try:
                os.fork()
            except OSError:
                time.sleep(0.2)
    """)


@attack(FLOOD, stock=False)
def thread_bomb(work):
    """As many threads as there may be."""
    work.extra("""
        import threading
        import time

        while True:
            threading.Thread(target=time.sleep, args=(600,)).start()
    """)


@attack(FLOOD, stock=False)
def memory_flood(work):
    """Memory is taken and written until there is no more."""
    work.extra("kept = []\nwhile True:\n    kept.append(bytearray(b'x') * (64 * 2**20))")


@attack(FLOOD, stock=False)
def memory_by_processes(work):
    """Memory is taken by many processes, each within its own limit."""
    work.extra("""
        import os
        import time

        for _ in range(12):
            if os.fork() == 0:
                kept = bytearray(b"x") * (700 * 2**20)
                time.sleep(600)
        time.sleep(600)
    """)


@attack(FLOOD, stock=False)
def disk_flood(work):
    """Files are written until the disk is full, in every folder that takes them."""
    work.extra("""
        import os

        block = bytes(2**20)
        for folder in (".", "/tmp", "/dev/shm", "/var/tmp", os.path.expanduser("~")):
            for number in range(40):
                try:
                    with open(f"{folder}/$MARK-{number}", "wb") as file:
                        for _ in range(45):
                            file.write(block)
                except OSError as error:
                    print(folder, error)
                    break
    """)


@attack(FLOOD, stock=False)
def memory_files(work):
    """Files in memory that no folder shows."""
    work.extra("""
        import os

        files, block = [], bytes(2**20)
        while True:
            files.append(os.memfd_create("x"))
            for _ in range(45):
                os.write(files[-1], block)
    """)


@attack(FLOOD, stock=False)
def file_count(work):
    """Very many small files."""
    work.extra(
        "import os\n\nfor n in range(100_000):\n    os.close(os.open(f'f{n}', os.O_CREAT | os.O_WRONLY))"
    )


@attack(FLOOD)
def open_files(work):
    """As many open files as there may be."""
    work.extra("files = []\nwhile True:\n    files.append(open('/dev/null'))")


@attack(FLOOD, stock=False)
def output_flood(work):
    """Endless printing."""
    work.extra("while True:\n    print('x' * 10_000)")


@attack(FLOOD)
def raw_output_flood(work):
    """Megabytes written past Python's own output, to the real stdout and stderr."""
    work.extra(
        "import os\n\nfor _ in range(200):\n    os.write(1, b'x' * 100_000)\n    os.write(2, b'y' * 100_000)"
    )


@attack(FLOOD)
def display_flood(work):
    """A hundred thousand displayed objects and an error message of megabytes."""
    work.extra("from IPython.display import display\n\nfor n in range(5_000):\n    display(n)")
    work.extra("raise ValueError('x' * 10_000_000)")
    work.extra("type('E' * 1_000_000, (Exception,), {})")


@attack(FLOOD)
def giant_answers(work):
    """Answers of a million digits, a hundred thousand and one values, a hundred nested lists, long text."""
    work.put("linear-params", "linear_params = 10 ** 1_000_000")
    work.put("conv-params", "conv_params = [0.0] * 100_001")
    work.put("conv-mmac", "conv_mmac = 0\nfor _ in range(5_000):\n    conv_mmac = [conv_mmac]")
    work.put("dws-ratio", "dws_ratio = 'x' * 50_000_000")
    work.put("ffn-macs", "ffn_macs = {str(n): 'y' * 9_999 for n in range(5_000)}")
    work.put("largest-side", "import numpy as np\n\nlargest_side = np.zeros((10**5, 10**3), dtype='float16')")
    work.put("macs-function", "def conv_macs(*a):\n    return 10 ** 4_500")
    work.put(
        "separable-report",
        "def separable_report(*a):\n    return {'x' * 9_999 + str(n): 'y' for n in range(9_999)}",
    )


@attack(FLOOD)
def compressed_answer(work):
    """One list held a thousand times: small in memory, huge when written down."""
    work.extra("small = ['x' * 1_000] * 1_000\nbig = [small] * 90")
    work.every("big")


@attack(LOOP, says="s.")
def busy_loop(work):
    """while True."""
    work.put("linear-params", "while True:\n    pass")


@attack(LOOP)
def sleeping(work):
    """A sleep of a day."""
    work.put("linear-params", "import time\n\ntime.sleep(86_400)")


@attack(LOOP)
def stubborn_loop(work):
    """A loop that catches every interruption and goes on."""
    work.put(
        "linear-params",
        """
        while True:
            try:
                while True:
                    pass
            except BaseException:
                continue
    """,
    )


@attack(LOOP)
def loop_in_c(work):
    """A loop in C that no signal handler of Python interrupts."""
    work.put("linear-params", "import ctypes\n\nctypes.PyDLL(None).sleep(86_400)")


@attack(LOOP)
def loop_in_function(work):
    """A function that never returns when it is judged."""
    work.put("macs-function", "def conv_macs(*a):\n    while True:\n        pass")


@attack(LOOP)
def loop_in_repr(work):
    """Objects whose text, length and end take for ever."""
    work.extra("""
        class Slow:
            def __repr__(self):
                while True:
                    pass

            __del__ = __str__ = __len__ = __iter__ = __eq__ = __float__ = __repr__
    """)
    work.every("Slow()")
    work.put("conv-params", "conv_params = Slow()\nconv_params")


@attack(LOOP)
def loop_in_thread(work):
    """A thread that holds the interpreter while the cells go on."""
    work.extra("""
        import sys
        import threading

        sys.setswitchinterval(1e9)

        def spin():
            while True:
                pass

        threading.Thread(target=spin).start()
    """)


@attack(LOOP)
def slow_everywhere(work):
    """Every cell takes just less than its limit."""
    for cell, (name, _) in VALUES.items():
        work.put(cell, f"import time\n\ntime.sleep(1.2)\n{name} = -1")


@attack(LOOP)
def huge_power(work):
    """9**9**9, which runs in one instruction."""
    work.put("linear-params", "linear_params = 9**9**9")
