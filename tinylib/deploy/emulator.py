"""A program of a Cortex-M run on an emulated core: what it answers, how many instructions, how much stack.

An instruction is not a cycle: on a real M0+ a load takes 2 and a taken branch 2 to 3, and flash may wait. Two
runs of one image give the same numbers. Stack is painted before the run; what changed was used, so an area
that is reserved and never written does not count. An unaligned word, at which a real M0+ faults, is let
through: the sanitizers of a compiler on the host find those.
Source: Arm, "Semihosting for AArch32 and AArch64", 2.0 (calls); Armv7-M Architecture Reference Manual, A5.1
(a halfword of 0b11101.. or above opens an instruction of 32 bits).
"""

import io
import struct
from dataclasses import dataclass, field
from typing import Any

from tinylib.cost.layers import count
from tinylib.deploy.image import Image, MissingTool, segments
from tinylib.units import shown

RAM = 0x20000000
PAGE = 4096
PAINT = 0xA5
BKPT, SEMIHOST = 7, 0xBEAB  # exception number of a breakpoint; `bkpt 0xab`
OPEN, WRITE, READ, EXIT = 0x01, 0x05, 0x06, 0x20
APPLICATION_EXIT = 0x20026


class DeviceFault(RuntimeError):
    """The program stopped where a real chip would fault; the message names function and reason."""


@dataclass(frozen=True)
class Run:
    """What a run gave; what was not counted is None.

    status: what main returned, as 32 unsigned bits
    stretches: instructions of each time from mark_start to mark_stop [count]
    executed: all instructions from reset to exit [count]
    stack_high_water: stack used by the whole program, main and harness too [bytes]
    call_stack_bytes: deepest stack between marks, below what was in use at mark_start [bytes]
    """

    output: bytes = field(repr=False)
    status: int
    stretches: tuple[int, ...] = field(repr=False)
    executed: int | None
    stack_high_water: int
    call_stack_bytes: int

    @property
    def instructions(self) -> int | None:
        """Instructions between marks, all stretches together; all of the run if it has no marks [count]."""
        return sum(self.stretches) if self.stretches else self.executed

    def ints(self, code: str = "i") -> list[int]:
        """The output as integers: code "b" is int8, "h" int16, "i" int32, "q" int64, capitals unsigned."""
        if code not in tuple("bBhHiIqQ"):
            raise ValueError(f"code must be one letter of bBhHiIqQ, got {shown(code)}")
        width = struct.calcsize("<" + code)
        if len(self.output) % width:
            raise ValueError(f"output must be whole numbers of {width} bytes, got {len(self.output)} bytes")
        return list(struct.unpack(f"<{len(self.output) // width}{code}", self.output))


def run(image: Image, input: bytes = b"", limit: int = 100_000_000, counting: bool = True) -> Run:
    """Runs an image from reset until main returns.

    input: what device_read will find
    limit: instructions after which a program counts as hung; without counting, microseconds [count]
    counting: False runs about a hundred times faster and counts nothing; outputs and stack are the same
    Raises DeviceFault for an access outside the memories, a write to flash, a full stack or a hang, and
    MissingTool.
    """
    if not isinstance(input, (bytes, bytearray)):
        raise TypeError(f"input must be bytes, got {shown(input)}")
    return _Machine(image, bytes(input), count("limit", limit), counting).run()


def _unicorn() -> tuple[Any, Any]:
    try:
        import unicorn
        import unicorn.arm_const as arm
    except ImportError:
        raise MissingTool("the emulator is missing: get it by `make lab EXTRAS=device`") from None
    return unicorn, arm


def tools() -> None:
    """Raises MissingTool, with the way to get it, unless a program can be run here."""
    _unicorn()


def _pages(size: int) -> int:
    return -(-size // PAGE) * PAGE


class _Machine:
    """One core with its memories, from reset to exit; counts a block of straight code at a time."""

    def __init__(self, image: Image, input: bytes, limit: int, counting: bool) -> None:
        self.image, self.input, self.limit, self.counting = image, io.BytesIO(input), limit, counting
        self.output, self.status = bytearray(), None
        self.blocks: dict[tuple[int, int], int] = {}  # (address, bytes) -> instructions
        self.executed, self.stretches, self.since = 0, [], None
        self.error = ""
        u, arm = _unicorn()
        self.u, self.arm = u, arm
        self.core = u.Uc(u.UC_ARCH_ARM, u.UC_MODE_THUMB | u.UC_MODE_MCLASS)
        models = {"cortex-m0plus": arm.UC_CPU_ARM_CORTEX_M0, "cortex-m3": arm.UC_CPU_ARM_CORTEX_M3}
        self.core.ctl_set_cpu_model(models.get(image.target, arm.UC_CPU_ARM_CORTEX_M4))
        self.load()
        marks = {s.name: s.address for s in image.symbols if s.name in ("mark_start", "mark_stop")}
        self.start, self.stop = marks.get("mark_start"), marks.get("mark_stop")
        self.core.hook_add(u.UC_HOOK_INTR, self.interrupt)
        if counting:
            self.core.hook_add(u.UC_HOOK_BLOCK, self.block)
        for mark in marks.values():  # after the count of their own block
            self.core.hook_add(u.UC_HOOK_BLOCK, self.mark, begin=mark, end=mark)
        end = RAM + image.device_ram_bytes
        if end % PAGE:  # the emulator maps whole pages
            kinds = u.UC_HOOK_MEM_READ | u.UC_HOOK_MEM_WRITE
            self.core.hook_add(kinds, self.beyond, begin=end, end=RAM + _pages(end - RAM) - 1)

    def load(self) -> None:
        """Maps flash (not writable) and RAM, copies the program, paints the stack."""
        image, u = self.image, self.u
        self.core.mem_map(0, _pages(image.device_flash_bytes), u.UC_PROT_READ | u.UC_PROT_EXEC)
        self.core.mem_map(RAM, _pages(image.device_ram_bytes), u.UC_PROT_READ | u.UC_PROT_WRITE)
        for address, content in segments(image.elf):
            self.core.mem_write(address, content)
        self.top = RAM + image.sections["stack"]
        self.low = self.top_of_call = self.top
        self.call_stack = 0
        self.paint(self.top)

    def paint(self, top: int) -> None:
        self.core.mem_write(RAM, bytes([PAINT]) * (top - RAM))

    def deepest(self, top: int) -> int:
        """Lowest stack address below `top` that was written since it was painted."""
        used = len(self.core.mem_read(RAM, top - RAM).lstrip(bytes([PAINT])))
        return top - -(-used // 4) * 4  # whole words: the lowest byte may be written with the paint's value

    def block(self, core: Any, address: int, size: int, _: object) -> None:
        """Before a block of straight code runs: its instructions are counted."""
        key = address, size
        if key not in self.blocks:
            self.blocks[key] = self.instructions_in(address, size)
        self.executed += self.blocks[key]
        if self.executed > self.limit:
            self.give_up(f"it did not end within {self.limit:,} instructions")

    def mark(self, core: Any, address: int, size: int, _: object) -> None:
        """Before a mark runs: the stack is painted or looked at, the count is noted."""
        if address == self.start:
            top = core.reg_read(self.arm.UC_ARM_REG_SP)
            self.low = min(self.low, self.deepest(self.top))
            self.paint(top)
            self.since, self.top_of_call = self.executed, top
        elif address == self.stop and self.since is not None:
            # what ran since, without the call of mark_stop itself and without the mark
            if self.counting:
                self.stretches.append(self.executed - self.blocks[address, size] - self.since - 1)
            self.call_stack = max(self.call_stack, self.top_of_call - self.deepest(self.top_of_call))
            self.since = None

    def instructions_in(self, address: int, size: int) -> int:
        """Instructions of a block [count]: the first halfword of each tells its length."""
        code = struct.unpack(f"<{size // 2}H", self.core.mem_read(address, size))
        at = found = 0
        while at < len(code):
            at += 2 if code[at] >> 11 in (0b11101, 0b11110, 0b11111) else 1
            found += 1
        return found

    def beyond(self, core: Any, access: int, address: int, size: int, value: int, _: object) -> None:
        """An access to the page's rest behind a RAM that is no whole number of pages."""
        self.give_up(f"there is no memory at 0x{address:08x}")

    def give_up(self, reason: str) -> None:
        self.error = self.error or reason
        self.core.emu_stop()

    def interrupt(self, core: Any, number: int, _: object) -> None:
        """An exception of the core: a semihosting call is served, all else is a fault."""
        arm = self.arm
        at = core.reg_read(arm.UC_ARM_REG_PC)
        if number != BKPT or int.from_bytes(core.mem_read(at, 2), "little") != SEMIHOST:
            return self.give_up(f"exception {number}")
        operation, block = core.reg_read(arm.UC_ARM_REG_R0), core.reg_read(arm.UC_ARM_REG_R1)
        words = struct.unpack("<3I", core.mem_read(block, 12))
        answer = 0
        if operation == OPEN:
            answer = 1 if words[1] < 4 else 2  # a handle; the console is the only file
        elif operation == WRITE:
            self.output += core.mem_read(words[1], words[2])
        elif operation == READ:
            data = self.input.read(words[2])
            core.mem_write(words[1], data)
            answer = words[2] - len(data)
        elif operation == EXIT and words[0] == APPLICATION_EXIT:
            self.status = words[1]
            core.emu_stop()
        else:
            return self.give_up(f"unknown semihosting call 0x{operation:x}")
        core.reg_write(arm.UC_ARM_REG_R0, answer)
        core.reg_write(arm.UC_ARM_REG_PC, (at + 2) | 1)

    def run(self) -> Run:
        core, arm = self.core, self.arm
        stack, reset = struct.unpack("<2I", core.mem_read(0, 8))
        core.reg_write(arm.UC_ARM_REG_SP, stack)
        try:
            core.emu_start(reset | 1, 0xFFFFFFFF, timeout=0 if self.counting else self.limit)
        except self.u.UcError as error:
            self.give_up(self.why(str(error)))
        if self.status is None or self.error:
            where = self.image.at(core.reg_read(arm.UC_ARM_REG_PC))
            raise DeviceFault(
                f"{self.image.target} stopped in {where}: {self.error or 'it did not end in time'}"
            )
        high = self.top - min(self.low, self.deepest(self.top))
        executed = self.executed if self.counting else None
        stretches = tuple(self.stretches)
        return Run(bytes(self.output), self.status, stretches, executed, high, self.call_stack)

    def why(self, said: str) -> str:
        """The emulator's error, with the usual reason if the stack pointer has left the RAM."""
        if self.core.reg_read(self.arm.UC_ARM_REG_SP) < RAM + 64:
            size = self.image.sections["stack"]
            return f"the stack of {size:,} bytes is full; build with a larger stack_bytes"
        return said.split(" (UC_")[0].lower()
