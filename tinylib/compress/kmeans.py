"""Weight sharing: k centroids serve a whole array, each weight keeps the index of its own.

    assign   c_i = argmin_k |w_i - C_k|          update   C_k = mean of the w_i with c_i = k
    tune     dL/dC_k = sum over c_i = k of dL/dw_i
    bytes    n ceil(log2 k) bits + k floats;     with Huffman codes sum_k n_k length_k bits instead

`linear` spreads the first centroids evenly over the range, so that the few large weights, which matter
most, keep one; `density` and `random` start where weights are many. An empty cluster keeps its centroid.
Source: Han, Mao & Dally, Deep Compression, arXiv 1510.00149, section 3; Lloyd, IEEE Trans. IT 28, 1982.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tinylib.compress import baseline
from tinylib.compress.layout import is_weight, one
from tinylib.cost.compression import codebook_bytes, index_bits
from tinylib.cost.layers import count
from tinylib.datasets import Examples
from tinylib.nets.arithmetic import FLOAT, Arithmetic
from tinylib.nets.network import Network
from tinylib.nets.optimizers import Adam, Optimizer
from tinylib.nets.progress import bar
from tinylib.units import shown

INITS = ("linear", "density", "random")


@dataclass(frozen=True)
class Codebook:
    """An array as indices into a table.

    centroids (k,), rising unless they were tuned       [unit of w]
    codes: index of each weight, the shape of w         [index]
    history: centroids before each update and at the end, a tuple of (k,)
    errors: mean squared error with each of them        [unit of w squared]
    """

    centroids: np.ndarray
    codes: np.ndarray
    history: tuple[np.ndarray, ...] = ()
    errors: tuple[float, ...] = ()

    def restored(self) -> np.ndarray:
        """Each weight replaced by its centroid."""
        return self.centroids[self.codes]

    @property
    def counts(self) -> np.ndarray:
        """Weights that each centroid serves (k,) [count]."""
        return np.bincount(self.codes.ravel(), minlength=len(self.centroids))

    @property
    def index_bits(self) -> int:
        """Bits of one index [bit]."""
        return index_bits(len(self.centroids))

    @property
    def bytes(self) -> int:
        """Packed indices and a float32 table [bytes]."""
        return codebook_bytes(self.codes.size, len(self.centroids))

    @property
    def huffman_bits(self) -> int:
        """The indices as Huffman codes [bit]; the code's own table is not counted."""
        counts = self.counts
        return int(sum(n * length for n, length in zip(counts, huffman_lengths(counts))))

    def gradient(self, dw: np.ndarray) -> np.ndarray:
        """Gradient of the centroids (k,) for that of the weights: each centroid sums its own."""
        return np.bincount(self.codes.ravel(), dw.ravel(), minlength=len(self.centroids))


def codebook(
    w: np.ndarray,
    entries: int = 16,
    init: str = "linear",
    iterations: int = 100,
    seed: int = 0,
    progress: bool = False,
) -> Codebook:
    """The codebook of w, any shape, by Lloyd's iteration until no weight changes its centroid."""
    flat = np.sort(np.asarray(w, dtype=np.float64).ravel())
    if not np.isfinite(flat).all():
        raise ValueError("w must be finite: NaN is near no centroid")
    if count("entries", entries) > flat.size:
        raise ValueError(f"entries must not exceed the {flat.size} weights, got {shown(entries)}")
    history, edges = [_first(flat, entries, init, seed)], None
    sums = np.concatenate([[0.0], np.cumsum(flat)])
    for _ in bar(range(count("iterations", iterations)), title="K-means", shown=progress):
        before, edges = edges, _edges(flat, history[-1])
        if before is not None and np.array_equal(edges, before):
            break
        sizes = np.diff(edges)
        means = np.diff(sums[edges]) / np.maximum(sizes, 1)
        history.append(np.sort(np.where(sizes > 0, means, history[-1])))
    centroids = history[-1]
    errors = tuple(_error(flat, c, _edges(flat, c)) for c in history)
    return Codebook(centroids, nearest(w, centroids), tuple(history), errors)


def nearest(w: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Index of the nearest of rising centroids for each value of w."""
    return np.searchsorted((centroids[1:] + centroids[:-1]) / 2, np.asarray(w), side="right")


def _edges(flat: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Where the clusters of sorted weights begin and end (k + 1,)."""
    middles = (centroids[1:] + centroids[:-1]) / 2
    return np.concatenate([[0], np.searchsorted(flat, middles, side="left"), [flat.size]])


def _error(flat: np.ndarray, centroids: np.ndarray, edges: np.ndarray) -> float:
    return float(np.mean((flat - np.repeat(centroids, np.diff(edges))) ** 2))


def _first(flat: np.ndarray, entries: int, init: str, seed: int) -> np.ndarray:
    if init == "linear":
        return np.linspace(flat[0], flat[-1], entries)
    if init == "density":
        return np.quantile(flat, (np.arange(entries) + 0.5) / entries)
    if init == "random":
        return np.sort(np.random.default_rng(seed).choice(flat, entries, replace=False))
    raise ValueError(f"init must be one of {', '.join(INITS)}, got {shown(init)}")


def huffman_lengths(counts: Sequence[int]) -> list[int]:
    """Length of the Huffman code of each symbol [bit]; 0 for a symbol that never occurs.

    A single symbol needs one bit each. Source: Huffman, Proc. IRE 40, 1952.
    """
    heap = [(int(n), i, (i,)) for i, n in enumerate(counts) if n]
    lengths = [0] * len(counts)
    if len(heap) == 1:
        lengths[heap[0][1]] = 1
    heapq.heapify(heap)
    while len(heap) > 1:
        (n, i, left), (m, _, right) = heapq.heappop(heap), heapq.heappop(heap)
        for symbol in left + right:
            lengths[symbol] += 1
        heapq.heappush(heap, (n + m, i, left + right))
    return lengths


Books = list[dict[str, Codebook]]


def share(net: Network, entries: int = 16, init: str = "linear") -> Books:
    """A codebook for every weight array of a network, by name; biases have none."""
    return [
        {n: codebook(a, min(entries, a.size), init) for n, a in part.items() if is_weight(n)}
        for part in one(net).arrays
    ]


def restored(net: Network, books: Books) -> Network:
    """The network with each weight replaced by its centroid."""
    pairs = zip(net.arrays, books)
    return net.with_arrays([part | {n: b.restored() for n, b in book.items()} for part, book in pairs])


@dataclass(frozen=True)
class Shared(Optimizer):
    """An optimiser that moves centroids and biases: weights of one centroid stay equal."""

    inner: Optimizer = field(default_factory=Adam)
    books: Books = field(default_factory=list)

    def _tables(self, arrays: Any) -> Any:
        """One value per centroid; one that serves no weight is 0."""
        return self._each(arrays, _table)

    def _each(self, arrays: Any, function: Any) -> Any:
        return [
            {n: function(book[n], a) if n in book else a for n, a in part.items()}
            for part, book in zip(arrays, self.books)
        ]

    def start(self, arrays: Any) -> Any:
        """The state of the inner optimiser, over tables."""
        return self.inner.start(self._tables(arrays))

    def step(self, arrays: Any, grads: Any, state: Any, ops: Arithmetic = FLOAT, lead: int = 0) -> Any:
        """One inner step on the tables, and the weights read from them."""
        sums = self._each(grads, lambda book, g: book.gradient(g))
        tables, state = self.inner.step(self._tables(arrays), sums, state, ops, lead)
        return self._each(tables, lambda book, table: table[book.codes]), state


def _table(book: Codebook, w: np.ndarray) -> np.ndarray:
    table = np.zeros(len(book.centroids))
    table[book.codes.ravel()] = w.ravel()
    return table


def fine_tune(
    net: Network,
    books: Books,
    data: Examples,
    epochs: int = 10,
    learning_rate: float = 0.002,
    seed: int = 0,
    progress: bool = False,
) -> tuple[Network, Books]:
    """The network and its codebooks after training of the centroids; every index stays."""
    optimizer = Shared(inner=Adam(learning_rate), books=books)
    net = baseline.fit(restored(net, books), data, epochs, seed=seed, optimizer=optimizer, progress=progress)
    new = [
        {n: replace(b, centroids=_table(b, part[n]), history=(), errors=()) for n, b in book.items()}
        for part, book in zip(net.arrays, books)
    ]
    return net, new
