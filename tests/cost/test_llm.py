"""Language models: published totals exactly, caches and states worked by hand, and refused arguments."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.cost import Dense, PointwiseConv2D, llm

small = st.integers(1, 64)


@pytest.mark.parametrize(
    "id, params",
    [
        ("bert_base", 109_482_240),  # checkpoint bert-base-uncased
        ("gpt2_small", 124_439_808),  # released weights; the paper's table says 117M
        ("gpt2_medium", 354_823_168),
        ("gpt2_large", 774_030_080),
        ("gpt2_xl", 1_557_611_200),
        ("llama2_7b", 6_738_415_616),
        ("llama2_13b", 13_015_864_320),
        ("llama3_8b", 8_030_261_248),
        ("llama3_70b", 70_553_706_496),
    ],
)
def test_parameters_are_the_published_totals(id, params):
    assert llm.transformer(id).params == params


@pytest.mark.parametrize("id", ["gpt2_small", "gpt2_medium", "gpt2_large", "gpt2_xl"])
def test_gpt2_in_closed_form(id):  # V d + 1024 d + L (12 d^2 + 13 d) + 2 d
    t = llm.transformer(id)
    assert t.params == (50257 + 1024) * t.width + t.layers * (12 * t.width**2 + 13 * t.width) + 2 * t.width
    assert t.head_dim == 64


@pytest.mark.parametrize("id", ["llama2_7b", "llama2_13b", "llama3_8b", "llama3_70b"])
def test_llama_in_closed_form(id):  # 2 V d + L (2 d^2 + 2 d kv + 3 d f + 2 d) + d
    t = llm.transformer(id)
    d, kv = t.width, 128 * t.kv_heads
    layer = 2 * d * d + 2 * d * kv + 3 * d * t.ffn_width + 2 * d
    assert t.params == 2 * t.vocabulary * d + t.layers * layer + d
    assert t.head_dim == 128


def test_ffn_share_of_gpt2():  # 45.5, 56.8 and 63.1 percent of small, medium and XL
    shares = [
        t.parts["ffn"] / t.params for t in map(llm.transformer, ("gpt2_small", "gpt2_medium", "gpt2_xl"))
    ]
    assert shares == pytest.approx([0.455, 0.568, 0.631], abs=5e-4)


def test_attention_work():  # 4 x 1024^2 x 512, and as much again once the tokens are 2 d
    assert llm.attention_flops(1024, 512) == 2_147_483_648
    assert llm.attention_flops(1024, 512, projections=True) == 2 * 2_147_483_648


@given(n=st.integers(1, 4096), d=st.integers(1, 4096))
def test_projections_are_four_dense_layers_per_token(n, d):
    extra = llm.attention_flops(n, d, projections=True) - llm.attention_flops(n, d)
    assert extra == 2 * 4 * PointwiseConv2D(d, d, bias=False).macs((1, n, d))


def test_kv_cache_of_7b():  # 2 x 32 x 32 x 128 x 512 x 2 bytes; 256 times that for 32 x 4096 tokens
    t = llm.transformer("llama2_7b")
    assert t.kv_cache_bytes(512) == 268_435_456
    assert t.kv_cache_bytes(4096, batch=32) == 68_719_476_736
    assert llm.kv_bytes_per_token(32, 32, 128) == 524_288 == 512 * 1024


def test_kv_cache_of_larger_models():  # 13B served to four users in 4 bits; 70B caches 8 heads of 64
    t = llm.transformer("llama2_13b")
    assert t.kv_cache_bytes(2048, batch=4) == 6_710_886_400
    assert (0.5 * 13e9 + t.kv_cache_bytes(2048, batch=4)) / 1e9 == pytest.approx(13.211, abs=5e-4)
    t = llm.transformer("llama3_70b")
    assert t.kv_cache_bytes(1) == llm.kv_bytes_per_token(80, 8, 128) == 327_680
    assert llm.gqa_factor(t.heads, t.kv_heads) == 8


@given(layers=small, kv_heads=small, group=small, head_dim=small, tokens=small, batch=small)
def test_cache_grows_by_the_token_and_shrinks_by_the_group(layers, kv_heads, group, head_dim, tokens, batch):
    per_token = llm.kv_bytes_per_token(layers, kv_heads, head_dim)
    grouped = llm.kv_cache_bytes(layers, kv_heads, head_dim, tokens, batch)
    assert grouped == per_token * tokens * batch
    full = llm.kv_cache_bytes(layers, kv_heads * group, head_dim, tokens, batch)
    assert full == grouped * llm.gqa_factor(kv_heads * group, kv_heads)
    assert llm.kv_cache_bytes(layers, kv_heads, head_dim, tokens, batch, bits=8) * 2 == grouped


def test_lora_is_two_thin_dense_layers():
    assert llm.lora_params(4096, 4096, 16) == 131_072
    down, up = Dense(768, 8, bias=False), Dense(8, 3072, bias=False)
    assert llm.lora_params(768, 3072, 8) == down.params + up.params


def test_nf4_constants():  # 0.5 and 0.127 bit per weight (QLoRA, section 3): 0.44 and 0.11 GB at 7B
    million = 64 * 256 * 64
    assert llm.nf4_constant_bytes(million) * 8 / million == 0.5
    assert llm.nf4_constant_bytes(million, double_quantization=True) * 8 / million == 8 / 64 + 32 / (64 * 256)
    assert llm.nf4_constant_bytes(7 * 10**9) / 1e9 == pytest.approx(0.4375)
    assert llm.nf4_constant_bytes(7 * 10**9, double_quantization=True) / 1e9 == pytest.approx(0.111, abs=5e-4)


def test_qlora_of_7b():  # 7e9 / 2 + 20e6 x 2 bytes, then the constants
    plain = llm.qlora_bytes(7 * 10**9, 20 * 10**6, constants="none")
    assert plain == 3_540_000_000
    assert llm.qlora_bytes(7 * 10**9, 20 * 10**6, constants="single") == plain + 437_500_000
    assert llm.qlora_bytes(7 * 10**9, 20 * 10**6) == plain + llm.nf4_constant_bytes(7 * 10**9, True)


@given(params=st.integers(0, 2**32))
def test_double_quantization_saves_beyond_one_block(params):
    once, twice = llm.nf4_constant_bytes(params), llm.nf4_constant_bytes(params, double_quantization=True)
    assert twice <= once + 1  # a single block keeps 8 bits beside its FP32 constant
    assert once >= params / 16


@pytest.mark.parametrize(
    "state, per_param, gigabytes",
    [(llm.ADAM_MIXED, 16, 112), (llm.ADAM_FP32, 16, 112), (llm.ADAM_BF16, 8, 56), (llm.SGD_FP32, 8, 56)],
)
def test_training_state_of_7b(state, per_param, gigabytes):  # ZeRO, section 3.1
    assert state.bits_per_param == 8 * per_param
    assert state.bytes(7 * 10**9) == gigabytes * 10**9


def test_mixed_precision_without_its_weights_is_98_gb():
    assert llm.ADAM_MIXED.bytes(7 * 10**9) - 2 * 7 * 10**9 == 98 * 10**9


def test_decode_bound():  # 3.35 TB/s over 14 GB: 239 tokens per second
    assert llm.decode_tokens_per_s(3.35e12, 14e9) == pytest.approx(239.2857, abs=1e-4)


@given(model=st.floats(1e6, 1e12), cache=st.floats(0, 1e12), bandwidth=st.floats(1e6, 1e13), batch=small)
def test_less_cache_is_never_proportionally_faster(model, cache, bandwidth, batch):
    full = llm.decode_tokens_per_s(bandwidth, model, cache, batch)
    less = llm.decode_tokens_per_s(bandwidth, model, cache / 8, batch)
    assert full <= less < 8 * full
    assert math.isclose(full * (model + cache), batch * bandwidth, rel_tol=1e-9)


def test_unknown_models_and_uneven_groups_are_one_sentence():
    with pytest.raises(ValueError, match=r"transformer must be one of bert_base, .*, got 'gpt5'"):
        llm.transformer("gpt5")
    with pytest.raises(ValueError, match="kv_heads must divide heads 32: every group"):
        llm.gqa_factor(32, 5)
    with pytest.raises(ValueError, match="width must be a multiple of heads 12, got 100"):
        llm.Transformer("x", "x", 10, 1, width=100, ffn_width=4, heads=12, kv_heads=12, source="none")


@pytest.mark.parametrize(
    "rank, error", [(0, "rank must lie"), (17, "rank must be at most 16, the shorter side")]
)
def test_rank_must_fit_the_matrix(rank, error):
    with pytest.raises(ValueError, match=error):
        llm.lora_params(16, 64, rank)


@pytest.mark.parametrize("bad", [0, -1, 10**400, math.inf])
def test_bandwidth_must_be_positive(bad):
    with pytest.raises(ValueError, match="bandwidth_bytes_per_s must be"):
        llm.decode_tokens_per_s(bad, 1e9)


def test_counts_must_be_whole():
    with pytest.raises(TypeError, match=r"tokens must be a whole number, got 1\.5"):
        llm.kv_cache_bytes(32, 32, 128, tokens=1.5)
    with pytest.raises(ValueError, match="bits must"):
        llm.kv_cache_bytes(32, 32, 128, tokens=1, bits=0)
    with pytest.raises(ValueError, match="constants must be 'none', 'single' or 'double', got 'twice'"):
        llm.qlora_bytes(100, 10, constants="twice")
    with pytest.raises(ValueError, match="moments must lie"):
        llm.TrainingState(16, 16, moments=-1)
