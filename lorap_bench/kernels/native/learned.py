"""Loops of the quantizers whose parameters learn: values, and the summands of each parameter's gradient.

Arrays are ``[S, n]``; a parameter is ``[S, R or 1, C or 1]`` for x of R rows of C values. The sums over what
shares a parameter are torch's, so that they add in the reference's order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lorap_bench.kernels.native.compiled import BLOCK, compiled

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


@compiled
def step_backward(
    values: tuple[Floats, Floats, Floats],
    parameters: tuple[Floats, Floats],
    gradients: tuple[Floats, Floats, Floats],
    width: int,
    local: bool,
) -> None:
    """Fill the gradient of x and the summands of those of step and top, each where its array is not empty.

    Args:
        values: incoming gradient, x, quantized x.
        parameters: step, top.
        gradients: to x, to step, to top.
        width: values a row.
        local: weigh by ``sign(x_q - x)`` in place of the incoming gradient.
    """
    incoming, x, quantized = values
    steps, tops = parameters
    to_x, to_step, to_top = gradients
    members, count = x.shape
    rows = _rows(count, width)
    step, top = np.empty(rows * width, np.float32), np.empty(rows * width, np.float32)
    weight = np.empty(rows * width, np.float32)
    for m in range(members):
        for start in range(0, count, rows * width):
            stop = min(start + rows * width, count)
            _spread(steps[m], step[: stop - start], start, width)
            _spread(tops[m], top[: stop - start], start, width)
            g, v, q = incoming[m, start:stop], x[m, start:stop], quantized[m, start:stop]
            for i in range(g.size):
                weight[i] = _sign(q[i] - v[i]) if local else g[i]
            if to_x.size > 0:
                target = to_x[m, start:stop]
                for i in range(g.size):
                    target[i] = g[i] * (_ONE if abs(v[i]) <= step[i] * top[i] else _ZERO)
            if to_step.size > 0:
                target = to_step[m, start:stop]
                for i in range(g.size):
                    inner, outer = (q[i] - v[i]) / step[i], _sign(v[i]) * top[i]
                    target[i] = (inner if abs(v[i]) <= step[i] * top[i] else outer) * weight[i]
            if to_top.size > 0:
                target = to_top[m, start:stop]
                for i in range(g.size):
                    outer = _sign(v[i]) * step[i]
                    target[i] = (_ZERO if abs(v[i]) <= step[i] * top[i] else outer) * weight[i]


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
    """Fill the gradient of x and the summands of those of scale and zero, each where its array is not empty.

    Args:
        values: incoming gradient, x.
        parameters: scale, zero.
        ends: smallest code, largest code, factor of the parameters' gradients, ``[S]`` each.
        gradients: to x, to scale, to zero.
        width: values a row.
    """
    incoming, x = values
    scales, zeros = parameters
    to_x, to_scale, to_zero = gradients
    members, count = x.shape
    rows = _rows(count, width)
    scale, zero = np.empty(rows * width, np.float32), np.empty(rows * width, np.float32)
    place = np.empty(rows * width, np.float32)
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
                target = to_scale[m, start:stop]
                for i in range(g.size):
                    outer = (low if place[i] < low else high) - zero[i]
                    slope = np.rint(place[i]) - place[i] if (place[i] >= low) & (place[i] <= high) else outer
                    target[i] = slope * g[i] * factor
            if to_zero.size > 0:
                target = to_zero[m, start:stop]
                for i in range(g.size):
                    slope = _ZERO if (place[i] >= low) & (place[i] <= high) else -scale[i]
                    target[i] = slope * g[i] * factor
