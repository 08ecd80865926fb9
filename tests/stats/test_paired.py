"""Differences over common seeds."""

from __future__ import annotations

import math
import random

import pytest
from scipy import stats

from lorap_bench.stats.intervals import t_interval
from lorap_bench.stats.paired import paired_differences, paired_interval


def test_differences_are_taken_seed_by_seed_whatever_the_order() -> None:
    assert paired_differences({1: 0.5, 2: 0.75, 3: 1.0}, {3: 0.5, 1: 0.25, 2: 0.75}) == {1: 0.25, 2: 0.0, 3: 0.5}


def test_a_seed_that_one_side_lacks_is_left_out() -> None:
    assert paired_differences({1: 0.5, 2: None, 3: 0.5, 4: 1.0}, {1: 0.25, 2: 0.5, 3: None}) == {1: 0.25}
    assert paired_interval({1: 0.5}, {2: 0.5}) is None
    assert paired_interval({1: math.nan}, {1: 0.5}) is None
    alone = paired_interval({1: 0.5, 2: 0.5}, {1: 0.25})
    assert alone is not None
    assert (alone.mean, alone.std, alone.low, alone.high, alone.n) == (0.25, None, None, None, 1)


def test_the_interval_by_hand() -> None:
    """Differences 1, 2, 3: mean 2, s = 1, t(0.975, 2) = 4.302652729911275."""
    interval = paired_interval({0: 2.0, 1: 4.0, 2: 6.0}, {0: 1.0, 1: 2.0, 2: 3.0})
    assert interval is not None
    half = 4.302652729911275 / math.sqrt(3)
    assert (interval.mean, interval.std, interval.n, interval.level) == (2.0, 1.0, 3, 0.95)
    assert [interval.low, interval.high] == pytest.approx([2 - half, 2 + half])


def test_it_excludes_nought_where_the_paired_t_test_rejects() -> None:
    rng = random.Random(0)
    verdicts = set()
    for shift in (0.0, 0.3, 0.5, 0.7, 2.0):
        one = {seed: rng.gauss(shift, 1) for seed in range(10)}
        other = {seed: rng.gauss(0, 0.2) for seed in range(10)}
        interval = paired_interval(one, other)
        assert interval is not None
        assert interval.low is not None
        assert interval.high is not None
        rejected = stats.ttest_rel(list(one.values()), list(other.values())).pvalue < 0.05
        assert rejected == (interval.low > 0 or interval.high < 0)
        verdicts.add(rejected)
    assert verdicts == {True, False}


def test_what_seeds_share_cancels_out() -> None:
    common = [0.1, 0.5, 0.9, 0.3]
    one = {seed: value + 0.01 for seed, value in enumerate(common)}
    other = dict(enumerate(common))
    paired, alone = paired_interval(one, other), t_interval(one.values())
    assert paired is not None
    assert alone is not None
    assert paired.std == pytest.approx(0, abs=1e-12)
    assert paired.mean == pytest.approx(0.01)
    assert alone.std is not None
    assert alone.std > 0.3


def test_the_other_way_round_changes_the_sign() -> None:
    one, other = {0: 0.5, 1: 0.75, 2: 1.0}, {0: 0.25, 1: 0.75, 2: 0.5}
    ahead, behind = paired_interval(one, other), paired_interval(other, one)
    assert ahead is not None
    assert behind is not None
    assert (ahead.mean, ahead.low, ahead.high) == (-behind.mean, -(behind.high or 0), -(behind.low or 0))
