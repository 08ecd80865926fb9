from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.errors import StoreError
from lorap_bench.executors.local import run_local
from lorap_bench.executors.stop import Interrupted, Stop
from lorap_bench.record import Status
from lorap_bench.search.confirm import confirm, front
from lorap_bench.search.loop import Broker
from lorap_bench.store.folder import StudyFolder
from tests.search.synthetic import make_spec, sketch, train

if TYPE_CHECKING:
    from pathlib import Path

    from lorap_bench.record import TrialRecord
    from lorap_bench.study.spec import StudySpec

pytestmark = pytest.mark.usefixtures("fast_disk")


def finished(tmp_path: Path, confirmations: int = 4) -> tuple[StudySpec, StudyFolder]:
    spec = make_spec(
        trials=12,
        constraints={"average_bits": "<= 8", "accuracy": ">= 0.5"},
        replicas={"search": 2, "confirm": confirmations},
    )
    folder = StudyFolder.create(tmp_path, spec.to_mapping(), spec.identity)
    with Broker(spec, folder, None, blueprint=sketch) as broker:
        run_local(broker, train, Stop())
    return spec, folder


def dominated(one: TrialRecord, other: TrialRecord) -> bool:
    gains = [
        other.objectives["accuracy"] - one.objectives["accuracy"],
        one.objectives["average_bits"] - other.objectives["average_bits"],
        one.objectives["overhead"] - other.objectives["overhead"],
    ]
    return min(gains) >= 0 and max(gains) > 0


def test_the_front_is_what_nothing_feasible_dominates(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path)
    able = [record for record in folder.records() if record.status is Status.COMPLETE and record.feasible]
    expected = [record for record in able if not any(dominated(record, other) for other in able)]
    assert 0 < len(expected) < len(able)
    assert front(spec, folder.records()) == expected


def test_infeasible_and_failed_trials_are_on_no_front(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path)
    best = front(spec, folder.records())[0]
    spoilt = [replace(best, violations={"accuracy": 0.1}), replace(best, status=Status.DIVERGED)]
    assert front(spec, spoilt) == []


def test_front_trials_run_again_with_fresh_seeds_on_the_test_split(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path)
    heard: list[TrialRecord] = []
    done = confirm(spec, folder, train, on_event=heard.append)
    searched = {record.number: record for record in folder.records()}
    assert [record.number for record in done] == [record.number for record in front(spec, folder.records())]
    assert heard == done
    assert folder.confirmations() == {record.number: record for record in done}
    used = {member.seed for record in searched.values() for member in record.members}
    for record in done:
        assert record.digest == searched[record.number].digest
        assert record.params == searched[record.number].params
        assert len(record.members) == 4
        assert all(member.test is not None and member.seed not in used for member in record.members)
    assert all(member.test is None for record in searched.values() for member in record.members)
    assert not folder.driven


def test_an_interrupted_confirmation_goes_on_with_the_same_seeds(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path / "whole")
    whole = confirm(spec, folder, train)
    spec, folder = finished(tmp_path / "pieces")
    calls: list[Any] = []

    def train_once(config: Any, seeds: Any, **arguments: Any) -> Any:
        calls.append(seeds)
        stop = Stop()
        if len(calls) % 2 == 0:
            stop.request()
            stop.request()
        return train(config, seeds, split=arguments["split"], on_epoch=stop.check)

    for _ in whole:
        try:
            confirm(spec, folder, train_once)
        except Interrupted:
            assert not folder.driven
    assert list(folder.confirmations().values()) == whole
    assert confirm(spec, folder, train_once) == []


def test_no_confirmation_is_done_where_none_is_asked_for(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path, confirmations=0)
    assert confirm(spec, folder, train) == []
    assert folder.confirmations() == {}


def test_confirming_needs_the_folder_to_itself(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path)
    with folder.lock(), pytest.raises(StoreError, match="another process"):
        confirm(spec, folder, train)


def test_more_confirmation_seeds_run_the_front_anew(tmp_path: Path) -> None:
    spec, folder = finished(tmp_path)
    first = confirm(spec, folder, train)
    more = spec.model_copy(update={"replicas": spec.replicas.model_copy(update={"confirm": 6})})
    again = confirm(more, folder, train)
    assert [len(record.members) for record in again] == [6] * len(first)
    assert [r.members[:4] for r in again] == [r.members for r in first]
