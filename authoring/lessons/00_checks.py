# %%
from tinylib.lab import quiz
from tinylib.practice import BANK, check, hint, progress, variant

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
# A check never stops your notebook. It says what it got.

# %%
print(check("metrics.ridge_point", "four"))
print(check("metrics.ridge_point", float("nan")))
print(check("metrics.ridge_point", [4, 5]))

# %% [markdown]
# ## Stuck?
#
# Ask for a hint, and ask again for the next. In a quiz box the worked solution follows after two tries.

# %%
print(hint("counting.conv_macs"))
print(hint("counting.conv_macs"))

# %% [markdown]
# ## The same question, other numbers
#
# Every question can be drawn again; in an assignment your name decides the numbers.
# **Predict:** does the named mistake change with them?

# %%
exercise = BANK["counting.conv_macs"]
for seed in (1, 2):
    numbers = variant(exercise, seed)
    print(exercise.text(numbers))
    print("answer:", exercise.answer(**numbers), exercise.unit)

# %%
for misconception, value in exercise.mistakes(numbers):
    print(f"{value:.4f} {exercise.unit}: {misconception.hint}")

# %% [markdown]
# It does: mistakes are formulas too. Press **New numbers** and make one on purpose.

# %% tags=["view"]
quiz("counting.conv_macs")

# %% [markdown]
# ## Your record
#
# Answers are kept in `progress.jsonl` beside your notebooks. Nothing leaves your computer.

# %% tags=["view"]
progress.score()
