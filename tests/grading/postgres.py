"""A real PostgreSQL server of a test's own, in a temporary folder, on a free port of 127.0.0.1."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import pytest

PASSWORD = "s3cret/@pass"
QUOTED = "s3cret%2F%40pass"


def tool(name: str) -> str | None:
    """A program of PostgreSQL: Debian keeps those of the server off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(found[-1]) if found else None)


def there() -> bool:
    """Whether a server can be started here."""
    return bool(tool("initdb") and tool("postgres"))


def required() -> None:
    """Skip where there is no server; fail in CI."""
    if not there():
        reason = "no PostgreSQL server: apt-get install postgresql"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


def _as_user(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: then another user has the folder and runs it."""
    if os.getuid() != 0:
        return []
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


class Server:
    """Use as a context; `stop`, `start` and `kill` at will within it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._user, self._process = _as_user(self.folder), None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def __enter__(self) -> Self:
        words = self.folder / "password"
        words.write_text(PASSWORD)
        words.chmod(0o644)
        flags = ["-U", "grader", "-A", "scram-sha-256", f"--pwfile={words}", "--no-sync", "-E", "UTF8"]
        self._run("initdb", "-D", str(self.folder / "data"), *flags, "--locale=C")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, name: str, *words: str) -> str:
        done = subprocess.run([*self._user, tool(name), *words], capture_output=True, text=True, cwd="/")
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def start(self) -> None:
        """Start the server and wait until it answers."""
        flags = [
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-k",
            "",
            "-c",
            "fsync=off",
            "-c",
            "shared_buffers=16MB",
        ]
        words = ["-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-w", "-o", _quoted(flags)]
        self._run("pg_ctl", "start", *words)

    def stop(self) -> None:
        """Stop it at once, connections and all, as when its machine goes down."""
        subprocess.run(
            [*self._user, tool("pg_ctl"), "stop", "-D", str(self.folder / "data"), "-m", "immediate", "-w"],
            capture_output=True,
            cwd="/",
        )

    def make(self, name: str) -> str:
        """The URL of a new database."""
        import psycopg

        with psycopg.connect(self._words("postgres"), autocommit=True) as db:
            db.execute(f'create database "{name}"')
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://grader:{QUOTED}@127.0.0.1:{self.port}/{name}"

    def _words(self, name: str) -> str:
        return f"host=127.0.0.1 port={self.port} user=grader password={PASSWORD} dbname={name}"

    def connections(self) -> list[int]:
        """Process ids of the server that serve the databases of a test."""
        import psycopg

        query = (
            "select pid from pg_stat_activity where datname <> 'postgres' and backend_type = 'client backend'"
        )
        with psycopg.connect(self._words("postgres")) as db:
            return [pid for (pid,) in db.execute(query)]


def _quoted(words: list[str]) -> str:
    return " ".join(f"'{word}'" for word in words)
