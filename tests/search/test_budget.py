from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.executors.local import run_local
from lorap_bench.executors.stop import Stop
from lorap_bench.record import Status
from lorap_bench.search.account import search_left
from lorap_bench.search.budget import Spending, gpu_seconds
from lorap_bench.search.loop import Broker
from lorap_bench.store.folder import StudyFolder
from lorap_bench.store.sessions import Session, seconds_of
from lorap_bench.study.sections import BudgetSpec
from tests.search.synthetic import each, make_spec, sketch, train

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lorap_bench.config import TrialConfig
    from lorap_bench.record import Outcome
    from lorap_bench.study.spec import StudySpec

pytestmark = pytest.mark.usefixtures("fast_disk")


def open_broker(tmp_path: Path, spec: StudySpec) -> Broker:
    folder = StudyFolder.create(tmp_path, spec.to_mapping(), spec.identity)
    return Broker(spec, folder, None, blueprint=sketch)


@pytest.mark.parametrize(
    ("spent", "told"),
    [
        (Spending(trials=4), ""),
        (Spending(trials=5), "5 of 5 trials"),
        (Spending(epochs=94), ""),
        (Spending(epochs=95), "95 of 100 epochs, and a trial needs 6"),
        (Spending(gpu_seconds=1799), ""),
        (Spending(gpu_seconds=1800), "0.50 of 0.5 GPU hours"),
        (Spending(seconds=7200), "2.00 of 2 hours"),
    ],
)
def test_the_first_limit_that_is_reached_ends_a_study(spent: Spending, told: str) -> None:
    assert spent.over(BudgetSpec(trials=5, epochs=100, gpu_hours=0.5, hours=2), epochs=6) == told


def test_a_budget_of_epochs_is_never_overspent(tmp_path: Path) -> None:
    spec = make_spec(trials=100, budget={"trials": 100, "epochs": 47})  # a trial: two seeds of three epochs
    with open_broker(tmp_path, spec) as broker:
        run_local(broker, each(train), Stop())
        assert broker.over == "42 of 47 epochs, and a trial needs 6"
        assert (broker.counted, broker.spent.epochs, broker.done) == (7, 42, True)
    assert search_left(spec, StudyFolder.open(tmp_path, spec.name), sketch) == ""


def test_epochs_are_promised_to_trials_that_are_out(tmp_path: Path) -> None:
    spec = make_spec(budget={"trials": 100, "epochs": 20})
    with open_broker(tmp_path, spec) as broker:
        jobs = [job for _ in range(10) if (job := broker.ask()) is not None]
        assert len(jobs) == 3
        assert not broker.done  # nothing is spent yet
        stopped = replace(train(jobs[0].config, jobs[0].seeds).record, status=Status.PRUNED, members=())
        broker.tell(jobs[0], train(jobs[0].config, jobs[0].seeds)._replace(record=stopped))
        assert broker.ask() is not None  # what a stopped trial did not train is free again


def test_a_trial_that_needs_more_epochs_than_are_left_is_not_trained(tmp_path: Path) -> None:
    space = {"optim.epochs": {"choices": [3, 50]}, "quant.bits": {"choices": [2, 4, 8]}}
    spec = make_spec(space, budget={"trials": 100, "epochs": 40})
    with open_broker(tmp_path, spec) as broker:
        run_local(broker, each(train), Stop())
        assert broker.spent.epochs == 18
    records = StudyFolder.open(tmp_path, spec.name).records()
    reasons = {record.reason for record in records if record.status is Status.INVALID}
    assert reasons == {"needs 100 epochs, more than the budget has left"}


def test_gpu_time_is_the_trials_time_on_its_share_of_a_gpu(tmp_path: Path) -> None:
    def on_a_quarter(config: TrialConfig, seeds: Sequence[int], **arguments: Any) -> Outcome:
        outcome = train(config, seeds, **arguments)
        return outcome._replace(record=replace(outcome.record, seconds=60.0, provenance={"gpus": 0.25}))

    spec = make_spec(budget={"trials": 100, "gpu_hours": 0.02})  # 72 seconds: five trials of 15
    with open_broker(tmp_path, spec) as broker:
        run_local(broker, each(on_a_quarter), Stop())
        assert (broker.counted, broker.spent.gpu_seconds) == (5, 75.0)
    assert gpu_seconds(StudyFolder.open(tmp_path, spec.name).records()[0]) == 15.0


def test_hours_are_those_of_all_sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr("time.time", lambda: now[0])

    def slow(config: TrialConfig, seeds: Sequence[int], **arguments: Any) -> Outcome:
        now[0] += 600
        return train(config, seeds, **arguments)

    spec = make_spec(budget={"trials": 100, "hours": 0.5}, together=1)
    stop = Stop()
    with open_broker(tmp_path, spec) as broker:
        job = broker.ask()
        assert job is not None
        broker.tell(job, slow(job.config, job.seeds))
    now[0] += 50_000  # nobody at work
    with open_broker(tmp_path, spec) as broker:
        run_local(broker, each(slow), stop)
        assert broker.over == "0.50 of 0.5 hours"
        assert broker.counted == 3
    assert seconds_of(tmp_path / spec.name) == pytest.approx(1800)


def test_drivers_at_work_at_once_are_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr("time.time", lambda: now[0])
    first = Session(tmp_path)
    now[0] = 10
    second = Session(tmp_path)
    second.beat()
    now[0] = 30
    first.close()
    second.beat()
    now[0] = 33
    second.beat()  # a sign of life a few seconds ago is enough
    assert seconds_of(tmp_path) == 30
    second.close()
    assert seconds_of(tmp_path) == 33
