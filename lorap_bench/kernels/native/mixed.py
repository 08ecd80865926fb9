"""Loops of a relaxed choice: x is read once for all candidate widths, forward and backward.

Arrays are ``[S, n]``, parameters ``[S, B, C]`` for B candidates. Value i takes the parameters of column i modulo C,
or where values are entries of a sparse matrix those of ``column[i]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lorap_bench.kernels.native.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Integers = NDArray[np.int32]
    # share [S, B]; scale and zero [S, B, C]; smallest and largest code [S, B]
    Mixture = tuple[Floats, Floats, Floats, Floats, Floats]

__all__ = ["backward", "forward"]

_BLOCK = 256
_ZERO = np.float32(0)


@compiled
def _length(columns: int, gathered: bool) -> int:
    """Return how many values are worked on together: whole rows, where values come in rows."""
    return _BLOCK if gathered else max(columns, _BLOCK // columns * columns)


@compiled
def _spread(table: Floats, column: Integers, start: int, out: Floats) -> None:
    """Give each value of a block its parameters: table ``[B, C]`` → out ``[B, length]``."""
    candidates, columns = table.shape
    for b in range(candidates):
        row, target = table[b], out[b]
        if column.size > 0:
            for i in range(min(target.size, column.size - start)):
                target[i] = row[column[start + i]]
        else:
            for first in range(0, target.size, columns):
                for c in range(columns):
                    target[first + c] = row[c]


@compiled
def _gather(summands: Floats, column: Integers, start: int, count: int, out: Floats) -> None:
    """Add each value's summand to its column: summands ``[B, length]``, out ``[B, C]``."""
    candidates, columns = out.shape
    for b in range(candidates):
        row, target = summands[b], out[b]
        if column.size > 0:
            for i in range(count):
                target[column[start + i]] += row[i]
        else:
            for first in range(0, count, columns):
                for c in range(columns):
                    target[c] += row[first + c]


@compiled
def forward(x: Floats, out: Floats, mixture: Mixture, column: Integers) -> None:
    """Write ``Σ_b share_b (clamp(round(x / s_b + z_b)) - z_b) s_b``."""
    share, scales, zeros, lows, highs = mixture
    candidates, columns = scales.shape[1], scales.shape[2]
    members, count = x.shape
    length = _length(columns, column.size > 0)
    scale, zero = np.empty((candidates, length), np.float32), np.empty((candidates, length), np.float32)
    for m in range(members):
        for start in range(0, count, length):
            stop = min(start + length, count)
            if start == 0 or column.size > 0:
                _spread(scales[m], column, start, scale)
                _spread(zeros[m], column, start, zero)
            source, target = x[m, start:stop], out[m, start:stop]
            for b in range(candidates):
                part, low, high, s, z = share[m, b], lows[m, b], highs[m, b], scale[b], zero[b]
                for i in range(source.size):
                    code = np.minimum(np.maximum(low, np.rint(source[i] / s[i] + z[i])), high)
                    value = part * ((code - z[i]) * s[i])
                    target[i] = value if b == 0 else target[i] + value


@compiled
def _slopes(values: tuple[Floats, Floats], numbers: Any, parameters: Any, sums: Any) -> None:
    """Add one candidate's gradients over a block: to x, and to share, scale and zero value by value."""
    incoming, x = values
    part, low, high = numbers
    scale, zero = parameters
    to_x, to_share, to_scale, to_zero = sums
    for i in range(x.size):
        place = x[i] / scale[i] + zero[i]
        nearest = np.rint(place)
        code = np.minimum(np.maximum(low, nearest), high)
        inside = (place >= low) & (place <= high)
        slope = part * incoming[i]
        to_x[i] += slope if inside else slope * _ZERO
        to_share[i] += incoming[i] * ((code - zero[i]) * scale[i])
        to_scale[i] += (nearest - place if inside else code - zero[i]) * slope
        to_zero[i] += (_ZERO if inside else -scale[i]) * slope


@compiled
def backward(
    values: tuple[Floats, Floats], mixture: Mixture, column: Integers, gradients: tuple[Floats, Floats, Floats, Floats]
) -> None:
    """Fill the gradients of x ``[S, n]``, share ``[S, B]``, scale and zero ``[S, B, C]`` (all zero before).

    Args:
        values: incoming gradient, x.
        mixture: see ``forward``.
        column: see the module's text.
        gradients: to x, share, scale, zero; the last two without LSQ's factor.
    """
    incoming, x = values
    share, scales, zeros, lows, highs = mixture
    to_x, to_share, to_scale, to_zero = gradients
    candidates, columns = scales.shape[1], scales.shape[2]
    members, count = x.shape
    gathered = column.size > 0
    length = _length(columns, gathered)
    scale, zero = np.empty((candidates, length), np.float32), np.empty((candidates, length), np.float32)
    for m in range(members):
        shares, sums, shifts = (
            np.zeros((candidates, length), np.float32),
            np.zeros((candidates, length), np.float32),
            np.zeros((candidates, length), np.float32),
        )
        for start in range(0, count, length):
            stop = min(start + length, count)
            if start == 0 or gathered:
                _spread(scales[m], column, start, scale)
                _spread(zeros[m], column, start, zero)
            block = incoming[m, start:stop], x[m, start:stop]
            for b in range(candidates):
                numbers = share[m, b], lows[m, b], highs[m, b]
                _slopes(block, numbers, (scale[b], zero[b]), (to_x[m, start:stop], shares[b], sums[b], shifts[b]))
            if gathered:
                _gather(sums, column, start, stop - start, to_scale[m])
                _gather(shifts, column, start, stop - start, to_zero[m])
                sums[:] = _ZERO
                shifts[:] = _ZERO
        if not gathered:
            _gather(sums, column, 0, length, to_scale[m])
            _gather(shifts, column, 0, length, to_zero[m])
        for b in range(candidates):
            total = _ZERO
            for value in shares[b]:
                total += value
            to_share[m, b] = total
