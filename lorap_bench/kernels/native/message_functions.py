"""The native loops over messages as functions of tensors: their range, and the sum of the quantized ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lorap_bench.kernels.native import messages as loops
from lorap_bench.kernels.native.compiled import BLOCK
from lorap_bench.kernels.native.functions import array
from lorap_bench.kernels.native.order import select
from lorap_bench.kernels.straight_through import affine_grid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from lorap_bench.kernels.interface import KnownRange, Messages

    Array = NDArray[Any]
    Sent = tuple[Array, Array, Array]

__all__ = ["extremes", "percentiles", "sum_quantized"]

_SAMPLE = 512, 8192  # fewest and most values that suggest a bound
_ROOM = 1 << 16  # values beyond a bound that are more than expected, at most


def extremes(messages: Messages, protected: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return each member's smallest and largest value."""
    out = torch.empty(2, messages.x.shape[0])
    for s, (sent, entries) in enumerate(_in_sight(messages, protected)):
        loops.extremes(sent, entries, out.numpy()[:, s].view(np.int32))
    return out[0], out[1]


def percentiles(messages: Messages, fractions: Tensor, protected: Tensor | None) -> tuple[Tensor, Tensor] | None:
    """Return each member's k-th smallest and largest value; None where they cannot be told from a few values.

    That is where some value is NaN, or a tail is not what a sample of it suggests.
    """
    out = torch.empty(2, messages.x.shape[0])
    for s, (sent, entries) in enumerate(_in_sight(messages, protected)):
        count = entries.size * sent[0].shape[1]
        found = (
            _ends(sent, entries, max(1, math.floor(fractions[s].item() * count))) if count else (math.inf, -math.inf)
        )
        if found is None:
            return None
        out[0, s], out[1, s] = found
    return out[0], out[1]


def sum_quantized(messages: Messages, known: KnownRange, protected: Tensor | None) -> Tensor:
    """Quantize each weighted message and sum those of each row; the gradient flows to x."""
    return cast("Tensor", _SumQuantized.apply(messages.x, messages, known, protected))  # type: ignore[no-untyped-call]  # torch leaves Function.apply untyped


class _SumQuantized(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, messages: Messages, known: KnownRange, protected: Tensor | None) -> Tensor:
        pattern = messages.pattern
        out = x.new_zeros(x.shape[0], pattern.shape[0], x.shape[2])
        grids = torch.stack([part.flatten() for part in affine_grid(x, known.limits, known.codes)])
        row = pattern.row.numpy()
        for s, sent in enumerate(_sent(messages)):
            loops.sum_quantized(sent, row, tuple(grids.numpy()[:, s]), _hidden(protected, s), out[s].numpy())
        ctx.messages, ctx.clipped = messages, known.clipped
        ctx.save_for_backward(x, messages.weight, grids, protected)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        x, _, grids, protected = ctx.saved_tensors
        pattern = ctx.messages.pattern
        if not ctx.clipped:  # every message passes its gradient, as those of protected nodes do
            protected = torch.ones(x.shape[:2], dtype=torch.bool)
        gradient, to_x = gradient.contiguous(), torch.zeros(x.shape)
        turned = pattern.t_col.numpy(), pattern.t_perm.numpy()
        for s, sent in enumerate(_sent(ctx.messages)):
            grid = tuple(grids.numpy()[:, s])
            loops.sum_gradients(sent, turned, grid, _hidden(protected, s), (gradient[s].numpy(), to_x[s].numpy()))
        return to_x, None, None, None


def _sent(messages: Messages) -> Iterator[Sent]:
    """Yield each member's messages as arrays."""
    members, rows, width = messages.x.shape
    x, col = array(messages.x, members, rows, width), messages.pattern.col.numpy()
    weight = np.empty((1, 0), np.float32)
    if messages.weight is not None:
        weight = array(messages.weight, messages.weight.shape[0], -1)
    for s in range(members):
        yield x[s], weight[s if len(weight) > 1 else 0], col


def _in_sight(messages: Messages, protected: Tensor | None) -> Iterator[tuple[Sent, Array]]:
    """Yield each member's messages with the entries that unprotected nodes send."""
    entries = np.arange(messages.pattern.entries)
    for s, sent in enumerate(_sent(messages)):
        chosen = entries
        if protected is not None:
            chosen = np.empty_like(entries)
            chosen = chosen[: loops.in_sight(sent[2], _hidden(protected, s), chosen)]
        yield sent, chosen


def _hidden(protected: Tensor | None, s: int) -> Array:
    return np.empty(0, np.bool_) if protected is None else array(protected, *protected.shape)[s]


def _ends(sent: Sent, entries: Array, rank: int) -> tuple[float, float] | None:
    """Return one member's ``rank``-th smallest and largest value, as ``order`` finds those of a tensor."""
    count = entries.size * sent[0].shape[1]
    size = min(count, max(_SAMPLE[0], min(_SAMPLE[1], count // 32)))
    values = np.empty(size, np.float32)
    expected = rank * size / count
    place = int(expected + 4 * math.sqrt(expected)) + 4
    if 2 * place >= size or not loops.sample(sent, entries, values):
        return None
    low, high = select(values, place), select(values, size - 1 - place)
    room = min(count, place * count // size + _ROOM) + 3 * BLOCK + sent[0].shape[1]
    below, above = np.empty(room, np.float32), np.empty(room, np.float32)
    under, over = loops.tails(sent, entries, (low, high), (below, above))
    if under < 0:
        return None
    ends = []
    for bound, beyond, tail, index in ((low, under, below, rank - 1), (high, over, above, over - rank)):
        if beyond >= rank:
            ends.append(select(tail[:beyond], index))
        # Ties at a bound (the zeros of a ReLU) can make it the answer itself.
        elif loops.count_equal(sent, entries, bound, rank - beyond) >= rank - beyond:
            ends.append(bound)
        else:
            return None
    return ends[0], ends[1]
