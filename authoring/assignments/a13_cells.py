# %% [markdown]
# Write your name below as your instructor lists it, then run every cell from the top. Each question draws
# **your own numbers** from that name. Type or compute each answer, run the check under it, and read what it
# says. `print(hint("rnn.lstm_params"))` in a cell of your own gives the next hint on a question. Press
# *Validate* before you hand in.

# %% role="name" name="student"
student = ""

# %% role="given" name="begin"
import math

from tinylib.lab import explore, question
from tinylib.practice import begin, check, hint
from tinylib.show import canvases

begin(student)

# %% [markdown]
# ## 1. An LSTM over a window

# %% role="given" name="lstm-question"
q = question("rnn.lstm_macs_window")

# %% role="answer" name="lstm"
lstm_macs = None
### BEGIN SOLUTION
lstm_macs = q.T * 4 * q.h * (q.n + q.h)
### END SOLUTION

# %% role="check" name="lstm-check" points=1
check("rnn.lstm_macs_window", lstm_macs)

# %% [markdown]
# ## 2. A GRU to store

# %% role="given" name="gru-question"
q = question("rnn.gru_params")

# %% role="answer" name="gru"
gru_params = None
### BEGIN SOLUTION
gru_params = 3 * (q.n * q.h + q.h * q.h + q.h)
### END SOLUTION

# %% role="check" name="gru-check" points=1
check("rnn.gru_params", gru_params)

# %% [markdown]
# ## 3. Splines on edges

# %% role="given" name="kan-question"
q = question("kan.net_params")

# %% role="answer" name="kan"
kan_params = None
### BEGIN SOLUTION
kan_params = (q.i * q.h + q.h * q.o) * q.e
### END SOLUTION

# %% role="check" name="kan-check" points=1
check("kan.net_params", kan_params)

# %% [markdown]
# ## 4. A liquid cell and its readout

# %% role="given" name="ltc-question"
q = question("ltc.num_params_4_8")

# %% role="answer" name="ltc"
ltc_params = None
### BEGIN SOLUTION
ltc_params = q.s * (q.n + q.s) + 3 * q.s + q.s + 1
### END SOLUTION

# %% role="check" name="ltc-check" points=1
check("ltc.num_params_4_8", ltc_params)

# %% [markdown]
# ## 5. The closed form, stored

# %% role="given" name="cfc-question"
q = question("cfc.bytes_q8_8")

# %% role="answer" name="cfc"
cfc_bytes = None
### BEGIN SOLUTION
cell_params = q.b * (q.n + q.s) + q.b + 4 * (q.s * q.b + q.s)
cfc_bytes = (cell_params + q.s + 1) * q.w
### END SOLUTION

# %% role="check" name="cfc-check" points=1
check("cfc.bytes_q8_8", cfc_bytes)

# %% [markdown]
# ## 6. The same in INT8

# %% role="given" name="qcfc-question"
q = question("qcfc.bytes")

# %% role="answer" name="qcfc"
int8_bytes = None
### BEGIN SOLUTION
int8_bytes = q.b * (q.n + q.s) + 4 * q.s * q.b + 4 * (q.b + 3 * q.s)
### END SOLUTION

# %% role="check" name="qcfc-check" points=1
check("qcfc.bytes", int8_bytes)

# %% [markdown]
# ## 7. Tables for all of them

# %% role="given" name="tables-question"
q = question("qcfc.shared_lut")

# %% role="answer" name="tables"
model_bytes = None
### BEGIN SOLUTION
model_bytes = q.cells * q.p + q.t * q.lut
### END SOLUTION

# %% role="check" name="tables-check" points=1
check("qcfc.shared_lut", model_bytes)

# %% [markdown]
# ## 8. Read it off the figure
#
# The figure sizes whole network objects on a 32-bit chip. Set it to your widths and format and read what is
# asked. The check can only tell whether you gave a number: it is judged at grading.

# %% role="given" name="objects-question"
q = question("a13.training_overhead")
explore(
    canvases.sizes,
    inputs=[2, 3, 4],
    hidden=[3, 4, 6, 8],
    outputs=[1],
    weights=["Q8.8", "Q16.16", "double"],
    pointer_bytes=[4],
)

# %% role="answer" name="objects"
overhead_bytes = None
### BEGIN SOLUTION
from tinylib.show.sizes import size_rows

gru = size_rows(q.inputs, q.hidden, 1, q.weights)[3]
overhead_bytes = gru.trainable_bytes - gru.inference_bytes
### END SOLUTION

# %% role="check" name="objects-check" points=2
check("a13.training_overhead", overhead_bytes)

# %% [markdown]
# ## 9. One fused step of a liquid cell
#
# Every neuron i of the cell has a gate and a state:
#
# $$f_i = \sigma\Big(b_i + \sum_j W_{ij} u_j + \sum_k R_{ik} x_k\Big) \qquad
# x_i' = \frac{x_i + h\,f_i\,A_i}{1 + h\,(1/\tau_i + f_i)}$$
#
# All gates read the **old** states. Write a function that takes one such step of size `h` and returns a dict
# with the lists `gate` (all f) and `state` (all x'). `w` has a row per neuron, `r` too.


# %% role="answer" name="ltc-function"
def ltc_step(w, r, b, tau, a, u, x, h):
    """Gates and new states of a liquid time-constant cell after one fused step."""
    ### BEGIN SOLUTION
    gate, state = [], []
    for i in range(len(x)):
        z = b[i] + sum(p * q for p, q in zip(w[i], u)) + sum(p * q for p, q in zip(r[i], x))
        f = 1 / (1 + math.exp(-z))
        gate.append(f)
        state.append((x[i] + h * f * a[i]) / (1 + h * (1 / tau[i] + f)))
    return {"gate": gate, "state": state}
    ### END SOLUTION


# %% role="check" name="ltc-function-check" points=4
check("a13.ltc_step", ltc_step)

# %% [markdown]
# ## 10. One step in closed form
#
# A CfC needs no solver. A backbone reads input `u` and state `x`; two heads and a gate read the backbone.
#
# $$z = \tanh(W u + R x + b) \quad f = \tanh(F z + b_F) \quad g = \tanh(G z + b_G)$$
# $$s = \sigma\big((A z + b_A)\,t + B z + b_B\big) \qquad x' = (1 - s)\,f + s\,g$$
#
# `p` is a dict with the matrices `W R F G A B` (lists of rows) and the lists `b bF bG bA bB`. Return a dict
# with the lists `backbone` (z), `gate` (s) and `state` (x').


# %% role="answer" name="cfc-function"
def cfc_step(p, u, x, t):
    """Backbone, time gate and new states of a closed-form cell after t seconds."""

    ### BEGIN SOLUTION
    def affine(matrix, bias, v):
        return [c + sum(m * n for m, n in zip(row, v)) for row, c in zip(matrix, bias)]

    z = [math.tanh(i + j) for i, j in zip(affine(p["W"], p["b"], u), affine(p["R"], [0] * len(p["b"]), x))]
    f, g = ([math.tanh(v) for v in affine(p[m], p[c], z)] for m, c in (("F", "bF"), ("G", "bG")))
    slope, offset = affine(p["A"], p["bA"], z), affine(p["B"], p["bB"], z)
    s = [1 / (1 + math.exp(-(i * t + j))) for i, j in zip(slope, offset)]
    return {"backbone": z, "gate": s, "state": [(1 - k) * i + k * j for i, j, k in zip(f, g, s)]}
    ### END SOLUTION


# %% role="check" name="cfc-function-check" points=4
check("a13.cfc_step", cfc_step)
