"""Networks that run and learn, in floating point and in Q fixed point, written once on numpy arrays.

A *part* is a frozen record of parameters with

    forward(x, ops) -> y, tape              tape: what `back` needs, nothing else
    back(tape, delta, ops) -> dx, grads     products with the transposed Jacobian; grads by array name

and a *cell* is a part with a state, whose `step` and `back` see one time step; `scan` owns time.
`delta` may be any linear signal. `train` feeds the downhill direction, -dLoss/dy, so that gradients
are what is *added* to a weight: the form in which small fixed-point libraries round them.

`ops` is the arithmetic: `FLOAT`, or `Fixed(QFormat(16, 16))` with every rounding by name.
"""
