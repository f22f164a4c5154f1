"""C source to the image of a Cortex-M: which cross compiler there is, and what it makes of a program.

The code runs from flash at 0; RAM starts at 0x20000000 with the stack, the variables lie above it. A program
may include "device.h" for input, output and marks; `device/` holds it, the start-up and the linker script.
Source: Armv6-M Architecture Reference Manual, B3.1 (memory map).
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from string import Template

from tinylib.cost.devices import Device, named
from tinylib.cost.layers import count
from tinylib.deploy.image import Image, MissingTool, measured
from tinylib.units import KIB, MIB, shown

__all__ = ["TARGETS", "DoesNotFit", "Image", "MissingTool", "build", "cache_folder", "compilers", "version"]
RUNTIME = Path(__file__).parent / "device"
TARGETS = ("cortex-m0plus", "cortex-m3", "cortex-m4")  # without a floating-point unit: integer code
STRICT = ("-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")
COMMON = ("-std=c99", "-g", "-ffreestanding", "-ffunction-sections", "-fdata-sections")
COMMON += ("-fno-unwind-tables", "-fno-asynchronous-unwind-tables")
LINK = ("-Wl,--gc-sections", "-Wl,-e,Reset_Handler")
FLASH_BYTES, RAM_BYTES = MIB, 256 * KIB  # where no device sets them
STACK_BYTES = 1 * KIB


class DoesNotFit(ValueError):
    """The program is larger than the device: `memory` is "flash" or "RAM", `bytes_over` what is too much."""

    def __init__(self, section: str, memory: str, bytes_over: int, bytes_there: int) -> None:
        super().__init__(
            f"section {section} must fit: {memory} of {bytes_there:,} bytes is {bytes_over:,} bytes too small"
        )
        self.section, self.memory, self.bytes_over = section, memory, bytes_over


def cache_folder() -> Path:
    """Where compilers keep their work between runs: a folder in the user's cache, never in the project."""
    home = Path.home()
    if sys.platform == "darwin":
        base = home / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "tinyml-workbook"


def compilers() -> tuple[str, ...]:
    """Cross compilers at hand, the preferred first: "zig" (pip-installed, pinned), "gcc" (arm-none-eabi)."""
    found = {"zig": find_spec("ziglang"), "gcc": shutil.which("arm-none-eabi-gcc")}
    return tuple(name for name, there in found.items() if there)


def chosen(compiler: str | None = None) -> str:
    """The compiler asked for, or the preferred one; raises MissingTool with the way to get it."""
    if compiler not in (None, "zig", "gcc"):
        raise ValueError(f'compiler must be "zig", "gcc" or None for either, got {shown(compiler)}')
    there = compilers()
    if compiler in there:
        return compiler
    if compiler == "gcc":
        raise MissingTool("arm-none-eabi-gcc is missing: install the package gcc-arm-none-eabi")
    if compiler == "zig" or not there:
        raise MissingTool("the cross compiler is missing: get it by `make lab EXTRAS=device`")
    return there[0]


def command(compiler: str, target: str) -> list[str]:
    """Program and arguments that select the core, before flags and files."""
    if target not in TARGETS:
        raise ValueError(f"target must be one of {', '.join(TARGETS)}, got {shown(target)}")
    if compiler == "zig":
        cpu = target.replace("-", "_")
        return [sys.executable, "-m", "ziglang", "cc", "-target", "thumb-freestanding-eabi", f"-mcpu={cpu}"]
    return ["arm-none-eabi-gcc", f"-mcpu={target}", "-mthumb", "-nostdlib"]


@cache
def version(compiler: str) -> str:
    """Name and version of a compiler that is installed, as in "zig 0.16.0"."""
    ask = [sys.executable, "-m", "ziglang", "version"] if compiler == "zig" else _GCC_VERSION
    return f"{compiler} {subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()}"


_GCC_VERSION = ["arm-none-eabi-gcc", "-dumpfullversion"]


def build(
    sources: Mapping[str, str],
    target: str,
    device: str | Device | None = None,
    stack_bytes: int = STACK_BYTES,
    optimise: str = "-Os",
    flags: Sequence[str] = STRICT,
    compiler: str | None = None,
) -> Image:
    """The image of a program for one core.

    sources: file name (.c or .h) -> text; one of them defines main, and may include "device.h".
    device: row of `tinylib.cost.devices` whose flash and RAM hold; by default there is 1 MiB and 256 KiB.
    stack_bytes: RAM kept for the stack; the program faults when it needs more.
    Raises DoesNotFit, ValueError with what the compiler said, and MissingTool.
    """
    for name, text in sources.items():
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z]\w*\.[ch]", name):
            raise ValueError(f"sources must be named like net.c or net.h, got {shown(name)}")
        if not isinstance(text, str):
            raise TypeError(f"source {name} must be text, got {shown(text)}")
    if not any(name.endswith(".c") for name in sources):
        raise ValueError(f"sources must hold a .c file: there is nothing to compile, got {shown([*sources])}")
    if count("stack_bytes", stack_bytes, 64) % 8:
        raise ValueError(f"stack_bytes must be a multiple of 8: calls keep it so, got {stack_bytes}")
    row = named(device) if isinstance(device, str) else device
    flash, ram = (row.flash_bytes, row.sram_bytes) if row else (FLASH_BYTES, RAM_BYTES)
    if stack_bytes > ram:
        raise DoesNotFit(".stack", "RAM", stack_bytes - ram, ram)
    compiler = chosen(compiler)
    call = [*command(compiler, target), *COMMON, optimise, *flags, f"-I{RUNTIME}", *LINK, "-T", "link.ld"]
    with tempfile.TemporaryDirectory() as folder:
        memory = {"flash_bytes": flash, "ram_bytes": ram, "stack_bytes": stack_bytes}
        script = Template((RUNTIME / "link.ld").read_text(encoding="utf-8")).substitute(memory)
        for name, text in {**sources, "link.ld": script}.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        files = sorted(name for name in sources if name.endswith(".c"))
        end = ["-lgcc"] if compiler == "gcc" else []
        done = subprocess.run(
            [*call, *files, str(RUNTIME / "device.c"), "-o", "image.elf", *end],
            cwd=folder,
            env=os.environ
            | {f"ZIG_{which}_CACHE_DIR": str(cache_folder() / "zig") for which in ("GLOBAL", "LOCAL")},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise _failure(done.stderr.replace(folder + os.sep, ""), flash, ram)
        elf = (Path(folder) / "image.elf").read_bytes()
    return Image(elf, target, version(compiler), *measured(elf), flash, ram)


_FULL = re.compile(r"section [`'](\S+)' will not fit in region [`'](\w+)'(?:: overflowed by (\d+) bytes)?")
_OVER = re.compile(r"region [`'](\w+)' overflowed by (\d+) bytes")  # what GNU ld says on a line of its own


def _failure(said: str, flash: int, ram: int) -> ValueError:
    """What a compiler or linker said, as one error; of several sections the last one meets the end."""
    full = {region: (section, over) for section, region, over in _FULL.findall(said)}
    over = dict(_OVER.findall(said))
    for region, memory, there in (("FLASH", "flash", flash), ("RAM", "RAM", ram)):
        if region in full:
            section, bytes_over = full[region]
            return DoesNotFit(section, memory, int(bytes_over or over[region]), there)
    lines = [line for line in said.splitlines() if re.search(r"error|undefined", line)]
    return ValueError(f"C source must compile and link: {' '.join((lines or [said])[0].split())}")
