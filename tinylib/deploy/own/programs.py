"""A trained candidate as it is deployed: integers from the reading to the scores, in Python and as C files.

    NAME.h NAME.c                the network, as `c99.export` writes it
    NAME_sensor.h NAME_sensor.c  readings to codes, and NAME_classify(window, scores) -> class
    NAME_test.c NAME_sensor_test.c Makefile         both tests with vectors out of the test part

The score of a class is a code; the largest one is the answer. A program with a `threshold` has one score
instead, the sum of the squares of its outputs, and calls a window odd when that is larger (NAME_anomaly).
"""

from dataclasses import dataclass
from functools import cached_property
from string import Template
from typing import Any

import numpy as np

from tinylib.cost.models import Model
from tinylib.deploy import c99
from tinylib.deploy.emit.text import array
from tinylib.deploy.own import inputs_c
from tinylib.deploy.own.candidates import Q_BITS, Candidate, columns, shaped
from tinylib.deploy.own.inputs import Codes, Sensor
from tinylib.formats.affine import Affine
from tinylib.formats.qformat import QFormat
from tinylib.nets import Network, int8
from tinylib.nets.arithmetic import Fixed
from tinylib.nets.int8 import Int8Network

Array = np.ndarray
Q = Fixed(QFormat(16 - Q_BITS, Q_BITS), "nearest", "saturate", "wide")
RUNTIME = "reference"
CALIBRATION = 500  # windows that ranges are taken from


@dataclass(frozen=True)
class Program:
    """One network with its inputs, all in integers.

    classes: names of the outputs      channels: names of the readings' columns      time: rows of a window
    threshold: score above which a window is odd, None for a classifier
    """

    candidate: Candidate
    sensor: Sensor
    codes: Codes
    network: Int8Network | Network
    classes: tuple[str, ...]
    channels: tuple[str, ...]
    time: int
    threshold: int | None = None

    def outputs(self, readings: Array) -> Array:
        """Codes (n, outputs) of readings (n, time, channels)."""
        c = self.candidate
        x = shaped(c.kind, c.frames, self.codes(columns(c.kind, readings)))
        if isinstance(self.network, Int8Network):
            return self.network.forward(x.astype(np.int8), RUNTIME).astype(np.int64)
        return self.network.forward(x, Q)[0]

    def scores(self, readings: Array) -> Array:
        """Scores (n, classes), or (n, 1) with a threshold."""
        found = self.outputs(readings)
        if self.threshold is None:
            return found
        return ((found - self.network.target.zero_point) ** 2).sum(-1, keepdims=True)

    def classify(self, readings: Array) -> Array:
        """Classes (n,) of readings (n, time, channels), the first of equal scores; 1 for odd."""
        found = self.scores(readings)
        return found.argmax(-1) if self.threshold is None else (found[:, 0] > self.threshold).astype(int)

    @property
    def step_shape(self) -> tuple[int, ...]:
        """Shape of what the network reads in one step."""
        c = self.candidate
        if c.kind == "spectrum":
            return (len(self.codes.offset),)
        if c.kind == "signal":
            return (self.time, 1, len(self.channels))
        return (self.time // c.frames * len(self.channels),)

    @cached_property
    def model(self) -> Model:
        """The description that counts it."""
        c, shape = self.candidate, self.step_shape
        if c.kind == "frames":
            shape = (c.frames, *shape)
        return self.network.model(shape, c.name)

    @property
    def weight_bytes(self) -> int:
        """Weights and biases [bytes]; tables and program come on top."""
        if isinstance(self.network, Int8Network):
            return self.network.weight_bytes
        return 2 * self.network.count

    def sources(self, name: str = "own", readings: Array | None = None) -> dict[str, str]:
        """The C files by name; `readings` (n, time, channels) become the vectors of the test."""
        ops = RUNTIME if isinstance(self.network, Int8Network) else Q
        made = c99.export(self.network, ops, name, in_shape=self.step_shape)
        files = made.files | {
            f"{name}_sensor.h": self._header(name),
            f"{name}_sensor.c": self._source(name, made),
        }
        if readings is not None:
            files[f"{name}_sensor_test.c"] = self._test(name, readings)
            files["Makefile"] = Template(MAKEFILE).substitute(name=name)
        return files

    def _header(self, name: str) -> str:
        meaning = [
            f"   {channel}: reading = {self.sensor.told(k)}" for k, channel in enumerate(self.channels)
        ]
        names = ", ".join(f"{i} {_plain(c)}" for i, c in enumerate(self.classes))
        numbers = {
            "name": name,
            "upper": name.upper(),
            "time": self.time,
            "channels": len(self.channels),
            "classes": len(self.classes),
            "meaning": "\n".join(map(_plain, meaning)),
            "names": names,
            "threshold": self.threshold,
        }
        return Template(HEADER if self.threshold is None else HEADER_ANOMALY).substitute(numbers)

    def _source(self, name: str, made: c99.Sources) -> str:
        c, n = self.candidate, len(self.channels)
        texts = [f'#include "{name}_sensor.h"\n', inputs_c.codes(name, self.codes)]
        if c.kind == "spectrum":
            texts.append(inputs_c.spectrum(self.time, n))
            width = len(self.codes.offset) // n
            body = SPECTRUM.substitute(name=name, n=n, width=width, total=made.inputs)
        elif c.kind == "signal":
            body = SIGNAL.substitute(name=name, n=n, total=made.inputs)
        else:
            body = FRAMES.substitute(name=name, n=n, total=made.inputs, frames=c.frames)
        zero = getattr(getattr(self.network, "target", None), "zero_point", 0)
        last = CLASSIFY if self.threshold is None else ANOMALY
        return "\n\n".join([*texts, body, last.substitute(name=name, outputs=made.outputs, zero=zero)]) + "\n"

    def _test(self, name: str, readings: Array) -> str:
        found, alone = self.scores(readings), self.threshold is not None
        kind, at = "uint32_t" if alone else f"{name}_code", f"windows + (long)i * {readings[0].size}"
        rows = readings.reshape(len(readings), -1)
        return TEST.substitute(
            name=name,
            samples=len(rows),
            readings=array("int16_t", "windows", rows),
            scores=array(kind, "wanted", found),
            outputs=found.shape[1],
            kind=kind,
            call=f"scores[0] = {name}_anomaly({at})" if alone else f"(void){name}_classify({at}, scores)",
        )


def program(
    candidate: Candidate, network: Network, sensor: Sensor, codes: Codes, step: float, x: Array, names: tuple
) -> Program:
    """The candidate in integers; x: its inputs to train on; names: classes, channels, rows of a window."""
    network = network.mapped(lambda a: a.astype(np.float64))
    if candidate.kind == "frames":
        return Program(candidate, sensor, codes, network.mapped(Q.number), *names)
    few = x[np.random.default_rng(0).permutation(len(x))[:CALIBRATION]]
    made = int8.from_float(network, few.astype(np.float64), Affine(step, 0))
    return Program(candidate, sensor, codes, made, *names)


def _plain(text: Any) -> str:
    """Text for a comment in C: nothing in it ends the comment."""
    words = "".join(ch if ch.isprintable() and ch not in "*/\\?" else "_" for ch in str(text))
    return words.encode("ascii", "replace").decode().replace("?", "_")


HEADER = """/* Windows of $time rows of $channels readings to one of $classes classes: $names.

   A reading is a whole number of 16 bits, rounded and held at its ends:
$meaning */
#ifndef ${upper}_SENSOR_H
#define ${upper}_SENSOR_H

#include "$name.h"

#define ${upper}_TIME $time
#define ${upper}_CHANNELS $channels
#define ${upper}_CLASSES $classes

/* The class of a window, row by row; scores holds a code for each class. */
int ${name}_classify(const int16_t *window, ${name}_code *scores);

#endif
"""

HEADER_ANOMALY = """/* How odd a window of $time rows of $channels readings is.

   A reading is a whole number of 16 bits, rounded and held at its ends:
$meaning */
#ifndef ${upper}_SENSOR_H
#define ${upper}_SENSOR_H

#include "$name.h"

#define ${upper}_TIME $time
#define ${upper}_CHANNELS $channels
#define ${upper}_THRESHOLD ${threshold}u /* a larger score is an alarm */

/* The score of a window, row by row. */
uint32_t ${name}_anomaly(const int16_t *window);

#endif
"""

SPECTRUM = Template("""static void scored(const int16_t *window, ${name}_code *scores)
{
    static ${name}_code x[$total];
    int32_t found[$width];
    int c, k;
    for (c = 0; c < $n; c++) {
        features(window + c, found);
        for (k = 0; k < $width; k++)
            x[c * $width + k] = coded(found[k], c * $width + k);
    }
    ${name}_run(x, scores);
}""")

SIGNAL = Template("""static void scored(const int16_t *window, ${name}_code *scores)
{
    static ${name}_code x[$total];
    int i;
    for (i = 0; i < $total; i++)
        x[i] = coded(window[i], i % $n);
    ${name}_run(x, scores);
}""")

FRAMES = Template("""static void scored(const int16_t *window, ${name}_code *scores)
{
    static ${name}_state state;
    static ${name}_code x[$total];
    int f, i;
    ${name}_start(&state);
    for (f = 0; f < $frames; f++) {
        for (i = 0; i < $total; i++)
            x[i] = coded(*window++, i % $n);
        ${name}_step(&state, x, scores);
    }
}""")

CLASSIFY = Template("""int ${name}_classify(const int16_t *window, ${name}_code *scores)
{
    int k, best = 0;
    scored(window, scores);
    for (k = 1; k < $outputs; k++)
        if (scores[k] > scores[best])
            best = k;
    return best;
}""")

ANOMALY = Template("""uint32_t ${name}_anomaly(const int16_t *window)
{
    static ${name}_code y[$outputs];
    uint32_t sum = 0;
    int k;
    scored(window, y);
    for (k = 0; k < $outputs; k++) {
        int32_t v = y[k] - ($zero);
        sum += (uint32_t)(v * v);
    }
    return sum;
}""")

TEST = Template("""/* Compares every score of $samples windows of the test part with that of Python. */
#include "${name}_sensor.h"
#include <stdio.h>

$readings

$scores

int main(void)
{
    $kind scores[$outputs];
    int i, k, wrong = 0;
    for (i = 0; i < $samples; i++) {
        $call;
        for (k = 0; k < $outputs; k++)
            wrong += scores[k] != wanted[i * $outputs + k];
    }
    printf("${name}: %d scores differ\\n", wrong);
    return wrong != 0;
}
""")

MAKEFILE = """# make [all|run|size|clean]
CFLAGS = -std=c99 -Wall -Wextra -Wconversion -pedantic -Werror -Os

all: ${name}_test ${name}_sensor_test

${name}_test: $name.c ${name}_test.c $name.h
\t$$(CC) $$(CFLAGS) -o $$@ $name.c ${name}_test.c

${name}_sensor_test: $name.c ${name}_sensor.c ${name}_sensor_test.c $name.h ${name}_sensor.h
\t$$(CC) $$(CFLAGS) -o $$@ $name.c ${name}_sensor.c ${name}_sensor_test.c

run: all
\t./${name}_test
\t./${name}_sensor_test

size: $name.o ${name}_sensor.o
\tsize $name.o ${name}_sensor.o

%.o: %.c $name.h
\t$$(CC) $$(CFLAGS) -c -o $$@ $$<

clean:
\trm -f ${name}_test ${name}_sensor_test $name.o ${name}_sensor.o

.PHONY: all run size clean
"""
