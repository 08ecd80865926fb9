"""What one more prompt, or rank, buys at a given bit-width: a linear model of the trials that a search visited.

    accuracy = a + Σ controls + c₁ · b + c₂ · b² + c₃ · b³ + (β + γ · b) · log₂(amount) + noise

with b = bits − mean bits, so that doubling the amount at b bits goes with β + γ · b more accuracy, other parameters
alike. Accuracy falls steeply at the last bits: a straight line in b alone would leave that bend to γ, which tells of
the amount. This is an association in what the search chose to visit, not an effect: a search that tries many prompts
where accuracy is high anyway shows a slope that no prompt caused. The interval is the percentile bootstrap over
trials, so that noise may differ between them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lorap_bench.stats.columns import evenly_spaced, numbers, one_hot
from lorap_bench.stats.intervals import Interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Gain", "Visited", "doubling_gain"]

Floats = NDArray[np.float64]

_LEAST = 12
_MOST = 4000
_TOLERANCE = 1e-9
_NEAR, _LEAST_NEAR = 0.5, 5
_LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """The trials to learn from, one entry a trial.

    Attributes:
        accuracy: what is explained; None where a trial has none.
        amount: prompt count or rank, from 1; a trial with less (no prompt) is left out.
        bits: average bits per weight, or any other width.
        controls: other parameter → its values: numbers, booleans, texts, or None where it is not active.
    """

    accuracy: Sequence[float | None]
    amount: Sequence[float | None]
    bits: Sequence[float | None]
    controls: Mapping[str, Sequence[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What doubling the amount goes with at ``bits``, in units of the accuracy.

    ``per_doubling.std`` is the standard error (of the bootstrap's slopes), ``n`` the trials used; ``near`` of them lie
    within half a bit.
    """

    bits: float
    per_doubling: Interval
    near: int

    def one_more(self, amount: int) -> Interval:
        """Return what the step from ``amount`` to ``amount + 1`` goes with: per doubling · log₂((k + 1) / k)."""
        if amount < 1:
            raise ValueError(f"an amount is at least 1, got {amount}")
        share, whole = math.log2((amount + 1) / amount), self.per_doubling
        std, low, high = (None if bound is None else bound * share for bound in (whole.std, whole.low, whole.high))
        return Interval(mean=whole.mean * share, std=std, low=low, high=high, n=whole.n, level=whole.level)


def doubling_gain(trials: Visited, at: Sequence[float], *, seed: int, draws: int = 1000) -> list[Gain] | None:
    """Return the gain of doubling the amount at each of the bit-widths ``at`` near which it was tried.

    That is: five trials and more, of different amounts, lie within half a bit; elsewhere only the line speaks. Left out
    is also a gain whose interval is wider than all accuracies lie apart: in some draws hardly any trial tells it.

    None where it cannot be told: fewer than 12 trials, an amount that never varies, or one that cannot be told apart
    from the other parameters. Where all trials have the same bits there is no γ. Of more than 4,000 trials, evenly
    spaced ones are taken.

    Args:
        trials: what the search visited.
        at: bits.
        seed: of the bootstrap.
        draws: of the bootstrap.
    """
    accuracy, amount, bits = (_column(column) for column in (trials.accuracy, trials.amount, trials.bits))
    rows = evenly_spaced(np.flatnonzero(np.isfinite(accuracy) & np.isfinite(bits) & (amount >= 1)), _MOST)
    accuracy, doublings, bits = accuracy[rows], np.log2(amount[rows]), bits[rows]
    if len(rows) < _LEAST or np.ptp(doublings) == 0:
        return None
    middle = float(bits.mean())
    slopes = _slopes(doublings, bits - middle)
    others = _others([[column[row] for row in rows] for column in trials.controls.values()], bits - middle)
    if not _separate(slopes, others):
        return None
    found, drawn = _fitted(
        np.concatenate([slopes, others], axis=1), accuracy, slopes.shape[1], _weights(len(rows), draws, seed)
    )
    gains = []
    for width in at:
        near = np.abs(bits - width) <= _NEAR
        if near.sum() < _LEAST_NEAR or np.ptp(doublings[near]) == 0:
            continue
        weights = np.array([1.0, width - middle])[: slopes.shape[1]]
        interval = _interval(float(found @ weights), drawn @ weights, len(rows))
        if (interval.high or 0.0) - (interval.low or 0.0) <= np.ptp(accuracy):
            gains.append(Gain(bits=width, per_doubling=interval, near=int(near.sum())))
    return gains


def _column(values: Sequence[float | None]) -> Floats:
    found = numbers(values)
    if found is None:
        raise ValueError("accuracy, amount and bits are numbers, got another value")
    return found


def _slopes(doublings: Floats, bits: Floats) -> Floats:
    """Return the columns of β and γ; of β alone where the bits never vary.

    Shape:
        ``[n, 2]`` or ``[n, 1]``.
    """
    columns = [doublings, doublings * bits] if np.ptp(bits) else [doublings]
    return np.column_stack(columns)


def _others(controls: Sequence[Sequence[object]], bits: Floats) -> Floats:
    """Return the intercept, the bits to the third power and the controls, without what never varies.

    Shape:
        ``[n, c]``.
    """
    powers = (bits / (np.abs(bits).max() or 1.0))[:, None] ** [1, 2, 3]
    columns = [np.ones((len(bits), 1)), powers, *map(_control, controls)]
    table = np.concatenate(columns, axis=1)
    varies = np.ptp(table, axis=0) > 0
    varies[0] = True
    kept: Floats = table[:, varies]
    return kept


def _control(values: Sequence[object]) -> Floats:
    """Return a number standardised, with a column that marks where it is missing; of anything else a column a value."""
    found = numbers(values)
    if found is None:
        return one_hot(values)[:, 1:]  # the first is the intercept's
    missing = np.isnan(found)
    if missing.all() or np.ptp(found[~missing]) == 0:
        return missing[:, None].astype(np.float64)
    standard = (found - found[~missing].mean()) / found[~missing].std()
    return np.column_stack([np.where(missing, 0.0, standard), missing])


def _separate(slopes: Floats, others: Floats) -> bool:
    """Tell whether the amount's columns vary in every direction beyond what the others explain."""
    if len(slopes) <= slopes.shape[1] + others.shape[1]:
        return False
    sizes = np.linalg.norm(slopes, axis=0)
    explained = others @ np.linalg.lstsq(others, slopes, rcond=None)[0]
    return bool(np.linalg.svd((slopes - explained) / sizes, compute_uv=False).min() > math.sqrt(_TOLERANCE))


def _weights(n: int, draws: int, seed: int) -> Floats:
    """Return how often each trial is drawn, n at a time with replacement."""
    return np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws).astype(np.float64)


def _fitted(design: Floats, target: Floats, kept: int, weights: Floats) -> tuple[Floats, Floats]:
    """Return the first coefficients by least squares: of the trials, and of trials drawn from them anew.

    A draw counts each trial some times, w; its coefficients solve (Xᵀ diag(w) X) β = Xᵀ diag(w) y for all draws at
    once. Columns that a draw leaves constant or alike share, as the pseudo-inverse has it.

    Shape:
        design ``[n, c]``, target ``[n]``, weights ``[draws, n]``; result ``[kept]`` and ``[draws, kept]``.
    """
    draws, width = len(weights), design.shape[1]
    sizes = np.sqrt((design**2).mean(axis=0))
    scaled = design / sizes
    above = np.triu_indices(width)
    products = scaled[:, above[0]] * scaled[:, above[1]]
    squares = np.empty((draws, width, width))
    squares[:, above[0], above[1]] = squares[:, above[1], above[0]] = weights @ products
    right = weights @ (scaled * target[:, None])
    inverse = np.linalg.pinv(squares, rcond=_TOLERANCE, hermitian=True)[:, :kept]
    drawn = np.einsum("dkp,dp->dk", inverse, right) / sizes[:kept]
    return np.linalg.lstsq(scaled, target, rcond=None)[0][:kept] / sizes[:kept], drawn


def _interval(found: float, drawn: Floats, n: int) -> Interval:
    low, high = np.quantile(drawn, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Interval(mean=found, std=float(drawn.std(ddof=1)), low=float(low), high=float(high), n=n, level=_LEVEL)
