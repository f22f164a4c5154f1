"""The image of a program for a microcontroller: its bytes by section and by symbol, out of the ELF file.

    flash = text + rodata + data (its start values),      RAM = data + bss + the stack that a run uses

`harness` and `harness_bss` are start-up, input and output: they serve a test, are measured apart and counted
in neither. Source: Tool Interface Standard, Executable and Linking Format 1.2, parts 1-1 and 1-2.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tinylib.units import shown

PARTS = ("harness", "text", "rodata", "stack", "data", "bss", "harness_bss")


class MissingTool(RuntimeError):
    """A compiler or emulator is not installed; the message says how to get it."""


@dataclass(frozen=True)
class Symbol:
    """A function or variable of an image: its section, first address, and size [bytes]."""

    name: str
    section: str
    address: int
    bytes: int


@dataclass(frozen=True)
class Image:
    """A linked program. sections: bytes by name of PARTS; symbols: by address; `elf` is the file itself."""

    elf: bytes = field(repr=False)
    target: str
    compiler: str
    sections: dict[str, int]
    symbols: tuple[Symbol, ...] = field(repr=False)
    device_flash_bytes: int
    device_ram_bytes: int

    @property
    def flash_bytes(self) -> int:
        """What the program takes of the flash, harness left out [bytes]: text + rodata + data."""
        return sum(self.sections[part] for part in ("text", "rodata", "data"))

    @property
    def ram_bytes(self) -> int:
        """Variables of the program, without stack and harness [bytes]: data + bss."""
        return self.sections["data"] + self.sections["bss"]

    def bytes_by_symbol(self, section: str) -> dict[str, int]:
        """Functions or variables of one section with their bytes, the largest first."""
        if section not in PARTS:
            raise ValueError(f"section must be one of {', '.join(PARTS)}, got {shown(section)}")
        there = sorted((s for s in self.symbols if s.section == section), key=lambda s: (-s.bytes, s.name))
        return {s.name: s.bytes for s in there}

    @property
    def map(self) -> str:
        """What a linker's map file says: each section with its bytes, then what lies in it, by address."""
        lines = []
        for part in PARTS:
            lines += [f"{'.' + part:<36} {self.sections[part]:>8}"]
            lines += [
                f"  0x{s.address:08x} {s.name:<24}{s.bytes:>8}" for s in self.symbols if s.section == part
            ]
        return "\n".join(lines) + "\n"

    def at(self, address: int) -> str:
        """Name of the function or variable at an address; the address itself if there is none."""
        inside = (s.name for s in self.symbols if s.address <= address < s.address + s.bytes)
        return next(inside, f"0x{address:08x}")


def _file(elf: bytes) -> Any:
    try:
        from elftools.elf.elffile import ELFFile
    except ImportError:
        raise MissingTool("pyelftools is missing: get it by `make lab EXTRAS=device`") from None
    return ELFFile(io.BytesIO(elf))


def segments(elf: bytes) -> Iterator[tuple[int, bytes]]:
    """What is in flash before the first instruction runs: addresses and contents."""
    for segment in _file(elf).iter_segments("PT_LOAD"):
        if segment["p_filesz"]:
            yield segment["p_paddr"], segment.data()


def measured(elf: bytes) -> tuple[dict[str, int], tuple[Symbol, ...]]:
    """Bytes of each section, and the functions and variables, of an ELF file."""
    file = _file(elf)
    sections = dict.fromkeys(PARTS, 0)
    names = {}
    for number, section in enumerate(file.iter_sections()):
        if section.name[1:] in PARTS:
            sections[section.name[1:]] = section["sh_size"]
            names[number] = section.name[1:]
    table = file.get_section_by_name(".symtab")
    symbols: dict[int, Symbol] = {}  # an address may have several names: the shortest is the plain one
    for s in table.iter_symbols() if table else ():
        if s["st_size"] and s["st_shndx"] in names:
            address = s["st_value"] & ~(s["st_info"]["type"] == "STT_FUNC")  # bit 0 says Thumb
            symbol = Symbol(s.name, names[s["st_shndx"]], address, s["st_size"])
            symbols[address] = min(symbol, symbols.get(address, symbol), key=lambda s: (len(s.name), s.name))
    return sections, tuple(symbols[address] for address in sorted(symbols))
