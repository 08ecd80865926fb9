"""Intervals against closed forms and their coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lorap_bench.stats.intervals import t_interval


def test_t_interval_in_closed_form() -> None:
    interval = t_interval([0.80, 0.82, 0.84])
    assert interval is not None
    assert (interval.n, interval.level) == (3, 0.95)
    assert interval.mean == pytest.approx(0.82)
    assert interval.std == pytest.approx(0.02)
    # t(2) at 97.5 % is 4.302652...
    assert interval.high == pytest.approx(0.82 + 4.302652729911275 * 0.02 / math.sqrt(3))
    assert interval.low == pytest.approx(0.82 - 4.302652729911275 * 0.02 / math.sqrt(3))


@pytest.mark.parametrize("count", [2, 3, 7, 8, 9, 130])
def test_mean_and_deviation_are_those_of_numpy_bit_for_bit(count: int) -> None:
    values = np.random.default_rng(count).normal(0.8, 0.02, size=count)
    interval = t_interval(values)
    assert interval is not None
    assert (interval.mean, interval.std) == (float(np.mean(values)), float(np.std(values, ddof=1)))


def test_the_quantile_goes_with_the_level() -> None:
    wide, narrow = (t_interval([0.0, 2.0], level=level) for level in (0.99, 0.5))
    assert wide is not None
    assert narrow is not None
    assert wide.high == pytest.approx(1 + 63.65674116287399)  # t(1) at 99.5 %, s = √2, n = 2
    assert narrow.high == pytest.approx(2.0)  # t(1) at 75 % is 1


def test_missing_values_do_not_count() -> None:
    interval = t_interval([0.5, None, math.nan, 0.7, math.inf])
    assert interval is not None
    assert interval.n == 2
    assert interval.mean == pytest.approx(0.6)


def test_one_value_has_no_spread() -> None:
    interval = t_interval([0.5])
    assert interval is not None
    assert (interval.mean, interval.std, interval.low, interval.high, interval.n) == (0.5, None, None, None, 1)


def test_an_interval_is_cut_to_what_is_possible() -> None:
    wide, single = t_interval([0.2, 0.9]), t_interval([0.5])
    assert wide is not None
    assert single is not None
    cut = wide.within(0.0, 1.0)
    assert (cut.low, cut.high, cut.mean, cut.n) == (0.0, 1.0, wide.mean, 2)
    assert single.within(0.0, 1.0) is single


def test_no_value_has_no_interval() -> None:
    assert t_interval([]) is None
    assert t_interval([None, math.nan]) is None


def test_equal_values_have_width_zero() -> None:
    interval = t_interval([0.25] * 5)
    assert interval is not None
    assert (interval.std, interval.low, interval.high) == (0.0, 0.25, 0.25)


def test_t_interval_covers_the_mean_95_percent_of_the_time() -> None:
    draws = np.random.default_rng(3).normal(size=(2000, 4))
    intervals = [t_interval(row) for row in draws]
    covered = np.mean([i is not None and i.low <= 0 <= i.high for i in intervals])  # type: ignore[operator]
    # Two standard errors of a share of 0.95 over 2000 draws are 0.01.
    assert 0.935 <= covered <= 0.965
