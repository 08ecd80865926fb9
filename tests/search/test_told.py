"""What trials tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import optuna
from optuna.trial import TrialState

from lorap_bench.config import TrialConfig
from lorap_bench.record import MemberResult, Status, TrialRecord
from lorap_bench.search.encoding import Encoding
from lorap_bench.search.told import PARTIAL, partial, told
from tests.search.synthetic import make_spec


def record(status: Status, epochs: int, **objectives: float) -> TrialRecord:
    members = tuple(MemberResult(seed=seed, status=status, val=0.5, epochs=epochs) for seed in (0, 1))
    config: dict[str, Any] = TrialConfig().to_mapping()
    return TrialRecord(status=status, config=config, digest="", objectives=objectives, members=members)


def test_a_trial_that_was_stopped_early_tells_how_far_it_came() -> None:
    assert partial(record(Status.PRUNED, 50, accuracy=0.6)) == {"accuracy": 0.6, "share": 0.25}
    assert partial(record(Status.PRUNED, 900, accuracy=0.6)) == {"accuracy": 0.6, "share": 1.0}


def test_others_tell_nothing_of_the_kind() -> None:
    assert partial(record(Status.COMPLETE, 200, accuracy=0.6)) is None
    assert partial(record(Status.PRUNED, 50)) is None
    assert partial(record(Status.PRUNED, 0, accuracy=0.6)) is None
    assert partial(replace(record(Status.INVALID, 0), members=())) is None


def test_trials_are_sorted_by_how_they_ended() -> None:
    encoding = Encoding(make_spec({"optim.lr": {"float": [0.0, 1.0]}}).parameters)
    study = optuna.create_study(directions=["maximize", "minimize"])
    for number in range(6):
        trial = study.ask()
        trial.suggest_float("optim.lr", 0.0, 1.0)
        if number == 0:
            study.tell(trial, [0.7, 4.0])
        elif number == 1:
            trial.set_constraint("average_bits", 2.0)
            study.tell(trial, [0.9, 8.0])
        elif number == 2:
            trial.set_user_attr(PARTIAL, {"accuracy": 0.4, "share": 0.5})
            study.tell(trial, state=TrialState.PRUNED)
        elif number == 3:
            study.tell(trial, state=TrialState.PRUNED)
        elif number == 4:
            study.tell(trial, state=TrialState.FAIL)
    trials = study.get_trials(deepcopy=False)
    known = told(trials, trials, encoding)
    assert [(one.values, one.feasible, one.partial) for one in known.observations] == [
        ((0.7, 4.0), True, None),
        ((0.9, 8.0), False, None),
        (None, True, (0.4, 0.5)),
        (None, True, None),
    ]
    assert known.pending == [trials[5].params]
    assert known.tried == [trial.params for trial in trials]
    assert [one.row.tolist() for one in known.observations] == [
        [trials[number].params["optim.lr"]] for number in (0, 1, 2, 4)
    ]
