"""Early stopping at rungs: who goes on, who ends, and that it never depends on the order of what was added."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from lorap_bench.record import MemberResult, Status, TrialRecord
from lorap_bench.search.rungs import COMPLETE_NEEDED, Rungs, _crowding, standing
from tests.search.synthetic import make_spec

ASHA: dict[str, Any] = {"rule": "MO-ASHA", "grace_epochs": 5, "reduction_factor": 3}
BOUND: dict[str, Any] = {"bound": True, "grace_epochs": 5, "reduction_factor": 3}


def rungs(objectives: tuple[str, ...] = ("accuracy", "average_bits"), **stopping: Any) -> Rungs:
    return Rungs(make_spec(objectives=objectives, early_stopping=stopping or ASHA))


def ended(
    number: int, best: list[list[float]], bits: float, *, status: Status = Status.COMPLETE, final: float = 0.9
) -> tuple[TrialRecord, dict[str, list[list[float]]]]:
    """Return a trial of 40 epochs with its members' best values at rungs."""
    objectives = {"average_bits": bits} | ({"accuracy": final} if status is Status.COMPLETE else {})
    record = TrialRecord(
        status=status,
        config={"optim": {"epochs": 40}},
        digest=str(number),
        number=number,
        objectives=objectives,
        costs={"average_bits": bits, "overhead": 1.0},
        members=tuple(MemberResult(seed=seed, status=status, val=final) for seed in range(len(best))),
    )
    return record, {"val_best": best}


def judged(found: Rungs, *trials: tuple[int, float, float], epoch: int = 5) -> set[int]:
    """Judge trials (number, accuracy, bits) together."""
    values = {number: [accuracy] for number, accuracy, _ in trials}
    costs = {number: {"average_bits": bits, "overhead": 0.0} for number, _, bits in trials}
    return set(found.judge(epoch, values, costs))


@pytest.mark.parametrize(
    ("epochs", "expected"), [(5, ()), (6, (5,)), (15, (5,)), (16, (5, 15)), (200, (5, 15, 45, 135))]
)
def test_rungs_are_the_grace_times_powers_of_the_factor(epochs: int, expected: tuple[int, ...]) -> None:
    assert rungs().rungs(epochs) == expected
    assert rungs(**BOUND).rungs(epochs) == expected
    assert rungs(rule="none").rungs(epochs) == ()


def test_the_best_third_goes_on_and_so_does_all_that_nothing_dominates() -> None:
    one = rungs(("accuracy",))
    assert judged(one, *((n, n / 10, 4.0) for n in range(9))) == set(range(6))
    front = rungs()
    assert judged(front, *((n, n / 10, float(n)) for n in range(9))) == set()
    assert judged(rungs(), (0, 0.9, 2.0), (1, 0.8, 3.0), (2, 0.7, 4.0)) == {1, 2}


def test_with_fewer_trials_than_the_factor_all_go_on() -> None:
    found = rungs()
    assert judged(found, (0, 0.9, 2.0)) == set()
    assert judged(found, (1, 0.1, 8.0)) == set()
    assert judged(found, (2, 0.2, 8.0)) == {2}


def test_a_trial_judged_again_is_not_two() -> None:
    found = rungs(("accuracy",))
    for _ in range(5):
        assert judged(found, (0, 0.9, 2.0)) == set()
        assert judged(found, (1, 0.1, 2.0)) == set()


def test_levels_are_apart() -> None:
    found = rungs(("accuracy",))
    judged(found, *((n, 0.9, 4.0) for n in range(9)), epoch=5)
    assert judged(found, (20, 0.1, 4.0), epoch=15) == set()


def test_a_diverged_member_puts_its_trial_last() -> None:
    found = rungs(("accuracy",))
    for number, best in enumerate([[0.1, 0.1], [0.9, math.nan], [0.2, 0.2]]):
        found.judge(5, {number: best}, {number: {}})
    assert set(found.judge(5, {1: [0.9, math.nan]}, {1: {}})) == {1}
    assert set(found.judge(5, {2: [0.2, 0.2]}, {2: {}})) == set()


def test_what_ended_counts_by_what_it_left_at_each_rung() -> None:
    found = rungs(("accuracy",))
    found.add(*ended(0, [[0.5, 0.6], [0.7, 0.8]], 4.0))  # rungs of 40 epochs: 5, 15
    found.add(*ended(1, [[0.4], [0.4]], 4.0, status=Status.PRUNED))
    assert judged(found, (2, 0.59, 4.0), epoch=5) == {2}
    assert judged(found, (3, 0.61, 4.0), epoch=5) == set()
    assert judged(found, (2, 0.1, 4.0), epoch=15) == set()


def test_a_member_that_diverged_before_a_rung_leaves_its_trial_last_there() -> None:
    found = rungs(("accuracy",))
    found.add(*ended(0, [[0.9], []], 4.0, status=Status.DIVERGED))
    found.add(*ended(1, [[0.3], [0.3]], 4.0, status=Status.PRUNED))
    assert judged(found, (2, 0.35, 4.0)) == set()
    assert judged(found, (3, 0.32, 4.0)) == set()
    assert judged(found, (4, 0.31, 4.0)) == {4}


def test_a_member_that_was_never_asked_has_no_say() -> None:
    """Memory kept the members apart, and the trial was stopped by the first of them."""
    found = rungs(("accuracy",))
    found.add(*ended(0, [[0.5], []], 4.0, status=Status.PRUNED))
    assert judged(found, (1, 0.3, 4.0), (2, 0.4, 4.0)) == {1, 2}


@pytest.mark.parametrize("stopping", [ASHA, {**ASHA, "bound": True}])
def test_the_order_of_what_was_added_has_no_say(stopping: dict[str, Any]) -> None:
    trials = [ended(n, [[0.5 + 0.03 * (n % 4)]], 2.0 + n % 3, final=0.6) for n in range(5)]
    fixed = [ended(n, [[0.5]], 8.0, final=0.55) for n in range(10, 20)]
    answers = []
    for order in permutations(trials):
        found = rungs(**stopping)
        for one in [*order, *fixed]:
            found.add(*one)
        values = {30: [0.55], 31: [0.58], 32: [0.5]}
        answers.append(found.judge(5, values, {n: {"average_bits": 3.0} for n in values}))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]


def test_it_travels_pickled() -> None:
    found = rungs(("accuracy",))
    for number in range(6):
        found.add(*ended(number, [[0.5]], 4.0))
    assert judged(pickle.loads(pickle.dumps(found)), (9, 0.4, 4.0)) == {9}


def test_learned_widths_are_unknown_before_the_end_so_nothing_is_said() -> None:
    found = rungs()
    for number in range(9):
        assert not found.judge(5, {number: [0.9 - number / 10]}, {number: {"overhead": 0.0}})
        record, curves = ended(number, [[0.9]], 1.0)
        learned = (MemberResult(seed=0, status=Status.COMPLETE, val=0.9, bits={"layers.0.weight": 1.0}),)
        found.add(TrialRecord(**{**{f: getattr(record, f) for f in record.__slots__}, "members": learned}), curves)
    assert judged(found, (20, 0.1, 8.0)) == set()


def complete(found: Rungs, count: int, gain: float = 0.1) -> None:
    for number in range(count):
        found.add(*ended(number, [[0.7]], 4.0, final=0.7 + gain))


def test_the_bound_stops_what_could_not_enter_the_front_with_the_largest_gain() -> None:
    found = rungs(**BOUND)
    complete(found, COMPLETE_NEEDED)
    assert judged(found, (20, 0.69, 4.0), (21, 0.71, 4.0), (22, 0.1, 3.9), (23, 0.7, 4.1)) == {20, 23}
    (reason,) = found.judge(5, {30: [0.6, 0.64]}, {30: {"average_bits": 4.0}}).values()
    assert reason == "at the rung of 5 epochs even an accuracy of 0.7200 would be dominated by trial 0"


def test_the_bound_waits_for_ten_complete_trials() -> None:
    found = rungs(**BOUND)
    complete(found, COMPLETE_NEEDED - 1)
    assert judged(found, (20, 0.0, 8.0)) == set()


def test_the_hope_ends_at_one_and_an_equal_trial_is_no_better() -> None:
    found = rungs(**BOUND)
    complete(found, COMPLETE_NEEDED, gain=0.3)
    assert judged(found, (20, 0.9, 4.0)) == set()
    assert judged(found, (21, 0.9, 4.5)) == {21}


def test_the_bound_stops_what_could_not_keep_a_constraint_on_accuracy() -> None:
    found = Rungs(
        make_spec(objectives=("accuracy", "average_bits"), constraints={"accuracy": ">= 0.95"}, early_stopping=BOUND)
    )
    complete(found, COMPLETE_NEEDED)
    assert judged(found, (20, 0.8, 1.0), (21, 0.86, 1.0)) == {20}


def test_crowding_is_the_gap_between_neighbours_and_infinite_at_the_ends() -> None:
    points = np.array([[0.0, 10.0], [1.0, 4.0], [1.0, 4.0], [5.0, 2.0], [10.0, 0.0]])
    assert _crowding(points).tolist() == [math.inf, 0.5 + 0.8, 0.5 + 0.8, 0.9 + 0.4, math.inf]
    assert _crowding(np.array([[1.0, 2.0]])).tolist() == [0.0]


def test_places_follow_rank_then_crowding() -> None:
    points = np.array([[0.0, 0.0], [1.0, 9.0], [2.0, 8.5], [9.0, 1.0], [math.nan, 0.0]])
    assert [standing(points, place) for place in range(5)] == [(False, 0), (True, 1), (True, 3), (True, 1), (True, 4)]


def test_a_promoted_trial_is_compared_by_the_seeds_that_every_trial_has() -> None:
    spec = make_spec(objectives=("accuracy", "average_bits"), early_stopping=ASHA, replicas={"search": 3, "screen": 1})
    screened, promoted = Rungs(spec), Rungs(spec)
    for number in range(3):
        screened.add(*ended(number, [[0.5 + number / 10]], 4.0))
        promoted.add(*ended(number, [[0.5 + number / 10], [0.1], [0.1]], 4.0))
    for found in (screened, promoted):
        assert judged(found, (9, 0.55, 4.0), (10, 0.75, 4.0)) == {9}


def erring(
    number: int, best: list[float], bits: float, final: float
) -> tuple[TrialRecord, dict[str, list[list[float]]]]:
    """Return a complete trial on values: its error at rungs, and at the end."""
    record, curves = ended(number, [best], bits, final=final)
    return replace(record, objectives={"average_bits": bits, "mae": final}), curves


def test_of_errors_the_smallest_third_goes_on() -> None:
    found = rungs(("mae",))
    assert judged(found, *((n, n / 10, 4.0) for n in range(9))) == set(range(3, 9))


def test_an_error_that_cannot_fall_far_enough_ends() -> None:
    found = rungs(("mae", "average_bits"), **BOUND)
    for number in range(COMPLETE_NEEDED):
        found.add(*erring(number, [0.9, 0.7], 4.0, 0.5))  # from 0.9 at the first rung to 0.5: 0.4 less
    reasons = found.judge(5, {20: [1.0], 21: [0.85]}, {20: {"average_bits": 4.0}, 21: {"average_bits": 4.0}})
    assert set(reasons) == {20}
    assert "even an MAE of 0.6000 would be dominated by trial 0" in reasons[20]
    assert found.judge(5, {22: [0.3]}, {22: {"average_bits": 8.0}}) == {}  # no error is below 0
