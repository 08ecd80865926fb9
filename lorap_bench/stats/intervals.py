"""Mean, standard deviation and 95 % interval of a handful of seeds, each with its n."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Interval", "t_interval"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean with its spread; ``std``, ``low`` and ``high`` are None where ``n`` is 1.

    ``std`` is the sample standard deviation (n - 1); ``low`` and ``high`` bound the mean.
    """

    mean: float
    std: float | None
    low: float | None
    high: float | None
    n: int
    level: float = 0.95

    def within(self, least: float, most: float) -> Interval:
        """Return the interval cut to where the mean can lie at all: few seeds reach beyond it."""
        if self.low is None or self.high is None or (least <= self.low and self.high <= most):
            return self
        return replace(self, low=max(self.low, least), high=min(self.high, most))


def t_interval(values: Iterable[float | None], *, level: float = 0.95) -> Interval | None:
    """Return mean ± t(n - 1) · s / √n, or None when no value is present.

    Right for few, roughly normal values such as the seeds of a trial. Missing and non-finite
    values are left out and do not count in ``n``.
    """
    return _t_interval(tuple(_present(values)), level)


@lru_cache(maxsize=2**17)
def _t_interval(present: tuple[float, ...], level: float) -> Interval | None:
    """Return the interval of finite values; a report asks for that of the same seeds several times."""
    if not present:
        return None
    if len(present) == 1:
        return Interval(mean=present[0], std=None, low=None, high=None, n=1, level=level)
    mean, std = _moments(present)
    half = _quantile(len(present) - 1, level) * std / math.sqrt(len(present))
    return Interval(mean=mean, std=std, low=mean - half, high=mean + half, n=len(present), level=level)


def _moments(present: Sequence[float]) -> tuple[float, float]:
    """Return mean and sample standard deviation: those of ``np.mean`` and ``np.std``, without their overhead."""
    values = np.array(present)
    mean = np.add.reduce(values) / len(present)
    gaps = values - mean
    return float(mean), math.sqrt(np.add.reduce(gaps * gaps) / (len(present) - 1))


@lru_cache(maxsize=256)
def _quantile(freedom: int, level: float) -> float:
    """Return the two-sided t quantile; scipy takes longer for it than for all the rest of an interval."""
    return float(stats.t.ppf((1 + level) / 2, freedom))


def _present(values: Iterable[float | None]) -> list[float]:
    return [float(value) for value in values if value is not None and math.isfinite(value)]
