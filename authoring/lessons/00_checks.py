# %%
from ipywidgets import IntSlider

from tinylib.lab import explore, quiz
from tinylib.practice import BANK, check, hint, progress, variant
from tinylib.show import canvases

# %% [markdown]
# ## What is a wrong answer worth?
#
# **Predict first:** a model has 3.4 million weights of 32 bits. How many megabytes is that?
# One learner divides by 2^20 and gets 12.97. What should a good workbook say?

# %%
print(check("metrics.model_size_fp32", 12.97))

# %% [markdown]
# Not "wrong", but *which* wrong: each question knows where real slips lead.
#
# | prefix | decimal | binary | gap |
# |---|---|---|---|
# | kilo | 1 KB = 1,000 B | 1 KiB = 1,024 B | 2.4 % |
# | mega | 1 MB = 1,000,000 B | 1 MiB = 1,048,576 B | 4.9 % |

# %%
print(check("metrics.model_size_fp32", 13.6))

# %% [markdown]
# ## Say the unit
#
# An answer may carry its unit. **Predict:** which of these two is right?

# %%
print(check("metrics.model_size_fp32", "0.0136 GB"))
print(check("metrics.model_size_fp32", "13.6 MiB"))

# %% [markdown]
# GB and MB are converted. MB and MiB look alike and are not.
#
# **Common slip:** "a megabyte is a megabyte". Papers disagree, so every prompt says which it wants.

# %% tags=["view"]
quiz("metrics.activation_kib")

# %% [markdown]
# ## What if I typed something odd?
#
# A check never stops your notebook. It says what it expects and what it got.

# %%
print(check("metrics.model_size_fp32", "thirteen"))
print(check("metrics.model_size_fp32", float("nan")))
print(check("metrics.model_size_fp32", [13, 6]))

# %% [markdown]
# ## Stuck?
#
# Ask for a hint, and ask again for the next. In a quiz box the worked solution follows after two tries.

# %%
print(hint("metrics.model_size_fp32"))
print(hint("metrics.model_size_fp32"))

# %% [markdown]
# ## The same question, other numbers
#
# Every question can be drawn again; in an assignment your name decides the numbers.
# **Predict:** does the value of a mistake change with them?

# %%
exercise = BANK["metrics.model_size_fp32"]
for seed in (1, 2):
    numbers = variant(exercise, seed)
    print(exercise.text(numbers))
    print(f"right: {exercise.answer(**numbers):.4g} {exercise.unit}, mistakes:", end=" ")
    print(", ".join(f"{value:.4g}" for _, value in exercise.mistakes(numbers)))

# %% [markdown]
# It does: a mistake is a formula, as the answer is. Draw other numbers and see where each lands. Which one is
# never far from the answer?

# %% tags=["view"]
explore(
    lambda seed: canvases.answer_line(
        exercise.text(variant(exercise, seed)),
        exercise.answer(**variant(exercise, seed)),
        [(value, m.hint) for m, value in exercise.mistakes(variant(exercise, seed))],
        exercise.unit,
    ),
    seed=IntSlider(value=1, min=1, max=20, description="draw"),
)

# %% [markdown]
# MiB for MB: 4.9 % away, whatever the numbers. So an answer within a few percent is not "nearly right".
# Press **New numbers** below and make that mistake on purpose.

# %% tags=["view"]
quiz("metrics.model_size_fp32")

# %% [markdown]
# ## Your record
#
# Answers are kept in `progress.jsonl` beside your notebooks. Nothing leaves your computer. Run this again
# after a quiz: it counts questions, not attempts.

# %% tags=["view"]
progress.score()
