"""Loops that cut a part out of a sparse pattern: two passes over its rows, and one that counts by column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.kernels.native.compiled import compiled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Narrow = NDArray[np.int32]
    Wide = NDArray[np.int64]

__all__ = ["count", "fill"]


@compiled
def count(pattern: tuple[Narrow, Narrow], rows: Wide, local: Narrow, rowptr: Narrow) -> None:
    """Write where the entries of each chosen row begin and end ``[r + 1]``, those of columns that stay.

    Shape: pattern: rowptr and col; local: the new number of each column, -1 where it does not stay.
    """
    starts, col = pattern
    rowptr[0] = 0
    for i in range(rows.size):
        kept = 0
        for e in range(starts[rows[i]], starts[rows[i] + 1]):
            kept += local[col[e]] >= 0
        rowptr[i + 1] = rowptr[i] + kept


@compiled
def fill(
    pattern: tuple[Narrow, Narrow],
    rows: Wide,
    local: Narrow,
    out: tuple[Narrow, Wide, Wide],
    transpose: tuple[Narrow, Narrow, Wide],
) -> None:
    """Write the entries that stay, and their transpose.

    Shape: out: col, row and which entry of the whole pattern, ``[e]`` each; transpose: t_rowptr ``[c + 1]`` of zeros,
    t_col and t_perm ``[e]``.
    """
    starts, whole_col = pattern
    col, row, entry = out
    t_rowptr, t_col, t_perm = transpose
    place = 0
    for i in range(rows.size):
        for e in range(starts[rows[i]], starts[rows[i] + 1]):
            column = local[whole_col[e]]
            if column >= 0:
                col[place], row[place], entry[place] = column, i, e
                t_rowptr[column + 1] += 1
                place += 1
    for c in range(t_rowptr.size - 1):
        t_rowptr[c + 1] += t_rowptr[c]
    for e in range(place):  # a column's rows come in ascending order
        to = t_rowptr[col[e]]
        t_rowptr[col[e]] += 1
        t_col[to], t_perm[to] = row[e], e
    for c in range(t_rowptr.size - 1, 0, -1):
        t_rowptr[c] = t_rowptr[c - 1]
    t_rowptr[0] = 0
