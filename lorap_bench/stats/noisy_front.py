"""How likely each point is on the front when one of its objectives is a mean over a few noisy replicas.

The noise of a point's mean has the variance s² / n over its n replicas, where s² is the replicas' own variance,
drawn towards what all points have in common:

    s² = (ν₀ · s₀² + Σ (x − mean)²) / (ν₀ + n − 1),      s₀² = Σ Σ (x − mean)² / Σ (n − 1),      ν₀ = 4

so that two replicas which happen to agree are not taken for certain (moderated variance, Smyth 2004). Point i, with
mean m and costs c, is on the front with the probability

    P(i) = ∫ φ((a − mᵢ) / σᵢ) / σᵢ · ∏_{j ≠ i, cⱼ ≤ cᵢ} Φ((a − mⱼ) / σⱼ) da,      σ = s / √n

that nothing which costs no more is better (the points' noises taken as independent; source: ours). Costs are exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["mean_errors", "probabilities_on_front", "probability_on_front"]

_PRIOR_DEGREES = 4.0
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(48)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()

Floats = NDArray[np.float64]


def mean_errors(replicas: Sequence[Sequence[float]]) -> Floats | None:
    """Return the standard error of each point's mean; None where no point has two replicas to tell the noise by.

    Args:
        replicas: point → its replicas, at least one each.
    """
    squares = np.array([np.sum((np.asarray(values) - np.mean(values)) ** 2) for values in replicas])
    degrees = np.array([len(values) - 1.0 for values in replicas])
    if degrees.sum() == 0:
        return None
    common = squares.sum() / degrees.sum()
    variances = (_PRIOR_DEGREES * common + squares) / (_PRIOR_DEGREES + degrees)
    errors: Floats = np.sqrt(variances / (degrees + 1))
    return errors


def probabilities_on_front(means: Floats, errors: Floats, costs: Floats) -> Floats:
    """Return each point's probability of being dominated by no other; see ``probability_on_front``."""
    return np.array([probability_on_front(index, means, errors, costs) for index in range(len(means))])


def probability_on_front(index: int, means: Floats, errors: Floats, costs: Floats) -> float:
    """Return one point's probability of being dominated by no other.

    Args:
        index: the point.
        means: what is maximised, a mean over replicas.
        errors: its standard error, at least 0.
        costs: what is minimised, exact.

    Shape:
        means and errors ``[n]``, costs ``[n, m]`` with ``m`` at least 0.
    """
    rivals = (costs <= costs[index]).all(axis=1)
    rivals[index] = False
    if not rivals.any():
        return 1.0
    cheaper = (costs[rivals] < costs[index]).any(axis=1)
    values = means[index] + errors[index] * _NODES
    noisy = errors[rivals] > 0
    gaps = (values[:, None] - means[rivals]) / np.where(noisy, errors[rivals], 1.0)
    # An exact rival beats what is worse than it, and what is as good but costs more.
    beaten = (gaps < 0) | ((gaps == 0) & cheaper)
    logs = np.where(noisy, log_ndtr(gaps), np.where(beaten, -np.inf, 0.0))
    return float(_WEIGHTS @ np.exp(logs.sum(axis=1)))
