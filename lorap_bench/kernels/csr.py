"""Compressed sparse rows with their transpose: the structure every sparse product here runs on.

Values live outside: one structure serves every member of a cohort.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Csr", "csr_from_coo", "edges_to_rows", "segments"]


@dataclass(frozen=True, slots=True, eq=False)
class Csr:
    """A sparse ``[rows, columns]`` pattern and its transpose.

    Shape:
        rowptr: ``[rows + 1]`` int32; col: ``[E]`` int32, sorted within a row; row: ``[E]`` int64.
        t_rowptr: ``[columns + 1]`` int32; t_col: ``[E]`` int32 (row numbers, by column);
        t_perm: ``[E]`` int64, entry ``i`` of the transpose is entry ``t_perm[i]`` here.
    """

    rowptr: Tensor
    col: Tensor
    row: Tensor
    t_rowptr: Tensor
    t_col: Tensor
    t_perm: Tensor

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rowptr.numel() - 1, self.t_rowptr.numel() - 1

    @property
    def entries(self) -> int:
        """Number of stored entries."""
        return self.col.numel()


def csr_from_coo(row: Tensor, col: Tensor, shape: tuple[int, int]) -> tuple[Csr, Tensor]:
    """Build a pattern from coordinates in any order.

    Args:
        row: ``[E]`` int64 row of each entry.
        col: ``[E]`` int64 column of each entry.
        shape: rows and columns.

    Returns:
        The pattern and ``order`` ``[E]``: its entry ``i`` was entry ``order[i]`` of the input.
    """
    order = torch.argsort(row * shape[1] + col, stable=True)
    row, col = row[order], col[order]
    t_perm = torch.argsort(col * shape[0] + row, stable=True)
    pattern = Csr(
        rowptr=_pointers(row, shape[0]),
        col=col.to(torch.int32),
        row=row,
        t_rowptr=_pointers(col, shape[1]),
        t_col=row[t_perm].to(torch.int32),
        t_perm=t_perm,
    )
    return pattern, order


def edges_to_rows(pattern: Csr) -> Csr:
    """Return the ``[rows, E]`` pattern that sums each row's own entries."""
    return segments(pattern.rowptr, pattern.row)


def segments(pointers: Tensor, owner: Tensor) -> Csr:
    """Return the ``[segments, items]`` pattern of consecutive items: item ``i`` belongs to ``owner[i]``.

    Shape: pointers ``[segments + 1]`` int32; owner ``[items]`` int64, ascending.
    """
    items = torch.arange(owner.numel() + 1, device=owner.device)
    return Csr(
        rowptr=pointers,
        col=items[:-1].to(torch.int32),
        row=owner,
        t_rowptr=items.to(torch.int32),
        t_col=owner.to(torch.int32),
        t_perm=items[:-1],
    )


def _pointers(index: Tensor, size: int) -> Tensor:
    counts = torch.bincount(index, minlength=size)
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)]).to(torch.int32)
