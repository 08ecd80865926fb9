"""Thinning: few enough, in order, and what stands alone stays."""

from __future__ import annotations

import numpy as np

from lorap_bench.report.thinning import thinned


def test_few_points_all_stay() -> None:
    assert thinned(np.zeros((5, 2)), 5) == [0, 1, 2, 3, 4]
    assert thinned(np.zeros((0, 2)), 5) == []


def test_a_crowd_gives_way_to_what_stands_alone() -> None:
    crowd = np.full((500, 2), 0.5) + np.random.default_rng(0).uniform(-0.001, 0.001, (500, 2))
    alone = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    points = np.concatenate([crowd[:250], alone, crowd[250:]])
    kept = thinned(points, 20)
    assert len(kept) == 20
    assert kept == sorted(kept)
    assert {250, 251, 252} <= set(kept)


def test_equal_points_and_gaps_are_no_trouble() -> None:
    points = np.full((50, 3), 2.0)
    assert thinned(points, 10) == list(range(10))
    points[7] = np.nan
    points[9, 1] = np.inf
    assert {7} <= set(thinned(points, 10))
    assert len(thinned(np.full((50, 2), np.nan), 10)) == 10
