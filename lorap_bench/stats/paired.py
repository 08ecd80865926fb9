"""Differences of two configurations that trained with the same seeds: what the seeds share cancels out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.stats.intervals import Interval, t_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["paired_differences", "paired_interval"]


def paired_differences(first: Mapping[int, float | None], second: Mapping[int, float | None]) -> dict[int, float]:
    """Return seed → first − second for the seeds of which both have a value."""
    pairs = {seed: (value, second.get(seed)) for seed, value in first.items()}
    return {seed: one - other for seed, (one, other) in pairs.items() if one is not None and other is not None}


def paired_interval(
    first: Mapping[int, float | None], second: Mapping[int, float | None], *, level: float = 0.95
) -> Interval | None:
    """Return the mean of first − second over common seeds with its t interval, or None where no seed is common.

    mean(d) ± t(n - 1) · s(d) / √n, with d the n differences. ``n`` counts pairs: a seed that only one
    side finished is left out.
    """
    return t_interval(paired_differences(first, second).values(), level=level)
