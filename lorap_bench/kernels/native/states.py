"""Loops over what members keep from step to step: remembered ranges, and parameters with their moments.

Each would be a dozen tensor operations; those of a few numbers a member cost what being called costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lorap_bench.kernels.interface import ADAM_BETAS, ADAM_EPSILON
from lorap_bench.kernels.native.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Flags = NDArray[np.bool_]
    Pair = tuple[Floats, Floats]

__all__ = ["adam", "remember"]

_REST1, _BETA2, _REST2 = np.float32(1 - ADAM_BETAS[0]), np.float32(ADAM_BETAS[1]), np.float32(1 - ADAM_BETAS[1])
_EPSILON = np.float32(ADAM_EPSILON)


@compiled
def remember(state: tuple[Floats, Floats, Flags], current: Pair, momentum: Floats) -> None:
    """Merge ranges in place, by a momentum, or to the wider of both where that is empty; all ``[S]``."""
    low, high, seen = state
    for m in range(seen.size):
        if not current[0][m] <= current[1][m]:
            continue
        if not seen[m]:
            low[m], high[m], seen[m] = current[0][m], current[1][m], True
        elif momentum.size > 0:
            low[m] += momentum[m] * (current[0][m] - low[m])
            high[m] += momentum[m] * (current[1][m] - high[m])
        else:
            low[m], high[m] = np.minimum(low[m], current[0][m]), np.maximum(high[m], current[1][m])


@compiled
def adam(flat: Floats, gradient: Floats, moments: Pair, scalars: Pair, corrections: tuple[float, float]) -> None:
    """Take one step in place: a single pass over parameters, gradient and moments ``[S, P]``.

    Shape: scalars: learning rate and weight decay ``[S]``; corrections: ``1 - β1^t`` and ``1 - β2^t``.
    """
    first, second = np.float32(corrections[0]), np.float32(corrections[1])
    members, count = flat.shape
    for s in range(members):
        rate, decay = scalars[0][s] / first, scalars[1][s]
        p, g, m, v = flat[s], gradient[s], moments[0][s], moments[1][s]
        for i in range(count):
            slope = g[i] + decay * p[i]
            m[i] += _REST1 * (slope - m[i])
            v[i] = v[i] * _BETA2 + (_REST2 * slope) * slope
            p[i] -= rate * m[i] / (np.sqrt(v[i] / second) + _EPSILON)
