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
    if start > 0 and parameter.shape[0] == 1:
        return  # the member's first block has filled it
    for r in range(out.size // width):
        values = parameter[start // width + r] if parameter.shape[0] > 1 else parameter[0]
        row = out[r * width : (r + 1) * width]
        for i in range(width):
            row[i] = values[i] if values.size > 1 else values[0]


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
def _total(summands: Floats) -> Any:
    total = _ZERO
    for value in summands:
        total += value
    return total


@compiled
def _collect(summands: Floats, out: Floats, start: int, width: int) -> None:
    """Add a block's summands to what shares a parameter: ``[R or 1, C or 1]``."""
    if out.size == 1:
        out[0, 0] += _total(summands)
        return
    for r in range(summands.size // width):
        row = summands[r * width : (r + 1) * width]
        target = out[start // width + r] if out.shape[0] > 1 else out[0]
        if target.size == 1:
            target[0] += _total(row)
        else:
            for i in range(width):
                target[i] += row[i]


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
    weight, slope = np.empty(rows * width, np.float32), np.empty(rows * width, np.float32)
    for m in range(members):
        for start in range(0, count, rows * width):
            stop = min(start + rows * width, count)
            size = stop - start
            _spread(steps[m], step[:size], start, width)
            _spread(tops[m], top[:size], start, width)
            g, v, q = incoming[m, start:stop], x[m, start:stop], quantized[m, start:stop]
            for i in range(size):
                weight[i] = _sign(q[i] - v[i]) if local else g[i]
            if to_x.size > 0:
                target = to_x[m, start:stop]
                for i in range(size):
                    target[i] = g[i] * (_ONE if abs(v[i]) <= step[i] * top[i] else _ZERO)
            if to_step.size > 0:
                for i in range(size):
                    inner, outer = (q[i] - v[i]) / step[i], _sign(v[i]) * top[i]
                    slope[i] = (inner if abs(v[i]) <= step[i] * top[i] else outer) * weight[i]
                _collect(slope[:size], to_step[m], start, width)
            if to_top.size > 0:
                for i in range(size):
                    outer = _sign(v[i]) * step[i]
                    slope[i] = (_ZERO if abs(v[i]) <= step[i] * top[i] else outer) * weight[i]
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
