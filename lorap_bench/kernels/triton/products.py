"""Kernels of dense products and of sums in a fixed order."""

from __future__ import annotations

import triton.language as tl

from lorap_bench.kernels.triton.compiled import compiled, compiled_for_any

__all__ = ["multiply", "sum_parts"]


@compiled_for_any("a_member", "b_member")
def multiply(
    a: tl.tensor,
    b: tl.tensor,
    out: tl.tensor,
    rows: tl.tensor,
    inner: tl.tensor,
    columns: tl.tensor,
    share: tl.tensor,
    a_member: tl.tensor,
    a_row: tl.tensor,
    a_inner: tl.tensor,
    b_member: tl.tensor,
    b_inner: tl.tensor,
    b_column: tl.tensor,
    parts: tl.tensor,
    ROWS: tl.constexpr,
    INNER: tl.constexpr,
    COLUMNS: tl.constexpr,
) -> None:
    """Multiply ``[S, rows, inner]`` · ``[S, inner, columns]``: one tile of one part of the inner axis.

    ``share`` is how much of the inner axis a part takes; out ``[S, parts, rows, columns]``.
    """
    member, part = tl.program_id(2) // parts, tl.program_id(2) % parts
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    a += member.to(tl.int64) * a_member + row[:, None].to(tl.int64) * a_row
    b += member.to(tl.int64) * b_member + column[None, :].to(tl.int64) * b_column
    total = tl.zeros((ROWS, COLUMNS), tl.float32)
    stop = tl.minimum((part + 1) * share, inner)
    for start in range(part * share, stop, INNER):
        step = start + tl.arange(0, INNER)
        left = tl.load(
            a + step[None, :].to(tl.int64) * a_inner, mask=(row < rows)[:, None] & (step < stop)[None, :], other=0.0
        )
        right = tl.load(
            b + step[:, None].to(tl.int64) * b_inner,
            mask=(step < stop)[:, None] & (column < columns)[None, :],
            other=0.0,
        )
        total = tl.dot(left, right, total, input_precision="ieee")
    out += tl.program_id(2).to(tl.int64) * rows * columns
    place = row[:, None].to(tl.int64) * columns + column[None, :]
    tl.store(out + place, total, mask=(row < rows)[:, None] & (column < columns)[None, :])


@compiled
def sum_parts(parts: tl.tensor, out: tl.tensor, count: tl.tensor, number: tl.tensor, BLOCK: tl.constexpr) -> None:
    """Sum ``[S, number, count]`` over its parts, the first one first: ``[S, count]``."""
    member = tl.program_id(1).to(tl.int64)
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    valid = index < count
    total = tl.zeros((BLOCK,), tl.float32)
    for part in range(number):
        total += tl.load(parts + (member * number + part) * count + index, mask=valid, other=0.0)
    tl.store(out + member * count + index, total, mask=valid)
