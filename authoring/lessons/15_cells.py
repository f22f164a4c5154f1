# %%
import numpy as np
from ipywidgets import FloatSlider, IntSlider

from tinylib.cost import Dense as DenseLayer
from tinylib.cost import sequence
from tinylib.cost.models import sequential
from tinylib.lab import explore, quiz
from tinylib.nets import GRU, KAN, LTC, CfC, Dense, Elman, Network, Recurrent, mlp
from tinylib.nets.optimizers import Adam
from tinylib.nets.train import train
from tinylib.show import canvases, svg

# %% [markdown]
# ## A cell made of blocks
#
# A recurrent cell reads the new input `x` and its own state `h`. An Elman cell has one block of weights that
# does so. An LSTM has *gates* beside it: blocks that end in a sigmoid, so that their outputs lie between 0
# and 1 and say how much of the state to keep, to add and to show. **Predict:** how many times the parameters
# of an Elman cell of 4 neurons has an LSTM of 4? And which counts more, one more input or one more neuron?

# %% tags=["view"]
explore(
    lambda cell, inputs, hidden: canvases.diagram(getattr(sequence, cell)(inputs, hidden)),
    cell=["LSTM", "GRU", "Elman"],
    inputs=IntSlider(value=1, min=1, max=32),
    hidden=IntSlider(value=4, min=1, max=64),
)

# %% [markdown]
# One block costs 4 (1 + 4 + 1) = 24: inputs, states, bias. A GRU has three such blocks, an LSTM four, each
# with weights of its own, so 4 x 24 = 96. Every neuron reads every state: neurons count squared.
#
# **Common slip:** comparing counts of two libraries. PyTorch stores a second bias vector in every block.

# %% tags=["view"]
quiz("rnn.lstm_params")

# %% tags=["view"]
quiz("rnn.gru_over_lstm")

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
# little about work. Some counting tools print 0 for an LSTM or leave the steps out: count by hand once.
#
# ## What memory is for
#
# The target is the XOR of this bit and the bit *before*. A network without memory can do no better than
# guess one half, a squared error of 0.25. **Predict:** with 8 neurons, which of the three networks below gets
# past that, and does the GRU's larger count pay?

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
# Both with memory, and the larger count does not pay: on a task this small an Elman cell is enough. The
# gradient goes back *through time*, as what a weight did at the last step shows in the state at this one.
# Shorten the axis: who learns first?
#
# > **What the reference library does differently.** The C++ library behind the published sizes,
# > github.com/danmcleran/tinymind, updates the state *in place*: neuron 2 already sees the new state of
# > neuron 1, so results depend on the order of neurons. Its fixed-point GRU takes the raw code 1 for the
# > number 1.0, and the gates of its LSTM and GRU never train. Here every neuron sees the state before, a one
# > is a one, and all gates learn.
#
# **Predict:** which of three neurons keep their new state when the update is made in place?

# %%
cell = Elman.draw(np.random.default_rng(3), 1, 3)
h, u = np.array([0.5, -0.5, 0.2]), np.array([1.0])
textbook = np.tanh(u @ cell.w_in + cell.b + h @ cell.w_rec)
in_place = h.copy()
for n in range(3):
    in_place[n] = np.tanh(u @ cell.w_in[:, n] + cell.b[n] + in_place @ cell.w_rec[:, n])
print("textbook", textbook.round(3), " in place", in_place.round(3))

# %% [markdown]
# Only the first does: it has nobody before it. Now to networks without time.
#
# ## Functions on the edges
#
# A Kolmogorov-Arnold network (KAN) has no activation in its nodes: every *edge* is a curve of its own, a
# spline of degree k over G intervals with G + k heights, and two weights. **Predict:** with G = 5 and k = 1,
# which has more parameters, 2-5-1 as a KAN or as a dense network, and by which factor?

# %% tags=["view"]
kinds = {"KAN, k = 1": lambda i, o: sequence.KAN(i, o, degree=1), "KAN": sequence.KAN, "dense": DenseLayer}
explore(
    lambda kind, hidden: canvases.diagram(
        sequential(f"{kind}: 2-{hidden}-1", (2,), [kinds[kind](2, hidden), kinds[kind](hidden, 1)])
    ),
    kind=list(kinds),
    hidden=IntSlider(value=5, min=1, max=8),
)

# %% tags=["view"]
quiz("kan.edge_params")

# %% tags=["view"]
quiz("kan.over_mlp")

# %% [markdown]
# The usual KAN has smooth pieces, k = 3, and 10 values an edge. So it has to earn them. **Predict:** at
# *equal* size, which of the two follows y = x2 sin(pi x1) better?

# %%
points = rng.uniform(-1, 1, (400, 2))
wave = np.sin(np.pi * points[:, :1]) * points[:, 1:]
splines = Network((KAN.draw(np.random.default_rng(0), 2, 3), KAN.draw(np.random.default_rng(1), 3, 1)))
neurons = mlp((2, 22, 1), output="linear", rng=np.random.default_rng(0))
learnt = {}
for name, net in (("KAN", splines), ("dense", neurons)):
    order, options = np.random.default_rng(0), {"epochs": 100, "batch_size": 50}
    learnt[name], history = train(net, points, wave, optimizer=Adam(0.02), rng=order, **options)
    print(f"{name:5} {net.count} parameters, squared error {history.loss[-1]:.4f}")

# %% [markdown]
# The splines, on this smooth function of two inputs. What did the edges of x1 become?

# %% tags=["view"]
line = np.linspace(-1, 1, 81)
heights = learnt["KAN"].parts[0].forward(np.stack([line, 0 * line], axis=1))[0]
heights = heights - heights[40]  # an edge and a constant: counted from x1 = 0
edges = {f"to node {i}": list(zip(line.tolist(), heights[:, i].tolist())) for i in range(3)}
reach, note = svg.Axis("height of the edge", -1, 1), "y = x2 sin(pi x1), learnt by a KAN 2-3-1"
explore(lambda: canvases.curves("Three edges of x1", svg.Axis("x1", -1, 1), reach, edges, note))

# %% [markdown]
# None is a plain sine: a KAN only adds, so the product must come out of curves of sums. But each edge can be
# looked at, as no weight of a dense network can. Splines cost more work per parameter, and outside the range
# of the grid they go on as polynomials: scale the inputs first.
#
# **Common slip:** reading "KANs need fewer parameters" as a law. It is a claim about *which* function.
#
# ## Neurons with their own clock
#
# A liquid neuron follows an equation, dx/dt = -x / tau + f (A - x): it leaks with its time constant tau, and
# its gate f pulls it to a value A. The gate opens with the input, so the input sets the clock. A computer
# takes steps dt; *explicit Euler* goes straight on along the slope. **Predict:** tau is 1 s and the gate
# opens at 1 per second. Does the neuron then settle faster or slower than without the gate? And from which
# step on does explicit Euler fail?

# %% tags=["view"]
explore(
    canvases.step_response,
    tau=FloatSlider(value=1.0, min=0.2, max=4, step=0.1),
    f=FloatSlider(value=1.0, min=0.1, max=4, step=0.1),
    a=[1.0, 0.5, -1.0],
    dt=FloatSlider(value=0.9, min=0.05, max=2, step=0.05),
)

# %% [markdown]
# Faster: the two leaks add, 1/tau + f. From dt (1/tau + f) = 2 on, here one second, explicit Euler swings and
# then diverges. The *fused* step has the new state in its leak: it divides by 1 + dt (1/tau + f) and stays
# bounded at any step.

# %% tags=["view"]
quiz("ltc.fused_step")

# %% [markdown]
# Two different models are called LTC (liquid time-constant): one gate per *neuron*, or one per *synapse*,
# each with weight, slope, centre and pull of its own. **Predict:** with 4 inputs and 8 neurons, which of them
# has about as many parameters as an LSTM, and which one works less than it?

# %%
cells = {
    "LTC": lambda n, m: sequence.LTC(n, m, input_once=True),
    "synaptic LTC": lambda n, m: sequence.LTC(n, m, synapse_values=4, input_once=True),
    "LSTM": sequence.LSTM,
    "CfC": lambda n, m: sequence.CfC(n, m, 12),
}
for name, cell in cells.items():
    print(f"{name:12} {cell(4, 8).params} parameters, {cell(4, 8).macs((1, 4)):,} MACs a sample")

# %% [markdown]
# The synaptic one has; and neither works less, as both take 6 solver steps a sample.
#
# **Common slip:** quoting the parameters of one model and the accuracy of the other.

# %% tags=["view"]
explore(
    lambda cell, hidden: canvases.diagram(cells[cell](4, hidden)),
    cell=list(cells),
    hidden=IntSlider(value=8, min=1, max=32),
)

# %% tags=["view"]
quiz("ltc.num_params")

# %% [markdown]
# ## The solver left out
#
# The closed-form cell (CfC, the last button above) replaces the solver by a sigmoid of time that blends two
# heads: sigma(-f t) g + (1 - sigma(-f t)) h. Time enters as a number, so samples may come at uneven times.
# **Predict:** which head wins later, if f is positive?

# %% tags=["view"]
moments = np.linspace(0, 6, 61)
explore(
    lambda g, h: canvases.curves(
        "A gate made of time",
        svg.Axis("time since the last sample [s]", 0, 6),
        svg.Axis("state", -1, 1),
        {f"f = {f}": [(t, h + (g - h) / (1 + np.exp(f * t))) for t in moments] for f in (0.5, 1, 4)},
        f"from half way between g = {g:g} and h = {h:g}",
    ),
    g=FloatSlider(value=0.8, min=-1, max=1, step=0.1),
    h=FloatSlider(value=-0.2, min=-1, max=1, step=0.1),
)

# %% [markdown]
# The gate starts at one half and closes, the faster the larger f, and the second head wins: h.

# %% tags=["view"]
quiz("cfc.gate_step")

# %% tags=["view"]
quiz("cfc.num_params")

# %% [markdown]
# Now three cells are to foresee a sine of any phase, 0.4 s ahead. **Predict:** do all three beat a cell that
# just repeats its input?

# %%
time = np.arange(24)[:, None, None] * 0.4
phase = rng.uniform(0, 2 * np.pi, (1, 64, 1))
now, later = np.sin(time + phase), np.sin(time + 0.4 + phase)
print(f"repeating the input: squared error {np.mean((later - now) ** 2):.3f}")
for cell in (LTC.draw(rng, 1, 8, dt=0.4), CfC.draw(rng, 1, 8, 12, dt=0.4), GRU.draw(rng, 1, 8)):
    net = Network((Recurrent(cell), Dense.draw(np.random.default_rng(1), 8, 1)))
    _, history = train(net, now, later, optimizer=Adam(0.05), epochs=200, batch_size=64)
    cost = f"{net.count:3} parameters, {cell.layer.macs((1, 1)):4} MACs a sample"
    print(f"{type(cell).__name__:4} {cost}, squared error {history.loss[-1]:.3f}")

# %% [markdown]
# All three do. Which cell is *better* is not settled by one task and one start: that takes equal training,
# several starts and the work counted.
#
# ## The whole object
#
# Parameters are not all that a network takes on a chip: there are states, indices and, if it trains there,
# three more values for every weight. **Predict:** which share of a trainable Q8.8 perceptron (MLP) are
# parameters: all, half or a tenth?

# %% tags=["view"]
explore(
    canvases.sizes,
    inputs=IntSlider(value=2, min=1, max=8),
    hidden=IntSlider(value=3, min=1, max=16),
    weights=["Q8.8", "Q16.16", "double"],
    pointer_bytes=[4, 8],
)

# %% [markdown]
# A tenth: 26 of 228 B. Widths are equal in this figure. A published comparison sets five neurons of an MLP
# beside three of an LSTM and finds the latter 3.0 times as large; choose double and 8-byte pointers: at equal
# widths it is 3,024 / 704 = 4.3 times.
#
# **Common slip:** "Q8.8 sizes are a quarter of float". Float is 4 bytes and Q8.8 is 2: half.

# %% tags=["view"]
quiz("train.overhead_pct")
