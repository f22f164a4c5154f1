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
# Not "wrong", but *which* wrong: each question knows the values that real slips lead to. Here the learner
# divided by 2^20 and so answered in MiB.
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
# GB and MB differ by a factor of a thousand, so the workbook converts. MB and MiB look alike and are not.
#
# **Common slip:** "a megabyte is a megabyte". File browsers, data sheets and papers disagree, so every
# prompt here says which one it wants.

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
# Ask for a hint. Ask again and the next one comes; in a quiz box the worked solution follows after two
# tries.

# %%
print(hint("counting.conv_macs"))
print(hint("counting.conv_macs"))

# %% [markdown]
# ## The same question, other numbers
#
# Every question can be drawn again. In an assignment your name decides the numbers, and a classmate has
# others. **Predict:** does the named mistake change with the numbers?

# %%
exercise = BANK["counting.conv_macs"]
for seed in (1, 2):
    numbers = variant(exercise, seed)
    print(exercise.text(numbers))
    print("answer:", exercise.answer(**numbers), exercise.unit)

# %% [markdown]
# The mistakes are formulas, not numbers, so they follow. Press **New numbers** in the box and try one on
# purpose: count the weights and forget that they slide.

# %% tags=["view"]
quiz("counting.conv_macs")

# %% [markdown]
# ## Your record
#
# Answers are kept in one file beside your notebooks, `progress.jsonl`. Nothing leaves your computer;
# delete the file and the record is gone.

# %% tags=["view"]
progress.score()
