"""Chapter "Recurrent cells": parameters of LSTM and GRU, and the work of a window of time steps."""

from tinylib.cost.sequence import GRU, LSTM, Elman
from tinylib.practice.draws import Rng
from tinylib.practice.exercise import Absolute, Exercise, Misconception


def _cell(rng: Rng) -> dict:
    return {"n": rng.int(1, 16), "h": rng.log(1, 64)}


LSTM_PARAMS = Exercise(
    id="rnn.lstm_params",
    title="LSTM, one bias vector",
    prompt="An LSTM cell has input size {n} and hidden size {h}. Each of its blocks has one bias "
    "vector. How many trainable parameters has the cell?",
    given={"n": 2, "h": 3},
    draws=_cell,
    answer=lambda n, h: LSTM(n, h).params,
    unit="parameters",
    tolerance=Absolute(0),
    expect=72,
    source="worked by hand: 4 x (3 x 5 + 3)",
    misconceptions=(
        Misconception(
            lambda n, h: LSTM(n, h, bias_vectors=0).params,
            "The biases are missing: each of the four blocks adds one value per hidden unit.",
        ),
        Misconception(
            lambda n, h: GRU(n, h).params,
            "That is a GRU with its three blocks: an LSTM has input, forget and output gate and a candidate.",
        ),
        Misconception(
            lambda n, h: 4 * (h * n + h),
            "There is no recurrence in it: each block also reads the h values of the last step.",
        ),
        Misconception(
            lambda n, h: LSTM(n, h, bias_vectors=2).params,
            "Those are two bias vectors, as PyTorch stores them: here each block has one.",
        ),
    ),
    hints=(
        "An LSTM is four small dense layers that read input and last state side by side.",
        "4 x (h x (n + h) + h).",
    ),
    steps=lambda n, h: (
        f"one block: {h} x ({n} + {h}) = {h * (n + h):,} weights and {h} biases",
        f"four blocks: 4 x {h * (n + h) + h:,} = {LSTM(n, h).params:,} parameters",
    ),
)

GRU_PARAMS = Exercise(
    id="rnn.gru_params",
    title="GRU, one bias vector",
    prompt="A GRU cell has input size {n} and hidden size {h}. Each of its blocks has one bias "
    "vector. How many trainable parameters has the cell?",
    given={"n": 2, "h": 3},
    draws=_cell,
    answer=lambda n, h: GRU(n, h).params,
    unit="parameters",
    tolerance=Absolute(0),
    expect=54,
    source="worked by hand: 3 x (3 x 5 + 3)",
    misconceptions=(
        Misconception(
            lambda n, h: LSTM(n, h).params,
            "That is an LSTM with four blocks: a GRU has no output gate.",
        ),
        Misconception(
            lambda n, h: 2 * Elman(n, h).params,
            "Those are the update and the reset gate alone: the candidate state is a third block.",
        ),
        Misconception(
            lambda n, h: GRU(n, h, bias_vectors=0).params,
            "The biases are missing: each of the three blocks adds one value per hidden unit.",
        ),
    ),
    hints=("Count the blocks: update gate, reset gate, candidate.", "3 x (h x (n + h) + h)."),
    steps=lambda n, h: (
        f"one block: {h} x ({n} + {h}) = {h * (n + h):,} weights and {h} biases",
        f"three blocks: 3 x {h * (n + h) + h:,} = {GRU(n, h).params:,} parameters",
    ),
)

GRU_OVER_LSTM = Exercise(
    id="rnn.gru_over_lstm",
    title="GRU against LSTM",
    prompt="A GRU and an LSTM both read {n} inputs and keep {h} hidden units, one bias vector per block. "
    "What is the ratio of their parameters, GRU over LSTM?",
    given={"n": 2, "h": 3},
    answer=lambda n, h: GRU(n, h).params / LSTM(n, h).params,
    unit="1",
    tolerance=Absolute(0.004),
    expect=0.75,
    source="worked by hand: 54 / 72, three blocks over four",
    erratum="0-5",
    misconceptions=(
        Misconception(
            lambda n, h: 2400 / 3024,
            "That is the ratio of two whole objects, 2,400 B over 3,024 B: they also hold states, gradients "
            "and an output layer. Compare the parameters of the cells.",
            printed_only=True,
        ),
        Misconception(
            lambda n, h: LSTM(n, h).params / GRU(n, h).params,
            "Upside down: the GRU is the smaller cell, so the ratio is below 1.",
        ),
        Misconception(
            lambda n, h: 2 / 3,
            "That is two blocks against three: count the candidate in, a block in both cells.",
        ),
    ),
    hints=("Both cells are made of equal blocks. How many has each?", "3 blocks / 4 blocks."),
    steps=lambda n, h: (
        f"GRU: 3 x {Elman(n, h).params:,} = {GRU(n, h).params:,}",
        f"LSTM: 4 x {Elman(n, h).params:,} = {LSTM(n, h).params:,}",
        f"{GRU(n, h).params:,} / {LSTM(n, h).params:,} = {GRU(n, h).params / LSTM(n, h).params:g}",
    ),
)

LSTM_TWO_BIAS = Exercise(
    id="rnn.lstm_two_bias",
    title="LSTM as PyTorch counts",
    prompt="PyTorch stores two bias vectors for each block of an LSTM, one beside the input matrix and one "
    "beside the recurrent matrix. How many parameters has such a cell of input size {n} and hidden size {h}?",
    given={"n": 2, "h": 3},
    draws=_cell,
    answer=lambda n, h: LSTM(n, h, bias_vectors=2).params,
    unit="parameters",
    tolerance=Absolute(0),
    expect=84,
    source="worked by hand: 4 x (3 x 5 + 2 x 3)",
    misconceptions=(
        Misconception(
            lambda n, h: LSTM(n, h).params,
            "That has one bias vector per block: PyTorch keeps b_ih and b_hh.",
        ),
        Misconception(
            lambda n, h: 2 * LSTM(n, h).params,
            "You doubled the whole cell: the matrices exist once, only the biases come twice.",
        ),
    ),
    hints=("What is there twice, and what once?", "4 x (h x (n + h) + 2 x h)."),
    steps=lambda n, h: (
        f"matrices: 4 x {h} x ({n} + {h}) = {LSTM(n, h).weights:,}",
        f"biases: 4 x 2 x {h} = {8 * h:,}",
        f"together {LSTM(n, h, bias_vectors=2).params:,} parameters",
    ),
)

LSTM_MACS_WINDOW = Exercise(
    id="rnn.lstm_macs_window",
    title="Work of an LSTM over a window",
    prompt="An LSTM of input size {n} and hidden size {h} reads a window of {T} time steps. "
    "How many multiply-accumulates (MAC) do its matrices cost?",
    given={"n": 3, "h": 16, "T": 32},
    draws=lambda rng: {"n": rng.int(1, 9), "h": rng.int(4, 64), "T": rng.log(8, 256)},
    answer=lambda n, h, T: LSTM(n, h).macs((T, n)),
    unit="MAC",
    tolerance=Absolute(0),
    expect=38_912,
    source="worked by hand: 4 x 16 x 19 x 32",
    misconceptions=(
        Misconception(
            lambda n, h, T: LSTM(n, h).step_macs,
            "That is one time step: the same weights work again at every step of the window.",
        ),
        Misconception(
            lambda n, h, T: LSTM(n, h).params * T,
            "The biases are in it: a bias is an add, not a multiply-accumulate.",
        ),
        Misconception(
            lambda n, h, T: Elman(n, h).macs((T, n)),
            "That is one block: an LSTM computes four of them in each step.",
        ),
    ),
    hints=(
        "How many weights are in the matrices, and how often does each work?",
        "MACs = 4 x h x (n + h) x T.",
    ),
    steps=lambda n, h, T: (
        f"matrices: 4 x {h} x ({n} + {h}) = {LSTM(n, h).weights:,} weights",
        f"each works once in {T} steps: {LSTM(n, h).weights:,} x {T} = {LSTM(n, h).macs((T, n)):,} MAC",
    ),
)

EXERCISES = (LSTM_PARAMS, GRU_PARAMS, GRU_OVER_LSTM, LSTM_TWO_BIAS, LSTM_MACS_WINDOW)
