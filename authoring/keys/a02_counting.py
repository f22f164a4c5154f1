"""Key of assignment 02: the private question and the functions the bank does not hold. Never released."""

from math import isqrt

from grading.keys import key
from tinylib.cost import Conv2D, DepthwiseConv2D, PointwiseConv2D
from tinylib.practice import Absolute, Exercise, Misconception


def _largest_side(k: int, c_in: int, c_out: int, limit_mmac: int) -> int:
    layer = Conv2D(c_in, c_out, kernel_size=k, stride=2, padding="same", bias=False)
    side = 1
    while layer.macs((side + 1, side + 1, c_in)) <= limit_mmac * 10**6:
        side += 1
    return side


LARGEST_SIDE = Exercise(
    id="a02.largest_side",
    title="The largest image within a budget of work",
    prompt="A {k} x {k} convolution maps {c_in} to {c_out} channels with stride 2 and 'same' padding, so "
    "each side is halved, rounded up. One inference may cost at most {limit_mmac} million "
    "multiply-accumulates (MMAC). How many pixels may each side of a square input have at most?",
    given={"k": 3, "c_in": 16, "c_out": 32, "limit_mmac": 3},
    draws={"k": (3, 5), "c_in": (8, 16, 24), "c_out": (16, 32, 48), "limit_mmac": (2, 3, 4, 5, 6)},
    answer=_largest_side,
    unit="pixels",
    tolerance=Absolute(0),
    expect=50,
    source="worked by hand: 3,000,000 / 4,608 = 651.04, the square root is 25.5, so 25 out and 50 in",
    misconceptions=(
        Misconception(
            lambda **given: _largest_side(**given) // 2,
            "That is a side of the output: at stride 2 the input is twice as large.",
        ),
        Misconception(
            lambda **given: _largest_side(**given) - 1,
            "One pixel more costs the same: the output is halved and rounded up.",
        ),
        Misconception(
            lambda **given: _largest_side(**given) + 1,
            "That side is the first one over the limit.",
        ),
        Misconception(
            lambda k, c_in, c_out, limit_mmac: 2 * isqrt(limit_mmac * 500_000 // (k * k * c_in * c_out)),
            "The limit was read as FLOPs: one MAC is two of them.",
        ),
    ),
)


@key("a02.macs_function", examples=[((3, 2, 4, 5, 6), 2160)])
class MacsFunction:
    def draw(rng):  # not square, never all equal: catches a swapped or doubled side
        return rng.odd(3, 7), rng.int(2, 64), rng.int(2, 64), rng.int(3, 40), rng.int(41, 80)

    def expected(kernel_size, c_in, c_out, h_out, w_out):
        return Conv2D(c_in, c_out, kernel_size, padding="same").macs((h_out, w_out, c_in))

    def slips(kernel_size, c_in, c_out, h_out, w_out):
        right = MacsFunction.expected(kernel_size, c_in, c_out, h_out, w_out)
        return {
            "": {
                "those are FLOPs": 2 * right,
                "those are the weights, each works once per output position": right // (h_out * w_out),
                "the kernel has k x k taps": right // kernel_size,
                "the output is not square": right // w_out * h_out,
                "every output channel has a filter over all input channels": right // c_in,
                "every filter works for one output channel only": right // c_out,
                "the bias is an addition, not a MAC": right + c_out * h_out * w_out,
            }
        }


@key(
    "a02.separable_report",
    examples=[
        (
            (3, 2, 4, 5, 6),
            {
                "params": 26,
                "depthwise_macs": 540,
                "pointwise_macs": 240,
                "macs": 780,
                "saving": 2.769230769230769,
                "pointwise_share": 0.3076923076923077,
            },
        )
    ],
)
class SeparableReport:
    def draw(rng):  # c_out is even, so never c_in or k^2: no slip is right by chance
        return rng.odd(3, 7), rng.odd(3, 63), 2 * rng.int(2, 32), rng.int(3, 40), rng.int(41, 80)

    def expected(kernel_size, c_in, c_out, h_out, w_out):
        shape = (h_out, w_out, c_in)
        depthwise = DepthwiseConv2D(c_in, kernel_size, padding="same", bias=False)
        pointwise = PointwiseConv2D(c_in, c_out, bias=False)
        macs = depthwise.macs(shape) + pointwise.macs(shape)
        return {
            "params": depthwise.params + pointwise.params,
            "depthwise_macs": depthwise.macs(shape),
            "pointwise_macs": pointwise.macs(shape),
            "macs": macs,
            "saving": Conv2D(c_in, c_out, kernel_size, padding="same").macs(shape) / macs,
            "pointwise_share": pointwise.macs(shape) / macs,
        }

    def slips(kernel_size, c_in, c_out, h_out, w_out):
        right = SeparableReport.expected(kernel_size, c_in, c_out, h_out, w_out)
        return {
            "params": {
                "that has biases in it": right["params"] + c_in + c_out,
                "those are the weights of the convolution that it replaces": kernel_size**2 * c_in * c_out,
            },
            "depthwise_macs": {
                "those are FLOPs": 2 * right["depthwise_macs"],
                "a depthwise filter sees one channel": right["depthwise_macs"] * c_in,
                "there is one filter per input channel, not per output channel": right["depthwise_macs"]
                // c_in
                * c_out,
            },
            "pointwise_macs": {
                "those are FLOPs": 2 * right["pointwise_macs"],
                "a pointwise kernel is 1 x 1": right["pointwise_macs"] * kernel_size**2,
            },
            "macs": {
                "those are FLOPs": 2 * right["macs"],
                "only the pointwise half is counted": right["pointwise_macs"],
                "only the depthwise half is counted": right["depthwise_macs"],
            },
            "saving": {
                "the pointwise half is left out": c_out,
                "the depthwise half is left out": kernel_size**2,
                "turn it over: how many times fewer": 1 / right["saving"],
            },
            "pointwise_share": {
                "that is the depthwise half": 1 - right["pointwise_share"],
                "that is the pointwise half over the depthwise half": right["pointwise_macs"]
                / right["depthwise_macs"],
                "that is in percent": 100 * right["pointwise_share"],
            },
        }
