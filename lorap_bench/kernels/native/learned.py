"""Loops of the quantizers whose parameters learn: values, and the gradients of all inputs in one pass.

Arrays are ``[S, n]``; a parameter is ``[S, R or 1, C or 1]`` for x of R rows of C values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lorap_bench.kernels.native.compiled import BLOCK, compiled, reordered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

__all__ = ["affine_backward", "affine_forward", "step_backward", "step_forward"]

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)


@compiled
def _spread(parameter: Floats, out: Floats, start: int, width: int) -> None:
    """Repeat a member's parameter ``[R or 1, C or 1]`` over the values of the block that begins at ``start``."""
    by_row, by_column = parameter.shape[0] > 1, parameter.shape[1] > 1
    if start > 0 and not by_row:
        return  # the member's first block has filled it
    # Indices in place of slices: a slice a row costs more than the row.
    for r in range(out.size // width):
        row, first = start // width + r if by_row else 0, r * width
        if by_column:
            for i in range(width):
                out[first + i] = parameter[row, i]
        else:
            value = parameter[row, 0]
            for i in range(width):
                out[first + i] = value


@compiled
def _rows(count: int, width: int) -> Any:
    """Rows a block holds: at least one, at most all."""
    return min(max(1, BLOCK // width), count // width)


@compiled
def _sign(value: Any) -> Any:
    return (_ONE if value > _ZERO else _ZERO) - (_ONE if value < _ZERO else _ZERO)


@compiled
def step_forward(x: Floats, out: Floats, parameters: tuple[Floats, Floats], width: int) -> None:
    """Quantize with a step and a largest code: ``s sign(x) min(floor(|x| / s + 1/2), Q)``."""
    steps, tops = parameters
    members, count = x.shape
    rows = _rows(count, width)
    step, top = np.empty(rows * width, np.float32), np.empty(rows * width, np.float32)
    for m in range(members):
        for start in range(0, count, rows * width):
            stop = min(start + rows * width, count)
            _spread(steps[m], step[: stop - start], start, width)
            _spread(tops[m], top[: stop - start], start, width)
            source, target = x[m, start:stop], out[m, start:stop]
            for i in range(source.size):
                code = np.floor(abs(source[i] / step[i]) + _HALF)
                # NumPy's minimum passes a NaN on, as torch's does; Python's does not.
                size = abs(np.minimum(code, top[i]) * step[i])
                target[i] = -size if source[i] < _ZERO else size


@reordered
def _collect(summands: Floats, out: Floats, start: int, width: int) -> None:
    """Add a block's summands to what shares a parameter: ``[R or 1, C or 1]``."""
    by_row, by_column = out.shape[0] > 1, out.shape[1] > 1
    if not (by_row or by_column):
        total = _ZERO
        for value in summands:
            total += value
        out[0, 0] += total
        return
    for r in range(summands.size // width):
        row, first = start // width + r if by_row else 0, r * width
        if by_column:
            for i in range(width):
                out[row, i] += summands[first + i]
        else:
            total = _ZERO
            for i in range(width):
                total += summands[first + i]
            out[row, 0] += total


@compiled
def _mark(x: Floats, block: tuple[Floats, Floats, Floats]) -> None:
    """Write 1 where x is within reach of the codes, else 0; ``block`` is step, top and where to write."""
    step, top, inside = block
    for i in range(x.size):
        inside[i] = _ONE if abs(x[i]) <= step[i] * top[i] else _ZERO


@compiled
def _weigh(values: tuple[Floats, Floats, Floats], local: bool, slope: Floats) -> None:
    """Multiply by the incoming gradient, or with ``local`` by that of the quantizer's own error."""
    incoming, x, quantized = values
    if local:
        for i in range(x.size):
            slope[i] *= _sign(quantized[i] - x[i])
    else:
        for i in range(x.size):
            slope[i] *= incoming[i]


@compiled
def _step_slopes(
    values: tuple[Floats, Floats, Floats], block: tuple[Floats, Floats, Floats], local: bool, slope: Floats
) -> None:
    _, x, quantized = values
    step, top, inside = block
    # The division has a loop of its own: one that a choice may skip is no vector code.
    for i in range(x.size):
        slope[i] = (quantized[i] - x[i]) / step[i]
    for i in range(x.size):
        slope[i] = slope[i] if inside[i] > _ZERO else _sign(x[i]) * top[i]
    _weigh(values, local, slope)


@compiled
def _top_slopes(
    values: tuple[Floats, Floats, Floats], block: tuple[Floats, Floats, Floats], local: bool, slope: Floats
) -> None:
    x, step, inside = values[1], block[0], block[2]
    for i in range(x.size):
        slope[i] = _ZERO if inside[i] > _ZERO else _sign(x[i]) * step[i]
    _weigh(values, local, slope)


@compiled
def step_backward(
    values: tuple[Floats, Floats, Floats],
    parameters: tuple[Floats, Floats],
    gradients: tuple[Floats, Floats, Floats],
    width: int,
    local: bool,
) -> None:
    """Fill the gradient of x and add up those of step and top, each where its array is not empty.

    Args:
        values: incoming gradient, x, quantized x.
        parameters: step, top.
        gradients: to x; to step and to top, shaped as they are and zero before.
        width: values a row.
        local: weigh by ``sign(x_q - x)`` in place of the incoming gradient.
    """
    incoming, x, quantized = values
    steps, tops = parameters
    to_x, to_step, to_top = gradients
    members, count = x.shape
    rows = _rows(count, width)
    step, top = np.empty(rows * width, np.float32), np.empty(rows * width, np.float32)
    inside, slope = np.empty(rows * width, np.float32), np.empty(rows * width, np.float32)
    for m in range(members):
        for start in range(0, count, rows * width):
            stop = min(start + rows * width, count)
            size = stop - start
            _spread(steps[m], step[:size], start, width)
            _spread(tops[m], top[:size], start, width)
            block = incoming[m, start:stop], x[m, start:stop], quantized[m, start:stop]
            here = step[:size], top[:size], inside[:size]
            _mark(block[1], here)
            if to_x.size > 0:
                g, target = block[0], to_x[m, start:stop]
                for i in range(size):
                    target[i] = g[i] * inside[i]
            if to_step.size > 0:
                _step_slopes(block, here, local, slope[:size])
                _collect(slope[:size], to_step[m], start, width)
            if to_top.size > 0:
                _top_slopes(block, here, local, slope[:size])
                _collect(slope[:size], to_top[m], start, width)


@compiled
def affine_forward(
    x: Floats, out: Floats, parameters: tuple[Floats, Floats], ends: tuple[Floats, Floats], width: int
) -> None:
    """Quantize with a scale and a zero point; ``ends`` are the smallest and largest code ``[S]``."""
    scales, zeros = parameters
    members, count = x.shape
    rows = _rows(count, width)
    scale, zero = np.empty(rows * width, np.float32), np.empty(rows * width, np.float32)
    for m in range(members):
        low, high = ends[0][m], ends[1][m]
        for start in range(0, count, rows * width):
            stop = min(start + rows * width, count)
            _spread(scales[m], scale[: stop - start], start, width)
            _spread(zeros[m], zero[: stop - start], start, width)
            source, target = x[m, start:stop], out[m, start:stop]
            for i in range(source.size):
                code = np.rint(source[i] / scale[i] + zero[i])
                code = np.minimum(np.maximum(low, code), high)
                target[i] = (code - zero[i]) * scale[i]


@compiled
def affine_backward(
    values: tuple[Floats, Floats],
    parameters: tuple[Floats, Floats],
    ends: tuple[Floats, Floats, Floats],
    gradients: tuple[Floats, Floats, Floats],
    width: int,
) -> None:
    """Fill the gradient of x and add up those of scale and zero, each where its array is not empty.

    Args:
        values: incoming gradient, x.
        parameters: scale, zero.
        ends: smallest code, largest code, factor of the parameters' gradients, ``[S]`` each.
        gradients: to x; to scale and to zero, shaped as they are and zero before.
        width: values a row.
    """
    incoming, x = values
    scales, zeros = parameters
    to_x, to_scale, to_zero = gradients
    members, count = x.shape
    rows = _rows(count, width)
    scale, zero = np.empty(rows * width, np.float32), np.empty(rows * width, np.float32)
    place, slope = np.empty(rows * width, np.float32), np.empty(rows * width, np.float32)
    for m in range(members):
        low, high, factor = ends[0][m], ends[1][m], ends[2][m]
        for start in range(0, count, rows * width):
            stop = min(start + rows * width, count)
            _spread(scales[m], scale[: stop - start], start, width)
            _spread(zeros[m], zero[: stop - start], start, width)
            g, v = incoming[m, start:stop], x[m, start:stop]
            for i in range(g.size):
                place[i] = v[i] / scale[i] + zero[i]
            if to_x.size > 0:
                target = to_x[m, start:stop]
                for i in range(g.size):
                    target[i] = g[i] * (_ONE if (place[i] >= low) & (place[i] <= high) else _ZERO)
            if to_scale.size > 0:
                for i in range(g.size):
                    outer = (low if place[i] < low else high) - zero[i]
                    inner = np.rint(place[i]) - place[i]
                    slope[i] = (inner if (place[i] >= low) & (place[i] <= high) else outer) * g[i] * factor
                _collect(slope[: g.size], to_scale[m], start, width)
            if to_zero.size > 0:
                for i in range(g.size):
                    slope[i] = (_ZERO if (place[i] >= low) & (place[i] <= high) else -scale[i]) * g[i] * factor
                _collect(slope[: g.size], to_zero[m], start, width)
