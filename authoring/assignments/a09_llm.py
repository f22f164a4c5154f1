# %% [markdown]
# Write your name below as your instructor lists it, then run every cell from the top. Each question draws
# **your own numbers** from that name. Type or compute each answer, run the check under it, and read what it
# says. `print(hint("llm.kv_cache_mb"))` in a cell of your own gives the next hint on a question. Press
# *Validate* before you hand in.

# %% role="name" name="student"
student = ""

# %% role="given" name="begin"
from tinylib.lab import question
from tinylib.practice import begin, check, hint

begin(student)

# %% [markdown]
# ## 1. The work of attention

# %% role="given" name="attention-question"
q = question("llm.attn_flops")

# %% role="answer" name="attention"
attention_gflop = None
### BEGIN SOLUTION
attention_gflop = 4 * q.n**2 * q.d / 1e9
### END SOLUTION

# %% role="check" name="attention-check" points=1
check("llm.attn_flops", attention_gflop)

# %% [markdown]
# ## 2. The KV cache

# %% role="given" name="kv-cache-question"
q = question("llm.kv_cache_mb")

# %% role="answer" name="kv-cache"
kv_cache_mb = None
### BEGIN SOLUTION
kv_cache_mb = 2 * q.L * q.H * q.dh * q.n * q.batch * q.b / 1e6
### END SOLUTION

# %% role="check" name="kv-cache-check" points=1
check("llm.kv_cache_mb", kv_cache_mb)

# %% [markdown]
# ## 3. Heads that share

# %% role="given" name="gqa-question"
q = question("llm.gqa_factor")

# %% role="answer" name="gqa"
gqa_factor = None
### BEGIN SOLUTION
gqa_factor = q.H / q.G
### END SOLUTION

# %% role="check" name="gqa-check" points=1
check("llm.gqa_factor", gqa_factor)

# %% [markdown]
# ## 4. A low-rank adapter

# %% role="given" name="lora-question"
q = question("llm.lora_params")

# %% role="answer" name="lora"
lora_params = None
### BEGIN SOLUTION
lora_params = q.r * (q.d_in + q.d_out)
### END SOLUTION

# %% role="check" name="lora-check" points=1
check("llm.lora_params", lora_params)

# %% [markdown]
# ## 5. Frozen in four bits

# %% role="given" name="qlora-question"
q = question("llm.qlora_gb")

# %% role="answer" name="qlora"
qlora_gb = None
### BEGIN SOLUTION
qlora_gb = (q.p * q.pb + q.a * q.ab) / 1e9
### END SOLUTION

# %% role="check" name="qlora-check" points=1
check("llm.qlora_gb", qlora_gb)

# %% [markdown]
# ## 6. Read it off the figure
#
# Set the figure to your batch, weight bits and memory, then move the context until it just fits. The check
# can only tell whether you gave a number: this one is judged at grading.

# %% role="given" name="context-question"
from ipywidgets import IntSlider

from tinylib.lab import explore
from tinylib.show import canvases

q = question("a09.longest_context")
explore(
    canvases.kv_cache,
    model=["llama2_7b"],
    tokens=IntSlider(value=2048, min=128, max=24_576, step=128),
    batch=[4, 8, 16],
    weight_bits=[4, 8, 16],
    memory_gb=[24, 32, 40, 48],
)

# %% role="answer" name="context"
longest_context = None
### BEGIN SOLUTION
free_bytes = q.memory_gb * 10**9 - q.params * q.weight_bits // 8
longest_context = free_bytes // (2 * 32 * 32 * 128 * 2 * q.batch) // 128 * 128
### END SOLUTION

# %% role="check" name="context-check" points=2
check("a09.longest_context", longest_context)

# %% [markdown]
# ## 7. Serving a model
#
# Write a function that reports on serving one language model. Its cache takes **2 bytes** a value. Each
# decoding step reads all weights and the cache of the whole batch once, and writes one token per sequence.
# Return a dict with these entries (1 GB = 10^9 bytes):
#
# | entry | what | unit |
# |---|---|---|
# | `weights_gb` | weight storage | GB |
# | `kv_bytes_per_token` | growth of the cache per token of one sequence | B |
# | `cache_gb` | cache of `batch` sequences of `tokens` tokens | GB |
# | `total_gb` | weights and cache | GB |
# | `gqa_factor` | how many times smaller the cache is than with a KV head per query head | x |
# | `tokens_per_s` | most tokens per second, all sequences together | tokens/s |


# %% role="answer" name="serving-report"
def serving_report(params, weight_bits, layers, heads, kv_heads, head_dim, tokens, batch, bandwidth_gb_per_s):
    """Memory and speed of serving a language model, by name."""
    ### BEGIN SOLUTION
    weights_gb = params * weight_bits / 8 / 1e9
    kv_bytes_per_token = 2 * layers * kv_heads * head_dim * 2
    cache_gb = kv_bytes_per_token * tokens * batch / 1e9
    return {
        "weights_gb": weights_gb,
        "kv_bytes_per_token": kv_bytes_per_token,
        "cache_gb": cache_gb,
        "total_gb": weights_gb + cache_gb,
        "gqa_factor": heads / kv_heads,
        "tokens_per_s": batch * bandwidth_gb_per_s / (weights_gb + cache_gb),
    }
    ### END SOLUTION


# %% role="check" name="serving-report-check" points=6
check("a09.serving_report", serving_report)
