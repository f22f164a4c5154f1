"""Arena, patch and cache pictures: their words are those of the cost room, at every setting."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.cost import Conv2D, devices, models
from tinylib.show import canvases

STACK = [
    Conv2D(3, 16, 3, padding="same"),
    Conv2D(16, 16, 3, stride=2, padding="same"),
    Conv2D(16, 16, 3, padding="same"),
]


@given(st.sampled_from(models.NAMES), st.sampled_from([4, 8, 16, 32]), st.integers(-3, 99))
def test_arena_draws_at_every_setting(name, bits, step):
    ElementTree.fromstring(canvases.arena(name, bits, step, devices.named("stm32f103c8")))
    ElementTree.fromstring(canvases.arena(name, bits, step))


def test_arena_of_the_keyword_network():  # largest live set 16,000 bytes = 15.62 KiB
    said = canvases.alternative(canvases.arena("mlperf_tiny_kws_dscnn", 8, 3, devices.named("stm32f103c8")))
    assert "arena 15.62 KiB, lower bound 15.62 KiB" in said and "2 tensors alive" in said
    assert "fits, 4.375 KiB left" in said
    said = canvases.alternative(canvases.arena("mlperf_tiny_kws_dscnn", 16, 3, devices.named("stm32f103c8")))
    assert "over by 11.25 KiB" in said


@given(st.integers(1, 8), st.integers(0, 9), st.integers(0, 9))
def test_patches_draw_at_every_setting(patches, row, column):
    ElementTree.fromstring(canvases.patches(STACK, (56, 56, 3), patches, row, column))


def test_an_inner_tile_with_its_halo_by_hand():  # 7 outputs, 9 before stride 1, 19 before stride 2, 21
    said = canvases.alternative(canvases.patches(STACK, (56, 56, 3), 4, 1, 1))
    assert "this tile reads 21 × 21 of 56 × 56" in said
    whole = canvases.alternative(canvases.patches(STACK, (56, 56, 3), 1))
    assert "recomputed 0 of" in whole


@given(st.integers(1, 100_000), st.integers(1, 64), st.sampled_from([4, 8, 16]), st.floats(1, 200))
def test_cache_draws_at_every_setting(tokens, batch, weight_bits, memory_gb):
    ElementTree.fromstring(canvases.kv_cache("llama2_7b", tokens, batch, weight_bits, memory_gb))


def test_cache_of_llama_by_hand():  # 2 x 32 layers x 4096 x 2 bytes = 524,288 bytes a token
    said = canvases.alternative(canvases.kv_cache("llama2_7b", 2048))
    assert "524 KB a token" in said and "cache 1.07 GB for 2,048 tokens" in said and "fits" in said
    assert "over by" in canvases.alternative(canvases.kv_cache("llama2_7b", 2048, batch=32))


def test_unknown_models_are_refused_with_a_sentence():
    with pytest.raises(ValueError, match="model must be one of"):
        canvases.arena("nobody")
    with pytest.raises(ValueError, match="transformer must be one of"):
        canvases.kv_cache("nobody")
