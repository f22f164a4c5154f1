"""Processes that stay, and processes that end themselves or the grader."""

from tests.hostile.work import attack

STAY, EXIT = "processes that stay", "exits"
SLEEPER = "[sys.executable, '-c', 'import time; time.sleep(600)', '$MARK']"


@attack(STAY)
def daemon(work):
    """A daemon by double fork and setsid, which gives points to itself later."""
    work.extra("""
        import os
        import sys
        import time

        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for number in range(256):
                    try:
                        os.close(number)
                    except OSError:
                        pass
                os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)", "$MARK"])
            os._exit(0)
    """)


@attack(STAY)
def no_hang_up(work):
    """Programs started by nohup, setsid, at, batch and a crontab."""
    work.extra("""
        import os

        sleep = "python3 -c 'import time; time.sleep(600)' $MARK"
        for line in (
            f"nohup {sleep} >/dev/null 2>&1 &",
            f"setsid {sleep} >/dev/null 2>&1 &",
            f"echo {sleep} | at now + 1 minute",
            f"echo '* * * * * {sleep}' | crontab -",
            f"systemd-run --user {sleep}",
            f"screen -dm {sleep}; tmux new -d {sleep}",
        ):
            os.system(line)
    """)


@attack(STAY)
def many_sleepers(work):
    """Thirty programs in sessions of their own."""
    work.extra(f"""
        import subprocess
        import sys

        for _ in range(30):
            try:
                subprocess.Popen({SLEEPER}, start_new_session=True)
            except OSError as error:
                print(error)
                break
    """)


@attack(STAY)
def delayed_write(work):
    """A process that waits until the grading is over and then writes into the course."""
    work.extra("""
        import os
        import time

        if os.fork() == 0:
            os.setsid()
            time.sleep(20)
            for folder in ("$COURSE", "$COURSE/feedback", "/tmp", "/dev/shm"):
                try:
                    open(folder + "/$MARK-late", "w").write("late")
                except OSError:
                    pass
            os._exit(0)
    """)


@attack(STAY)
def two_notebooks(work):
    """fork in a cell: two processes go on with the notebook, each with other answers."""
    work.extra("import os\n\nother = os.fork()\nif other == 0:\n    linear_params = 1")


@attack(STAY)
def own_executor(work):
    """multiprocessing and a pool of threads that are never told to end."""
    work.extra("""
        import multiprocessing
        import threading
        import time

        try:
            workers = [multiprocessing.Process(target=time.sleep, args=(600,)) for _ in range(3)]
            for worker in workers:
                worker.start()
        except OSError as error:
            print(error)
        for _ in range(20):
            threading.Thread(target=time.sleep, args=(600,)).start()
    """)


@attack(EXIT)
def signals_to_parents(work):
    """SIGTERM and SIGKILL to the parent, to process 1, to the group and to everyone."""
    work.extra("""
        import os
        import signal

        parent = os.getppid()
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP, signal.SIGINT):
            for pid in {parent, 1, max(parent - 1, 1)}:
                try:
                    os.kill(pid, number)
                    print("sent", number, "to", pid)
                except OSError as error:
                    print(error)
    """)


@attack(EXIT)
def signal_to_everyone(work):
    """SIGKILL to every process that may be reached."""
    work.extra("import os\nimport signal\n\nos.kill(-1, signal.SIGKILL)")


@attack(EXIT)
def stopped(work):
    """The process stops itself, and its group, and never goes on."""
    work.extra("import os\nimport signal\n\nos.kill(os.getpid(), signal.SIGSTOP)")


@attack(EXIT)
def traced_parent(work):
    """ptrace and process_vm_writev on the parent, to change what it knows."""
    work.extra("""
        import ctypes
        import os

        libc = ctypes.CDLL(None, use_errno=True)
        for pid in (os.getppid(), 1):
            for request in (16, 0x4206):
                print(libc.ptrace(request, pid, 0, 0), os.strerror(ctypes.get_errno()))
            buffer = ctypes.create_string_buffer(b"x" * 64)
            print(libc.process_vm_writev(pid, buffer, 1, buffer, 1, 0), os.strerror(ctypes.get_errno()))
    """)


@attack(EXIT, says="its process ended early")
def hard_exit(work):
    """os._exit(0) in the first cell."""
    work.extra("import os\n\nos._exit(0)")


@attack(EXIT)
def polite_exit(work):
    """quit(), exit() and SystemExit in cells."""
    work.extra("quit()")
    work.extra("raise SystemExit(0)")
    work.extra("import sys\n\nsys.exit(15)")


@attack(EXIT, says="SystemExit")
def exit_in_function(work):
    """SystemExit, KeyboardInterrupt and GeneratorExit from within the functions that are judged."""
    work.put("macs-function", "def conv_macs(*a):\n    raise SystemExit(0)")
    work.put("separable-report", "def separable_report(*a):\n    raise KeyboardInterrupt")
    work.put("conv-mmac", "raise GeneratorExit")


@attack(EXIT, says="its process ended early")
def segfault(work):
    """A null pointer is read through ctypes."""
    work.extra("import ctypes\n\nctypes.string_at(0)")


@attack(EXIT, says="ended")
def segfault_in_function(work):
    """A function that crashes the process when it is judged."""
    work.put("macs-function", "def conv_macs(*a):\n    import ctypes\n    ctypes.string_at(0)")


@attack(EXIT)
def stack_overflow(work):
    """Endless recursion with the limit taken away."""
    work.extra("""
        import sys

        sys.setrecursionlimit(10**9)

        class Deep:
            __repr__ = lambda self: repr(self)

        def deep(n):
            return deep(n + 1) + repr(Deep())

        deep(0)
    """)


@attack(EXIT, says="its process ended early")
def aborted(work):
    """abort() in C, with core dumps asked for."""
    work.extra("""
        import os
        import resource

        try:
            resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))
        except (OSError, ValueError) as error:
            print(error)
        os.abort()
    """)


@attack(EXIT)
def other_program(work):
    """The process becomes another program, which says that everything is right."""
    work.extra("import os\n\nos.execv('/bin/sh', ['sh', '-c', 'echo 15; sleep 600; echo $MARK'])")


@attack(EXIT, student="Aaron")
def others_limits(work):
    """Limits, priority and processors of the worker and of others are set, to be felt by who comes next."""
    work.extra("""
        import os
        import resource

        for pid in {1, os.getppid(), *range(max(2, os.getpid() - 50), os.getpid())}:
            for call in (
                lambda: resource.prlimit(pid, resource.RLIMIT_DATA, (2**28, 2**28)),
                lambda: resource.prlimit(pid, resource.RLIMIT_STACK, (2**14, 2**14)),
                lambda: os.setpriority(os.PRIO_PROCESS, pid, 19),
                lambda: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0)),
                lambda: os.sched_setaffinity(pid, {0}),
            ):
                try:
                    print("done to", pid, call())
                except OSError as error:
                    print(error)
    """)


@attack(EXIT, says="ended by signal 40")
def nameless_signal(work):
    """The process ends itself by a signal that has no name."""
    work.extra("import os\n\nos.kill(os.getpid(), 40)")
