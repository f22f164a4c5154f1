"""What lies in a zip or folder from outside: each member checked by name, kind and size before it is read."""

import os
import re
import stat
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_DRIVE = re.compile(r"[A-Za-z]:")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?", re.IGNORECASE)
_HIDDEN = ("__MACOSX", ".ipynb_checkpoints", ".DS_Store", "Thumbs.db")
_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


class Refused(ValueError):
    """A file is not taken; the message is one sentence."""


@dataclass(frozen=True)
class Limits:
    """How much may come in; `ratio` is what one packed byte may become once a member is over a megabyte."""

    members: int = 20_000
    member_bytes: int = 100 * 2**20
    total_bytes: int = 4 * 2**30
    ratio: int = 200


LIMITS = Limits()


@dataclass
class Budget:
    """How many bytes may still be read from one source."""

    left: int


@dataclass(frozen=True)
class Arrival:
    """One file: its name as given, its time [s since 1970], what is wrong with it, and how to read it."""

    name: str
    when: float = 0.0
    problem: str = ""
    size: int = 0
    open: Callable = field(default=None, repr=False)
    budget: Budget = field(default=None, repr=False)
    most: int = 0

    @property
    def parts(self) -> tuple[str, ...]:
        """The name's parts."""
        return tuple(part for part in re.split(r"[/\\]", self.name) if part not in ("", "."))

    def check(self) -> None:
        """Raise Refused with the reason this file may not be read."""
        if reason := self.problem or path_problem(self.name):
            raise Refused(reason)
        if self.size > self.most:
            raise Refused(
                f"a file must hold at most {self.most / 1e6:,.0f} MB, got {self.size / 1e6:,.0f} MB"
            )

    def read(self) -> bytes:
        """All bytes, never more than the limits, whatever the archive's directory claims; raises Refused."""
        self.check()
        most = min(self.most, self.budget.left)
        try:
            with self.open() as file:
                content = file.read(most + 1)
        except _DAMAGE as error:
            raise Refused(f"a file must be readable, got {type(error).__name__}: {error!s:.100}") from None
        self.budget.left -= len(content)
        if len(content) > most:
            raise Refused(f"files must stay within the limit of {most / 1e6:,.0f} MB, this one goes beyond")
        return content


def path_problem(name: str) -> str:
    """Why a member's name is refused; empty when it is a plain relative name on every system."""
    if not name or name[0] in "/\\" or _DRIVE.match(name):
        return "a name must be relative, got an absolute one"
    parts = re.split(r"[/\\]", name)
    if parts[-1] in ("", "."):
        return "a name must end in that of a file, got that of a folder with content"
    if ".." in parts:
        return "a name must not lead out of its folder, got '..'"
    if len(name) > 1000:
        return f"a name must have at most 1,000 characters, got {len(name):,}"
    return next((problem for part in parts if part not in ("", ".") and (problem := name_problem(part))), "")


def name_problem(part: str) -> str:
    """Why one part of a name is refused; empty when every file system takes it."""
    if any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) < 0xE000 for c in part):
        return "a name must be printable, got control characters"
    if _RESERVED.fullmatch(part):
        return f"a name must not be reserved by a system, got {part[:20]!r}"
    if len(part.encode()) > 240:
        return f"a part of a name must have at most 240 bytes, got {len(part.encode())}"
    if part.endswith((".", " ")) or ":" in part:
        return "a name must not end in a dot or space nor hold a colon: Windows reads another name"
    return ""


def arrivals(source: Path, limits: Limits = LIMITS) -> Iterator[Arrival]:
    """Every file in a zip or folder, links and devices too: `check` says what is wrong with one.

    Raises ValueError when the source as a whole cannot be used.
    """
    found = list(_in_folder(source, limits) if source.is_dir() else _in_zip(source, limits))
    found = [a for a in found if not set(_HIDDEN) & set(a.parts)]
    exact = Counter(a.name for a in found)
    same = Counter("/".join(a.parts).casefold() for a in found)
    for one in found:
        if exact[one.name] > 1:
            yield _with(one, "a name must be there once, got it twice in one archive")
        elif same["/".join(one.parts).casefold()] > 1:
            yield _with(one, "names must differ in more than case, got two that do not")
        else:
            yield one


def _with(one: Arrival, problem: str) -> Arrival:
    return Arrival(one.name, one.when, one.problem or problem)


def _in_zip(source: Path, limits: Limits) -> Iterator[Arrival]:
    try:
        archive = zipfile.ZipFile(source)
        members = archive.infolist()
    except (FileNotFoundError, PermissionError) as error:
        raise ValueError(f"collect needs a zip or folder, got {source}: {error.strerror}") from None
    except _DAMAGE as error:
        raise ValueError(f"collect needs a whole zip, got {source.name}: {error!s:.100}") from None
    if len(members) > limits.members:
        raise ValueError(f"a zip must have at most {limits.members:,} files, got {len(members):,}")
    budget = Budget(limits.total_bytes)
    for info in members:
        if info.orig_filename.endswith("/") and not info.file_size:
            continue
        # orig_filename still holds what follows a NUL, where `filename` was cut
        yield Arrival(
            info.orig_filename,
            _when(info),
            _zip_problem(info, limits),
            info.file_size,
            lambda info=info: archive.open(info),
            budget,
            limits.member_bytes,
        )


def _zip_problem(info: zipfile.ZipInfo, limits: Limits) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return f"a submission must be a plain file, got {_KINDS.get(kind, 'something else')}"
    if info.flag_bits & 0x1:
        return "a file must not be encrypted"
    if info.file_size > 1e6 and info.file_size > limits.ratio * max(info.compress_size, 1):
        factor = info.file_size / max(info.compress_size, 1)
        return f"a file must unpack to at most {limits.ratio} times its size, got {factor:,.0f} times"
    return ""


def _when(info: zipfile.ZipInfo) -> float:
    """A member's time, which zips keep as local time; 0 where it is none."""
    try:
        return max(0.0, time.mktime((*info.date_time, 0, 0, -1)))
    except (ValueError, OverflowError):
        return 0.0


def _in_folder(source: Path, limits: Limits) -> Iterator[Arrival]:
    budget, count = Budget(limits.total_bytes), 0
    for folder, below, names in os.walk(source):
        links = [name for name in below if os.path.islink(os.path.join(folder, name))]
        for name in sorted([*names, *links]):
            count += 1
            if count > limits.members:
                raise ValueError(f"a folder must have at most {limits.members:,} files, got more")
            path = Path(folder, name)
            facts = path.lstat()
            kind = stat.S_IFMT(facts.st_mode)
            problem = "" if kind == stat.S_IFREG else f"a submission must be a plain file, got {_KINDS[kind]}"
            problem = problem or ("" if facts.st_nlink == 1 else "a file must have one name, got a hard link")
            yield Arrival(
                path.relative_to(source).as_posix(),
                facts.st_mtime,
                problem,
                facts.st_size,
                lambda path=path: os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb"),
                budget,
                limits.member_bytes,
            )
