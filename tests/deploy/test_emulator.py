"""Cross build and emulated run: the same numbers on the host and on three cores; sizes, counts and limits."""

import struct
from random import Random

import pytest

from tests.deploy.cross import device_tools, on_host
from tinylib.cost.devices import named
from tinylib.deploy import emulator, toolchain
from tinylib.deploy.toolchain import DoesNotFit, build
from tinylib.formats.qformat import QFormat

device_tools()

MLP = """
#include "device.h"
static const int8_t HIDDEN[4][2] = {{64, -58}, {-61, 66}, {40, 37}, {-23, -90}};
static const int32_t HIDDEN_BIAS[4] = {-100, 60, -2000, 9000};
static const int8_t OUT[4] = {90, 77, -35, 50};
__attribute__((noinline)) static int32_t mlp(const int8_t *x) {
    int32_t y = -300;
    for (int i = 0; i < 4; ++i) {
        int32_t sum = HIDDEN_BIAS[i];
        for (int j = 0; j < 2; ++j) sum += HIDDEN[i][j] * x[j];
        sum = sum < 0 ? 0 : sum / 64;
        y += OUT[i] * (sum > 127 ? 127 : sum);
    }
    return y;
}
HARNESS_BSS static int8_t x[2];
HARNESS int main(void) {
    while (device_read(x, sizeof x) == sizeof x) {
        int32_t y;
        mark_start();
        y = mlp(x);
        mark_stop();
        device_write(&y, sizeof y);
    }
    return 0;
}
"""

Q16 = """
#include "device.h"
__attribute__((noinline)) static int32_t mul(int32_t a, int32_t b) {
    int64_t p = (int64_t)a * b;
    p = p < 0 ? ~(~p >> 16) : p >> 16;
    return p > INT32_MAX ? INT32_MAX : p < INT32_MIN ? INT32_MIN : (int32_t)p;
}
HARNESS_BSS static int32_t x[2];
HARNESS int main(void) {
    while (device_read(x, sizeof x) == sizeof x) {
        int32_t y = mul(x[0], x[1]);
        device_write(&y, sizeof y);
    }
    return 0;
}
"""

# 12 instructions from mark to mark: the call, ten in the function, the way back
TWELVE = """
#include "device.h"
__attribute__((noinline)) static void twelve(void) {
    __asm__ volatile("push {r4, r5}\\n movs r4, #2\\n 1: subs r4, #1\\n bne 1b\\n push {r4}\\n pop {r4}\\n"
                     "nop\\n pop {r4, r5}" ::: "memory");
}
int main(void) {
    for (int i = 0; i < 2; ++i) {
        mark_start();
        twelve();
        mark_stop();
    }
    return 42;
}
"""


def mlp(x: tuple[int, int]) -> int:
    """The network of MLP, on plain ints."""
    rows = (((64, -58), -100), ((-61, 66), 60), ((40, 37), -2000), ((-23, -90), 9000))
    hidden = [min(max(bias + sum(w * v for w, v in zip(row, x)), 0) // 64, 127) for row, bias in rows]
    return -300 + sum(w * h for w, h in zip((90, 77, -35, 50), hidden))


def main(body: str, before: str = "") -> dict[str, str]:
    return {"m.c": f'#include "device.h"\n{before}\nint main(void) {{ {body} }}\n'}


@pytest.mark.parametrize("target", toolchain.TARGETS)
def test_int8_network_gives_the_same_numbers_here_and_there(target):
    draw = Random(7).randrange
    xs = [(-128, -128), (127, 127), (-128, 127), (0, 0)] + [
        (draw(-128, 128), draw(-128, 128)) for _ in range(1200)
    ]
    image = build({"mlp.c": MLP}, target)
    first, again = (emulator.run(image, b"".join(struct.pack("<2b", *x) for x in xs)) for _ in range(2))
    assert first.ints() == [mlp(x) for x in xs]
    assert first == again, "two runs give the same outputs and counts"
    assert len(first.stretches) == len(xs) and first.instructions == sum(first.stretches) < first.executed
    assert 50 < min(first.stretches) <= max(first.stretches) < 400
    assert 0 < first.call_stack_bytes <= first.stack_high_water <= toolchain.STACK_BYTES
    assert image.bytes_by_symbol("rodata") | {"HIDDEN": 8} == image.bytes_by_symbol("rodata")
    assert image.ram_bytes == 0 and "main" in image.bytes_by_symbol("harness")


@pytest.mark.parametrize("target", toolchain.TARGETS)
def test_q16_16_product_saturates_as_the_format_says(target, cc, tmp_path):
    q, draw = QFormat(16, 16), Random(8).randrange
    edges = (q.min_raw, q.min_raw + 1, -q.one - 1, -q.one, -1, 0, 1, q.one, q.max_raw)
    pairs = [(a, b) for a in edges for b in edges]
    pairs += [tuple(draw(-(2**bits), 2**bits) for bits in (31, draw(8, 32))) for _ in range(1000)]
    data = b"".join(struct.pack("<2i", *pair) for pair in pairs)
    want = [q.mul(a, b, rounding="floor", overflow="saturate") for a, b in pairs]
    assert {q.min_raw, q.max_raw} <= set(want)
    assert emulator.run(build({"q.c": Q16}, target), data).ints() == want
    assert on_host(cc, {"q.c": Q16}, data, tmp_path) == struct.pack(f"<{len(want)}i", *want)


def test_hosted_and_emulated_network_agree(cc, tmp_path):
    data = bytes(range(256))
    there = emulator.run(build({"m.c": MLP}, "cortex-m3"), data)
    assert on_host(cc, {"m.c": MLP}, data, tmp_path) == there.output


@pytest.mark.parametrize("compiler", toolchain.compilers())  # arm-none-eabi-gcc where it is installed
def test_every_compiler_at_hand_makes_the_same_numbers(compiler):
    image = build({"m.c": MLP}, "cortex-m0plus", compiler=compiler)
    run = emulator.run(image, struct.pack("<6b", 1, 2, -128, 127, 100, -50))
    assert run.ints() == [mlp((1, 2)), mlp((-128, 127)), mlp((100, -50))]
    assert image.compiler.startswith(compiler) and (compiler != "zig" or image.compiler == "zig 0.16.0")


@pytest.mark.parametrize("target", toolchain.TARGETS)
def test_instructions_between_marks_are_those_written_down(target):
    run = emulator.run(build({"m.c": TWELVE}, target))
    assert (run.stretches, run.instructions, run.status) == ((12, 12), 24, 42)
    assert run.call_stack_bytes == 12, "r4, r5, and r4 once more"


def test_counting_by_blocks_equals_counting_one_by_one():
    """The emulator's own hook before every instruction is the second road."""
    image = build({"mlp.c": MLP}, "cortex-m0plus")
    machine, found = emulator._Machine(image, b"\x05\xfb" * 3, 10**6, True), []
    machine.core.hook_add(machine.u.UC_HOOK_CODE, lambda core, address, size, _: found.append(address))
    assert machine.run().executed == len(found) > 300


def test_without_counting_the_answers_stay():
    image = build({"mlp.c": MLP}, "cortex-m0plus")
    counted, plain = (emulator.run(image, b"\x11\x22\x33\x44", counting=c) for c in (True, False))
    assert (plain.output, plain.status) == (counted.output, counted.status)
    assert plain.stack_high_water == counted.stack_high_water
    assert plain.call_stack_bytes == counted.call_stack_bytes > 0
    assert plain.executed is plain.instructions is None


def test_variables_start_as_written_and_are_measured():
    before = (
        "static int32_t set[3] = {7, 8, 9}; static int16_t zero[5]; static const int16_t K[6] = {1, 2, 3};"
    )
    body = "for (int i = 0; i < 3; ++i) set[i] += zero[i] + K[i]; device_write(set, sizeof set); zero[0] = 1;"
    image = build(main(body + "device_write(zero, 2); return K[set[0] & 1];", before), "cortex-m0plus")
    run = emulator.run(image)
    assert struct.unpack("<3ih", run.output) == (8, 10, 12, 1)
    assert image.sections["data"] == 12 and image.bytes_by_symbol("data") == {"set": 12}
    assert (
        image.sections["bss"] in (4, 12) and image.ram_bytes == image.sections["data"] + image.sections["bss"]
    )
    assert image.flash_bytes == sum(image.sections[part] for part in ("text", "rodata", "data"))


def test_a_device_sets_the_memories():
    small = named("stm32l011")  # 16 KiB flash, 2 KiB SRAM
    image = build({"mlp.c": MLP}, "cortex-m0plus", device=small.id)
    assert (image.device_flash_bytes, image.device_ram_bytes) == (16384, 2048)
    assert emulator.run(image, bytes(2)).ints() == [mlp((0, 0))]
    body = "device_write(a, sizeof a); return 0;"
    with pytest.raises(
        DoesNotFit, match=r"section .bss must fit: RAM of 2,048 bytes is 984 bytes too small"
    ) as error:
        build(main(body, "static int32_t a[500];"), "cortex-m0plus", device=small, stack_bytes=1024)
    assert (error.value.memory, error.value.bytes_over) == ("RAM", 2000 + 1024 - 2048 + 8), "and two handles"
    with pytest.raises(DoesNotFit, match=r"flash of 16,384 bytes is [\d,]+ bytes too small"):
        build(main(body, "static const uint8_t a[20000] = {1};"), "cortex-m0plus", device=small)
    with pytest.raises(DoesNotFit, match=r"section .stack must fit: RAM of 2,048 bytes is 2,048 bytes"):
        build(main("return 0;"), "cortex-m0plus", device=small, stack_bytes=4096)


RECURSIVE = "static uint32_t f(uint32_t n)"
RECURSIVE += "{ volatile uint32_t a[16]; a[0] = n; return n ? a[0] + f(n - 1u) + a[0] : 0u; }"
FAULTS = {
    "the stack of 1,024 bytes is full": main("return (int)f(100u);", RECURSIVE),
    "stopped in main: it did not end within 5,000": main('for (;;) __asm__ volatile("");'),
    "stopped in main: .*write": main("*(volatile uint32_t *)(uintptr_t)16u = 1u; return 0;"),
    "stopped in main: .*read": main("return *(volatile int *)(uintptr_t)0x30000000u;"),
    "there is no memory at 0x20000800": main("return *(volatile int *)(uintptr_t)0x20000800u;"),
}


@pytest.mark.parametrize("why", FAULTS)
def test_what_faults_on_a_chip_faults_here(why):
    image = build(FAULTS[why], "cortex-m0plus", device="stm32l011")
    with pytest.raises(emulator.DeviceFault, match=why):
        emulator.run(image, limit=5_000)


@pytest.mark.parametrize(
    "call, error, why",
    [
        (lambda: build({"a.c": "int main(void) { return x; }"}, "cortex-m3"), ValueError, "undeclared"),
        (lambda: build(main("return f();", "int f(void);"), "cortex-m3"), ValueError, "undefined"),
        (lambda: build({"../a.c": ""}, "cortex-m3"), ValueError, "named like net.c"),
        (lambda: build({"a.h": ""}, "cortex-m3"), ValueError, "there is nothing to compile"),
        (lambda: build({"a.c": b""}, "cortex-m3"), TypeError, "source a.c must be text"),
        (lambda: build({"a.c": ""}, "cortex-m7"), ValueError, "one of cortex-m0plus, cortex-m3, cortex-m4"),
        (lambda: build({"a.c": ""}, "cortex-m3", stack_bytes=100), ValueError, "multiple of 8"),
        (lambda: build({"a.c": ""}, "cortex-m3", device="z80"), ValueError, "device must be one of"),
        (lambda: build({"a.c": ""}, "cortex-m3", compiler="tcc"), ValueError, "compiler must be"),
        (
            lambda: emulator.run(build(main("return 0;"), "cortex-m3"), "text"),
            TypeError,
            "input must be bytes",
        ),
        (lambda: emulator.Run(b"abc", 0, (), 0, 0, 0).ints(), ValueError, "whole numbers of 4 bytes, got 3"),
    ],
)
def test_errors_give_a_reason(call, error, why):
    with pytest.raises(error, match=why):
        call()


def test_a_missing_tool_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(toolchain, "compilers", lambda: ())
    with pytest.raises(toolchain.MissingTool, match="get it by `make lab EXTRAS=device`"):
        build(main("return 0;"), "cortex-m3")


def test_nothing_is_left_in_the_project():
    assert not toolchain.cache_folder().is_relative_to(toolchain.RUNTIME.parents[2])
