"""Ranks over datasets against scipy, Demšar's tables and brute force."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lorap_bench.stats.ranks import average_ranks, cliques, critical_difference, friedman

# Demšar 2006, table 5(a): q at 0.05 for k = 2 … 10.
DEMSAR = [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]
# Demšar 2006, table 6: AUC of C4.5 in four variants on 14 datasets.
AUC = [
    [0.763, 0.768, 0.771, 0.798],
    [0.599, 0.591, 0.590, 0.569],
    [0.954, 0.971, 0.968, 0.967],
    [0.628, 0.661, 0.654, 0.657],
    [0.882, 0.888, 0.886, 0.898],
    [0.936, 0.931, 0.916, 0.931],
    [0.661, 0.668, 0.609, 0.685],
    [0.583, 0.583, 0.563, 0.625],
    [0.775, 0.838, 0.866, 0.875],
    [1.000, 1.000, 1.000, 1.000],
    [0.940, 0.962, 0.965, 0.962],
    [0.619, 0.666, 0.614, 0.669],
    [0.972, 0.981, 0.9751, 0.975],
    [0.957, 0.978, 0.946, 0.970],
]


def test_demsars_example() -> None:
    found = friedman(AUC)
    assert (found.n, found.k, found.left_out) == (14, 4, 0)
    assert found.ranks == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    # He reports 9.28 without the correction for ties, which divides by less than 1.
    ranks = np.array(found.ranks)
    plain = 12 * 14 / (4 * 5) * ((ranks**2).sum() - 4 * 25 / 4)
    assert plain == pytest.approx(9.28, abs=0.01)
    tied = sum(count**3 - count for row in AUC for count in np.unique(row, return_counts=True)[1].tolist())
    assert found.statistic == pytest.approx(plain / (1 - tied / (14 * 4 * 15)))
    assert found.p == pytest.approx(stats.chi2.sf(found.statistic or 0, 3))


@pytest.mark.parametrize(("k", "quantile"), list(enumerate(DEMSAR, start=2)))
def test_critical_differences_of_demsars_table(k: int, quantile: float) -> None:
    # Six blocks for k treatments leave q · √(k (k + 1)) / 6.
    assert critical_difference(k, 6) == pytest.approx(quantile * math.sqrt(k * (k + 1)) / 6, rel=5e-4)


def test_critical_difference_of_demsars_example() -> None:
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)
    # At 0.10 his table has 2.291.
    assert critical_difference(4, 14, alpha=0.1) == pytest.approx(2.291 * math.sqrt(20 / 84), abs=1e-3)
    with pytest.raises(ValueError, match="2 treatments"):
        critical_difference(1, 5)


def test_two_treatments_are_told_apart_as_by_the_sign_test_in_the_limit() -> None:
    assert critical_difference(2, 100) == pytest.approx(1.959964 * math.sqrt(6 / 600), rel=1e-5)


def test_blocks_with_a_gap_are_left_out_and_counted() -> None:
    table: list[list[float | None]] = [[1.0, 2.0, 3.0], [None, 1.0, 2.0], [2.0, 3.0, 1.0], [math.nan, 1.0, 2.0]]
    found = friedman(table)
    assert (found.n, found.left_out) == (2, 2)
    assert found.ranks == average_ranks([table[0], table[2]]) == (2.5, 1.5, 2.0)
    assert found.statistic == pytest.approx(stats.friedmanchisquare([1, 2], [2, 3], [3, 1]).statistic)


def test_the_direction_says_what_is_best() -> None:
    table = [[0.1, 0.2, 0.3], [0.2, 0.2, 0.5]]
    assert average_ranks(table) == (2.75, 2.25, 1.0)
    assert average_ranks(table, "min") == (1.25, 1.75, 3.0)


def test_too_little_for_a_test() -> None:
    for table in ([[1.0, 2.0]] * 5, [[1.0, 2.0, 3.0]]):
        found = friedman(table)
        assert (found.statistic, found.p) == (None, None)
        assert len(found.ranks) == len(table[0])
    empty = friedman([[None, 1.0, 2.0]])
    assert (empty.statistic, empty.n, empty.left_out, empty.ranks) == (None, 0, 1, ())


def test_ties_everywhere_show_no_difference() -> None:
    found = friedman([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]])
    assert (found.statistic, found.p, found.ranks) == (0.0, 1.0, (2.0, 2.0, 2.0))


def test_ragged_and_empty_tables_are_refused() -> None:
    for table in ([[1.0], [1.0, 2.0]], []):
        with pytest.raises(ValueError, match="rows of one length"):
            friedman(table)


def test_cliques_of_demsars_example() -> None:
    assert cliques([3.143, 2.000, 2.893, 1.964], 1.25) == [(3, 1, 2, 0)]
    assert cliques([3.143, 2.000, 2.893, 1.964], 1.15) == [(3, 1, 2), (1, 2, 0)]
    assert cliques([3.143, 2.000, 2.893, 1.964], 0.01) == []
    assert cliques([], 1.0) == []


@given(
    st.lists(st.integers(2, 14).map(lambda rank: rank / 2), max_size=7), st.integers(0, 8).map(lambda cd: cd / 2 + 0.1)
)
def test_cliques_are_the_largest_groups_without_a_difference(ranks: list[float], difference: float) -> None:
    subsets = [set(chosen) for size in range(2, len(ranks) + 1) for chosen in combinations(range(len(ranks)), size)]
    close = [one for one in subsets if max(ranks[i] for i in one) - min(ranks[i] for i in one) <= difference]
    largest = [one for one in close if not any(one < other for other in close)]
    found = cliques(ranks, difference)
    assert sorted(map(sorted, found)) == sorted(map(sorted, largest))
    assert all([ranks[index] for index in group] == sorted(ranks[index] for index in group) for group in found)
