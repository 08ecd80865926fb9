"""The native loop over a sparse pattern as a function of tensors."""

from __future__ import annotations

import torch
from torch import Tensor

from lorap_bench.kernels.csr import Csr, local_numbers
from lorap_bench.kernels.native import patterns

__all__ = ["cut"]


def cut(pattern: Csr, rows: Tensor, columns: Tensor | None) -> tuple[Csr, Tensor]:
    """Return the pattern of some rows and columns, and its entries' places in the whole one."""
    local = local_numbers(pattern.shape[1], columns)
    width = pattern.shape[1] if columns is None else columns.numel()
    whole = pattern.rowptr.numpy(), pattern.col.numpy()
    rowptr = torch.empty(rows.numel() + 1, dtype=torch.int32)
    patterns.count(whole, rows.numpy(), local.numpy(), rowptr.numpy())
    size = int(rowptr[-1])
    col, t_col = torch.empty(2, size, dtype=torch.int32)
    row, entries, t_perm = torch.empty(3, size, dtype=torch.int64)
    t_rowptr = torch.zeros(width + 1, dtype=torch.int32)
    out = col.numpy(), row.numpy(), entries.numpy()
    patterns.fill(whole, rows.numpy(), local.numpy(), out, (t_rowptr.numpy(), t_col.numpy(), t_perm.numpy()))
    return Csr(rowptr, col, row, t_rowptr, t_col, t_perm), entries
