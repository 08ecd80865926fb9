"""Loops over values that no gradient but the input's is asked of: a fixed grid, dropout, their random bits.

Arrays are ``[S, n]``, one member a row. A block of rows of x is finished before the next is begun: each line
of a formula is one simple loop that the compiler turns into vector instructions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lorap_bench.kernels.native.compiled import BLOCK, compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Integers = NDArray[np.int32]
    Flags = NDArray[np.bool_]

__all__ = ["NEAREST", "NOISE", "STOCHASTIC", "drop", "fake_quantize", "mask", "restore"]

# How a place becomes a code: rounded to nearest, rounded down after noise, shifted by noise.
NEAREST, STOCHASTIC, NOISE = 0, 1, 2

_ZERO, _HALF, _ULP = np.float32(0), np.float32(0.5), np.float32(2.0**-24)
_SMALLEST_SCALE = np.float32(2.0**-23)


@compiled
def _bits(index: Any, first: Any, second: Any) -> Any:
    """Hash a counter under two keys, as ``random.counter_bits`` does."""
    bits = np.uint32(index) ^ first
    bits = np.uint32(bits ^ (bits >> np.uint32(16)))
    bits = np.uint32(bits * np.uint32(0x7FEB352D))
    bits = np.uint32(bits ^ (bits >> np.uint32(15)))
    bits = np.uint32(bits + second)
    bits = np.uint32(bits * np.uint32(0x846CA68B))
    return np.uint32(bits ^ (bits >> np.uint32(16)))


@compiled
def _round(code: Floats, mode: int, start: int, keys: Integers) -> None:
    """Round one block's places in turn; ``start`` is the number of its first element in the member."""
    if mode == NEAREST:
        for i in range(code.size):
            code[i] = np.rint(code[i])
        return
    first, second = np.uint32(keys[0]), np.uint32(keys[1])
    if mode == STOCHASTIC:
        for i in range(code.size):
            noise = np.float32(np.int32(_bits(start + i, first, second) >> np.uint32(8))) * _ULP
            code[i] = np.floor(code[i] + noise)
    else:
        for i in range(code.size):
            noise = np.float32(np.int32(_bits(start + i, first, second) >> np.uint32(8))) * _ULP
            code[i] = (code[i] + noise) - _HALF


@compiled
def _compare(code: Floats, low: Any, high: Any, inside: Flags) -> None:
    for i in range(code.size):
        inside[i] = (code[i] > low) & (code[i] < high)


@compiled
def _dequantize(code: Floats, scale: Floats, zero: Floats, low: Any, high: Any) -> None:
    # NumPy's minimum and maximum pass a NaN on, as torch's do; Python's do not. Of two zeros the end's is kept.
    for i in range(code.size):
        code[i] = (np.minimum(np.maximum(low, code[i]), high) - zero[i]) * scale[i]


@compiled
def _grid(limits: tuple[Floats, Floats], ends: tuple[Any, Any], symmetric: bool, out: tuple[Floats, Floats]) -> None:
    """Write scale and zero of each of K ranges, again and again; as ``straight_through.affine_grid`` computes them."""
    period = limits[0].size
    qmin, qmax = ends
    for c in range(period):
        low, high = np.minimum(limits[0][c], _ZERO), np.maximum(limits[1][c], _ZERO)
        if symmetric:
            scale, zero = np.maximum(np.maximum(-low, high) / qmax, _SMALLEST_SCALE), _ZERO
        else:
            scale = np.maximum((high - low) / (qmax - qmin), _SMALLEST_SCALE)
            zero = np.minimum(np.maximum(np.rint(qmin - low / scale), qmin), qmax)
        for i in range(c, out[0].size, period):
            out[0][i], out[1][i] = scale, zero


@compiled
def fake_quantize(
    x: Floats, out: Floats, inside: Flags, ranges: tuple[Floats, Floats, Floats, Floats, bool], noise: Any
) -> None:
    """Quantize to ``out``; ``inside``, if not empty, becomes where the unclamped code is strictly within.

    Shape: x, out, inside ``[S, n]``; ranges: limits, two of ``[S, K]``, K the period along n, smallest and largest
    code ``[S]``, whether codes are symmetric; noise: how to round and keys ``[S, 2]``, not looked at for ``NEAREST``.
    """
    mode, keys = noise
    least, most, lows, highs, symmetric = ranges
    members, count = x.shape
    period = least.shape[1]
    length = max(period, BLOCK // period * period)
    scale, zero = np.empty(length, np.float32), np.empty(length, np.float32)
    for m in range(members):
        low, high = lows[m], highs[m]
        _grid((least[m], most[m]), (low, high), symmetric, (scale, zero))
        for start in range(0, count, length):
            stop = min(start + length, count)
            source, code = x[m, start:stop], out[m, start:stop]
            if mode == NEAREST and inside.size == 0:
                # The commonest case, in one loop: a quarter faster than the three below.
                for i in range(code.size):
                    nearest = np.rint(source[i] / scale[i] + zero[i])
                    code[i] = (np.minimum(np.maximum(low, nearest), high) - zero[i]) * scale[i]
                continue
            for i in range(code.size):
                code[i] = source[i] / scale[i] + zero[i]
            _round(code, mode, start, keys[min(m, keys.shape[0] - 1)])
            if inside.size > 0:
                _compare(code, low, high, inside[m, start:stop])
            _dequantize(code, scale, zero, low, high)


@compiled
def restore(x: Floats, out: Floats, inside: Flags, hidden: Flags) -> None:
    """Copy the hidden rows of x to ``out`` and mark them inside.

    Shape: x, out, inside (or empty) ``[S, n]``; hidden ``[S, N]``, N rows of n / N values each.
    """
    members, rows = hidden.shape
    width = x.shape[1] // rows
    for m in range(members):
        for r in range(rows):
            if hidden[m, r]:
                for i in range(r * width, (r + 1) * width):
                    out[m, i] = x[m, i]
                if inside.size > 0:
                    for i in range(r * width, (r + 1) * width):
                        inside[m, i] = True


@compiled
def mask(gradient: Floats, inside: Flags, factors: Floats, out: Floats) -> None:
    """Multiply by the member's factor where inside, by zero elsewhere (a NaN stays one).

    Shape: gradient, inside, out ``[S, n]``; factors ``[S]``.
    """
    members, count = gradient.shape
    for m in range(members):
        factor, source, where, target = factors[m], gradient[m], inside[m], out[m]
        for i in range(count):
            target[i] = source[i] * (factor if where[i] else _ZERO)


@compiled
def drop(x: Floats, out: Floats, kept: Flags, rates: tuple[Integers, Integers, Floats], relu: bool) -> None:
    """Scale the values that are kept (and positive), zero the others; ``kept``, if not empty, becomes which.

    Shape: x, out, kept ``[S, n]``; rates: thresholds ``[S]``, keys ``[S, 2]``, factors ``[S]``.
    """
    thresholds, keys, factors = rates
    members, count = x.shape
    scratch = np.empty(BLOCK, np.bool_)
    for m in range(members):
        first, second = np.uint32(keys[m, 0]), np.uint32(keys[m, 1])
        threshold, factor = thresholds[m], factors[m]
        for start in range(0, count, BLOCK):
            stop = min(start + BLOCK, count)
            source, target = x[m, start:stop], out[m, start:stop]
            keep = kept[m, start:stop] if kept.size > 0 else scratch[: stop - start]
            for i in range(source.size):
                keep[i] = np.int32(_bits(start + i, first, second)) >= threshold
            if relu:
                for i in range(source.size):
                    keep[i] &= source[i] > _ZERO
            for i in range(source.size):
                target[i] = source[i] * (factor if keep[i] else _ZERO)
