"""Compressed sparse rows with their transpose: the structure every sparse product here runs on.

Values live outside: one structure serves every member of a cohort.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Csr", "csr_from_coo", "cut", "edges_to_rows", "index_ranges", "local_numbers", "segments"]


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


def cut(pattern: Csr, rows: Tensor, columns: Tensor | None) -> tuple[Csr, Tensor]:
    """Return what ``Kernels.cut`` describes, by gathers and one sort."""
    entries, row, _, _ = index_ranges(pattern.rowptr, rows)
    width = pattern.shape[1] if columns is None else columns.numel()
    col = local_numbers(pattern.shape[1], columns).index_select(0, pattern.col.index_select(0, entries))
    kept = col >= 0
    entries, row, col = entries[kept], row[kept], col[kept]
    t_perm = torch.argsort(col, stable=True)
    own = Csr(
        rowptr=_pointers(row, rows.numel()),
        col=col,
        row=row,
        t_rowptr=_pointers(col, width),
        t_col=row.index_select(0, t_perm).to(torch.int32),
        t_perm=t_perm,
    )
    return own, entries


def local_numbers(count: int, chosen: Tensor | None) -> Tensor:
    """Return each one's place among the chosen, -1 where it is not: ``[count]`` int32; None: all are chosen."""
    if chosen is None:
        return torch.arange(count, dtype=torch.int32)
    local = torch.full((count,), -1, dtype=torch.int32, device=chosen.device)
    local[chosen] = torch.arange(chosen.numel(), dtype=torch.int32, device=chosen.device)
    return local


def index_ranges(pointers: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Concatenate the index ranges ``pointers[g]:pointers[g + 1]`` of the chosen segments.

    Returns:
        indices ``[n]``, the position in ``chosen`` each belongs to ``[n]``, what to add to a global
        index to get its packed one ``[B]``, and the lengths ``[B]``.
    """
    starts = pointers[chosen]
    lengths = pointers[chosen + 1] - starts
    owner = torch.repeat_interleave(torch.arange(chosen.numel(), device=chosen.device), lengths)
    shift = lengths.cumsum(0) - lengths - starts
    places = torch.arange(owner.numel(), device=owner.device)
    return places - shift.index_select(0, owner), owner, shift, lengths


def _pointers(index: Tensor, size: int) -> Tensor:
    counts = torch.bincount(index, minlength=size)
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)]).to(torch.int32)
