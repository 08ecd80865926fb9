"""Raw node features that every member shares: dense, or sparse where most entries are zero."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lorap_bench.kernels.backend import kernels
from lorap_bench.kernels.csr import Csr, csr_from_coo

__all__ = ["Features", "make_features"]

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

    def dense(self) -> Tensor:
        """Return ``[1 or S, N, F]``."""
        if self.pattern is None:
            return self.values
        out = self.values.new_zeros(self.values.shape[0], *self.pattern.shape)
        out[:, self.pattern.row, self.pattern.col.long()] = self.values
        return out

    def linear(self, weight: Tensor) -> Tensor:
        """Multiply by each member's weight: ``[S, F, d]`` → ``[S, N, d]``."""
        if self.pattern is not None:
            return kernels().sparse_linear(self.pattern, self.values, weight)
        return kernels().matmul(self.values, weight)


def make_features(x: Tensor) -> Features:
    """Wrap ``[N, F]``, sparsely where that is cheaper (wide and at most a tenth full)."""
    rows, columns = x.shape
    filled = int(torch.count_nonzero(x))
    if columns < _SPARSE_WIDTH or filled > _SPARSE_DENSITY * x.numel() or filled == 0:
        return Features(x.unsqueeze(0))
    row, col = x.nonzero(as_tuple=True)
    pattern, order = csr_from_coo(row, col, (rows, columns))
    return Features(x[row, col][order].unsqueeze(0), pattern)
