"""Rectangles of the attainment difference against the definition and, on its terms, moocore."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import moocore
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lorap_bench.stats.attainment import attained
from lorap_bench.stats.attainment_difference import Box, Difference, attainment_difference

if TYPE_CHECKING:
    from lorap_bench.stats.front import Direction

DOWN: list[Direction] = ["min", "min"]
MIXED: list[Direction] = ["max", "min"]
BOX: Box = ((0.0, 4.0), (0.0, 4.0))
Run = list[tuple[float, float]]

# Points lie within the box, on its edges and outside, on whole numbers.
POINT = st.tuples(st.integers(-1, 5).map(float), st.integers(-1, 5).map(float))
RUNS = st.lists(st.lists(POINT, max_size=4), min_size=1, max_size=4)
FULL_RUNS = st.lists(st.lists(POINT, min_size=1, max_size=4), min_size=2, max_size=4)
# So the middle of each unit cell stands for the cell.
MIDDLES = np.array([(x + 0.5, y + 0.5) for x in range(4) for y in range(4)])


def shares_at(difference: Difference, goals: np.ndarray) -> list[float]:
    """Return the difference at each goal; fail where rectangles overlap."""
    inside = (difference.lower[:, None] < goals) & (goals < difference.upper[:, None])
    held = inside.all(axis=2)
    assert (held.sum(axis=0) <= 1).all()
    return (held * difference.share[:, None]).sum(axis=0).tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("directions", [DOWN, MIXED, ["max", "max"]])
def test_rectangles_hold_the_difference_of_the_shares(directions: list[Direction]) -> None:
    @given(RUNS, RUNS)
    def check(first: list[Run], second: list[Run]) -> None:
        found = attainment_difference(first, second, directions, BOX)
        expected = attained(first, directions, MIDDLES) - attained(second, directions, MIDDLES)
        assert shares_at(found, MIDDLES) == pytest.approx(expected.tolist())
        assert (found.lower < found.upper).all()
        assert (found.lower >= 0).all()
        assert (found.upper <= 4).all()
        assert (found.share != 0).all()
        assert (found.first, found.second) == (len(first), len(second))

    check()


@given(FULL_RUNS, FULL_RUNS)
def test_it_agrees_with_moocore_for_as_many_runs_on_both_sides(first: list[Run], second: list[Run]) -> None:
    runs = min(len(first), len(second))
    first, second = first[:runs], second[:runs]
    tables = [
        np.array([(*point, owner) for owner, run in enumerate(side) for point in run]) for side in (first, second)
    ]
    found = attainment_difference(first, second, DOWN, ((-2.0, 6.0), (-2.0, 6.0)))
    middles = np.array([(x + 0.5, y + 0.5) for x in range(-2, 6) for y in range(-2, 6)])
    # It cannot return that there is no rectangle.
    assume(len({tuple(attained([run], DOWN, middles)) for run in first + second}) > 1)
    rectangles = moocore.eafdiff(*tables, rectangles=True)
    for goal, share in zip(middles, shares_at(found, middles), strict=True):
        held = ((rectangles[:, :2] < goal) & (goal < rectangles[:, 2:4])).all(axis=1)
        assert set(np.rint(rectangles[held, 4])) <= {round(share * runs)}
        assert held.any() or share == 0


def test_one_point_each_by_hand() -> None:
    found = attainment_difference([[(0.8, 4.0)]], [[(0.6, 2.0)]], MIXED, ((0.0, 1.0), (1.0, 8.0)))
    rectangles = sorted(zip(found.lower.tolist(), found.upper.tolist(), found.share.tolist(), strict=True))
    assert rectangles == [([0.0, 2.0], [0.6, 4.0], -1.0), ([0.6, 4.0], [0.8, 8.0], 1.0)]


def test_what_neither_or_both_attain_has_no_rectangle() -> None:
    runs: list[Run] = [[(1.0, 2.0), (2.0, 1.0)], [(3.0, 3.0)], []]
    same = attainment_difference(runs, runs[::-1], DOWN, BOX)
    assert (same.lower.shape, same.upper.shape, same.share.shape) == ((0, 2), (0, 2), (0,))
    assert len(attainment_difference([[]], [[], []], DOWN, BOX).share) == 0
    assert len(attainment_difference([[(5.0, 5.0)]], [[(4.0, 0.0)]], DOWN, BOX).share) == 0


def test_a_share_counts_all_runs_of_its_side() -> None:
    found = attainment_difference(
        [[(1.0, 1.0)], [(1.0, 1.0)], [], []], [[(1.0, 1.0)], [(math.nan, 0.0)], []], DOWN, BOX
    )
    assert (found.lower.tolist(), found.upper.tolist()) == ([[1.0, 1.0]], [[4.0, 4.0]])
    assert found.share.tolist() == pytest.approx([1 / 2 - 1 / 3])


def test_the_sides_exchanged_change_the_sign() -> None:
    first, second = [[(1.0, 3.0)], [(2.0, 2.0)]], [[(3.0, 0.0)], [(0.0, 3.0), (2.0, 1.0)], [(1.0, 1.0)]]
    ahead, behind = (attainment_difference(*pair, DOWN, BOX) for pair in ((first, second), (second, first)))
    assert shares_at(ahead, MIDDLES) == pytest.approx([-share for share in shares_at(behind, MIDDLES)])


def test_better_than_the_box_fills_it() -> None:
    found = attainment_difference([[(-3.0, -3.0)]], [[]], DOWN, BOX)
    assert (found.lower.tolist(), found.upper.tolist(), found.share.tolist()) == ([[0.0, 0.0]], [[4.0, 4.0]], [1.0])


@pytest.mark.parametrize(
    "box", [((1.0, 1.0), (0.0, 4.0)), ((0.0, math.inf), (0.0, 4.0)), ((0.0, math.nan), (0.0, 4.0))]
)
def test_a_box_without_area_or_end_is_refused(box: Box) -> None:
    with pytest.raises(ValueError, match="finite sides"):
        attainment_difference([[(1.0, 1.0)]], [[]], DOWN, box)


def test_no_runs_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one run"):
        attainment_difference([], [[(1.0, 1.0)]], DOWN, BOX)
