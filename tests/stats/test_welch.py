from __future__ import annotations

from dataclasses import replace

import pytest
from scipy import stats

from lorap_bench.stats.intervals import Interval, t_interval
from lorap_bench.stats.welch import welch_interval


def moments(values: list[float]) -> Interval:
    """Return what a paper would print of some values."""
    found = t_interval(values)
    assert found is not None
    return replace(found, low=None, high=None)


def test_moments_alone_give_the_interval_that_the_values_give() -> None:
    one, other = [0.81, 0.79, 0.84, 0.80], [0.70, 0.78, 0.74, 0.81, 0.69, 0.77]
    expected = stats.ttest_ind(one, other, equal_var=False).confidence_interval(0.9)
    found = welch_interval(moments(one), moments(other), level=0.9)
    assert found == pytest.approx((expected.low, expected.high))
    assert welch_interval(moments(other), moments(one), level=0.9) == pytest.approx((-expected.high, -expected.low))


def test_equal_values_differ_exactly() -> None:
    assert welch_interval(moments([0.5, 0.5]), moments([0.25, 0.25, 0.25])) == (0.25, 0.25)


def test_one_value_or_no_deviation_gives_no_interval() -> None:
    pair = moments([0.5, 0.6])
    assert welch_interval(moments([0.5]), pair) is None
    assert welch_interval(pair, replace(pair, std=None)) is None
    assert welch_interval(pair, replace(pair, n=1)) is None
