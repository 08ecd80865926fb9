from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from lorap_bench.record import Outcome, Status, TrialRecord
from lorap_bench.search.mirror import Mirror, optuna_journal
from lorap_bench.store.folder import StudyFolder
from tests.search.synthetic import make_spec

if TYPE_CHECKING:
    from pathlib import Path

SPEC = make_spec({"quant.bits": {"choices": [2, 4, 8]}, "optim.lr": {"float": [0.01, 0.1]}})
FIGURES = {"accuracy": 0.8, "average_bits": 4.0, "overhead": 1.0}


def record(number: int, status: Status = Status.COMPLETE, **changes: Any) -> TrialRecord:
    made = TrialRecord(
        status=status,
        config={},
        digest=f"d{number}",
        number=number,
        params={"quant.bits": 4, "optim.lr": 0.02},
        objectives=FIGURES,
        violations={"average_bits": -1.0},
        costs={"model_bytes": 100.0},
        started="2026-01-02T03:04:05+00:00",
        seconds=1.5,
    )
    return replace(made, **changes)


RECORDS = [
    record(0),
    record(1, Status.DIVERGED, objectives={}, reason="loss is nan in /home/someone/file"),
    record(2, Status.DUPLICATE, duplicate_of=0, started=""),
    record(3, Status.DUPLICATE, duplicate_of=1, objectives={}),
    record(4, Status.PRUNED, objectives={"accuracy": 0.3}),
    record(5, Status.INVALID, objectives={}, violations={"average_bits": 3.0}),
]


def load(path: Path) -> optuna.Study:
    return optuna.load_study(study_name="synthetic", storage=JournalStorage(JournalFileBackend(str(path))))


def test_optuna_opens_the_journal_with_everything_in_it(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    path.write_bytes(optuna_journal(SPEC, RECORDS))
    study = load(path)
    assert study.metric_names == ["accuracy", "average_bits", "overhead"]
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE", "MINIMIZE"]
    states = [TrialState.COMPLETE, TrialState.FAIL, TrialState.COMPLETE, TrialState.FAIL]
    assert [trial.state for trial in study.trials] == [*states, TrialState.PRUNED, TrialState.PRUNED]
    first, failed, *_, infeasible = study.trials
    assert first.values == [0.8, 4.0, 1.0]
    assert first.params == {"quant.bits": 4, "optim.lr": 0.02}
    assert first.user_attrs["status"] == "complete"
    assert first.user_attrs["digest"] == "d0"
    assert first.user_attrs["costs.model_bytes"] == 100.0
    assert failed.user_attrs["reason"] == "loss is nan in …/file"
    assert study.trials[4].user_attrs["objectives.accuracy"] == 0.3
    assert infeasible.constraints == {"average_bits": 3.0}
    assert first.datetime_start is not None
    assert first.datetime_start.astimezone(UTC) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert first.duration is not None
    assert first.duration.total_seconds() == 1.5
    assert [trial.number for trial in study.best_trials] == [0, 2]


def test_the_same_records_give_the_same_bytes() -> None:
    assert optuna_journal(SPEC, RECORDS) == optuna_journal(SPEC, RECORDS[::-1])


def test_an_exported_study_can_be_searched_on(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    path.write_bytes(optuna_journal(SPEC, RECORDS))
    study = load(path)
    trial = study.ask()
    trial.suggest_categorical("quant.bits", [2, 4, 8])
    study.tell(trial, [0.9, 4.0, 1.0])
    assert len(load(path).trials) == len(RECORDS) + 1


@pytest.mark.usefixtures("fast_disk")
def test_a_mirror_follows_the_records_and_writes_nothing(tmp_path: Path) -> None:
    folder = StudyFolder.create(tmp_path, SPEC.to_mapping(), SPEC.identity)
    mirror = Mirror(SPEC, folder)
    assert mirror.follow() == 0
    for one in RECORDS[:2]:
        folder.write(Outcome(one, {}))
    before = sorted(path.name for path in folder.root.rglob("*"))
    assert mirror.follow() == 2
    folder.write(Outcome(RECORDS[2], {}))
    assert (mirror.follow(), mirror.follow()) == (1, 0)
    (study,) = mirror.storage.get_all_studies()
    assert (study.study_name, mirror.storage.get_n_trials(study._study_id)) == ("synthetic", 3)
    assert sorted(path.name for path in folder.root.rglob("*")) == sorted([*before, "000002.json"])
