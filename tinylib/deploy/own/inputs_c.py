"""The integer road from readings to codes as C99 text: `inputs.Codes`, `inputs.features`, bit for bit.

Every product fits 32 bits but those of the power, which is 64 bits wide. One row of cosines serves as window,
sine and cosine; the work area of a spectrum is one channel long.
"""

from string import Template
from typing import Any

import numpy as np

from tinylib.deploy.emit.text import array
from tinylib.deploy.own.inputs import Codes, cosines, limits, points

CODE = Template("""/* clamp(((v - offset) * factor + half) >> shift) */
static ${name}_code coded(int32_t v, int k)
{
    int32_t sum = (v - offsets[k]) * factors[k];
    sum = (sum + ((int32_t)1 << (shifts[k] - 1))) >> shifts[k];
    return (${name}_code)(sum < $low ? $low : sum > $high ? $high : sum);
}""")

SPECTRUM = Template("""static int32_t re[$half], im[$half];

/* (a * b + 2^14) >> 15 without 64 bits */
static int32_t product(int32_t a, int32_t b)
{
    return (a >> 15) * b + (((a & 32767) * b + 16384) >> 15);
}

static int32_t sine(int t)
{
    return cosines[(t + $three) & $mask];
}

static int whole_log2(uint64_t v)
{
    int n = 0;
    while (v >>= 1)
        n++;
    return n;
}

/* 256 log2 v: a square of the mantissa that passes 2 is one more bit */
static int32_t log2_256(uint64_t v)
{
    int32_t n = whole_log2(v);
    uint32_t m = (uint32_t)(n > 15 ? v >> (n - 15) : v << (15 - n));
    int i;
    for (i = 0; i < 8; i++) {
        m = (m * m) >> 15;
        n = 2 * n + (int32_t)(m >> 16);
        m >>= m >> 16;
    }
    return n;
}

static void butterflies(void)
{
    int size, i, j;
    for (size = 1; size < $half; size *= 2)
        for (j = 0; j < size; j++) {
            int32_t wr = cosines[j * ($half / size)], wi = -sine(j * ($half / size));
            for (i = j; i < $half; i += 2 * size) {
                int32_t br = re[i + size], bi = im[i + size];
                int32_t tr = product(br, wr) - product(bi, wi), ti = product(br, wi) + product(bi, wr);
                re[i + size] = re[i] - tr;
                im[i + size] = im[i] - ti;
                re[i] += tr;
                im[i] += ti;
            }
        }
}

/* power of bin k out of two samples to a complex one */
static uint64_t power(int k)
{
    int m = -k & ($half - 1);
    int32_t dr = im[k] + im[m], di = re[m] - re[k], wr = cosines[k], wi = -sine(k);
    int64_t xr = re[k] + re[m] + product(dr, wr) - product(di, wi);
    int64_t xi = im[k] - im[m] + product(dr, wi) + product(di, wr);
    return (uint64_t)(xr * xr + xi * xi);
}

/* bands and moments of one channel */
static void features(const int16_t *x, int32_t *y)
{
    int32_t mean = 0, most = 1;
    uint64_t second = 1, fourth = 1;
    int t, k, up;
    for (t = 0; t < $n; t++)
        mean += x[t * $channels];
    mean = (mean + $half) >> $log;
    for (t = 0; t < $n; t++) {
        int32_t v = x[t * $channels] - mean;
        v = v < 0 ? -v : v;
        most = v > most ? v : most;
    }
    up = 13 - whole_log2((uint64_t)most);
    for (t = 0; t < $n; t++) {
        int32_t v = x[t * $channels] - mean, square;
        int to = 0;
        v = up >= 0 ? v * ((int32_t)1 << up) : v >> -up;
        square = v * v;
        second += (uint64_t)square;
        fourth += (uint64_t)((square >> 14) * (square >> 14));
        for (k = 0; k < $log - 1; k++) /* the bits of t / 2 turned round */
            to |= ((t >> (k + 1)) & 1) << ($log - 2 - k);
        *(t % 2 ? &im[to] : &re[to]) = product(v, (32767 - cosines[t]) >> 1);
    }
    butterflies();
    for (k = 0; k < $bands; k++) {
        uint64_t sum = 1;
        for (t = limits[k]; t < limits[k + 1]; t++)
            sum += power(t);
        *y++ = log2_256(sum) - 512 * up;
    }
    *y++ = log2_256(second) - 512 * up;
    *y = log2_256(fourth) - 2 * log2_256(second);
}""")


def codes(name: str, codes: Codes) -> str:
    """`coded(v, k)` with its tables [text]."""
    high = (1 << (codes.bits - 1)) - 1
    return "\n".join(
        [
            array("int32_t", "offsets", np.array(codes.offset)),
            array("int16_t", "factors", np.array(codes.factor)),
            array("int8_t", "shifts", np.array(codes.shift)),
            CODE.substitute(name=name, low=-high - 1, high=high),
        ]
    )


def spectrum(time: int, channels: int) -> str:
    """`features(x, y)` of one channel of a window, with its tables and its work area [text]."""
    n, cut = points(time), limits(time)
    numbers: dict[str, Any] = {
        "n": n,
        "half": n // 2,
        "three": 3 * n // 4,
        "mask": n - 1,
        "log": n.bit_length() - 1,
        "channels": channels,
        "bands": len(cut) - 1,
    }
    tables = [
        array("int16_t", "cosines", cosines(n), note=f"32767 cos(2 pi t / {n})"),
        array("int16_t", "limits", cut, note="first bin of each band, and the end"),
    ]
    return "\n".join([*tables, SPECTRUM.substitute(numbers)])
