"""What a network takes on a core: sizes beside a published library, tables in use, limits, errors."""

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.deploy import test_c99
from tests.deploy import test_c99_train as training_tests
from tests.deploy.cross import device_tools
from tinylib.cost.devices import named
from tinylib.deploy import emulator, harness, measure, toolchain
from tinylib.deploy.limits import Limits
from tinylib.deploy.measure import Measured
from tinylib.formats import lut
from tinylib.nets import mlp

device_tools()

ARITHMETICS, NETWORKS, FEW = test_c99.ARITHMETICS, test_c99.NETWORKS, test_c99.FEW
Q16_16 = ARITHMETICS["Q16.16 floor wrap"]
XOR = mlp((2, 4, 1), rng=np.random.default_rng(0), ops=Q16_16, limit=1.0)
LEARNING = {
    "trainable": True,
    "optimizer": training_tests.SETTINGS,
    "dead_zone": training_tests.DEAD_ZONE,
}


def test_a_changed_weight_is_seen():
    case = measure._case(XOR, Q16_16, None, None, 200, None, "net", {"trainable": False, "elapsed": False})
    w = int(XOR.parts[0].w[0, 0])
    changed = case.sources.source.replace(f"    {w},", f"    {w + 4096},", 1)
    assert changed != case.sources.source and measure._measured(case, "cortex-m3").equal
    found = measure._measured(replace(case, sources=replace(case.sources, source=changed)), "cortex-m3")
    assert found.differing > 50 and not found.equal
    assert f"got {found.differing} codes that differ" in str(found.fits(Limits()))


# ---- sizes

REFERENCE = {  # danmcleran/tinymind, 2-4-1 Q16.16, g++ 12 -Os: code, the two tables, RAM without stack
    "cortex-m0plus": {True: (1_986, 768, 492), False: (536, 768, 156)},
    "cortex-m4": {True: (1_836, 768, 492), False: (506, 768, 156)},
}


@pytest.mark.parametrize("compiler", toolchain.compilers())
@pytest.mark.parametrize("trainable", [False, True], ids=["inference", "trainable"])
@pytest.mark.parametrize("target", REFERENCE)
def test_xor_stays_below_three_quarters_of_the_reference_library(target, trainable, compiler):
    """Ours is counted with weights, start values and 64-bit products; theirs is without."""
    code, tables, ram = REFERENCE[target][trainable]
    options = LEARNING if trainable else {}
    found = measure.measure(XOR, target, ops=Q16_16, compiler=compiler, samples=64, **options)
    assert found.equal and found.compiler.startswith(compiler)
    assert found.flash <= 0.75 * (code + tables), found
    assert found.data + found.bss <= 0.7 * ram and found.ram <= ram, found


def test_learning_xor_fits_the_smallest_part_and_its_map_says_so():
    small = named("stm32l011")  # 16 KiB of flash, 2 KiB of RAM: the linker refuses more
    found = measure.measure(XOR, ops=Q16_16, device=small, stack_bytes=512, samples=64, **LEARNING)
    assert found.fits(small) and found.equal
    sections = dict(line.split() for line in found.image.map.splitlines() if line[0] == ".")
    flash = sum(int(sections[s]) for s in (".harness", ".text", ".rodata", ".data"))
    ram = sum(int(sections[s]) for s in (".stack", ".data", ".bss", ".harness_bss"))
    assert flash < small.flash_bytes / 4 and ram < small.sram_bytes / 2
    assert "net_weights" in found.image.map and f"{found.bss:>8}" in found.image.map


TABLES = {
    "relu": set(),
    "tanh": {"tanh_table"},
    "sigmoid": {"sigmoid_table"},
    "elu": {"exp_table"},
    "gelu": {"sigmoid_table"},
}
FORMATS = "Q16.16 floor wrap", "Q8.8 floor wrap", "Q4.12 nearest saturate", "Q4.4 nearest saturate wide"


@pytest.mark.parametrize("arithmetic", FORMATS)
@pytest.mark.parametrize("bend", TABLES)
def test_the_map_holds_the_tables_in_use_and_no_others(bend, arithmetic):
    ops = ARITHMETICS[arithmetic]
    net = mlp((2, 3, 1), bend, "linear", np.random.default_rng(0), ops)
    found = measure.measure(net, "cortex-m3", ops=ops, samples=8)
    there = {name: size for name, size in found.symbols["rodata"].items() if name.endswith("_table")}
    bits = ops.q.frac_bits + (bend == "elu")  # exp reaches 1, the others stay below
    assert there == dict.fromkeys(TABLES[bend], 49 * next(n for n in (1, 2, 4) if bits <= 8 * n))
    functions = {*re.findall(r"\w+", found.image.map)}
    assert ("q_read" in found.sources.source) == bool(TABLES[bend] - {"exp_table"})
    assert not functions & {"q_div", "net_train", "malloc", "memcpy", "memset", "log_table", "cos_table"}


def functions(source):
    """Names of the functions that a C file defines, but for its type checks."""
    return set(re.findall(r"^(?:static )?\w+ (\w+)\([^;]*?\)$", source, re.MULTILINE))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("arithmetic", FEW)
def test_every_function_and_table_written_is_used(name, arithmetic):
    """Built as it is, nothing inlined: the linker drops what is unreferenced, and finds nothing to drop."""
    sources = test_c99.made(name, ARITHMETICS[arithmetic], vectors=1)[2]
    files = {"net.h": sources.header, "net.c": sources.source, "m.c": harness.program(sources)}
    image = toolchain.build(files, "cortex-m3", flags=(*toolchain.STRICT, "-fno-inline"))
    there = {s.name for s in image.symbols}
    assert functions(sources.source) and functions(sources.source) <= there
    for array in re.findall(r"^static const \w+ (\w+)\[", sources.source, re.MULTILINE):
        assert len(re.findall(rf"\b{array}\b", sources.source)) > 1, f"nothing reads {array}"
    table = {f"{name}_table" for name in lut.FUNCTIONS} & there
    assert table == {f"{name}_table" for name in lut.FUNCTIONS if f"{name}_table" in sources.source}


# ---- what is counted, limits, errors


def test_sections_add_up_and_the_harness_is_left_out():
    found = measure.measure(XOR, ops=Q16_16, samples=64)
    assert found.flash == found.text + found.rodata + found.data == found.image.flash_bytes
    assert found.ram == found.data + found.bss + found.stack
    for part in ("text", "rodata", "data", "bss"):
        inside = sum(found.symbols[part].values())
        assert inside <= getattr(found, part) < inside + 8, "what no symbol names is filling"
    assert found.symbols["bss"] == {"y": 4}, "weights lie in flash; the caller owns the answer"
    assert found.harness > 0 and not {"main", "device_read"} & set(found.symbols["text"])
    assert 0 < found.runtime < 100, "an M0+ has no product of 64 bits"
    assert measure.measure(XOR, "cortex-m4", ops=Q16_16, samples=64).runtime == 0
    assert found.mean_instructions <= found.instructions < 2_000 and found.train_instructions is None


def test_real_numbers_become_codes_and_codes_stay():
    corners = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    real = measure.measure(XOR, "cortex-m3", corners, ops=Q16_16)
    codes = measure.measure(XOR, "cortex-m3", np.array(corners).astype(int) << 16, ops=Q16_16)
    assert real == codes and np.array_equal(real.outputs, codes.outputs) and real.inputs == 4
    assert np.array_equal(real.outputs, XOR.forward(Q16_16.number(np.array(corners)), Q16_16)[0])


FOUND = Measured("cortex-m0plus", "zig 0.16.0", 1_000, 200, 40, 100, 160, 2_400, 2_000.0, 8, 0, {})
BROKEN = [
    (Limits(1_240, 300, 2_400), []),
    (Limits(1_239), ["flash must stay within 1,239 bytes, got 1,240"]),
    (Limits(ram_bytes=299), ["RAM must stay within 299 bytes, got 300"]),
    (Limits(instructions=1), ["one inference must stay within 1 instructions, got 2,400"]),
    (Limits(latency_ms=0.075, clock_hz=48_000_000), []),
    (
        Limits(latency_ms=0.05, clock_hz=48_000_000, cycles_per_instruction=2),
        [
            "one inference must stay within 0.05 ms at 48 MHz, got 0.1 ms"
            " (assumed: 2 cycles for an instruction)"
        ],
    ),
    ("stm32l011", []),
    (
        replace(named("stm32l011"), flash_bytes=1_024),
        ["flash must stay within 1,024 bytes of {name}, got 1,240"],
    ),
]


@pytest.mark.parametrize("limits, sentences", BROKEN)
def test_every_broken_limit_is_a_sentence(limits, sentences):
    fit = FOUND.fits(limits)
    assert [*fit] == [s.format(name=getattr(limits, "name", "")) for s in sentences]
    assert bool(fit) == (not sentences) and str(fit) == ("\n".join(fit) or "fits")


def test_latency_is_instructions_by_assumed_cycles_over_the_clock():
    assert FOUND.latency_ms(48_000_000) == pytest.approx(0.075)
    assert FOUND.latency_ms(24_000_000, 1) == pytest.approx(0.1)


def test_a_full_device_and_a_full_stack_are_named():
    with pytest.raises(toolchain.DoesNotFit, match=r"section \.stack must fit: RAM of 2,048 bytes"):
        measure.measure(XOR, ops=Q16_16, device="stm32l011", stack_bytes=4096)
    with pytest.raises(emulator.DeviceFault, match="the stack of 64 bytes is full"):
        measure.measure(XOR, ops=Q16_16, stack_bytes=64, samples=1)


@pytest.mark.parametrize(
    "call, error, why",
    [
        (lambda: measure.measure(XOR), TypeError, "ops must be a Fixed arithmetic"),
        (lambda: measure.measure(XOR, "cortex-m7", ops=Q16_16), ValueError, "target must be one of"),
        (lambda: measure.measure(XOR, inputs=[1, 2], ops=Q16_16), ValueError, "inputs must be samples"),
        (
            lambda: measure.measure(XOR, inputs=[[1, 2, 3]], ops=Q16_16),
            ValueError,
            "in_shape|a row of 2 features",
        ),
        (lambda: measure.measure(XOR, inputs=[["a", "b"]], ops=Q16_16), TypeError, "codes or real numbers"),
        (lambda: measure.measure(XOR, inputs=[[1 << 40, 0]], ops=Q16_16), ValueError, "must be codes from"),
        (lambda: measure.measure(XOR, ops=Q16_16, targets=[[0.0]]), ValueError, "trainable=True"),
        (
            lambda: measure.measure(XOR, inputs=[[0, 0]], ops=Q16_16, targets=[[0.0, 1.0]], trainable=True),
            ValueError,
            r"targets must be \(1, 1\)",
        ),
        (lambda: measure.measure(XOR, ops=Q16_16, name="device"), ValueError, "name must be free"),
        (lambda: FOUND.fits(7), TypeError, "limits must be Limits"),
        (lambda: FOUND.fits("z80"), ValueError, "device must be one of"),
        (lambda: FOUND.latency_ms(0), ValueError, "clock_hz must lie"),
        (lambda: FOUND.latency_ms(1, 0), ValueError, "cycles_per_instruction must be positive"),
        (lambda: Limits(latency_ms=1), ValueError, "a time needs a clock"),
    ],
)
def test_errors_give_a_reason(call, error, why):
    with pytest.raises(error, match=why):
        call()


def test_a_missing_tool_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(toolchain, "compilers", lambda: ())
    with pytest.raises(toolchain.MissingTool, match="get it by `make lab EXTRAS=device`"):
        measure.measure(XOR, ops=Q16_16)
