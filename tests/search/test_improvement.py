"""The closed form against brute force: exact hypervolumes, Monte Carlo, the textbook's expected improvement."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from lorap_bench.search.improvement import expected_hypervolume_improvement, expected_improvement
from lorap_bench.stats.front import hypervolume

MAX3 = ["max"] * 3


def improvement(front: np.ndarray, point: np.ndarray) -> float:
    whole = np.vstack([front, point])
    return hypervolume(whole, MAX3, [0.0] * 3) - hypervolume(front, MAX3, [0.0] * 3)  # type: ignore[arg-type]  # a literal list


@pytest.mark.parametrize("points", [0, 1, 2, 7, 30])
def test_a_certain_point_improves_by_the_difference_of_hypervolumes(points: int) -> None:
    rng = np.random.default_rng(points)
    front, candidates = rng.random((points, 3)), rng.random((40, 3))
    candidates[:5] = front[:1] if points else 0.5  # points of the front itself add nothing
    found = expected_hypervolume_improvement(candidates[:, 0], np.zeros(40), candidates[:, 1:], front)
    expected = [improvement(front, point) for point in candidates]
    assert found == pytest.approx(expected, abs=1e-12)
    if points:
        assert found[:5] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_an_uncertain_point_improves_by_the_mean_over_draws(seed: int) -> None:
    rng = np.random.default_rng(seed)
    front, known = rng.random((8, 3)), rng.random((1, 2))
    mean, sd = rng.uniform(0.3, 0.9, 1), rng.uniform(0.05, 0.3, 1)
    found = expected_hypervolume_improvement(mean, sd, known, front)[0]
    quantiles = norm.ppf((np.arange(4000) + 0.5) / 4000, mean[0], sd[0])
    draws = np.column_stack([quantiles, np.repeat(known, 4000, axis=0)])
    inside = draws[draws[:, 0] > 0]
    total = expected_hypervolume_improvement(inside[:, 0], np.zeros(len(inside)), inside[:, 1:], front).sum()
    assert found == pytest.approx(total / 4000, rel=2e-3)
    some = rng.choice(len(inside), 40, replace=False)
    assert [improvement(front, inside[index]) for index in some] == pytest.approx(
        expected_hypervolume_improvement(inside[some, 0], np.zeros(40), inside[some, 1:], front), abs=1e-12
    )


def test_with_one_objective_it_is_the_expected_improvement() -> None:
    mean, sd, best = np.array([0.7, 0.8, 0.9]), np.array([0.1, 0.0, 0.05]), 0.78
    front = np.array([[best, 1.0, 1.0], [0.3, 1.0, 1.0]])
    found = expected_hypervolume_improvement(mean, sd, np.ones((3, 2)), front)
    gap = mean - best
    textbook = [
        gap[i] * norm.cdf(gap[i] / sd[i]) + sd[i] * norm.pdf(gap[i] / sd[i]) if sd[i] else max(gap[i], 0)
        for i in range(3)
    ]
    assert found == pytest.approx(textbook, rel=1e-9)


def test_expected_improvement_never_falls_below_zero_nor_below_the_certain_one() -> None:
    levels = np.linspace(-1, 2, 301)
    found = expected_improvement(np.array(0.5), np.array(1e-3), levels)
    assert (found >= np.maximum(0.5 - levels, 0) - 1e-12).all()
    assert (np.diff(found) <= 1e-15).all()


def test_nothing_is_gained_beyond_the_worst_corner_nor_twice_beyond_the_ideal_one() -> None:
    front = np.empty((0, 3))
    known = np.array([[0.0, 1.0], [1.0, 1.0], [5.0, 5.0]])
    assert expected_hypervolume_improvement(np.full(3, 0.6), np.zeros(3), known, front).tolist() == [0.0, 0.6, 0.6]
