"""Kernels over the stored entries of sparse rows: weighted sums, products at the entries, softmax."""

from __future__ import annotations

import triton.language as tl

from lorap_bench.kernels.triton.compiled import compiled, compiled_for_any, exponential

__all__ = ["ENTRIES", "sample", "soften", "soften_backward", "sum_rows"]

ENTRIES = 16
"""Entries a program reads at a time."""


@compiled_for_any("weight_member")
def sum_rows(
    rowptr: tl.tensor,
    col: tl.tensor,
    order: tl.tensor,
    weight: tl.tensor,
    x: tl.tensor,
    out: tl.tensor,
    weight_member: tl.tensor,
    columns: tl.tensor,
    width: tl.tensor,
    heads: tl.tensor,
    WEIGHTED: tl.constexpr,
    ORDERED: tl.constexpr,
    HEADS: tl.constexpr,
    ENTRIES: tl.constexpr,
    BLOCK: tl.constexpr,
) -> None:
    """Sum ``w_e x_{col(e)}`` over one row: x ``[S, columns, width]``; with ORDERED the weight of e is at order[e]."""
    row, member = tl.program_id(0), tl.program_id(2).to(tl.int64)
    place = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    valid = place < width
    x += member * columns * width
    weight += member * weight_member
    total = tl.zeros((BLOCK,), tl.float32)
    first, last = tl.load(rowptr + row), tl.load(rowptr + row + 1)
    for start in range(first, last, ENTRIES):
        entry = start + tl.arange(0, ENTRIES)
        stored = entry < last
        source = tl.load(col + entry, mask=stored, other=0).to(tl.int64)
        both = stored[:, None] & valid[None, :]
        terms = tl.load(x + source[:, None] * width + place[None, :], mask=both, other=0.0)
        if WEIGHTED:
            at = tl.load(order + entry, mask=stored, other=0) if ORDERED else entry.to(tl.int64)
            if HEADS:
                head = place // (width // heads)
                terms *= tl.load(weight + at[:, None] * heads + head[None, :], mask=both, other=0.0)
            else:
                terms *= tl.load(weight + at, mask=stored, other=0.0)[:, None]
        total += tl.sum(terms, 0)
    tl.store(out + (member * tl.num_programs(0) + row) * width + place, total, mask=valid)


@compiled
def sample(
    row: tl.tensor,
    col: tl.tensor,
    a: tl.tensor,
    b: tl.tensor,
    out: tl.tensor,
    entries: tl.tensor,
    rows: tl.tensor,
    columns: tl.tensor,
    width: tl.tensor,
    heads: tl.tensor,
    ENTRIES: tl.constexpr,
    BLOCK: tl.constexpr,
) -> None:
    """Multiply rows of a ``[S, rows, width]`` and b ``[S, columns, width]`` at the entries: ``[S, entries, heads]``."""
    head, member = tl.program_id(1), tl.program_id(2).to(tl.int64)
    entry = tl.program_id(0) * ENTRIES + tl.arange(0, ENTRIES)
    stored = entry < entries
    share = width // heads
    end = tl.load(row + entry, mask=stored, other=0).to(tl.int64) + member * rows
    source = tl.load(col + entry, mask=stored, other=0).to(tl.int64) + member * columns
    total = tl.zeros((ENTRIES,), tl.float32)
    for start in range(0, share, BLOCK):
        within = start + tl.arange(0, BLOCK)
        both = stored[:, None] & (within < share)[None, :]
        place = (head * share + within)[None, :]
        left = tl.load(a + end[:, None] * width + place, mask=both, other=0.0)
        right = tl.load(b + source[:, None] * width + place, mask=both, other=0.0)
        total += tl.sum(left * right, 1)
    tl.store(out + (member * entries + entry) * heads + head, total, mask=stored)


@compiled
def soften(
    rowptr: tl.tensor, logits: tl.tensor, out: tl.tensor, entries: tl.tensor, heads: tl.tensor, ENTRIES: tl.constexpr
) -> None:
    """Softmax over one row's entries, of one head: ``[S, entries, heads]``."""
    row, head, member = tl.program_id(0), tl.program_id(1), tl.program_id(2).to(tl.int64)
    logits += member * entries * heads + head
    out += member * entries * heads + head
    first, last = tl.load(rowptr + row), tl.load(rowptr + row + 1)
    peak = float("-inf")
    for start in range(first, last, ENTRIES):
        entry = start + tl.arange(0, ENTRIES)
        values = tl.load(logits + entry * heads, mask=entry < last, other=float("-inf"))
        peak = tl.maximum(peak, tl.max(values, 0))
    total = 0.0
    for start in range(first, last, ENTRIES):
        entry = start + tl.arange(0, ENTRIES)
        values = tl.load(logits + entry * heads, mask=entry < last, other=float("-inf"))
        total += tl.sum(tl.where(entry < last, exponential(values - peak), 0.0), 0)
    for start in range(first, last, ENTRIES):
        entry = start + tl.arange(0, ENTRIES)
        values = tl.load(logits + entry * heads, mask=entry < last, other=float("-inf"))
        share = tl.div_rn(exponential(values - peak), total + tl.zeros_like(values))
        tl.store(out + entry * heads, share, mask=entry < last)


@compiled
def soften_backward(
    rowptr: tl.tensor,
    shares: tl.tensor,
    gradient: tl.tensor,
    out: tl.tensor,
    entries: tl.tensor,
    heads: tl.tensor,
    ENTRIES: tl.constexpr,
) -> None:
    """Return ``p (g - Σ p g)`` over one row's entries, of one head."""
    row, head, member = tl.program_id(0), tl.program_id(1), tl.program_id(2).to(tl.int64)
    shares += member * entries * heads + head
    gradient += member * entries * heads + head
    out += member * entries * heads + head
    first, last = tl.load(rowptr + row), tl.load(rowptr + row + 1)
    total = 0.0
    for start in range(first, last, ENTRIES):
        entry = start + tl.arange(0, ENTRIES)
        share = tl.load(shares + entry * heads, mask=entry < last, other=0.0)
        total += tl.sum(share * tl.load(gradient + entry * heads, mask=entry < last, other=0.0), 0)
    for start in range(first, last, ENTRIES):
        entry = start + tl.arange(0, ENTRIES)
        share = tl.load(shares + entry * heads, mask=entry < last, other=0.0)
        slope = tl.load(gradient + entry * heads, mask=entry < last, other=0.0) - total
        tl.store(out + entry * heads, share * slope, mask=entry < last)
