"""Order statistics: the ends of a member's values, and its k-th smallest and largest, both exact.

Percentiles read the values once. A sample suggests a bound on each tail, a vector scan finds the few values
beyond, and a selection among those finds the order statistic; the result does not depend on the sample, which
decides only what is looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lorap_bench.kernels.native.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Integers = NDArray[np.int32]
    Flags = NDArray[np.bool_]

__all__ = ["channel_range", "percentiles", "select", "value_range"]

# As integers in the order of the floats (see _key): infinity and its negative; what lies beyond is not a number.
_TOP, _BOTTOM = np.int32(0x7F800000), np.int32(-0x7F800001)
_NAN = np.int32(0x7FC00000)

_SCAN = 32  # values the scan for a tail looks at together
_SAMPLE = 512, 8192  # fewest and most values that suggest a bound
_STRIDE = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: multiples spread evenly whatever the row width


@compiled
def _key(bits: Any) -> Any:
    """Map a float's bits to an integer of the same order: minimum and maximum of integers are vector code."""
    return np.int32(bits ^ ((bits >> np.int32(31)) & np.int32(0x7FFFFFFF)))


@compiled
def _write(low: Any, high: Any, out: Integers) -> None:
    """Write two keys as the bits of floats, or of NaNs where one is none."""
    broken = (low < _BOTTOM) | (high > _TOP)
    out[0], out[1] = _NAN if broken else _key(low), _NAN if broken else _key(high)


@compiled
def _extend(bits: Integers, low: Any, high: Any) -> Any:
    for i in range(bits.size):
        key = _key(bits[i])
        low = min(low, key)
        high = max(high, key)
    return low, high


@compiled
def value_range(bits: Integers, hidden: Flags, out: Integers) -> None:
    """Write each member's smallest and largest value outside the hidden rows; a NaN makes both NaN.

    Shape: bits ``[S, n]``, the floats' bits; hidden ``[S, N]`` or empty; out ``[2, S]``, bits too.
    """
    members, count = bits.shape
    for m in range(members):
        low, high = _TOP, _BOTTOM
        if hidden.size == 0:
            low, high = _extend(bits[m], low, high)
        else:
            rows = hidden.shape[1]
            width = count // rows
            r = 0
            while r < rows:
                end = _run(hidden[m], r)
                low, high = _extend(bits[m, r * width : end * width], low, high)
                r = end + 1
        _write(low, high, out[:, m])


@compiled
def _run(hidden: Flags, start: int) -> Any:
    """Return the end of the run of rows in sight that begins at ``start`` (``start`` itself if it is hidden)."""
    end = start
    while end < hidden.size and not hidden[end]:
        end += 1
    return end


@compiled
def channel_range(bits: Integers, out: Integers) -> None:
    """Write each channel's smallest and largest value; a NaN makes both NaN.

    Shape: bits ``[S, R, C]``, the floats' bits; out ``[2, S, C]``, bits too.
    """
    members, rows, channels = bits.shape
    low, high = np.empty(channels, np.int32), np.empty(channels, np.int32)
    for m in range(members):
        for c in range(channels):
            low[c], high[c] = _TOP, _BOTTOM
        for r in range(rows):
            row = bits[m, r]
            for c in range(channels):
                key = _key(row[c])
                low[c] = min(low[c], key)
                high[c] = max(high[c], key)
        for c in range(channels):
            _write(low[c], high[c], out[:, m, c])


@compiled
def select(values: Floats, place: Any) -> Any:
    """Return the value that sorting would bring to ``place``, reordering ``values`` (Hoare's selection)."""
    first, last = 0, values.size - 1
    while first < last:
        middle = values[(first + last) // 2]
        i, j = first, last
        while i <= j:
            while values[i] < middle:
                i += 1
            while values[j] > middle:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if place <= j:
            last = j
        elif place >= i:
            first = i
        else:
            return values[place]
    return values[place]


@compiled
def _seen(x: Floats, hidden: Flags, out: Floats) -> Any:
    """Return the values of the rows in sight, moved together in ``out`` where some are hidden."""
    if hidden.size == 0:
        return x
    width = x.size // hidden.size
    filled, r = 0, 0
    while r < hidden.size:
        end = _run(hidden, r)
        length = (end - r) * width
        for i in range(length):
            out[filled + i] = x[r * width + i]
        filled, r = filled + length, end + 1
    return out[:filled]


@compiled
def _bounds(x: Floats, rank: int) -> Any:
    """Suggest a bound on each tail such that at least ``rank`` values very likely lie at or beyond it."""
    size = min(x.size, max(_SAMPLE[0], min(_SAMPLE[1], x.size // 32)))
    sample = np.empty(size, np.float32)
    for i in range(size):
        spread = np.uint64(i) * _STRIDE >> np.uint64(32)
        sample[i] = x[np.int64(spread * np.uint64(x.size) >> np.uint64(32))]
        if np.isnan(sample[i]):
            return False, sample[i], sample[i]
    expected = rank * size / x.size
    place = np.int64(expected + 4 * np.sqrt(expected)) + 4
    if 2 * place >= size:
        return False, sample[0], sample[0]
    low = select(sample, place)
    return True, low, select(sample, size - 1 - place)


@compiled
def _tails(x: Floats, low: Any, high: Any, below: Floats, above: Floats) -> Any:
    """Collect the values under ``low`` and over ``high``; return how many, and whether all were numbers."""
    under, over, numbers = 0, 0, True
    for start in range(0, x.size, _SCAN):
        block = x[start : min(start + _SCAN, x.size)]
        outside = np.int32(0)
        for i in range(block.size):
            # Not "or" of the opposites: a NaN must not look as if it lay between.
            outside |= np.int32(0) if (block[i] >= low) & (block[i] <= high) else np.int32(1)
        if outside == 0:
            continue
        # Written first and counted after: a branch a value costs more than the store.
        for i in range(block.size):
            value = block[i]
            below[under] = value
            above[over] = value
            under += value < low
            over += value > high
            numbers &= not np.isnan(value)
    return under, over, numbers


@compiled
def _reaches(x: Floats, bound: Any, wanted: int) -> Any:
    """Whether at least ``wanted`` values equal ``bound``."""
    found = 0
    for value in x:
        found += value == bound
        if found >= wanted:
            return True
    return wanted <= 0


@compiled
def _ends(values: Floats, rank: Any, below: Floats, above: Floats) -> Any:
    """Return the ``rank``-th smallest and largest value, and whether all values are numbers."""
    likely, low, high = _bounds(values, rank)
    if likely:
        under, over, numbers = _tails(values, low, high, below, above)
        if not numbers:
            return low, high, False
        low_beyond, high_beyond = under >= rank, over >= rank
        # Ties at a bound (the zeros of a ReLU) can make it the answer itself.
        if (low_beyond or _reaches(values, low, rank - under)) and (high_beyond or _reaches(values, high, rank - over)):
            if low_beyond:
                low = select(below[:under], rank - 1)
            if high_beyond:
                high = select(above[:over], over - rank)
            return low, high, True
    numbers = True
    for i in range(values.size):
        below[i] = values[i]
        numbers &= not np.isnan(values[i])
    if numbers:
        low = select(below[: values.size], rank - 1)
        high = select(below[: values.size], values.size - rank)
    return low, high, numbers


@compiled
def percentiles(x: Floats, fractions: Any, hidden: Flags, out: Floats) -> bool:
    """Write each member's k-th smallest and largest value in sight; False, unfinished, where a value is NaN.

    Formula: k = max(1, floor(p n)) of n values in sight.

    Shape: x ``[S, n]``; fractions ``[S]`` float64; hidden ``[S, N]`` or empty ``[S, 0]``; out ``[2, S]``.
    """
    # One longer than what they may hold: the scan writes before it counts.
    below, above = np.empty(x.shape[1] + 1, np.float32), np.empty(x.shape[1] + 1, np.float32)
    moved = np.empty(x.shape[1] if hidden.size > 0 else 0, np.float32)
    for m in range(x.shape[0]):
        values = _seen(x[m], hidden[m], moved)
        if values.size == 0:
            out[0, m], out[1, m] = np.inf, -np.inf
            continue
        rank = max(1, np.int64(np.floor(fractions[m] * values.size)))
        low, high, numbers = _ends(values, rank, below, above)
        if not numbers:
            return False
        out[0, m], out[1, m] = low, high
    return True
