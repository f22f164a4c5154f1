"""Writing where it does harm: gradebook, course, machine, the scratch folder itself."""

from tests.hostile.work import attack

WRITE = "tampering with files"


@attack(WRITE)
def own_extra_credit(work):
    """The gradebook is opened with sqlite3 and every grade of one's own becomes a thousand."""
    work.extra("""
        import glob
        import sqlite3

        for path in glob.glob("$COURSE/*.db") + ["$COURSE/gradebook.db"]:
            try:
                with sqlite3.connect(path) as db:
                    db.execute("update grade set auto_score = 1000, extra_credit = 777")
                    db.execute("update grade_cell set max_score = 1000")
            except sqlite3.Error as error:
                print(error)
    """)


@attack(WRITE)
def others_grades(work):
    """Every grade and every submission of the others is deleted."""
    work.extra("""
        import shutil
        import sqlite3
        from pathlib import Path

        try:
            with sqlite3.connect("$COURSE/gradebook.db") as db:
                db.execute("update grade set auto_score = 0, manual_score = 0")
                db.execute("update comment set auto_comment = 'deleted'")
        except sqlite3.Error as error:
            print(error)
        for folder in ("submitted", "autograded", "feedback"):
            for path in Path("$COURSE", folder).glob("$OTHER"):
                shutil.rmtree(path, ignore_errors=True)
    """)


@attack(WRITE)
def planted_files(work):
    """Files are planted in every folder that takes them."""
    work.extra("""
        import os
        from pathlib import Path

        folders = ["/tmp", "/var/tmp", "/dev/shm", "/run", "/root", "/home", "/etc", "/", "$COURSE"]
        folders += ["$COURSE/submitted/$OTHER", "$COURSE/exercises", "$COURSE/solutions", "..", "../.."]
        for folder in [*folders, os.path.expanduser("~"), "/var/spool/cron/crontabs", "/etc/cron.d"]:
            try:
                Path(folder, "$MARK-planted").write_text("planted")
                Path(folder, "$MARK-planted").chmod(0o6777)
            except OSError as error:
                print(error)
    """)


@attack(WRITE)
def stubborn_scratch(work):
    """Folders without rights, deep nests, odd names, pipes and sockets are left in the scratch folder."""
    work.extra("""
        import os
        import socket

        for number in range(300):
            os.mkdir("d" * 50)
            os.chdir("d" * 50)
        for name in (b"\\xff\\xfe", b"-rf", b"new\\nline", b"$(touch x)"):
            open(name, "w").close()
        os.mkfifo("pipe")
        os.mkdir("locked")
        open("locked/$MARK", "w").close()
        os.chmod("locked", 0)
        os.chmod(".", 0)
    """)


@attack(WRITE)
def removed_scratch(work):
    """The working folder is removed under the grader's feet and a link put in its place."""
    work.extra("""
        import os
        import shutil

        here = os.getcwd()
        try:
            shutil.rmtree(here, ignore_errors=True)
            os.rename(here, here + "-$MARK")
            os.symlink("$COURSE", here)
        except OSError as error:
            print(error)
    """)


@attack(WRITE)
def shared_memory(work):
    """Shared memory, message queues and files without names that would outlive the process."""
    work.extra("""
        import ctypes
        import os

        libc = ctypes.CDLL(None)
        print(libc.shmget(0x7F3C, 4096, 0o1777), libc.semget(0x7F3C, 1, 0o1777), libc.msgget(0x7F3C, 0o1777))
        try:
            from multiprocessing.shared_memory import SharedMemory
            SharedMemory("$MARK", create=True, size=4096)
        except (OSError, ImportError) as error:
            print(error)
    """)


@attack(WRITE)
def others_modes(work):
    """Mode, owner, times and attributes of the course's files are changed, which needs no file to be open."""
    work.extra("""
        import os

        names = ("gradebook.db", "grading.journal", "submitted/$OTHER", "authoring/keys", "")
        for path in (*(f"$COURSE/{name}" for name in names), os.__file__):
            for call in (
                lambda: os.chmod(path, 0),
                lambda: os.chown(path, os.getuid(), os.getgid()),
                lambda: os.utime(path, (0, 0)),
                lambda: os.setxattr(path, "user.$MARK", b"1"),
            ):
                try:
                    print("done to", path, call())
                except OSError as error:
                    print(error)
    """)
