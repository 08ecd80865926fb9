from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.executors.local import run_local
from lorap_bench.executors.stop import Stop
from lorap_bench.search.loop import Broker
from lorap_bench.store.folder import StudyFolder
from tests.search.synthetic import each, make_spec, sketch, train

if TYPE_CHECKING:
    from pathlib import Path


def study(tmp_path: Path, trials: int = 4) -> Broker:
    spec = make_spec(trials=trials)
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


def test_the_local_executor_imports_neither_ray_nor_torch() -> None:
    code = (
        "import sys, lorap_bench.executors, lorap_bench.search; sys.exit(not {'ray', 'torch'}.isdisjoint(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
