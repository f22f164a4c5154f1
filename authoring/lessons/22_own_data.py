# %%
import numpy as np
from ipywidgets import IntSlider

from tinylib.datasets.motors import windows
from tinylib.deploy.own.choose import interval
from tinylib.deploy.own.cleaning import recordings
from tinylib.deploy.own.figures import interval_bars
from tinylib.deploy.own.inputs import Sensor, features
from tinylib.deploy.own.roles import roles_of
from tinylib.deploy.own.tables import read
from tinylib.lab import explore, quiz
from tinylib.lab.own_data import own_data

# %% [markdown]
# ## What a file has to say
#
# A sensor, a week of logging, one CSV file. The network behind it will be small; whether it is *right* is
# decided by what the file says about its rows. Here is a piece of thirty rows as loggers write them.
# **Predict:** how many things are wrong with it, before anyone has trained anything?

# %%
head = "ms;acc;temp;note;state"
rows = [f"{10 * i};{0.1 * (i % 7):.1f};21;ok;run".replace(".", ",") for i in range(30)]
rows[4], rows[9], rows[15], rows[20] = "40;;21;ok;run", "90;-9999;21;ok;run", "150;error;21;ok;run", "200;0"
print("\n".join([head, *rows[3:6], rows[9], rows[15], *rows[20:22]]))

# %% [markdown]
# A reader that is honest says what it does with each:

# %%
table = read("\n".join([head, *rows]).encode())
roles = roles_of(table)
for note in (*table.notes, *roles.notes, *recordings(table, roles).notes):
    print("-", note)

# %% [markdown]
# Three cells, one row, two columns that say nothing, and no column that names the machine. A gap that is
# filled in silence is a lie in the data; one that is filled and *said* is a decision. Two columns matter more
# than all others: a **label**, or all you can learn is what is usual; and a name for the **machine or
# person**, or nobody can tell what your accuracy means.
#
# ## The same machine twice
#
# Eight motors, each healthy or with one of three faults, forty windows each. A window becomes 18 whole
# numbers (the power in 16 bands, and two more), and a new one gets the class of the nearest known one.
# **Predict:** by how many points does accuracy fall if the test motors are new ones?

# %%
data = windows(machines=8, per_class=10)
x = data.x.transpose(1, 0, 2)
rows = features(Sensor.of(x).readings(x))
distance = ((rows[:, None] - rows) ** 2).sum(-1)
np.fill_diagonal(distance, distance.max())
same = data.groups[:, None] == data.groups
for name, hidden in (("any other window", False), ("a window of another motor", same)):
    nearest = np.where(hidden, distance.max(), distance).argmin(1)
    right = data.y[nearest] == data.y
    print(f"compared with {name}: {right.sum()} of {len(right)} right, {right.mean():.0%}")

# %% [markdown]
# The neighbour knew the *motor*, not the fault. Windows of one machine are relatives: shuffle them into both
# parts and you grade how well relatives resemble each other. The page below keeps machines apart, and warns
# in capitals when no column names them.
#
# **Common slip:** "I split at random, 80 to 20, as everyone does". Random rows are fine when rows are
# independent. Samples of a sensor never are.
#
# ## How sure is 90 percent?
#
# A test part has a size. **Predict:** nine of ten windows right out of 40. What is the lowest accuracy that
# you must still believe in?

# %%
for n in (10, 40, 160, 640):
    low, high, _ = interval(np.arange(n) % 10 > 0, None)
    print(f"{n:3} windows, 90 % right: {low:.0%} to {high:.0%}")

# %% tags=["view"]
explore(
    interval_bars,
    windows=IntSlider(value=40, min=10, max=640, step=10),
    right=IntSlider(value=90, min=50, max=100, step=5),
)

# %% [markdown]
# 77 %, with 40 windows. Four times the windows halve the doubt, and windows of one machine count as fewer
# than they are.
#
# ## Before you record
#
# A rate that is too low cannot be mended afterwards: what swings faster than half the rate comes back as a
# slow swing that never was.

# %% tags=["view"]
quiz("vib.nyquist")

# %% [markdown]
# ## Your own file
#
# Upload a CSV, or start from the one that is loaded: eighty recordings of a watch while four students stood,
# ran, walked and played badminton. Look at what is said about the columns, then train. Several networks are
# tried, some of them too large on purpose; the best that keeps your limits comes out as C, compared with
# Python on an emulated core where the tools are installed. Without a label you get an anomaly score.

# %% tags=["view"]
own_data()

# %% [markdown]
# The same from a terminal: `python -m tinylib.deploy train DATA.csv --group machine`.
#
# What you download reads 16-bit readings and needs no floating point. Its weights lie in flash, so one more
# question before you choose the part.

# %% tags=["view"]
quiz("mcu.flash_weights")
