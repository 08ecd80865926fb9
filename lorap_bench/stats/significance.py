"""Is a difference more than chance: tests and effect sizes of two methods, and Holm's correction for many.

Two tests each: one about the mean (t) and one about ranks (Wilcoxon, Mann–Whitney), which asks for no normality.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lorap_bench.stats.intervals import Interval, t_interval
from lorap_bench.stats.paired import paired_differences

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Comparison", "compare_paired", "compare_unpaired", "holm"]

Floats = NDArray[np.float64]

# Differences that agree to this share of the values are equal: 0.8 − 0.7 and 0.9 − 0.8 are a tie. Figures come from
# training in single precision, whose noise is of the eighth digit.
_DIGITS = 6
_ARRANGEMENTS = 10_000
_MOST_TIED = 13  # pairs: scipy takes the normal approximation for more


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """First less second: by how much, how surely, and how clearly.

    Attributes:
        paired: whether the values were compared seed by seed.
        n: pairs; or values of the first side.
        n_other: the same pairs; or values of the second side.
        difference: mean of first − second with its t interval (Welch's where not paired).
        t_test: two-sided p of the paired or Welch's t test; 0 where differences other than 0 do not vary at all.
        rank_test: two-sided p of Wilcoxon's signed-rank test, zeros left out, or of the Mann–Whitney test.
        d: paired: Cohen's d_z = mean(d) / s(d); otherwise Cohen's d = difference of means / pooled s.
            None where nothing varies and the means differ.
        rank_biserial: from -1 to 1. Paired: (W⁺ − W⁻) / (W⁺ + W⁻), with W the sums of the ranks of |d| where
            d > 0 and d < 0 (Kerby 2014). Otherwise P(first > second) − P(first < second) = 2 · A₁₂ − 1.

    p values are None where a side has a single value, and effect sizes where both have.
    """

    paired: bool
    n: int
    n_other: int
    difference: Interval
    t_test: float | None = None
    rank_test: float | None = None
    d: float | None = None
    rank_biserial: float | None = None

    @property
    def a12(self) -> float | None:
        """Return Vargha–Delaney's A₁₂ = P(first > second) + ½ P(equal), of values that are not paired."""
        return None if self.paired or self.rank_biserial is None else (1 + self.rank_biserial) / 2


def compare_paired(first: Mapping[int, float | None], second: Mapping[int, float | None]) -> Comparison | None:
    """Compare two methods over the seeds of which both have a finite value; None where there are none.

    The p of the ranks is exact up to 50 pairs, and with ties up to 13; beyond that it is the normal approximation.
    """
    pairs = {seed: gap for seed, gap in paired_differences(first, second).items() if math.isfinite(gap)}
    size = max((abs(side[seed] or 0.0) for seed in pairs for side in (first, second)), default=0.0)
    gaps = _rounded(np.array(list(pairs.values()), dtype=np.float64), size)
    n, difference = len(gaps), t_interval(gaps)
    if difference is None or difference.std is None:
        return None if difference is None else Comparison(paired=True, n=n, n_other=n, difference=difference)
    error = _deviation(gaps) / math.sqrt(n)
    rank_test, rank_biserial = _signed_ranks(gaps)
    return Comparison(
        paired=True,
        n=n,
        n_other=n,
        difference=difference,
        t_test=_t_test(difference.mean, error, n - 1),
        rank_test=rank_test,
        d=_ratio(difference.mean, _deviation(gaps)),
        rank_biserial=rank_biserial,
    )


def compare_unpaired(first: Iterable[float | None], second: Iterable[float | None]) -> Comparison | None:
    """Compare two methods that did not train with the same seeds; None where a side has no finite value.

    The p of the ranks is exact where no values tie and a side has at most 8, and where they can be dealt out in at
    most 10,000 ways; beyond that it is the normal approximation.
    """
    one, other = _present(first), _present(second)
    n, n_other = len(one), len(other)
    if n == 0 or n_other == 0:
        return None
    values = np.concatenate([one, other])
    one, other = np.split(_rounded(values, float(np.abs(values).max())), [n])
    difference, t_test = _welch(one, other)
    if n == n_other == 1:
        return Comparison(paired=False, n=n, n_other=n_other, difference=difference)
    pooled = ((n - 1) * _deviation(one) ** 2 + (n_other - 1) * _deviation(other) ** 2) / (n + n_other - 2)
    return Comparison(
        paired=False,
        n=n,
        n_other=n_other,
        difference=difference,
        t_test=t_test,
        rank_test=None if t_test is None else _rank_sum(one, other),
        d=_ratio(difference.mean, math.sqrt(pooled)),
        rank_biserial=float(np.sign(one[:, None] - other).mean()),
    )


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return the p values adjusted for their number; None stays None and does not count.

    With p₁ ≤ … ≤ pₘ, the adjusted value of the i-th is max over j ≤ i of min(1, (m − j + 1) · pⱼ).

    Source: Holm 1979.
    """
    adjusted: list[float | None] = [None] * len(p_values)
    present = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    least = 0.0
    for rank, (p, index) in enumerate(present):
        least = max(least, min(1.0, (len(present) - rank) * p))
        adjusted[index] = least
    return adjusted


def _present(values: Iterable[float | None]) -> Floats:
    return np.array([value for value in values if value is not None and math.isfinite(value)], dtype=np.float64)


def _rounded(values: Floats, size: float) -> Floats:
    """Return the values without the digits that subtracting numbers of this size leaves to chance."""
    if size == 0:
        return values
    return np.round(values, _DIGITS - math.ceil(math.log10(size)))


def _deviation(values: Floats) -> float:
    """Return the sample standard deviation: exactly 0 for equal values and for one."""
    return 0.0 if np.ptp(values) == 0 else float(np.std(values, ddof=1))


def _ratio(mean: float, deviation: float) -> float | None:
    if deviation == 0:
        return 0.0 if mean == 0 else None
    return mean / deviation


def _t_test(mean: float, error: float, degrees: float) -> float:
    """Return the two-sided p of mean / error; its limits where the error is 0."""
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * stats.t.sf(abs(mean) / error, degrees))


def _signed_ranks(gaps: Floats) -> tuple[float, float]:
    """Return Wilcoxon's p and the matched-pairs rank-biserial correlation; (1, 0) where every difference is 0."""
    moved = gaps[gaps != 0]
    if len(moved) == 0:
        return 1.0, 0.0
    ranks = stats.rankdata(np.abs(moved))
    return _signed_rank_p(moved, ranks), float((np.sign(moved) * ranks).sum() / ranks.sum())


def _signed_rank_p(moved: Floats, ranks: Floats) -> float:
    """Return ``stats.wilcoxon(moved).pvalue``; exact ties without its own call for each of 2ⁿ choices of signs."""
    if len(moved) > _MOST_TIED or len(np.unique(ranks)) == len(ranks):
        return float(stats.wilcoxon(moved).pvalue)

    def balance(signed: Floats, axis: int) -> Floats:
        return np.asarray((np.sign(signed) * ranks).sum(axis=axis))

    ways = 2 ** len(moved)
    found = stats.permutation_test((moved,), balance, permutation_type="samples", vectorized=True, n_resamples=ways)
    return float(found.pvalue)


def _welch(one: Floats, other: Floats) -> tuple[Interval, float | None]:
    """Return the difference of the means with Welch's interval, and p; only the difference where a side has one value.

    ``std`` is that of first − second for one value of each: √(s₁² + s₂²).
    """
    # From one of the values on, so that equal values have means that are equal to the last digit.
    mean, n = float(np.mean(one - one[0]) - np.mean(other - one[0])), len(one) + len(other)
    if min(len(one), len(other)) < 2:
        return Interval(mean=mean, std=None, low=None, high=None, n=n), None
    squares = [_deviation(side) ** 2 / len(side) for side in (one, other)]
    error = math.sqrt(sum(squares))
    parts = squares[0] ** 2 / (len(one) - 1) + squares[1] ** 2 / (len(other) - 1)
    degrees = sum(squares) ** 2 / parts if parts else n - 2.0
    half = float(stats.t.ppf(0.975, degrees)) * error
    std = math.hypot(_deviation(one), _deviation(other))
    return Interval(mean=mean, std=std, low=mean - half, high=mean + half, n=n), _t_test(mean, error, degrees)


def _rank_sum(one: Floats, other: Floats) -> float:
    """Return the p of the Mann–Whitney test; 1 where all values are equal."""
    values = np.concatenate([one, other])
    if np.ptp(values) == 0:
        return 1.0
    tied = len(np.unique(values)) < len(values)
    if tied and math.comb(len(values), len(one)) <= _ARRANGEMENTS:
        method = stats.PermutationMethod(n_resamples=_ARRANGEMENTS)
        return float(stats.mannwhitneyu(one, other, method=method).pvalue)
    return float(stats.mannwhitneyu(one, other).pvalue)
