"""Compressed sparse rows: the values that are not zero, their columns, and where each row begins.

    w = [[0, 5, 0],      values   5 7 8
         [7, 0, 8]]      columns  1 0 2        pointers  0 1 3

    bytes = nnz (value + index) + (rows + 1) pointer

Zeros save nothing until a format leaves them out, and an index costs as much as it names: with 1-byte
values and 4-byte indices 80 % of the weights must be zero before a byte is saved.
Source: Saad, Iterative Methods for Sparse Linear Systems, 2nd ed. 2003, section 3.4.
"""

from dataclasses import dataclass

import numpy as np

from tinylib.cost.compression import csr_bytes


@dataclass(frozen=True)
class CSR:
    """A matrix without its zeros: values (nnz,), columns (nnz,), pointers (rows + 1,)."""

    values: np.ndarray
    columns: np.ndarray
    pointers: np.ndarray
    shape: tuple[int, int]

    @property
    def density(self) -> float:
        """Share of values kept [0..1]."""
        return len(self.values) / (self.shape[0] * self.shape[1])

    @property
    def row_of(self) -> np.ndarray:
        """Row of each value (nnz,)."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.pointers))

    def dense(self) -> np.ndarray:
        """The matrix with its zeros."""
        w = np.zeros(self.shape, self.values.dtype)
        w[self.row_of, self.columns] = self.values
        return w

    def dot(self, x: np.ndarray) -> np.ndarray:
        """w @ x for x (columns,): one multiply-accumulate per value kept."""
        return np.bincount(self.row_of, self.values * x[self.columns], minlength=self.shape[0])

    def bytes(self, value_bytes: int = 4, index_bytes: int = 4, pointer_bytes: int = 4) -> int:
        """Values, columns and row pointers [bytes]."""
        return csr_bytes(len(self.values), value_bytes, index_bytes, self.shape[0], pointer_bytes)


def csr(w: np.ndarray) -> CSR:
    """A matrix (rows, columns) in compressed sparse rows; more axes are taken as rows before the last."""
    flat = np.asarray(w)
    if flat.ndim < 2:
        raise ValueError(f"w must be a matrix (rows, columns), got shape {flat.shape}")
    flat = flat.reshape(-1, flat.shape[-1])
    rows, columns = np.nonzero(flat)
    pointers = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(flat)))])
    return CSR(flat[rows, columns], columns, pointers, flat.shape)


def breakeven_density(
    shape: tuple[int, int], value_bytes: int = 4, index_bytes: int = 4, pointer_bytes: int = 4
) -> float:
    """Density at which CSR is as large as dense [0..1], its row pointers counted; below 0 it never is."""
    dense = shape[0] * shape[1] * value_bytes
    room = dense - csr_bytes(0, value_bytes, index_bytes, shape[0], pointer_bytes)
    return room / (shape[0] * shape[1] * (value_bytes + index_bytes))
