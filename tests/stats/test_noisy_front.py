from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from lorap_bench.stats.front import front_mask
from lorap_bench.stats.noisy_front import mean_errors, probabilities_on_front, probability_on_front


def test_two_points_of_equal_cost_have_the_probability_of_one_normal_above_another() -> None:
    means, errors, costs = np.array([0.8, 0.79]), np.array([0.01, 0.02]), np.ones((2, 1))
    found = probabilities_on_front(means, errors, costs)
    expected = norm.cdf(0.01 / np.hypot(0.01, 0.02))
    assert found == pytest.approx([expected, 1 - expected], abs=1e-6)


def test_the_cheapest_is_always_on_the_front_and_its_rival_only_where_it_is_better() -> None:
    found = probabilities_on_front(np.array([0.5, 0.5]), np.array([0.1, 0.1]), np.array([[1.0], [2.0]]))
    assert found[0] == 1.0
    assert found[1] == pytest.approx(0.5, abs=1e-9)


def test_many_points_agree_with_draws() -> None:
    rng = np.random.default_rng(0)
    means, errors = rng.uniform(0.6, 0.8, 12), rng.uniform(0.005, 0.03, 12)
    costs = rng.integers(1, 4, (12, 2)).astype(float)
    draws = rng.normal(means, errors, (20_000, 12))
    on_front = [front_mask(np.column_stack([draw, costs]), ["max", "min", "min"]) for draw in draws]
    assert probabilities_on_front(means, errors, costs) == pytest.approx(np.mean(on_front, axis=0), abs=0.012)


def test_without_noise_it_is_the_front() -> None:
    rng = np.random.default_rng(1)
    means, costs = rng.integers(0, 5, 30) / 5, rng.integers(0, 4, (30, 2)).astype(float)
    mask = front_mask(np.column_stack([means, costs]), ["max", "min", "min"])
    assert probabilities_on_front(means, np.zeros(30), costs).tolist() == mask.astype(float).tolist()


def test_without_costs_only_the_best_counts() -> None:
    found = probability_on_front(1, np.array([0.1, 0.9, 0.2]), np.full(3, 1e-6), np.empty((3, 0)))
    assert found == pytest.approx(1.0)


def test_noise_is_drawn_towards_what_the_points_have_in_common() -> None:
    errors = mean_errors([[0.8, 0.8], [0.7, 0.8, 0.9], [0.5]])
    assert errors is not None
    common = 0.02 / 3  # squares 0 + 0.02, degrees 1 + 2
    assert errors[0] == pytest.approx(np.sqrt(4 * common / 5 / 2))
    assert errors[1] == pytest.approx(np.sqrt((4 * common + 0.02) / 6 / 3))
    assert errors[2] == pytest.approx(np.sqrt(common))


def test_single_replicas_tell_no_noise() -> None:
    assert mean_errors([[0.1], [0.2]]) is None
