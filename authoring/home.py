# %% [markdown]
# # Home
#
# Run this page (**Run > Run All Cells**) to bring it up to date with your answers.

# %%
from tinylib.lab import home, review

# %% tags=["view"]
home()

# %% [markdown]
# ## Once wrong, asked again
#
# A question that you got wrong comes back after a day, with other numbers. Right on its day, it rests for
# 2 days, then 4, 8 and 16.

# %% tags=["view"]
review()

# %% [markdown]
# ## Your record
#
# Your answers are lines of `progress.jsonl`, beside the folder of this page. There is no account, and nothing
# leaves your computer. In a terminal (**File > New > Terminal**):
#
# | | |
# |---|---|
# | `python -m tinylib.practice drill` | five questions that fit where you are |
# | `python -m tinylib.practice drill --weak` | of your weakest concepts; `drill 3` takes a chapter |
# | `python -m tinylib.practice record` | your record as a table |
# | `python -m tinylib.practice record --csv answers.csv` | every answer, to take along |
