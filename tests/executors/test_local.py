from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.executors.local import run_local
from lorap_bench.executors.stop import Stop
from lorap_bench.record import Outcome, Status
from lorap_bench.search.loop import Broker
from lorap_bench.store.folder import StudyFolder
from tests.search.synthetic import each, make_spec, sketch, train

if TYPE_CHECKING:
    from pathlib import Path


def study(tmp_path: Path, trials: int = 4, **more: Any) -> Broker:
    spec = make_spec(trials=trials, **more)
    return Broker(spec, StudyFolder.create(tmp_path, spec.to_mapping(), spec.identity), None, blueprint=sketch)


def test_it_runs_to_the_budget(tmp_path: Path) -> None:
    with study(tmp_path) as broker:
        run_local(broker, each(train), Stop())
        assert broker.counted == 4


def test_a_first_request_lets_the_trial_end(tmp_path: Path) -> None:
    stop = Stop()

    def train_and_stop(config: Any, seeds: Any, **arguments: Any) -> Any:
        stop.request()
        return train(config, seeds, **arguments)

    with study(tmp_path) as broker:
        run_local(broker, each(train_and_stop), stop)
        assert (broker.counted, broker.in_flight) == (1, 0)


def test_a_second_request_leaves_the_trial_which_runs_again(tmp_path: Path) -> None:
    stop = Stop()
    left: list[Any] = []

    def train_and_stop(config: Any, seeds: Any, **arguments: Any) -> Any:
        left.append((config, seeds))
        stop.request()
        stop.request()
        return train(config, seeds, **arguments)

    with study(tmp_path) as broker:
        run_local(broker, each(train_and_stop), stop)
        assert (broker.counted, broker.in_flight) == (0, 0)
        job = broker.ask()
        assert job is not None
        assert left == [(job.config, job.seeds)]


@pytest.mark.parametrize("error", [ZeroDivisionError("bug"), KeyboardInterrupt()])
def test_a_bug_is_raised_and_its_trial_kept(tmp_path: Path, error: BaseException) -> None:
    def broken(config: Any, seeds: Any, **arguments: Any) -> Any:
        raise error

    with study(tmp_path) as broker:
        with pytest.raises(type(error)):
            run_local(broker, each(broken), Stop())
        assert broker.in_flight == 0
        job = broker.ask()
        assert job is not None
        assert (job.number, job.attempt) == (0, 1)


def test_the_trainer_is_told_who_looks_on(tmp_path: Path) -> None:
    seen: list[Any] = []

    def look(config: Any, seeds: Any, *, watch: Any, **_: Any) -> Any:
        seen.append((watch.seconds, watch.judge if watch.judge is None else watch.judge.rungs(20)))
        return train(config, seeds, watch=watch)

    stopping = {"rule": "MO-ASHA", "grace_epochs": 2}
    for place, more in enumerate(({}, {"early_stopping": stopping, "budget": {"trials": 2, "trial_seconds": 7.0}})):
        with study(tmp_path / str(place), trials=2, **more) as broker:
            run_local(broker, each(look), Stop())
    assert seen == [(None, None)] * 2 + [(7.0, (2, 6, 18))] * 2


def test_stopped_trials_count_and_teach_the_next(tmp_path: Path) -> None:
    """Interrupted or not, the same trials are stopped for the same reasons."""
    stopping = {"rule": "MO-ASHA", "grace_epochs": 1, "reduction_factor": 2}

    def run(name: str, budgets: tuple[int, ...]) -> list[Any]:
        found: list[Any] = []
        for trials in budgets:
            spec = make_spec(objectives=["accuracy"], trials=trials, early_stopping=stopping)
            folder = StudyFolder.create(tmp_path / name, spec.to_mapping(), spec.identity)
            with Broker(spec, folder, None, blueprint=sketch) as broker:
                run_local(broker, each(stopped_by_the_judge), Stop())
                assert broker.counted == trials
            found = [(record.status, record.reason, record.objectives) for record in folder.records()]
        return found

    straight = run("straight", (12,))
    assert straight == run("again", (3, 7, 12))
    statuses = [status for status, _, _ in straight]
    assert statuses.count(Status.PRUNED) >= 3
    assert statuses.count(Status.COMPLETE) >= 3


def stopped_by_the_judge(config: Any, seeds: Any, *, watch: Any, **_: Any) -> Any:
    """Train a trial of two epochs, with one rung between them."""
    record, curves = train(config, seeds, watch=watch)
    best = [member[0] for member in curves["val_metric"]]
    curves["val_best"] = [[value] for value in best]
    reason = watch.judge.stops(1, {0: best}).get(0, "")
    if reason:
        record = replace(record, status=Status.PRUNED, reason=reason)
    return Outcome(record, curves)


def test_the_local_executor_imports_neither_ray_nor_torch() -> None:
    code = (
        "import sys, lorap_bench.executors, lorap_bench.search; sys.exit(not {'ray', 'torch'}.isdisjoint(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
