# %%
import numpy as np
from ipywidgets import FloatSlider, IntSlider

from tinylib.cost import Dense as DenseLayer
from tinylib.cost import sequence
from tinylib.cost.models import sequential
from tinylib.lab import explore, quiz
from tinylib.nets import GRU, KAN, LTC, CfC, Dense, Elman, Network, Recurrent, SynapticLTC, mlp
from tinylib.nets.optimizers import Adam
from tinylib.nets.train import train
from tinylib.show import canvases, svg

# %% [markdown]
# ## A cell made of blocks
#
# A recurrent cell reads the new input `x` and its own state `h`. An Elman cell has one block of weights that
# does so. **Predict:** an LSTM keeps 3 neurons like this Elman cell. How many times its parameters has it?

# %%
for cell in (sequence.Elman(2, 3), sequence.GRU(2, 3), sequence.LSTM(2, 3)):
    print(f"{cell}: {cell.params} parameters, {cell.state_elements} state values")

# %% [markdown]
# One block costs 3 x (2 + 3 + 1) = 18: inputs, states, bias. A GRU has three such blocks, an LSTM four, each
# with weights of its own. Read what each block is for, then widen the cell: what grows fastest?

# %% tags=["view"]
explore(
    lambda cell, inputs, hidden: canvases.diagram(getattr(sequence, cell)(inputs, hidden)),
    cell=["LSTM", "GRU", "Elman"],
    inputs=IntSlider(value=2, min=1, max=32),
    hidden=IntSlider(value=3, min=1, max=64),
)

# %% tags=["view"]
quiz("rnn.lstm_params")

# %% tags=["view"]
quiz("rnn.gru_params")

# %% tags=["view"]
quiz("rnn.gru_over_lstm")

# %% [markdown]
# **Common slip:** comparing counts of two libraries. PyTorch stores a second bias vector in every block.

# %% tags=["view"]
quiz("rnn.lstm_two_bias")

# %% [markdown]
# ## Few weights, many steps
#
# Each weight works once per time step. **Predict:** an LSTM with 1,280 parameters reads 256 samples of 3
# values. Does that cost thousands, tens of thousands or hundreds of thousands of MACs?

# %%
lstm = sequence.LSTM(3, 16)
print(f"{lstm.params:,} parameters, {lstm.weights:,} of them in matrices")
print(f"{lstm.macs((1, 3)):,} MACs a step, {lstm.macs((256, 3)):,} MACs a window")

# %% [markdown]
# A convolution shares its weights over *positions*, a recurrent cell over *time*: in both, few weights say
# little about work. Some counting tools print 0 for an LSTM or leave the steps out. Count by hand once:

# %% tags=["view"]
quiz("rnn.lstm_macs_window")

# %% [markdown]
# ## What memory is for
#
# The target is the XOR of this bit and the bit *before*. A network without memory can do no better than
# guess one half, a squared error of 0.25. **Predict:** how many neurons with memory does it take?

# %%
rng = np.random.default_rng(1)
bits = rng.integers(0, 2, (12, 64, 1))  # time, batch, features
before = np.concatenate([np.zeros((1, 64, 1), int), bits[:-1]])
x, target = bits.astype(float), (bits ^ before).astype(float)
print("bits  ", *bits[:, 0, 0])
print("target", *target[:, 0, 0].astype(int))

# %%
curves = {}
for name, memory in (("none", Dense), ("Elman", Elman), ("GRU", GRU)):
    first = memory.draw(np.random.default_rng(0), 1, 8)
    first = first if memory is Dense else Recurrent(first)
    net = Network((first, Dense.draw(np.random.default_rng(1), 8, 1, "sigmoid")))
    net, history = train(net, x, target, optimizer=Adam(0.02), epochs=200, batch_size=64)
    curves[name] = list(enumerate(history.loss))
    print(f"{name:5} {net.count:3} parameters, squared error {history.loss[-1]:.2f}")

# %% tags=["view"]
explore(
    lambda epochs: canvases.curves(
        "Memory for one bit",
        svg.Axis("epoch", 0, epochs),
        svg.Axis("squared error", 0, 0.3),
        {name: points[:epochs] for name, points in curves.items()},
        "XOR of this bit and the bit before; 8 neurons",
    ),
    epochs=IntSlider(value=200, min=10, max=200, step=10),
)

# %% [markdown]
# The gradient goes back *through time*: what a weight did at the last step shows in the state at this one.
#
# > **What the reference library does differently.** The C++ library behind the published sizes updates the
# > state *in place*: neuron 2 already sees the new state of neuron 1, so that results depend on the order of
# > neurons. Its fixed-point GRU takes the raw code 1 for the number 1.0, and the gates of its LSTM and GRU
# > never train. Here every neuron sees the state before, a one is a one, and all gates learn.
#
# How much does the first of these change?

# %%
cell = Elman.draw(np.random.default_rng(3), 1, 3)
h, u = np.array([0.5, -0.5, 0.2]), np.array([1.0])
textbook = np.tanh(u @ cell.w_in + cell.b + h @ cell.w_rec)
in_place = h.copy()
for n in range(3):
    in_place[n] = np.tanh(u @ cell.w_in[:, n] + cell.b[n] + in_place @ cell.w_rec[:, n])
print("textbook", textbook.round(3), " in place", in_place.round(3))

# %% [markdown]
# ## Functions on the edges
#
# A Kolmogorov-Arnold network (KAN) has no activation in its nodes: every *edge* is a curve of its own, a
# spline with `G + k` heights and two weights. **Predict:** which has more parameters, 2-5-1 as a KAN or as a
# dense network, and by which factor?

# %%
kinds = {"KAN": sequence.KAN, "dense": DenseLayer}

# %% tags=["view"]
explore(
    lambda kind, hidden: canvases.diagram(
        sequential(f"{kind} 2-{hidden}-1", (2,), [kinds[kind](2, hidden), kinds[kind](hidden, 1)])
    ),
    kind=["KAN", "dense"],
    hidden=IntSlider(value=5, min=1, max=8),
)

# %% tags=["view"]
quiz("kan.edge_params")

# %% tags=["view"]
quiz("kan.over_mlp")

# %% [markdown]
# So a KAN has to earn its parameters. At *equal* size, which of the two follows y = x2 sin(pi x1) better?

# %%
points = rng.uniform(-1, 1, (400, 2))
wave = np.sin(np.pi * points[:, :1]) * points[:, 1:]
splines = Network((KAN.draw(np.random.default_rng(0), 2, 3), KAN.draw(np.random.default_rng(1), 3, 1)))
neurons = mlp((2, 22, 1), output="linear", rng=np.random.default_rng(0))
for name, net in (("KAN", splines), ("dense", neurons)):
    order = np.random.default_rng(0)
    _, history = train(net, points, wave, optimizer=Adam(0.02), epochs=100, batch_size=50, rng=order)
    print(f"{name:5} {net.count} parameters, squared error {history.loss[-1]:.3f}")

# %% [markdown]
# On a smooth function of few inputs splines win. They cost more work per parameter, and outside the range of
# the grid they go on as polynomials: scale the inputs first.
#
# **Common slip:** reading "KANs need fewer parameters" as a law. It is a claim about *which* function.

# %% [markdown]
# ## Neurons with their own clock
#
# A liquid neuron follows an equation: it leaks with its time constant, and its gate f pulls it to a value A.
# The gate opens with the input, so the input sets the clock. **Predict:** tau is 1 s and the gate opens at
# 1 per second. Does the neuron then settle faster or slower than without the gate?

# %% tags=["view"]
explore(
    canvases.step_response,
    tau=FloatSlider(value=1.0, min=0.2, max=4, step=0.1),
    f=FloatSlider(value=1.0, min=0.1, max=4, step=0.1),
    a=[1.0, 0.5, -1.0],
    dt=FloatSlider(value=0.5, min=0.05, max=2, step=0.05),
)

# %% [markdown]
# Faster: the two leaks add, 1/tau + f. Now make the solver's step long. Explicit Euler swings out and
# diverges; the *fused* step has the new state in its leak, divides by 1 + dt (1/tau + f) and stays bounded.

# %% tags=["view"]
quiz("ltc.fused_step")

# %% [markdown]
# Two different models are called LTC: one gate per *neuron*, or one per *synapse*, each with weight, slope,
# centre and pull of its own. **Predict:** which of them do you compare with an LSTM of the same width?

# %%
for cell in (LTC.draw(rng, 4, 8), SynapticLTC.draw(rng, 4, 8)):
    print(f"{type(cell).__name__:11} {cell.count:3} parameters, {cell.layer.macs((1, 4)):,} MACs a sample")
print(
    f"LSTM        {sequence.LSTM(4, 8).params} parameters, {sequence.LSTM(4, 8).macs((1, 4))} MACs a sample"
)

# %% [markdown]
# Both take 6 solver steps per sample, so the small cell works more than the LSTM.
#
# **Common slip:** quoting the parameters of one model and the accuracy of the other.

# %% tags=["view"]
quiz("ltc.num_params")

# %% [markdown]
# ## The solver left out
#
# The closed-form cell (CfC) replaces the solver by a sigmoid of time that blends two heads. Time enters as a
# number, so samples may come at uneven times. **Predict:** with a gate sigma(-f t), which head wins later?

# %% tags=["view"]
quiz("cfc.gate_step")

# %% tags=["view"]
quiz("cfc.num_params")

# %%
time = np.arange(24)[:, None, None] * 0.4
phase = rng.uniform(0, 2 * np.pi, (1, 64, 1))
now, later = np.sin(time + phase), np.sin(time + 0.4 + phase)
cells = (LTC.draw(rng, 1, 8, dt=0.4), CfC.draw(rng, 1, 8, 12, dt=0.4), GRU.draw(rng, 1, 8))
for cell in cells:
    net = Network((Recurrent(cell), Dense.draw(np.random.default_rng(1), 8, 1)))
    _, history = train(net, now, later, optimizer=Adam(0.02), epochs=100, batch_size=64)
    cost = f"{net.count:3} parameters, {cell.layer.macs((1, 1)):4} MACs a sample"
    print(f"{type(cell).__name__:4} {cost}, squared error {history.loss[-1]:.3f}")

# %% [markdown]
# All three foresee the wave. Whether a liquid cell is *better* is not settled by one task: lesson 17 compares
# them with convolutions, over seeds and with the work counted.
#
# In INT8 a cell needs its activations as tables, and all cells can share them:

# %% tags=["view"]
quiz("qcfc.shared_lut")

# %% [markdown]
# ## The whole object
#
# Parameters are not all that a network takes on a chip: there are states, indices and, if it trains there,
# three more values for every weight. **Predict:** what share of a trainable Q8.8 network are parameters?

# %% tags=["view"]
explore(
    canvases.sizes,
    inputs=IntSlider(value=2, min=1, max=8),
    hidden=IntSlider(value=3, min=1, max=16),
    outputs=[1],
    weights=["Q8.8", "Q16.16", "double"],
    pointer_bytes=[4, 8],
)

# %% [markdown]
# Widths are equal in this figure. The published comparison sets five neurons of one kind beside three of
# another, and so finds an LSTM 3.0 times an MLP where equal widths give more.
#
# **Common slip:** "Q8.8 sizes are a quarter of float". Float is 4 bytes and Q8.8 is 2: half.

# %% tags=["view"]
quiz("train.overhead_pct")
