"""Expected hypervolume improvement where one objective is uncertain and the others are known exactly.

All objectives are *gains*: shares of a box, 0 at its worst corner and 1 at its ideal one. The uncertain gain a of a
candidate is normal, N(μ, σ²); its other gains (u, v) are numbers. The candidate dominates [0, u] x [0, v] up to
height a, where the front already reaches A(u', v') = max{a_i : u_i ≥ u', v_i ≥ v'}. So

    EHVI = ∫∫_[0,u]x[0,v] E max(a - A(u', v'), 0) du' dv'
         = Σ_cells |cell ∩ [0,u]x[0,v]| · [(μ - A) Φ(z) + σ φ(z)],  z = (μ - A) / σ,

the sum over the cells between the coordinates of the front, on each of which A is one number. With certain values
(σ = 0) it is the hypervolume improvement itself. Missing known objectives are gains of 1.

Source: ours; the integrand is the expected improvement of Jones et al. 1998.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

__all__ = ["expected_hypervolume_improvement", "expected_improvement"]

Array = NDArray[np.float64]


def expected_improvement(mean: Array, sd: Array, level: Array) -> Array:
    """Return E max(a - level, 0) for a ~ N(mean, sd²); the three are broadcast, ``sd`` may be 0."""
    gap = mean - level
    safe = np.maximum(sd, 1e-12)
    z = gap / safe
    density = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    return np.where(sd > 1e-12, np.maximum(gap * ndtr(z) + safe * density, 0.0), np.maximum(gap, 0.0))


def expected_hypervolume_improvement(mean: Array, sd: Array, known: Array, front: Array) -> Array:
    """Return each candidate's expected hypervolume improvement, in shares of the box.

    Shape:
        mean, sd ``[n]``; known ``[n, 2]``: the candidates' known gains; front ``[m, 3]``: uncertain gain and the two
        known ones of the points so far, of which dominated ones change nothing; result ``[n]``.
    """
    known = np.clip(known, 0.0, 1.0)
    u, v, heights = _cells(np.clip(front, 0.0, 1.0))
    levels, which = np.unique(heights, return_inverse=True)
    which = which.reshape(heights.shape)
    gains = expected_improvement(mean[:, None], sd[:, None], levels[None, :])
    along_u, along_v = _overlap(known[:, 0], u), _overlap(known[:, 1], v)
    total = np.zeros(len(mean))
    for column in range(heights.shape[1]):  # a cell at a time in v keeps memory at n · cells in u
        total += along_v[:, column] * (along_u * gains[:, which[:, column]]).sum(axis=1)
    return total


def _cells(front: Array) -> tuple[Array, Array, Array]:
    """Return the edges of the cells along both known gains, and the height that the front reaches on each cell."""
    u = np.unique(np.concatenate([[0.0, 1.0], front[:, 1]]))
    v = np.unique(np.concatenate([[0.0, 1.0], front[:, 2]]))
    heights = np.zeros((len(u), len(v)))
    np.maximum.at(heights, (np.searchsorted(u, front[:, 1]), np.searchsorted(v, front[:, 2])), front[:, 0])
    for axis in (0, 1):  # a point reaches every cell below it
        heights = np.flip(np.maximum.accumulate(np.flip(heights, axis), axis=axis), axis)
    return u, v, heights[1:, 1:]


def _overlap(ends: Array, edges: Array) -> Array:
    """Return how much of each cell lies below each end: ``[n]``, ``[c + 1]`` → ``[n, c]``."""
    return np.clip(ends[:, None] - edges[None, :-1], 0.0, np.diff(edges)[None, :])
