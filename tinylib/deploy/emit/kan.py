"""Kolmogorov-Arnold layers in C99: de Boor's recursion on the edges, on knots in flash."""

from string import Template

import numpy as np

from tinylib.deploy.emit.fixed import MAKERS, Functions
from tinylib.deploy.emit.text import literal
from tinylib.deploy.emit.unit import Shape, Unit, emit
from tinylib.nets.kan import KAN, knots


def _spline(f: Functions) -> str:
    """Degree 1 is a line between two coefficients, rounded in its own order."""
    f.need("q_add", "q_sub", "q_mul", "q_div")
    return Template(
        """/* spline of `degree` with coefficients c, right of knot `at`; d: room for degree + 1 */
static code spline(const code *c, code x, const code *at, int degree, code *d)
{
    int j, r;
    if (degree == 1)
        return q_add(c[0], q_mul(q_sub(c[1], c[0]), q_div(q_sub(x, at[0]), q_sub(at[1], at[0]))));
    for (j = 0; j <= degree; j++)
        d[j] = c[j];
    for (r = 1; r <= degree; r++)
        for (j = degree; j >= r; j--) {
            const code *knot = at + j - degree;
            code a = q_div(q_sub(x, knot[0]), q_sub(knot[degree - r + 1], knot[0]));
            d[j] = q_add(q_mul(q_sub($one, a), d[j - 1]), q_mul(a, d[j]));
        }
    return d[degree];
}"""
    ).substitute(one=literal(f.ops.one))


def _kan(f: Functions) -> str:
    f.need("spline", "q_silu", "q_fit_sum")
    return """/* y = sum of base * silu(x) + scale * spline(x); w: base, scale, coefficients of an edge */
static void kan(const code *x, int n, const code *w, const code *knots, int grid, int degree, int m,
                code *d, code *y)
{
    int i, k;
    for (k = 0; k < m; k++) {
        int64_t sum = 0;
        for (i = 0; i < n; i++) {
            int cell = 0;
            code curve;
            while (cell < grid - 1 && x[i] >= knots[degree + 1 + cell])
                cell++;
            curve = spline(w + 2 + cell, x[i], knots + degree + cell, degree, d);
            sum += q_add(q_mul(w[0], q_silu(x[i])), q_mul(w[1], curve));
            w += 2 + grid + degree;
        }
        y[k] = q_fit_sum(sum);
    }
}"""


MAKERS |= {"spline": _spline, "kan": _kan}


@emit.register
def _(part: KAN, to: Unit, x: str, shape: Shape) -> tuple[str, Shape]:
    (n, m), name = part.w_base.shape, to.named("kan")
    edges = np.concatenate(
        (part.w_base[:, None], part.w_spline[:, None], part.coefficients), 1
    )  # (n, 2 + C, m)
    to.functions.ask("kan")
    w = to.array(
        f"{name}_w",
        np.ascontiguousarray(edges.transpose(2, 0, 1)).reshape(n * m, -1),
        "a row for each edge, outputs outside: base, scale, then coefficients",
    )
    at = to.array(f"{name}_knots", knots(part.grid, part.degree, to.ops), "knots")
    d, y = to.scratch(part.degree + 1), to.out(m)
    to.say(f"kan({x}, {n}, {w}, {at}, {part.grid}, {part.degree}, {m}, {d}, {y});")
    return y, (m,)
