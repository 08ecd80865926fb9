from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.errors import ConfigError, MissingResource
from lorap_bench.executors.stop import Stop
from lorap_bench.record import Status
from lorap_bench.search.loop import Broker
from lorap_bench.store.folder import StudyFolder
from tests.search.synthetic import make_spec, sketch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lorap_bench.executors.ray import RayOptions
    from lorap_bench.record import TrialRecord

pytest.importorskip("ray", reason="the ray extra is not installed")
pytestmark = [
    pytest.mark.ray,
    # Ray's own: processes and files it leaves to its shutdown, and notices to its users.
    pytest.mark.filterwarnings(
        "ignore::ResourceWarning", "ignore::FutureWarning:ray", "ignore::DeprecationWarning:ray"
    ),
]

TRAINERS = "tests.executors.ray_trainers"


@pytest.fixture(scope="session")
def cluster() -> Iterator[None]:
    """Start Ray once for the session: it takes seconds."""
    import ray

    import lorap_bench.executors.ray  # noqa: F401  # sets the environment that Ray reads

    ray.init(
        address="local",
        num_cpus=2,
        num_gpus=0,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
        object_store_memory=100 * 2**20,
    )
    yield
    ray.shutdown()


def study(tmp_path: Path, **changes: Any) -> Broker:
    space = {"quant.bits": {"choices": [2, 4, 8]}, "optim.lr": {"float": [0.001, 0.1], "log": True}}
    spec = make_spec(space, task={"dataset": str(tmp_path)}, **{"trials": 6, **changes})
    folder = StudyFolder.create(tmp_path / "runs", spec.to_mapping(), spec.identity)
    return Broker(spec, folder, None, blueprint=sketch)


def run(broker: Broker, trainer: str, stop: Stop | None = None, options: RayOptions | None = None) -> None:
    from lorap_bench.executors.ray import run_ray

    run_ray(broker, f"{TRAINERS}:{trainer}", stop or Stop(), options)


def records(tmp_path: Path) -> list[TrialRecord]:
    return StudyFolder.open(tmp_path / "runs", "synthetic").records()


def test_a_study_on_two_workers_spends_its_budget_exactly(
    tmp_path: Path, cluster: None, capfd: pytest.CaptureFixture[str]
) -> None:
    with study(tmp_path, trials=8) as broker:
        run(broker, "plain")
        assert broker.done
    assert capfd.readouterr() == ("", "")  # standard output is for results, and the bar is ours
    found = records(tmp_path)
    assert sum(record.status.counts for record in found) == 8
    assert all(record.objectives["accuracy"] > 0 for record in found if record.status is Status.COMPLETE)
    folder = StudyFolder.open(tmp_path / "runs", "synthetic")
    assert folder.curves(found[0].number)["val_metric"]


def test_a_killed_worker_is_replaced_and_its_trial_runs_again(tmp_path: Path, cluster: None) -> None:
    with study(tmp_path) as broker:
        run(broker, "killed_once")
    found = records(tmp_path)
    assert [record.status for record in found if record.status.counts] == [Status.COMPLETE] * 6
    assert (tmp_path / "killed-0").exists()


def test_a_pack_that_kills_its_worker_goes_on_trial_by_trial(tmp_path: Path, cluster: None) -> None:
    search = {"sampler": "Random", "arguments": {}, "together": 3}
    with study(tmp_path, trials=3, search=search) as broker:
        from lorap_bench.executors.ray import RayOptions

        run(broker, "killed_in_company", options=RayOptions(workers=1))
    found = records(tmp_path)
    assert [record.status for record in found if record.status.counts] == [Status.COMPLETE] * 3
    assert len(list(tmp_path.glob("pack-of-3-*"))) == 1  # not tried again as it was
    assert len(list(tmp_path.glob("pack-of-1-*"))) == 3


@pytest.mark.slow
def test_a_trial_that_kills_every_worker_is_failed_in_the_end(tmp_path: Path, cluster: None) -> None:
    with study(tmp_path, trials=3) as broker:
        run(broker, "killed_always")
        assert broker.counted == 3
    lost = [record for record in records(tmp_path) if record.status is Status.WORKER_LOST]
    assert lost
    assert all(record.params["quant.bits"] == 2 for record in lost)
    assert len(list(tmp_path.glob("killed-*"))) == 9 * len(lost)  # three tries by Ray, three times queued


@pytest.mark.parametrize(
    ("trainer", "kind", "message"),
    [
        ("buggy", RuntimeError, "ZeroDivisionError: the trainer has a bug"),
        ("without_data", MissingResource, "Cora: no such file"),
        ("impossible", ConfigError, "do not divide"),
        ("absent", RuntimeError, "AttributeError"),
    ],
)
def test_what_a_worker_meets_is_raised_and_its_trial_kept(
    tmp_path: Path, cluster: None, trainer: str, kind: type[Exception], message: str
) -> None:
    with study(tmp_path, trials=2) as broker:
        with pytest.raises(kind, match=message):
            run(broker, trainer)
        assert broker.in_flight == 0
    assert not any(record.status.counts for record in records(tmp_path))


def once(stop: Stop) -> None:
    if not stop.drain:
        stop.request()


def twice(stop: Stop) -> None:
    stop.request()
    stop.request()


def test_a_first_request_to_stop_drains(tmp_path: Path, cluster: None) -> None:
    stop = Stop()
    with study(tmp_path, trials=30) as broker:
        broker._on_event = lambda record: once(stop)
        run(broker, "plain", stop)
        assert not broker.done
        assert broker.in_flight == 0
    assert 1 <= len([record for record in records(tmp_path) if record.status.counts]) <= 2


def test_a_second_request_stops_at_once_and_queues_what_ran(tmp_path: Path, cluster: None) -> None:
    stop = Stop()
    with study(tmp_path, trials=30) as broker:
        broker._on_event = lambda record: twice(stop)
        run(broker, "plain", stop)
        assert broker.in_flight == 0
    with study(tmp_path, trials=30) as broker:
        assert 1 <= broker.counted <= 2


def test_gpus_that_are_not_there_are_named(tmp_path: Path, cluster: None) -> None:
    from lorap_bench.executors.ray import RayOptions

    with study(tmp_path) as broker, pytest.raises(MissingResource, match=r"needs 0\.5 GPUs and this machine has 0"):
        run(broker, "plain", options=RayOptions(gpus_per_trial=0.5))
