"""Front and hypervolume against closed forms and brute force."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorap_bench.stats.front import (
    REFERENCE,
    Direction,
    box_hypervolume,
    box_hypervolume_history,
    front_mask,
    hypervolume,
)

ACCURACY: dict[str, Direction] = {"accuracy": "max"}
TWO: dict[str, Direction] = {**ACCURACY, "average_bits": "min"}
THREE: dict[str, Direction] = {**TWO, "overhead": "min"}


def inclusion_exclusion(points: list[tuple[float, ...]]) -> float:
    """Return the volume of the union of boxes [0, point], by inclusion and exclusion: O(2^n)."""
    total = 0.0
    for size in range(1, len(points) + 1):
        for chosen in combinations(points, size):
            total += (-1) ** (size + 1) * math.prod(min(column) for column in zip(*chosen, strict=True))
    return total


def brute_mask(points: list[tuple[float, ...]]) -> list[bool]:
    """Return which maximised points nothing dominates, by comparing all pairs."""
    return [not any(all(b >= a for a, b in zip(p, q, strict=True)) and q != p for q in points) for p in points]


def grid(dimensions: int) -> st.SearchStrategy[list[tuple[float, ...]]]:
    # A coarse grid makes ties and equal points common.
    return st.lists(st.tuples(*[st.integers(0, 6).map(lambda i: i / 6)] * dimensions), max_size=7)


def test_front_of_two_objectives() -> None:
    values = [[0.8, 4.0], [0.7, 4.0], [0.8, 8.0], [0.6, 2.0], [0.9, 8.0]]
    assert front_mask(values, ["max", "min"]).tolist() == [True, False, False, True, True]


def test_front_of_one_objective_is_its_best_points() -> None:
    assert front_mask([[0.2], [0.9], [0.9]], ["max"]).tolist() == [False, True, True]
    assert front_mask([[0.2], [0.9]], ["min"]).tolist() == [True, False]


def test_equal_points_stand_together() -> None:
    assert front_mask([[0.5, 3.0], [0.5, 3.0]], ["max", "min"]).tolist() == [True, True]


def test_values_that_are_not_finite_are_never_on_the_front() -> None:
    values = [[math.inf, 1.0], [math.nan, 1.0], [0.5, 3.0]]
    assert front_mask(values, ["max", "min"]).tolist() == [False, False, True]
    assert front_mask([[math.nan, 1.0]], ["max", "min"]).tolist() == [False]


def test_no_points() -> None:
    assert front_mask([], ["max", "min"]).shape == (0,)
    assert hypervolume([], ["max"], [0.0]) == 0.0
    assert box_hypervolume_history([], TWO) == []


@pytest.mark.parametrize(
    ("values", "directions", "reference", "expected"),
    [
        ([[0.8]], ["max"], [0.5], 0.3),
        ([[3.0]], ["min"], [8.0], 5.0),
        ([[5, 5], [4, 6], [2, 7], [7, 4]], ["min", "min"], [10, 10], 38.0),
        ([[5, 5], [4, 6], [2, 7], [7, 4]], ["max", "max"], [0, 0], 39.0),
        ([[0.8, 4.0], [0.6, 2.0]], ["max", "min"], [0.0, 32.0], 0.8 * 28 + 0.6 * 2),
        ([[1, 2, 3]], ["max", "min", "min"], [0, 4, 5], 4.0),
        ([[0.8, 40.0], [math.inf, 2.0]], ["max", "min"], [0.0, 32.0], 0.0),
    ],
)
def test_hypervolume_in_closed_form(
    values: list[list[float]], directions: list[Direction], reference: list[float], expected: float
) -> None:
    assert hypervolume(values, directions, reference) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("objectives", [ACCURACY, TWO, THREE])
def test_the_whole_box_is_one(objectives: dict[str, Direction]) -> None:
    ideal = [REFERENCE.ideal[name] for name in objectives]
    worst = [REFERENCE.worst[name] for name in objectives]
    assert box_hypervolume([ideal], objectives) == 1.0
    assert box_hypervolume([worst], objectives) == 0.0
    middle = [(a + b) / 2 for a, b in zip(ideal, worst, strict=True)]
    assert box_hypervolume([middle], objectives) == pytest.approx(0.5 ** len(objectives))


def test_beyond_the_ideal_counts_as_the_ideal_and_infinity_as_nothing() -> None:
    assert box_hypervolume([[0.5, 16.0, -3.0]], THREE) == pytest.approx(0.25)
    assert box_hypervolume([[0.5, 16.0, -math.inf]], THREE) == 0.0


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_hypervolume_agrees_with_inclusion_and_exclusion(dimensions: int) -> None:
    directions: list[Direction] = ["max"] * dimensions

    @given(grid(dimensions))
    def check(points: list[tuple[float, ...]]) -> None:
        found = hypervolume(points, directions, [0.0] * dimensions)
        assert found == pytest.approx(inclusion_exclusion(points), abs=1e-9)
        assert front_mask(points, directions).tolist() == brute_mask(points)

    check()


@given(grid(3))
def test_history_agrees_with_every_prefix(points: list[tuple[float, ...]]) -> None:
    values = [[a, 32 * b, 100 * c] for a, b, c in points]
    history = box_hypervolume_history(values, THREE)
    expected = [box_hypervolume(values[: end + 1], THREE) for end in range(len(values))]
    assert history == pytest.approx(expected, abs=1e-9)
    assert history == sorted(history)


def test_history_passes_over_points_that_are_not_finite() -> None:
    assert box_hypervolume_history([[math.nan], [0.5], [math.inf], [0.4]], ACCURACY) == [0.0, 0.5, 0.5, 0.5]


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one objective"):
        front_mask([], [])
    with pytest.raises(ValueError, match=r"expected \(n, 2\)"):
        front_mask([[1.0]], ["max", "min"])
    with pytest.raises(ValueError, match="reference has shape"):
        hypervolume([[1.0]], ["max"], [0.0, 0.0])
