"""Which trials a sampler is shown of many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import optuna
import pytest
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from lorap_bench.search.kept import even, kept

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

UP_DOWN = [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE]


def trials(values: list[tuple[float, float]]) -> list[FrozenTrial]:
    study = optuna.create_study(directions=["maximize", "minimize"])
    study.add_trials(
        [create_trial(state=TrialState.COMPLETE, values=list(pair), params={}, distributions={}) for pair in values]
    )
    return study.get_trials(deepcopy=False)


@pytest.mark.parametrize(("count", "wanted"), [(10, 3), (1000, 7), (5, 5), (3, 9), (4, 0)])
def test_even_samples_are_distinct_and_spread(count: int, wanted: int) -> None:
    found = even(count, wanted)
    assert len(set(found)) == len(found) == min(count, wanted)
    if 0 < wanted < count:
        gaps = [after - before for before, after in zip([0, *found], [*found, count], strict=True)]
        assert max(gaps) <= count / wanted + 1


def test_few_are_shown_whole() -> None:
    few = trials([(0.1, 1), (0.2, 2)])
    assert kept(few, UP_DOWN, 2, {}) == few


def test_the_front_stays_and_the_rest_is_thinned_in_order() -> None:
    dominated = [(0.0, 100.0 + index) for index in range(200)]
    found = kept(trials([*dominated[:100], (1.0, 5.0), (0.9, 4.0), *dominated[100:]]), UP_DOWN, 20, {})
    assert len(found) == 20
    assert {100, 101} <= {trial.number for trial in found}
    assert [trial.number for trial in found] == sorted(trial.number for trial in found)
    others = [trial.number for trial in found if trial.number not in {100, 101}]
    assert others[0] < 40
    assert others[-1] > 160


def test_a_front_larger_than_its_share_is_thinned_too() -> None:
    front = trials([(index / 100, float(index)) for index in range(100)])
    found = kept(front, UP_DOWN, 20, {})
    assert len(found) == 20
    assert len({trial.number // 5 for trial in found}) >= 14


def test_unfinished_trials_are_always_shown_and_infeasible_ones_are_not_the_best() -> None:
    study = optuna.create_study(directions=["maximize", "minimize"])
    for number in range(60):
        trial = study.ask()
        if number == 7:
            trial.set_constraint("bits", 1.0)
        study.tell(trial, [1.0 if number == 7 else 0.5 - number / 1000, 1.0])
    out = study.ask()
    found = kept(study.get_trials(deepcopy=False), UP_DOWN, 8, {})
    assert len(found) == 9
    assert found[-1].number == out.number
    assert 0 in {trial.number for trial in found}
    assert 7 not in {trial.number for trial in found}


def test_what_was_found_out_is_used_again() -> None:
    merits: dict[int, tuple[float, ...]] = {}
    many = trials([(index / 50, float(index % 7)) for index in range(50)])
    first = kept(many, UP_DOWN, 12, merits)
    assert len(merits) == 50
    assert kept(many, UP_DOWN, 12, merits) == first == kept(many, UP_DOWN, 12, {})
