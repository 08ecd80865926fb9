"""Attainment surfaces against the definition, brute force and moocore."""

from __future__ import annotations

import math

import moocore
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorap_bench.stats.attainment import attained, attainment_surfaces
from lorap_bench.stats.front import Direction, front_mask

DOWN: list[Direction] = ["min", "min"]
MIXED: list[Direction] = ["max", "min"]
Run = list[tuple[float, float]]

# A coarse grid makes ties and equal points common; runs may be empty.
POINT = st.tuples(st.integers(0, 4).map(float), st.integers(0, 4).map(float))
RUNS = st.lists(st.lists(POINT, max_size=4), min_size=1, max_size=5)
GOALS = [(x / 2, y / 2) for x in range(-1, 10) for y in range(-1, 10)]


def share_by_definition(runs: list[Run], goal: tuple[float, float]) -> float:
    """Return the share of runs with a point no worse than the goal, both objectives minimised."""
    return sum(any(x <= goal[0] and y <= goal[1] for x, y in run) for run in runs) / len(runs)


@given(RUNS)
def test_shares_are_those_of_the_definition(runs: list[Run]) -> None:
    assert attained(runs, DOWN, GOALS).tolist() == pytest.approx([share_by_definition(runs, goal) for goal in GOALS])


@given(RUNS, st.sampled_from([0.1, 0.25, 0.5, 0.75, 1.0]))
def test_a_surface_bounds_the_goals_that_enough_runs_attain(runs: list[Run], level: float) -> None:
    surface = attainment_surfaces(runs, DOWN, [level])[level]
    for goal in GOALS:
        reached = bool((surface <= np.array(goal)).all(axis=1).any())
        assert reached == (share_by_definition(runs, goal) >= level - 1e-12)


@given(RUNS)
def test_a_surface_is_sorted_and_without_dominated_or_repeated_corners(runs: list[Run]) -> None:
    for surface in attainment_surfaces(runs, DOWN).values():
        assert front_mask(surface, DOWN).all()
        assert (np.diff(surface[:, 0]) > 0).all()


@given(st.lists(st.lists(POINT, min_size=1, max_size=4), min_size=1, max_size=6))
def test_all_levels_agree_with_moocore(runs: list[Run]) -> None:
    owners = np.repeat(np.arange(len(runs)), [len(run) for run in runs])
    table = moocore.eaf(np.concatenate([np.array(run) for run in runs]), owners)
    surfaces = attainment_surfaces(runs, DOWN, [count / len(runs) for count in range(1, len(runs) + 1)])
    for count, surface in enumerate(surfaces.values(), start=1):
        expected = table[np.rint(table[:, 2] * len(runs) / 100) == count, :2]
        assert surface.tolist() == sorted(expected.tolist())


def test_two_runs_by_hand() -> None:
    runs = [[(0.5, 4.0), (0.9, 8.0)], [(0.7, 6.0)]]
    surfaces = attainment_surfaces(runs, MIXED, [0.5, 1.0])
    assert surfaces[0.5].tolist() == [[0.5, 4.0], [0.7, 6.0], [0.9, 8.0]]
    assert surfaces[1.0].tolist() == [[0.5, 6.0], [0.7, 8.0]]
    assert attained(runs, MIXED, [(0.6, 7.0), (0.5, 8.0), (0.4, 3.0), (0.7, 8.0)]).tolist() == [0.5, 1.0, 0.0, 1.0]


def test_every_level_of_one_run_is_its_front() -> None:
    surfaces = attainment_surfaces([[(0.5, 4.0), (0.4, 5.0), (0.9, 8.0), (0.9, 8.0)]], MIXED)
    assert [surface.tolist() for surface in surfaces.values()] == [[[0.5, 4.0], [0.9, 8.0]]] * 3


def test_equal_runs_have_one_surface_and_equal_levels_the_same() -> None:
    surfaces = attainment_surfaces([[(1.0, 2.0)]] * 4, DOWN, [0.25, 0.3, 1.0])
    assert [surface.tolist() for surface in surfaces.values()] == [[[1.0, 2.0]]] * 3


def test_empty_runs_count() -> None:
    runs: list[Run] = [[(1.0, 2.0)], [], [(math.nan, 1.0), (1.0, math.inf)]]
    surfaces = attainment_surfaces(runs, DOWN, [0.3, 0.5])
    assert surfaces[0.3].tolist() == [[1.0, 2.0]]
    assert surfaces[0.5].shape == (0, 2)
    assert attained(runs, DOWN, [(1.0, 2.0)]).tolist() == pytest.approx([1 / 3])
    assert attainment_surfaces([[], []], DOWN, [0.5])[0.5].shape == (0, 2)


def test_a_share_of_three_tenths_is_three_of_ten_runs() -> None:
    runs = [[(float(index), 0.0)] for index in range(10)]
    for tenths in range(1, 11):
        assert attainment_surfaces(runs, DOWN, [0.1 * tenths])[0.1 * tenths].tolist() == [[tenths - 1.0, 0.0]]


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one run"):
        attainment_surfaces([], DOWN)
    with pytest.raises(ValueError, match="plane of two"):
        attained([[(1.0, 1.0)]], ["min"], [(1.0, 1.0)])
    with pytest.raises(ValueError, match=r"expected \(n, 2\)"):
        attained([[(1.0, 1.0, 1.0)]], DOWN, [(1.0, 1.0)])
    for level in (0.0, 1.5, math.nan):
        with pytest.raises(ValueError, match="above 0 and up to 1"):
            attainment_surfaces([[(1.0, 1.0)]], DOWN, [level])
