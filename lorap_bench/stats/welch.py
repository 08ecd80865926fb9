"""The difference of two means of which only mean, deviation and number are known, as papers print them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy import stats

if TYPE_CHECKING:
    from lorap_bench.stats.intervals import Interval

__all__ = ["welch_interval"]


def welch_interval(first: Interval, second: Interval, *, level: float = 0.95) -> tuple[float, float] | None:
    """Return the ends of the interval of first − second; None where a side has one value or no deviation.

    d ± t(ν) · √(v₁ + v₂), with v = s² / n and ν = (v₁ + v₂)² / (v₁² / (n₁ − 1) + v₂² / (n₂ − 1)).

    Source: Welch 1947, "The generalization of 'Student's' problem when several different population variances are
    involved", Biometrika 34.
    """
    if first.std is None or second.std is None or min(first.n, second.n) < 2:
        return None
    one, other = first.std**2 / first.n, second.std**2 / second.n
    difference, total = first.mean - second.mean, one + other
    if total == 0:
        return difference, difference
    freedom = total**2 / (one**2 / (first.n - 1) + other**2 / (second.n - 1))
    half = float(stats.t.ppf((1 + level) / 2, freedom)) * math.sqrt(total)
    return difference - half, difference + half
