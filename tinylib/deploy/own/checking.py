"""A program on the emulated core, or on this computer: the same scores as in Python, sizes, instructions.

The window of readings counts as RAM of the program: a device has to keep it somewhere. Without the extra
`device` the C compiler of this computer still compares every score; sizes are then an estimate that says so.
"""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from string import Template

import numpy as np

from tinylib.cost.memory import peak_activation_bytes
from tinylib.deploy import emulator, host, toolchain
from tinylib.deploy.image import MissingTool
from tinylib.deploy.measure import CYCLES_PER_INSTRUCTION, Limits
from tinylib.deploy.own.inputs import points
from tinylib.deploy.own.programs import Program

Array = np.ndarray
COUNTED, COMPARED = 2, 64  # windows whose instructions are counted, and at most compared
PATIENCE = 30_000_000  # instructions of a comparison, by estimate
CODE_BYTES = 4000  # assumed of the machine code where nothing measures it
PER_MAC = {
    "spectrum": 14,
    "signal": 36,
    "frames": 14,
}  # instructions, where nothing counts them: loops on an M0+
PER_SPECTRUM = 40  # and for each sample and doubling of a spectrum

MAIN = Template("""#include "device.h"
#include "${name}_sensor.h"

static int16_t window[$total];
static ${name}_code scores[$classes];

HARNESS int main(void)
{
    while (device_read(window, sizeof window) == sizeof window) {
        mark_start();
        (void)${name}_classify(window, scores);
        mark_stop();
        device_write(scores, sizeof scores);
    }
    return 0;
}
""")

MAIN_ANOMALY = Template("""#include "device.h"
#include "${name}_sensor.h"

static int16_t window[$total];

HARNESS int main(void)
{
    while (device_read(window, sizeof window) == sizeof window) {
        uint32_t score;
        mark_start();
        score = ${name}_anomaly(window);
        mark_stop();
        device_write(&score, sizeof score);
    }
    return 0;
}
""")


@dataclass(frozen=True)
class Taken:
    """What a program takes. where: "emulated cortex-m0plus", "this computer" or "nothing", which compared it.

    flash, ram [bytes], instructions [count]: measured, or estimated
    compared: windows      differing: scores
    """

    where: str
    flash: int
    ram: int
    instructions: int
    measured: bool
    compared: int
    differing: int
    compiler: str = ""

    def latency_ms(self, clock_hz: int) -> float:
        """Time of a window [ms] at an assumed number of cycles for an instruction."""
        return 1e3 * self.instructions * CYCLES_PER_INSTRUCTION / clock_hz

    def broken(self, limits: Limits) -> list[str]:
        """A sentence for each limit that is not kept."""
        about = "" if self.measured else "about "
        found = [
            f"needs {about}{used:,} bytes of {what}, there are {most:,}"
            for what, used, most in (
                ("flash", self.flash, limits.flash_bytes),
                ("RAM", self.ram, limits.ram_bytes),
            )
            if most is not None and used > most
        ]
        if limits.latency_ms is not None and (ms := self.latency_ms(limits.clock_hz)) > limits.latency_ms:
            found.append(f"takes {about}{ms:.3g} ms of the {limits.latency_ms:g} ms allowed")
        return found + [f"{self.differing:,} scores differ from Python"] * bool(self.differing)


def estimated(program: Program) -> Taken:
    """Sizes and work by counting alone."""
    n, time = len(program.channels), program.time
    window, codes = 2 * n * time, int(np.prod(program.step_shape))
    flash, ram = CODE_BYTES + 3 * program.weight_bytes // 2, window + codes + 512
    work = PER_MAC[program.candidate.kind] * program.model.macs
    if program.candidate.kind == "spectrum":
        size = points(time)
        flash, ram = flash + 2 * size, ram + 4 * size
        work += n * size * size.bit_length() * PER_SPECTRUM
    elif program.candidate.kind == "signal":
        ram += peak_activation_bytes(program.model)
    return Taken("nothing", flash, ram, work, False, 0, 0)


def files(program: Program, name: str = "own") -> dict[str, str]:
    """What is compiled: the program and a main that feeds it."""
    made = program.sources(name)
    parts = {key: made[key] for key in (f"{name}.h", f"{name}.c", f"{name}_sensor.h", f"{name}_sensor.c")}
    text = MAIN if program.threshold is None else MAIN_ANOMALY
    total, classes = program.time * len(program.channels), len(program.classes)
    return parts | {"main.c": text.substitute(name=name, total=total, classes=classes)}


def taken(program: Program, readings: Array, target: str, thorough: bool = False) -> Taken:
    """What a program takes and whether its scores of `readings` (n, time, channels) are those of Python.

    Slow programs are compared on fewer windows, unless `thorough`.
    """
    windows = COMPARED if thorough else max(4, PATIENCE // estimated(program).instructions)
    if toolchain.compilers():
        try:
            return _emulated(program, readings[: min(windows, COMPARED)], target)
        except MissingTool:
            pass
        except toolchain.DoesNotFit as error:  # larger than the largest core that is emulated
            guess = estimated(program)
            return Taken(
                "nothing", max(guess.flash, error.bytes_over), guess.ram, guess.instructions, False, 0, 0
            )
    try:
        return _on_host(program, readings)
    except MissingTool:
        return estimated(program)


def _scores(program: Program, output: bytes) -> Array:
    if program.threshold is not None:
        return np.frombuffer(output, "<u4").reshape(-1, 1).astype(np.int64)
    kind = "i1" if program.codes.bits == 8 else "<i2"
    return np.frombuffer(output, kind).reshape(-1, len(program.classes)).astype(np.int64)


def _emulated(program: Program, readings: Array, target: str) -> Taken:
    image = toolchain.build(files(program), target, stack_bytes=4096)
    some = readings.astype("<i2")
    every = emulator.run(image, some.tobytes(), 120_000_000, counting=False)
    few = emulator.run(image, some[:COUNTED].tobytes(), limit=10**10)
    found = _scores(program, every.output)
    return Taken(
        f"emulated {target}",
        image.flash_bytes,
        image.ram_bytes + max(every.stack_high_water, few.call_stack_bytes),
        max(few.stretches),
        True,
        len(found),
        int(np.sum(found != program.scores(some))),
        image.compiler,
    )


def _on_host(program: Program, readings: Array) -> Taken:
    cc = host.compiler()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, text in files(program).items():
            (folder / name).write_text(text, encoding="utf-8")
        units = [str(folder / f) for f in ("own.c", "own_sensor.c", "main.c")]
        hosted = [f"-I{toolchain.RUNTIME}", str(toolchain.RUNTIME / "hosted.c")]
        call = [cc, *host.WARNINGS, "-O2", *units, *hosted, "-o", str(folder / "program")]
        built = subprocess.run(call, capture_output=True, text=True)
        if built.returncode:
            raise RuntimeError(f"the exported C must compile with {cc}, got: {built.stderr[:300]}")
        run = subprocess.run(
            [str(folder / "program")], input=readings.astype("<i2").tobytes(), capture_output=True
        )
    found, guess = _scores(program, run.stdout), estimated(program)
    differing = int(np.sum(found != program.scores(readings)))
    return Taken(
        "this computer",
        guess.flash,
        guess.ram,
        guess.instructions,
        False,
        len(found),
        differing,
        Path(cc).name,
    )
