"""Raw node features that every member shares: dense, or sparse where most entries are zero."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.csr import Csr, csr_from_coo
from lorap_bench.kernels.derived import derived

__all__ = ["Features", "is_sparse", "make_features"]

_SPARSE_DENSITY = 0.1
_SPARSE_WIDTH = 64


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """A constant matrix ``[N, F]``: ``values`` are all its entries, or the non-zero ones of ``pattern``.

    Shape:
        values: ``[1 or S, N, F]``, or ``[1 or S, nonzeros]`` with a pattern. The first axis is S once a
        quantizer has given each member its own codes.
    """

    values: Tensor
    pattern: Csr | None = None

    @property
    def rows(self) -> int:
        """N."""
        return self.values.shape[1] if self.pattern is None else self.pattern.shape[0]

    def dense(self) -> Tensor:
        """Return ``[1 or S, N, F]``; what all members share is filled once."""
        if self.pattern is None:
            return self.values
        if self.values.shape[0] == 1:
            return derived(_filled, self.values, self.pattern)
        return _filled(self.values, self.pattern)

    def linear(self, weight: Tensor) -> Tensor:
        """Multiply by each member's weight: ``[S, F, d]`` → ``[S, N, d]``."""
        if self.pattern is not None:
            return kernels().sparse_linear(self.pattern, self.values, weight)
        return kernels().matmul(self.values, weight)


def is_sparse(x: Tensor) -> bool:
    """Return whether ``[N, F]`` is cheaper to hold sparsely: wide and at most a tenth full."""
    filled = int(torch.count_nonzero(x))
    return x.shape[1] >= _SPARSE_WIDTH and 0 < filled <= _SPARSE_DENSITY * x.numel()


def make_features(x: Tensor) -> Features:
    """Wrap ``[N, F]``, sparsely where that is cheaper."""
    if not is_sparse(x):
        return Features(x.unsqueeze(0))
    rows, columns = x.shape
    row, col = x.nonzero(as_tuple=True)
    pattern, order = csr_from_coo(row, col, (rows, columns))
    return Features(x[row, col][order].unsqueeze(0), pattern)


def _filled(values: Tensor, pattern: Csr) -> Tensor:
    """Return the matrix with its zeros: ``[S, E]`` → ``[S, N, F]``."""
    out = values.new_zeros(values.shape[0], *pattern.shape)
    out[:, pattern.row, pattern.col.long()] = values
    return out
