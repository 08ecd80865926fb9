"""Tests and effect sizes against scipy, enumeration and closed forms."""

from __future__ import annotations

import math
import random
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lorap_bench.stats.paired import paired_interval
from lorap_bench.stats.significance import compare_paired, compare_unpaired, holm


def seeds(values: list[float]) -> dict[int, float]:
    return dict(enumerate(values))


def normal(n: int, shift: float, seed: int) -> list[float]:
    rng = random.Random(seed)
    return [round(rng.gauss(shift, 1), 5) for _ in range(n)]


def signed_rank_p(gaps: list[float]) -> float:
    """Return the two-sided p of the signed-rank sum, over all signs that the gaps could have had."""
    moved = [gap for gap in gaps if gap]
    ranks = stats.rankdata(np.abs(moved)).tolist()
    got = sum(rank for rank, gap in zip(ranks, moved, strict=True) if gap > 0)
    sums = [
        sum(rank for rank, sign in zip(ranks, signs, strict=True) if sign)
        for signs in product([0, 1], repeat=len(ranks))
    ]
    low, high = (sum(x <= got for x in sums) / len(sums), sum(x >= got for x in sums) / len(sums))
    return min(1.0, 2 * min(low, high))


def rank_sum_p(one: list[float], other: list[float]) -> float:
    """Return the two-sided p of the rank sum, over all ways to deal the values out."""
    ranks = stats.rankdata(one + other).tolist()
    got = sum(ranks[: len(one)])
    sums = [sum(chosen) for chosen in combinations(ranks, len(one))]
    low, high = (sum(x <= got for x in sums) / len(sums), sum(x >= got for x in sums) / len(sums))
    return min(1.0, 2 * min(low, high))


@pytest.mark.parametrize("shift", [0.0, 0.5, 2.0])
def test_pairs_agree_with_scipy(shift: float) -> None:
    one, other = seeds(normal(10, shift, 1)), seeds(normal(10, 0, 2))
    found = compare_paired(one, other)
    assert found is not None
    values = list(one.values()), list(other.values())
    assert (found.paired, found.n, found.n_other, found.a12) == (True, 10, 10, None)
    assert found.t_test == pytest.approx(stats.ttest_rel(*values).pvalue)
    assert found.rank_test == pytest.approx(stats.wilcoxon(*values).pvalue)
    interval = paired_interval(one, other)
    assert interval is not None
    assert found.difference.mean == pytest.approx(interval.mean)
    assert found.difference.low == pytest.approx(interval.low)
    assert found.d == pytest.approx(found.difference.mean / (found.difference.std or 0))
    # t = d_z · √n ties the effect size to the test.
    assert found.t_test == pytest.approx(2 * stats.t.sf(abs(found.d or 0) * math.sqrt(10), 9))


def test_effect_sizes_of_pairs_by_hand() -> None:
    """Differences 1, 2, 3, -1.5: ranks 1, 3, 4 against 2; mean 1.125."""
    found = compare_paired(seeds([1.0, 2.0, 3.0, -1.5]), seeds([0.0] * 4))
    assert found is not None
    assert found.rank_biserial == pytest.approx((8 - 2) / 10)
    assert found.d == pytest.approx(1.125 / math.sqrt(((0.125) ** 2 + 0.875**2 + 1.875**2 + 2.625**2) / 3))
    assert found.rank_test == pytest.approx(signed_rank_p([1.0, 2.0, 3.0, -1.5]))


@given(st.lists(st.integers(-3, 3).map(float), min_size=2, max_size=8))
def test_ties_and_zeros_are_exact(gaps: list[float]) -> None:
    found = compare_paired(seeds(gaps), seeds([0.0] * len(gaps)))
    assert found is not None
    assert found.rank_test == pytest.approx(signed_rank_p(gaps) if any(gaps) else 1.0)


@pytest.mark.parametrize("n", [2, 5, 10, 13, 14, 30])
def test_tied_ranks_have_the_p_of_scipy_to_the_last_bit(n: int) -> None:
    gaps = [float(gap) for gap in np.random.default_rng(n).integers(-2, 4, size=n)]
    gaps[0] = gaps[1] = 1.0
    found = compare_paired(seeds(gaps), seeds([0.0] * n))
    assert found is not None
    assert found.rank_test == stats.wilcoxon([gap for gap in gaps if gap]).pvalue


def test_ties_that_binary_fractions_hide_are_ties() -> None:
    one, other = [0.8, 0.9, 0.7, 0.4], [0.7, 0.8, 0.6, 0.6]
    assert len({a - b for a, b in zip(one, other, strict=True)}) == 3
    found = compare_paired(seeds(one), seeds(other))
    assert found is not None
    assert found.rank_test == pytest.approx(signed_rank_p([1.0, 1.0, 1.0, -2.0]))
    assert found.rank_biserial == pytest.approx((6 - 4) / 10)


def test_equal_values_show_no_difference() -> None:
    found = compare_paired(seeds([0.1, 0.7, 0.3]), seeds([0.1, 0.7, 0.3]))
    assert found is not None
    assert (found.t_test, found.rank_test, found.d, found.rank_biserial) == (1.0, 1.0, 0.0, 0.0)
    apart = compare_unpaired([0.7] * 3, [0.7] * 4)
    assert apart is not None
    assert (apart.t_test, apart.rank_test, apart.d, apart.rank_biserial, apart.a12) == (1.0, 1.0, 0.0, 0.0, 0.5)


def test_a_constant_difference_has_the_limit_of_p_and_no_ratio() -> None:
    found = compare_paired(seeds([0.8, 0.9, 0.7, 0.5, 0.3]), seeds([0.7, 0.8, 0.6, 0.4, 0.2]))
    assert found is not None
    assert (found.t_test, found.d, found.rank_biserial) == (0.0, None, 1.0)
    assert found.rank_test == pytest.approx(2 / 32)
    assert found.difference.mean == pytest.approx(0.1)
    apart = compare_unpaired([0.8] * 3, [0.7] * 3)
    assert apart is not None
    assert (apart.t_test, apart.d, apart.rank_biserial, apart.a12) == (0.0, None, 1.0, 1.0)
    assert apart.rank_test == pytest.approx(2 / 20)


def test_one_pair_or_none() -> None:
    found = compare_paired({1: 0.5, 2: None, 3: math.inf}, {1: 0.25, 2: 1.0, 3: 0.0})
    assert found is not None
    assert (found.n, found.difference.mean) == (1, 0.25)
    assert (found.t_test, found.rank_test, found.d, found.rank_biserial) == (None, None, None, None)
    assert compare_paired({1: 0.5}, {2: 0.5}) is None
    assert compare_paired({1: math.nan}, {1: 0.5}) is None


@pytest.mark.parametrize("sizes", [(5, 10), (10, 10), (2, 3), (12, 9)])
def test_without_pairs_it_agrees_with_scipy(sizes: tuple[int, int]) -> None:
    one, other = normal(sizes[0], 1, 3), normal(sizes[1], 0, 4)
    found = compare_unpaired(one, other)
    assert found is not None
    welch = stats.ttest_ind(one, other, equal_var=False)
    assert (found.paired, found.n, found.n_other, found.difference.n) == (False, *sizes, sum(sizes))
    assert found.t_test == pytest.approx(welch.pvalue)
    bounds = welch.confidence_interval()
    assert (found.difference.low, found.difference.high) == pytest.approx((bounds.low, bounds.high))
    ranks = stats.mannwhitneyu(one, other)
    assert found.rank_test == pytest.approx(ranks.pvalue)
    assert found.a12 == pytest.approx(ranks.statistic / math.prod(sizes))
    assert found.d == pytest.approx(stats.ttest_ind(one, other).statistic * math.sqrt(1 / sizes[0] + 1 / sizes[1]))


SMALL = st.lists(st.integers(0, 4).map(float), min_size=1, max_size=5)


@given(SMALL, SMALL)
def test_rank_sums_with_ties_are_exact(one: list[float], other: list[float]) -> None:
    found = compare_unpaired(one, other)
    assert found is not None
    wins = [(a > b) + 0.5 * (a == b) for a in one for b in other]
    assert found.a12 == (None if len(wins) == 1 else pytest.approx(sum(wins) / len(wins)))
    assert found.rank_test == (None if 1 in {len(one), len(other)} else pytest.approx(rank_sum_p(one, other)))


def test_a_side_with_one_value_has_no_interval_and_one_without_no_comparison() -> None:
    found = compare_unpaired([2.0, None, math.nan], [1.0, 0.5])
    assert found is not None
    assert (found.n, found.n_other, found.t_test, found.difference.low, found.difference.std) == (
        1,
        2,
        None,
        None,
        None,
    )
    assert found.difference.mean == pytest.approx(1.25)
    assert (found.rank_test, found.rank_biserial) == (None, 1.0)
    assert compare_unpaired([], [1.0]) is None
    assert compare_unpaired([1.0], [None, math.inf]) is None


def test_welch_rejects_a_true_hypothesis_one_time_in_twenty() -> None:
    rng = np.random.default_rng(0)
    found = [compare_unpaired(rng.normal(0, 1, 5).tolist(), rng.normal(0, 3, 10).tolist()) for _ in range(1000)]
    rejected = np.mean([(one.t_test or 0) < 0.05 for one in found if one is not None])
    assert 0.03 < rejected < 0.07


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([None, 0.04, None]) == [None, 0.04, None]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_the_closed_test_of_bonferroni(p_values: list[float]) -> None:
    """A hypothesis is rejected where every set of hypotheses that holds it is."""
    indices = range(len(p_values))
    sets = [chosen for size in range(1, len(p_values) + 1) for chosen in combinations(indices, size)]
    bonferroni = {chosen: min(1.0, len(chosen) * min(p_values[index] for index in chosen)) for chosen in sets}
    closed = [max(p for chosen, p in bonferroni.items() if index in chosen) for index in indices]
    assert holm(p_values) == pytest.approx(closed)


def test_the_noise_of_single_precision_breaks_no_tie() -> None:
    # 15 of 19 and 14 of 19, 13 of 19 and 12 of 19, as they come out of float32: both differences are one of 19.
    one = {0: 0.7894737124443054, 1: 0.6842105388641357, 2: 0.5}
    other = {0: 0.7368420958518982, 1: 0.6315789222717285, 2: 0.5}
    found = compare_paired(one, other)
    assert found is not None
    assert found.rank_test == 0.5  # two tied steps in one direction, of 2² ways
    assert found.difference.mean == pytest.approx(2 / 19 / 3, abs=1e-6)
