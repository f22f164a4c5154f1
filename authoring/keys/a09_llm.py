"""Key of assignment 09: the private question and the function that the bank does not hold. Never released."""

from grading.keys import key
from tinylib import units
from tinylib.cost import llm, memory
from tinylib.practice import Absolute, Exercise, Misconception

STEP = 128  # tokens: the step of the slider under the figure
LLAMA = llm.transformer("llama2_7b")


def _longest(free_bytes: int, batch: int) -> int:
    return free_bytes // LLAMA.kv_cache_bytes(1, batch) // STEP * STEP


def _free_bytes(params: int, weight_bits: int, memory_gb: int, unit: int = units.GB) -> int:
    return memory_gb * unit - memory.weight_bytes(params, weight_bits)


def _context(params: int, batch: int, weight_bits: int, memory_gb: int) -> int:
    return _longest(_free_bytes(params, weight_bits, memory_gb), batch)


LONGEST_CONTEXT = Exercise(
    id="a09.longest_context",
    title="The longest context that fits",
    prompt="Llama-2 7B ({params} parameters, 32 layers, 32 key-value heads of 128 features) has weights of "
    "{weight_bits} bits each and a KV cache of 2 bytes a value. A GPU with {memory_gb} GB (10^9 bytes) "
    "serves {batch} sequences of equal length at once. What is the longest context of each, as a whole "
    "multiple of 128 tokens, if weights and cache must fit and nothing else counts?",
    given={"params": LLAMA.params, "batch": 8, "weight_bits": 16, "memory_gb": 24},
    draws={"batch": (4, 8, 16), "weight_bits": (4, 8, 16), "memory_gb": (24, 32, 40, 48)},
    answer=_context,
    unit="tokens",
    tolerance=Absolute(0),
    expect=2432,
    source="worked by hand: (24e9 - 13,476,831,232) / (524,288 x 8) = 2,508.9; 19 x 128 = 2,432",
    misconceptions=(
        Misconception(
            lambda params, batch, weight_bits, memory_gb: _longest(memory_gb * units.GB, batch),
            "The weights are forgotten: the cache only gets what they leave.",
        ),
        Misconception(
            lambda params, batch, weight_bits, memory_gb: _context(params, 1, weight_bits, memory_gb),
            "That is for a single sequence: each one in the batch has a cache of its own.",
        ),
        Misconception(
            lambda params, batch, weight_bits, memory_gb: _longest(
                2 * _free_bytes(params, weight_bits, memory_gb), batch
            ),
            "Half of the cache is missing: every token leaves a key and a value, each of 2 bytes.",
        ),
        Misconception(
            lambda params, batch, weight_bits, memory_gb: _longest(
                _free_bytes(params, weight_bits, memory_gb, units.GIB), batch
            ),
            "A GB is 10^9 bytes here, not 2^30.",
        ),
        Misconception(
            lambda **given: _context(**given) + STEP,
            "Rounded up: that context no longer fits.",
        ),
    ),
)


@key(
    "a09.serving_report",
    examples=[
        (
            (1_000_000_000, 8, 10, 8, 2, 64, 1000, 4, 100),
            {
                "weights_gb": 1.0,
                "kv_bytes_per_token": 5120,
                "cache_gb": 0.02048,
                "total_gb": 1.02048,
                "gqa_factor": 4,
                "tokens_per_s": 391.97240514267796,
            },
        )
    ],
)
class ServingReport:
    def draw(rng):  # always grouped and never one sequence: catches heads and batches that are mixed up
        kv_heads = rng.choice((2, 4, 8))
        return (
            rng.int(5, 140) * 10**8,
            rng.choice((4, 8, 16)),
            rng.int(12, 80),
            kv_heads * rng.choice((3, 4, 5, 8)),
            kv_heads,
            rng.choice((64, 96, 128)),
            rng.int(500, 8000),
            rng.int(3, 16),
            rng.int(50, 3500),
        )

    def expected(params, weight_bits, layers, heads, kv_heads, head_dim, tokens, batch, bandwidth_gb_per_s):
        weights = memory.weight_bytes(params, weight_bits)
        cache = llm.kv_cache_bytes(layers, kv_heads, head_dim, tokens, batch)
        speed = llm.decode_tokens_per_s(bandwidth_gb_per_s * units.GB, weights, cache, batch)
        return {
            "weights_gb": weights / units.GB,
            "kv_bytes_per_token": llm.kv_bytes_per_token(layers, kv_heads, head_dim),
            "cache_gb": cache / units.GB,
            "total_gb": (weights + cache) / units.GB,
            "gqa_factor": llm.gqa_factor(heads, kv_heads),
            "tokens_per_s": speed,
        }

    def slips(params, weight_bits, layers, heads, kv_heads, head_dim, tokens, batch, bandwidth_gb_per_s):
        right = ServingReport.expected(
            params, weight_bits, layers, heads, kv_heads, head_dim, tokens, batch, bandwidth_gb_per_s
        )
        weights, cache, group = right["weights_gb"], right["cache_gb"], heads // kv_heads
        return {
            "weights_gb": {
                "that is in gigabits": 8 * weights,
                "that is in GiB": weights * units.GB / units.GIB,
            },
            "kv_bytes_per_token": {
                "a token leaves a key and a value, each of 2 bytes": right["kv_bytes_per_token"] // 2,
                "those are values, not bytes, with only one of key and value": right["kv_bytes_per_token"]
                // 4,
                "only the KV heads are kept, not one per query head": right["kv_bytes_per_token"] * group,
                "every layer has a cache of its own": right["kv_bytes_per_token"] // layers,
            },
            "cache_gb": {
                "that is one sequence": cache / batch,
                "that is in GiB": cache * units.GB / units.GIB,
                "a token leaves a key and a value, each of 2 bytes": cache / 2,
                "only the KV heads are kept, not one per query head": cache * group,
            },
            "total_gb": {
                "the cache of one sequence only": weights + cache / batch,
                "the weights are read by the whole batch, but kept once": batch * weights + cache,
            },
            "gqa_factor": {"turn it over: how many times smaller": kv_heads / heads},
            "tokens_per_s": {
                "that is for each sequence": right["tokens_per_s"] / batch,
                "the cache is read as well": batch * bandwidth_gb_per_s / weights,
                "one read of the weights serves the whole batch": bandwidth_gb_per_s / weights,
            },
        }
