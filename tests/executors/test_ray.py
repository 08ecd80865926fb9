from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from lorap_bench.config import TaskConfig
from lorap_bench.data import load
from lorap_bench.data.packed import Packed
from lorap_bench.errors import MissingResource
from lorap_bench.executors.stop import Stop
from lorap_bench.record import Status
from lorap_bench.search.loop import Broker
from lorap_bench.search.rungs import Rungs
from lorap_bench.store.folder import StudyFolder
from tests.search.synthetic import make_spec, sketch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """Start Ray once for this file: it takes seconds."""
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


def run(broker: Broker, trainer: str, stop: Stop | None = None, **options: Any) -> None:
    from lorap_bench.executors.ray import RayOptions, run_ray

    run_ray(broker, f"{TRAINERS}:{trainer}", stop or Stop(), RayOptions(**options))


def records(tmp_path: Path) -> list[TrialRecord]:
    return StudyFolder.open(tmp_path / "runs", "synthetic").records()


def test_a_study_with_early_stopping_spends_its_budget_exactly(
    tmp_path: Path, cluster: None, capfd: pytest.CaptureFixture[str]
) -> None:
    stopping = {"rule": "MO-ASHA", "grace_epochs": 1, "reduction_factor": 2}
    with study(tmp_path, trials=12, together=2, early_stopping=stopping) as broker:
        run(broker, "judged")  # a worker a core
        assert broker.done
    assert capfd.readouterr() == ("", "")  # standard output is for results, and the bar is ours
    found = [record for record in records(tmp_path) if record.status.counts]
    assert {record.status for record in found} == {Status.COMPLETE, Status.PRUNED}
    assert len(found) == 12
    folder = StudyFolder.open(tmp_path / "runs", "synthetic")
    for record in found:
        if record.status is Status.PRUNED:
            assert "trials were better" in record.reason
            assert folder.curves(record.number)["val_best"]
        else:
            assert record.objectives["accuracy"] > 0


def test_a_pack_that_kills_its_worker_goes_on_trial_by_trial(tmp_path: Path, cluster: None) -> None:
    search = {"sampler": "Random", "arguments": {}, "together": 3}
    with study(tmp_path, trials=3, search=search) as broker:
        run(broker, "killed_in_company", workers=1)
    found = records(tmp_path)
    assert [record.status for record in found if record.status.counts] == [Status.COMPLETE] * 3
    assert len(list(tmp_path.glob("pack-of-3-*"))) == 1  # not tried again as it was
    assert len(list(tmp_path.glob("pack-of-1-*"))) == 3


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_its_trial_runs_again(tmp_path: Path, cluster: None) -> None:
    with study(tmp_path) as broker:
        run(broker, "killed_once", workers=2)
    found = records(tmp_path)
    assert [record.status for record in found if record.status.counts] == [Status.COMPLETE] * 6
    assert (tmp_path / "killed-0").exists()


@pytest.mark.slow
def test_a_trial_that_kills_every_worker_is_failed_in_the_end(tmp_path: Path, cluster: None) -> None:
    budget = {"trials": 3, "retries": 1}
    with study(tmp_path, budget=budget) as broker:
        run(broker, "killed_always", workers=2)
        assert broker.counted == 3
    lost = [record for record in records(tmp_path) if record.status is Status.WORKER_LOST]
    assert lost
    assert all(record.params["quant.bits"] == 2 for record in lost)
    assert len(list(tmp_path.glob("killed-*"))) == 2 * len(lost)


def test_what_a_worker_meets_is_raised_and_its_trial_kept(tmp_path: Path, cluster: None) -> None:
    with study(tmp_path, trials=2) as broker:
        with pytest.raises(RuntimeError, match="ZeroDivisionError: the trainer has a bug"):
            run(broker, "buggy", workers=1)
        assert broker.in_flight == 0
    assert not any(record.status.counts for record in records(tmp_path))


def once(stop: Stop) -> None:
    if not stop.drain:
        stop.request()


def twice(stop: Stop) -> None:
    stop.request()
    stop.request()


@pytest.mark.slow
def test_a_first_request_to_stop_drains(tmp_path: Path, cluster: None) -> None:
    stop = Stop()
    with study(tmp_path, trials=30) as broker:
        broker._on_event = lambda record: once(stop)
        run(broker, "plain", stop, workers=2)
        assert not broker.done
        assert broker.in_flight == 0
    assert 1 <= len([record for record in records(tmp_path) if record.status.counts]) <= 2


def test_a_second_request_stops_at_once_and_queues_what_ran(tmp_path: Path, cluster: None) -> None:
    """One trial would never end, and nothing new is asked for."""
    stop = Stop()
    with study(tmp_path, trials=30) as broker:
        broker._on_event = lambda record: twice(stop)
        run(broker, "endless_but_one", stop, workers=2)
        assert broker.in_flight == 0
    with study(tmp_path, trials=30) as broker:
        assert broker.counted == 1


def test_gpus_that_are_not_there_are_named(tmp_path: Path, cluster: None) -> None:
    with study(tmp_path) as broker, pytest.raises(MissingResource, match=r"needs 0\.5 GPUs and this machine has 0"):
        run(broker, "plain", gpus_per_trial=0.5)


def test_workers_look_at_one_copy_of_the_drivers_data(cluster: None, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    from lorap_bench.executors.ray import luggage

    packed = Packed(
        x=torch.arange(6.0).reshape(3, 2),
        edge_index=torch.tensor([[1, 0], [0, 1]]),
        graph_ptr=torch.tensor([0, 3]),
        y=torch.tensor([0, 1, 1]),
        splits={"train": torch.tensor([0]), "val": torch.tensor([1]), "test": torch.tensor([2])},
    )
    monkeypatch.setattr(luggage, "load_packed", lambda name, folders: packed)
    monkeypatch.setattr(load, "_provided", {})
    (piece,) = luggage.pack_luggage(["Planetoid/Cora", "Cora", "Digits"])
    found = ray.get(piece)
    luggage.unpack_luggage(found)
    monkeypatch.setenv("LORAP_BENCH_RAW", "/nowhere")
    task = load.load_task(TaskConfig(dataset="Cora"))
    load._task.cache_clear()
    assert task.x.equal(packed.x)
    assert sorted(task.splits) == ["test", "train", "val"]
    assert task.x.data_ptr() == found.arrays["x"].ctypes.data  # mapped, not copied
    assert not found.arrays["x"].flags.writeable
    assert luggage.pack_luggage(["Digits"]) == []


def ask_for_ever(actor: Any) -> None:
    import ray

    while True:
        ray.get(actor.rungs.remote(5))


def test_without_their_judge_trials_train_on(cluster: None) -> None:
    import ray

    from lorap_bench.executors.ray.judge import FarJudge, NearJudge

    spec = make_spec(early_stopping={"rule": "MO-ASHA", "grace_epochs": 1, "reduction_factor": 2})
    near = NearJudge(Rungs(spec))
    far = FarJudge(near.actor)
    costs = {"average_bits": 4.0, "overhead": 0.0}
    assert far.rungs(5) == (1, 2, 4)
    assert far.judge(1, {0: [0.5], 1: [0.4]}, {0: costs, 1: costs}).keys() == {1}
    ray.kill(near.actor)
    with pytest.raises(ray.exceptions.RayActorError):  # a kill is under way for a moment
        ask_for_ever(near.actor)
    assert far.judge(2, {0: [0.5]}, {0: costs}) == {}
    assert far.rungs(5) == ()


@pytest.mark.parametrize("address", ["127.0.0.1:1", "no-port"])
def test_a_cluster_that_is_not_there_is_named_at_once(address: str) -> None:
    from lorap_bench.executors.ray.cluster import _reach

    with pytest.raises(MissingResource, match=rf"--address {address}: nobody answers"):
        _reach(address)
