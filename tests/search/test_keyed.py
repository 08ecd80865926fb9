"""What samplers see of a study: the last trial of each key, in the order of the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState, create_trial

from lorap_bench.search.keyed import KeyedStudy

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


@pytest.fixture
def study() -> KeyedStudy:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = InMemoryStorage()
    optuna.create_study(storage=storage, study_name="study", directions=["maximize", "minimize"])
    return KeyedStudy(study_name="study", storage=storage)


def finished(key: int | None, value: float = 0.5, state: TrialState = TrialState.COMPLETE) -> FrozenTrial:
    values = [value, 1.0] if state is TrialState.COMPLETE else None
    notes = {} if key is None else {"key": key}
    return create_trial(state=state, values=values, params={}, distributions={}, user_attrs=notes)


def seen(study: KeyedStudy) -> list[tuple[int, float | None]]:
    return [(trial.number, trial.values[0] if trial.values else None) for trial in study.keyed()]


def test_a_retry_takes_the_place_of_what_it_retries(study: KeyedStudy) -> None:
    study.add_trials([finished(0, 0.1), finished(1, state=TrialState.FAIL), finished(2, 0.3), finished(1, 0.2)])
    assert seen(study) == [(0, 0.1), (1, 0.2), (2, 0.3)]
    assert [trial.number for trial in study.stored()] == [0, 1, 2, 3]


def test_what_finishes_later_is_seen_and_what_nobody_was_given_is_not(study: KeyedStudy) -> None:
    study.add_trials([finished(0, 0.1), finished(None)])
    out = study.ask()
    out.set_user_attr("key", 1)
    study.add_trial(finished(2, 0.3))
    assert seen(study) == [(0, 0.1), (1, None), (2, 0.3)]
    study.tell(out, [0.2, 1.0])
    assert seen(study) == [(0, 0.1), (1, 0.2), (2, 0.3)]
    study.add_trial(finished(3, 0.4))
    assert seen(study)[-1] == (3, 0.4)


def test_the_one_that_is_asked_for_is_not_seen(study: KeyedStudy) -> None:
    study.add_trials([finished(0, 0.1), finished(1, 0.2)])
    study.look(1)
    assert seen(study) == [(0, 0.1)]
    study.look(2)
    assert len(study.shown()) == 2


def test_a_storage_that_was_read_anew_is_looked_at_anew(study: KeyedStudy) -> None:
    study.add_trials([finished(0, 0.1), finished(1, 0.2)])
    assert seen(study)[-1] == (1, 0.2)
    fresh = InMemoryStorage()
    optuna.create_study(storage=fresh, study_name="study", directions=["maximize", "minimize"])
    study._storage = fresh
    study.add_trials([finished(0, 0.7), finished(1, 0.8), finished(2, 0.9)])
    assert seen(study) == [(0, 0.7), (1, 0.8), (2, 0.9)]
