"""Calculators: sizes and costs worked by hand, parts that add up, and a picture at every setting."""

import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.cost import llm
from tinylib.show import calculators, canvases, theme

BITS, PER = st.sampled_from([32, 16, 8, 4, "nf4"]), st.sampled_from(["tensor", "channel", "group"])
MODELS = ["bert_base", "gpt2_small", "gpt2_xl", "llama2_7b", "llama3_8b"]
METHODS = ["full", "lora", "qlora"]
SVG = "{http://www.w3.org/2000/svg}"


def alternative(name, *args, **options):
    return canvases.alternative(getattr(canvases, name)(*args, **options))


def stays_inside(drawing):
    """The picture parses, its words are legible and keep to its width, and it has words for everyone."""
    root = ElementTree.fromstring(drawing)
    width, height = float(root.get("width")), float(root.get("height"))
    for e in root.iter(f"{SVG}text"):
        size, x = float(e.get("font-size")), float(e.get("x"))
        room = {"end": x, "middle": 2 * min(x, width - x)}.get(e.get("text-anchor"), width - x)
        assert size >= 12 and len(e.text) * size * 0.56 <= room and 0 < float(e.get("y")) < height, e.text
        assert not re.search(r"\de[+-]?\d|nan|inf\b|\.\d{6}", e.text)
    for e in root.iter(f"{SVG}rect"):
        assert float(e.get("x")) >= 0 and float(e.get("x")) + float(e.get("width")) <= width + 0.1
        assert float(e.get("width")) >= 0
    assert canvases.alternative(drawing).endswith(".")


# Size of a model


@pytest.mark.parametrize(
    "bits, scale_per, parts",
    [  # 1,048,576 weights: 1,024 channels of 1,024, or 8 groups of 128 in each; NF4: 16,384 blocks of 64
        (32, "group", (4_194_304, 0)),
        (16, "channel", (2_097_152, 0)),
        (8, "tensor", (1_048_576, 4)),
        (8, "channel", (1_048_576, 4_096)),
        (4, "group", (524_288, 32_768)),
        ("nf4", "tensor", (524_288, 65_536)),
    ],
)
def test_weights_and_scales_by_hand(bits, scale_per, parts):
    assert calculators.model_parts(2**20, bits, scale_per) == parts


def test_both_megabytes_are_said():  # 3.4 M weights x 4 bytes = 13.6 MB; / 1.048576 = 12.97 MiB
    said = alternative("model_size", 3_400_000, 32)
    assert "FP32 13.6 MB = 12.97 MiB" in said and "FP16 6.8 MB = 6.485 MiB" in said
    assert "FP32 in parts, on a linear scale: weights 13.6 MB; no scales" in said


def test_scales_of_groups_are_a_part_of_their_own():  # 32 bits for 64 weights of 4 bits: 1/9 of the whole
    said = alternative("model_size", 2**20, 4, "group", 64)
    assert "weights 524.3 KB; scales 65.54 KB, 11.1 % of the whole" in said
    assert "one FP32 scale per group of 64 weights" in said


def test_the_chosen_width_alone_is_full_and_bold():
    for bits, name in ((8, "INT8"), ("nf4", "NF4")):
        root = ElementTree.fromstring(canvases.model_size(10**6, bits))
        bold = [e.text for e in root.iter(f"{SVG}text") if e.get("font-weight")]
        assert bold[1] == name and len(bold) == 3  # the title, the name and its size
        assert [e.get("fill-opacity") for e in root.iter(f"{SVG}polygon")].count(None) == 1


@given(st.integers(1, 10**12), BITS, PER, st.integers(1, 2**40))
def test_model_size_draws_at_every_setting(params, bits, scale_per, group_size):
    stays_inside(canvases.model_size(params, bits, scale_per, group_size))


@given(st.integers(1, 10**9), st.sampled_from([8, 4]), st.integers(1, 1024))
def test_finer_scales_never_take_less(params, bits, group_size):
    sizes = [
        calculators.model_parts(params, bits, per, group_size)[1] for per in ("tensor", "channel", "group")
    ]
    assert sizes == sorted(sizes)


# Memory of fine-tuning


def test_adapter_of_llama_by_hand():  # 32 layers x 2 matrices x rank 16 x (4,096 + 4,096)
    assert calculators.adapter_params("llama2_7b", 16) == 8_388_608


def test_grouped_query_attention_shrinks_the_value_adapter():  # Llama-3 8B: 8 KV heads of 128 features
    assert calculators.adapter_params("llama3_8b", 8) == 32 * 8 * (4096 + 4096 + 4096 + 1024)


def test_full_fine_tuning_by_hand():  # 6,738,415,616 parameters x 16 bytes, 2,048 x 524,288 for keys
    parts = calculators.memory_parts("llama2_7b", "full", 16, 2048, 1)
    assert parts["weights"] == 13_476_831_232 and parts["keys, values"] == 2**30
    assert sum(parts.values()) == 107_814_649_856 + 2**30
    said = alternative("memory_stack")
    assert "Together 108.9 GB of 24 GB: over by 84.89 GB" in said and "moments 53.91 GB" in said


def test_lora_and_qlora_train_the_adapter_alone():
    said = alternative("memory_stack", method="lora")  # 13.4768 + 0.1342 + 1.0737 GB
    assert "Together 14.68 GB of 24 GB: fits" in said and "8,388,608 in the adapter" in said
    assert "on query and value of every layer" in said and "Left out: all other activations" in said
    parts = calculators.memory_parts("llama2_7b", "qlora", 16, 2048, 1)
    assert parts["weights"] == 3_369_207_808 + 105_287_744 + 4 * 411_281  # 4 bits, 8/64, 32/(64 x 256)
    assert parts["moments"] == 2 * parts["master copy"] == 4 * parts["adapter"]


@given(st.sampled_from(MODELS), st.sampled_from(METHODS), st.integers(1, 768))
def test_state_is_that_of_mixed_precision_adam(model, method, rank):
    parts = calculators.memory_parts(model, method, rank, 1, 1)
    params = llm.transformer(model).params
    state = sum(size for name, size in parts.items() if name != "keys, values")
    adapter = calculators.adapter_params(model, rank)
    frozen = {"full": 0, "lora": 2 * params, "qlora": llm.qlora_bytes(params, 0)}[method]
    assert state == frozen + llm.ADAM_MIXED.bytes(params if method == "full" else adapter)


SETTINGS = (st.integers(1, 768), st.integers(1, 10**6), st.integers(1, 10**4), st.floats(0.001, 10**6))


@given(st.sampled_from(MODELS), st.sampled_from(METHODS), *SETTINGS)
def test_memory_stack_draws_at_every_setting(model, method, rank, tokens, batch, memory_gb):
    drawing = canvases.memory_stack(model, method, rank, tokens, batch, memory_gb)
    stays_inside(drawing)
    total = sum(calculators.memory_parts(model, method, rank, tokens, batch).values())
    assert ("over by" in drawing) == (total > memory_gb * 1e9)
    assert theme.FILLS["over_budget"] not in drawing


# Cost of a fleet


def test_saving_and_changes_by_hand():  # (4 - 1) x 10,000; 3,650,000 / 1,000 and / 250; 30,000 / 10,950
    said = alternative("bill_of_materials", 4, 1, 10_000, 1000, 250)
    assert "Board B saves 30,000 EUR" in said and "Board B needs 10,950 more battery changes a year" in said
    assert "At 2.74 EUR a change" in said
    assert (
        "Board A: 4 EUR each, 40,000 EUR for all; a battery lasts 1,000 days, 3,650 battery changes" in said
    )


def test_a_board_better_in_both_has_no_break_even():
    said = alternative("bill_of_materials", 3.5, 2.25, 2500, 30, 400)
    assert "Board B saves 3,125 EUR" in said and "Board A needs" in said and "a change" not in said
    said = alternative("bill_of_materials", 4.2, 4.2, 1, 365, 365)
    assert "Both boards cost the same" in said and "the same battery changes" in said
    said = alternative("bill_of_materials", 2, 1, 1, 36_500, 36_499.99999)
    assert "less than 0.01 more battery changes" in said and "a change" not in said


FLEET = (st.floats(0.01, 10_000), st.floats(0.01, 10_000), st.integers(1, 10**7))


@given(*FLEET, st.floats(0.1, 36_500), st.floats(0.1, 36_500))
def test_bill_of_materials_draws_at_every_setting(a, b, pieces, days_a, days_b):
    stays_inside(canvases.bill_of_materials(a, b, pieces, days_a, days_b))


@given(*FLEET, st.floats(0.1, 36_500), st.floats(0.1, 36_500))
def test_exchanged_boards_save_the_same(a, b, pieces, days_a, days_b):
    here = alternative("bill_of_materials", a, b, pieces, days_a, days_b)
    there = alternative("bill_of_materials", b, a, pieces, days_b, days_a)
    facts = here.partition(". Board A: ")[0].replace("Board A", "Board X").replace("Board B", "Board A")
    assert facts.replace("Board X", "Board B") == there.partition(". Board A: ")[0]


# Errors

GOOD = {
    "model_size": {"params": 1000, "bits": 8, "scale_per": "group", "group_size": 128},
    "memory_stack": {
        "model": "bert_base",
        "method": "lora",
        "rank": 4,
        "tokens": 8,
        "batch": 1,
        "memory_gb": 1,
    },
    "bill_of_materials": {
        "price_a_eur": 4,
        "price_b_eur": 1,
        "pieces": 10,
        "battery_days_a": 90,
        "battery_days_b": 80,
    },
}


@pytest.mark.parametrize("name, argument", [(name, a) for name, good in GOOD.items() for a in good])
@pytest.mark.parametrize("bad", ["?", None, math.nan, math.inf, 0, -1, True, [3], 10**30])
def test_bad_input_is_one_sentence(name, argument, bad):
    named = "transformer" if argument == "model" else argument
    with pytest.raises((ValueError, TypeError), match=f"^{named} must") as caught:
        getattr(canvases, name)(**GOOD[name] | {argument: bad})
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200


def test_errors_say_the_rule():
    with pytest.raises(ValueError, match="bits must be one of 32, 16, 8, 4, 'nf4', got 7"):
        canvases.model_size(1000, 7)
    with pytest.raises(ValueError, match="rank must be at most 768, the shorter side"):
        canvases.memory_stack("bert_base", "lora", rank=769)
    with pytest.raises(ValueError, match="pieces must lie between 1 and 10,000,000, got 20000000"):
        canvases.bill_of_materials(4, 1, 20_000_000, 90, 90)
