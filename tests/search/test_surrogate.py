"""The process predicts what it saw, is sure near it, and depends on nothing but its observations."""

from __future__ import annotations

import numpy as np
import pytest

from lorap_bench.search.surrogate import Predict, Seen, Surrogate


def observed(count: int, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    rows = rng.random((count, 3))
    return rows, np.sin(3 * rows[:, 0]) + rows[:, 1] + noise * rng.standard_normal(count)


def fit(rows: np.ndarray, values: np.ndarray, pending: np.ndarray | None = None) -> Predict:
    return Surrogate().fit(Seen(rows, values), Seen(rows, values), pending)


def test_it_learns_a_smooth_function_and_which_column_does_not_matter() -> None:
    rows, values = observed(60)
    predict = fit(rows[:40], values[:40])
    mean, deviation = predict(rows[40:])
    assert np.abs(mean - values[40:]).max() < 0.1
    assert deviation.max() < 0.1
    moved = rows[40:].copy()
    moved[:, 2] = 0.5
    assert predict(moved)[0] == pytest.approx(mean, abs=0.1)


def test_it_is_less_sure_far_away_and_returns_to_the_mean() -> None:
    rows, values = observed(12)
    mean, deviation = fit(rows, values)(np.vstack([rows[:1], rows[:1] + 50]))
    assert deviation[0] < deviation[1]
    assert mean[1] == pytest.approx(values.mean())


def test_points_still_out_make_their_surroundings_surer_and_change_no_expectation() -> None:
    rows, values = observed(20, noise=0.05)
    out = np.full((1, 3), 0.5)
    before, after = fit(rows, values)(out), fit(rows, values, out)(out)
    assert after[0] == pytest.approx(before[0], abs=1e-6)
    assert after[1] < before[1]


def test_a_resumed_process_predicts_what_the_one_that_grew_does() -> None:
    rows, values = observed(40, noise=0.1)
    values[[3, 20]] = np.nan
    grown, points = Surrogate(), np.random.default_rng(1).random((5, 3))
    for count in range(1, 41):
        seen, first = Seen(rows[:count], values[:count]), Seen(rows[: min(count, 30)], values[: min(count, 30)])
        predict = grown.fit(seen, first)
        fresh = Surrogate().fit(seen, first)
        assert [one.tolist() for one in predict(points)] == [one.tolist() for one in fresh(points)]


def test_a_failure_counts_as_the_worst() -> None:
    rows, values = observed(20)
    worst = values.min()
    failed, bad = values.copy(), values.copy()
    failed[5], bad[5] = np.nan, worst
    assert [one.tolist() for one in fit(rows, failed)(rows)] == [one.tolist() for one in fit(rows, bad)(rows)]


@pytest.mark.parametrize("count", [1, 2, 9])
def test_equal_figures_are_no_trouble(count: int) -> None:
    mean, deviation = fit(observed(count)[0], np.full(count, 0.7))(np.zeros((2, 3)))
    assert mean == pytest.approx(0.7)
    assert np.isfinite(deviation).all()
