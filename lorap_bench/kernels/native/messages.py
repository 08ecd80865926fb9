"""Loops over messages, ``w_e x_{col(e)}`` for each entry e of a pattern: a block at a time, never all at once.

Arrays are one member's: what is ``sent`` are x ``[columns, d]``, weight ``[E]`` or empty (ones), and the column of each
entry; hidden ``[columns]`` or empty. A block of messages is made in the cache, quantized or looked at there by vector
code, and summed or forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lorap_bench.kernels.native.compiled import BLOCK, compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Integers = NDArray[np.int32]
    Indices = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Sent = tuple[Floats, Floats, Integers]
    Turned = tuple[Integers, Indices]
    Grid = tuple[Any, Any, Any, Any]

__all__ = ["count_equal", "extremes", "in_sight", "sample", "sum_gradients", "sum_quantized", "tails"]

_ZERO, _ONE = np.float32(0), np.float32(1)
_TOP, _BOTTOM, _NAN = np.int32(0x7F800000), np.int32(-0x7F800001), np.int32(0x7FC00000)
_SCAN = 32  # values the scan for a tail looks at together
_STRIDE = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio


@compiled
def in_sight(col: Integers, hidden: Flags, out: Indices) -> int:
    """Write the entries that no hidden node sends; return how many."""
    found = 0
    for e in range(col.size):
        out[found] = e
        found += not hidden[col[e]]
    return found


@compiled
def _fill(sent: Sent, entries: Indices, out: Floats) -> None:
    """Write the messages of some entries one after another."""
    x, weight, col = sent
    width = x.shape[1]
    for b in range(entries.size):
        e = entries[b]
        source, target = x[col[e]], out[b * width : (b + 1) * width]
        if weight.size > 0:
            factor = weight[e]
            for c in range(width):
                target[c] = source[c] * factor
        else:
            for c in range(width):
                target[c] = source[c]


@compiled
def _rows(width: int) -> int:
    """Return how many messages make a block."""
    return max(1, 2 * BLOCK // max(width, 1))


@compiled
def sample(sent: Sent, entries: Indices, out: Floats) -> bool:
    """Write evenly spread values of the messages; False, unfinished, where one is NaN."""
    x, weight, col = sent
    width = np.uint64(x.shape[1])
    count = np.uint64(entries.size) * width
    for i in range(out.size):
        spread = np.uint64(i) * _STRIDE >> np.uint64(32)
        place = spread * count >> np.uint64(32)
        e = entries[np.int64(place // width)]
        out[i] = x[col[e], np.int64(place % width)] * (weight[e] if weight.size > 0 else _ONE)
        if np.isnan(out[i]):
            return False
    return True


@compiled
def _collect(block: Floats, low: Any, high: Any, tails: tuple[Floats, Floats], found: Any) -> Any:
    """Add a block's values under ``low`` and over ``high`` to those found so far; -1 found where one is NaN."""
    (under, over), (below, above) = found, tails
    for start in range(0, block.size, _SCAN):
        part = block[start : min(start + _SCAN, block.size)]
        outside = np.int32(0)
        for i in range(part.size):
            # Not "or" of the opposites: a NaN must not look as if it lay between.
            outside |= np.int32(0) if (part[i] >= low) & (part[i] <= high) else np.int32(1)
        if outside == 0:
            continue
        numbers = True
        for i in range(part.size):
            value = part[i]
            below[under] = value
            above[over] = value
            under += value < low
            over += value > high
            numbers &= not np.isnan(value)
        if not numbers:
            return -1, -1
    return under, over


@compiled
def tails(sent: Sent, entries: Indices, bounds: tuple[Any, Any], out: tuple[Floats, Floats]) -> Any:
    """Write the messages' values under and over two bounds; return how many, -1 where one is NaN or all do not fit."""
    width = sent[0].shape[1]
    size = _rows(width)
    room = min(out[0].size, out[1].size) - size * width - 1
    block = np.empty(size * width, np.float32)
    found = 0, 0
    for start in range(0, entries.size, size):
        chosen = entries[start : start + size]
        _fill(sent, chosen, block)
        found = _collect(block[: chosen.size * width], bounds[0], bounds[1], out, found)
        if found[0] < 0 or max(found[0], found[1]) > room:
            return -1, -1
    return found


@compiled
def count_equal(sent: Sent, entries: Indices, value: Any, wanted: int) -> int:
    """Count the messages' values that equal one, up to about as many as wanted."""
    width = sent[0].shape[1]
    size = _rows(width)
    block = np.empty(size * width, np.float32)
    found = 0
    for start in range(0, entries.size, size):
        chosen = entries[start : start + size]
        _fill(sent, chosen, block)
        for i in range(chosen.size * width):
            found += block[i] == value
        if found >= wanted:
            break
    return found


@compiled
def extremes(sent: Sent, entries: Indices, out: Integers) -> None:
    """Write the smallest and the largest message value as the bits of floats; NaN where one is."""
    width = sent[0].shape[1]
    size = _rows(width)
    block = np.empty(size * width, np.float32)
    bits = block.view(np.int32)
    low, high = _TOP, _BOTTOM
    for start in range(0, entries.size, size):
        chosen = entries[start : start + size]
        _fill(sent, chosen, block)
        for i in range(chosen.size * width):
            key = _key(bits[i])
            low = min(low, key)
            high = max(high, key)
    broken = (low < _BOTTOM) | (high > _TOP)
    out[0], out[1] = _NAN if broken else _key(low), _NAN if broken else _key(high)


@compiled
def _key(bits: Any) -> Any:
    """Map a float's bits to an integer of the same order, as ``order`` does."""
    return np.int32(bits ^ ((bits >> np.int32(31)) & np.int32(0x7FFFFFFF)))


@compiled
def sum_quantized(sent: Sent, row: Indices, grid: Grid, hidden: Flags, out: Floats) -> None:
    """Quantize each message but those of hidden nodes, and add it to its row of ``out``, which is zero before.

    Shape: row of each entry ``[E]``; grid: scale, zero, smallest and largest code; out ``[rows, d]``.
    """
    scale, zero, low, high = grid
    col, width = sent[2], sent[0].shape[1]
    size = _rows(width)
    plain, quantized = np.empty(size * width, np.float32), np.empty(size * width, np.float32)
    entries = np.arange(col.size)
    for start in range(0, col.size, size):
        chosen = entries[start : start + size]
        _fill(sent, chosen, plain)
        for i in range(chosen.size * width):
            nearest = np.rint(plain[i] / scale + zero)
            quantized[i] = (np.minimum(np.maximum(low, nearest), high) - zero) * scale
        for b in range(chosen.size):
            e = start + b
            passes = hidden.size > 0 and hidden[col[e]]
            source, target = plain if passes else quantized, out[row[e]]
            for c in range(width):
                target[c] += source[b * width + c]


@compiled
def sum_gradients(sent: Sent, turned: Turned, grid: Grid, hidden: Flags, gradients: tuple[Floats, Floats]) -> None:
    """Add to each node of ``to_x``, which is zero before, the gradients of what it sends, but where they are clipped.

    Shape: turned: row and number of each entry in the transpose's order ``[E]``; grid as in ``sum_quantized``;
    gradients: the incoming one ``[rows, d]``, to_x ``[columns, d]``.
    """
    row, order = turned
    scale, zero, low, high = grid
    weight, col, width = sent[1], sent[2], sent[0].shape[1]
    size = _rows(width)
    slope = np.empty(size * width, np.float32)
    for start in range(0, row.size, size):
        chosen = order[start : start + size]
        _fill(sent, chosen, slope)
        for i in range(chosen.size * width):
            code = np.rint(slope[i] / scale + zero)
            slope[i] = _ONE if (code > low) & (code < high) else _ZERO
        for b in range(chosen.size):
            e = chosen[b]
            source, target, factor = gradients[0][row[start + b]], gradients[1][col[e]], weight[e]
            if hidden.size > 0 and hidden[col[e]]:
                for c in range(width):
                    target[c] += source[c] * factor
            else:
                for c in range(width):
                    target[c] += source[c] * slope[b * width + c] * factor
