from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.errors import MissingResource, StoreError
from lorap_bench.executors.stop import Interrupted, Stop
from lorap_bench.executors.traffic import Traffic
from lorap_bench.executors.worker import Duty, run_packed
from lorap_bench.record import Status
from lorap_bench.search.loop import Broker
from lorap_bench.store.folder import StudyFolder
from tests.search.synthetic import make_spec, sketch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lorap_bench.record import Outcome

TRAINERS = "tests.executors.ray_trainers"
PLAIN = Duty(f"{TRAINERS}:plain")
SPACE = {"quant.bits": {"choices": [2, 4, 8]}, "optim.lr": {"float": [0.001, 0.1], "log": True}}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with study(tmp_path) as made:
        yield made


def study(tmp_path: Path, **changes: Any) -> Broker:
    spec = make_spec(SPACE, task={"dataset": str(tmp_path)}, **{"trials": 5, **changes})
    return Broker(spec, StudyFolder.create(tmp_path, spec.to_mapping(), spec.identity), None, blueprint=sketch)


def give(traffic: Traffic, name: str) -> str:
    jobs = traffic.give(name)
    assert jobs is not None
    return jobs


def statuses(tmp_path: Path) -> list[Status]:
    return [record.status for record in StudyFolder.open(tmp_path, "synthetic").records()]


def test_no_more_packs_are_out_than_there_are_workers(broker: Broker) -> None:
    traffic = Traffic(broker, Stop(), workers=2)
    jobs = [give(traffic, "a"), give(traffic, "b")]
    assert (traffic.give("c"), traffic.over) == (None, False)
    traffic.arrived("a", run_packed(PLAIN, jobs[0]))
    assert traffic.give("c") is not None
    assert (traffic.size("b"), traffic.size("a"), broker.counted) == (1, 0, 1)


def test_the_budget_is_spent_exactly(broker: Broker) -> None:
    ended: list[Outcome] = []
    traffic = Traffic(broker, Stop(), workers=3, on_end=ended.append)
    out = {}
    for turn in range(20):
        if (jobs := traffic.give(str(turn))) is not None:
            out[str(turn)] = jobs
        elif out:
            name = next(iter(out))
            traffic.arrived(name, run_packed(PLAIN, out.pop(name)))
    assert traffic.over
    assert broker.counted == 5
    assert [one.record.number for one in ended] == [0, 1, 2, 3, 4]
    assert all(one.curves["val_metric"] for one in ended)


def test_packs_are_as_large_as_keeps_all_workers_busy(tmp_path: Path) -> None:
    with study(tmp_path, trials=5, together=4) as broker:
        traffic = Traffic(broker, Stop(), workers=2)
        assert [len(json.loads(give(traffic, name))) for name in "ab"] == [3, 2]


def test_what_is_lost_runs_again_and_what_returns_after_all_is_left_alone(broker: Broker) -> None:
    traffic = Traffic(broker, Stop(), workers=1)
    jobs = give(traffic, "a")
    traffic.lost("a", Status.WORKER_LOST)
    again = give(traffic, "b")
    traffic.arrived("a", run_packed(PLAIN, jobs))
    assert broker.counted == 0
    assert json.loads(again)[0]["attempt"] == 1
    assert json.loads(again)[0]["seeds"] == json.loads(jobs)[0]["seeds"]
    traffic.arrived("b", run_packed(PLAIN, again))
    assert broker.counted == 1


@pytest.mark.parametrize("cause", [Status.WORKER_LOST, Status.TIMEOUT, Status.OUT_OF_MEMORY])
def test_a_trial_that_costs_each_worker_ends_as_the_last_time(tmp_path: Path, broker: Broker, cause: Status) -> None:
    traffic = Traffic(broker, Stop(), workers=1)
    for attempt in range(3):  # two retries
        assert statuses(tmp_path) == []
        assert json.loads(give(traffic, str(attempt)))[0]["attempt"] == attempt
        traffic.lost(str(attempt), cause)
    assert statuses(tmp_path) == [cause]
    assert broker.counted == int(cause.counts)


def test_what_a_trainer_raises_is_kept_until_the_others_have_ended(broker: Broker) -> None:
    traffic = Traffic(broker, Stop(), workers=2)
    bad, good = give(traffic, "bad"), give(traffic, "good")
    traffic.arrived("bad", run_packed(Duty(f"{TRAINERS}:without_data"), bad))
    assert (traffic.give("more"), traffic.over) == (None, False)
    traffic.arrived("good", run_packed(PLAIN, good))
    assert traffic.over
    assert isinstance(traffic.error, MissingResource)
    assert (broker.counted, broker.in_flight) == (1, 0)


def test_a_disk_that_refuses_a_record_ends_the_study_and_loses_nothing(
    tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic = Traffic(broker, Stop(), workers=1)
    jobs = give(traffic, "a")
    with monkeypatch.context() as patch:
        patch.setattr(broker._folder, "write", refuse)
        traffic.arrived("a", run_packed(PLAIN, jobs))
    assert traffic.over
    assert isinstance(traffic.error, StoreError)
    broker.close()
    with study(tmp_path) as again:
        job = again.ask()
        assert job is not None
        assert (job.number, job.attempt, again.counted) == (0, 1, 0)


def refuse(outcome: Outcome) -> None:
    raise StoreError("No space left on device")


def test_workers_that_cannot_start_end_the_study(broker: Broker) -> None:
    traffic = Traffic(broker, Stop(), workers=1)
    give(traffic, "a")
    traffic.failed("a", MissingResource("a worker cannot start"))
    assert traffic.over
    assert broker.in_flight == 0
    with pytest.raises(MissingResource, match="cannot start"):
        raise traffic.error or AssertionError


def test_a_request_to_stop_drains_and_a_second_one_leaves(broker: Broker) -> None:
    stop = Stop()
    traffic = Traffic(broker, stop, workers=2)
    jobs = give(traffic, "a")
    stop.request()
    assert traffic.give("b") is None
    traffic.arrived("a", run_packed(PLAIN, jobs))
    assert traffic.over
    stop.request()
    with pytest.raises(Interrupted):
        traffic.give("b")


def test_what_never_ended_is_released(broker: Broker) -> None:
    traffic = Traffic(broker, Stop(), workers=3)
    give(traffic, "a")
    give(traffic, "b")
    traffic.release_all()
    assert broker.in_flight == 0
    job = broker.ask()
    assert job is not None
    assert (job.number, job.attempt) == (0, 1)


def test_a_promoted_trial_has_the_rest_of_its_seeds_when_the_budget_is_spent(tmp_path: Path) -> None:
    replicas, budget = {"search": 3, "screen": 1}, {"trials": 50, "epochs": 12, "gpu_hours": 1 / 3600}
    duty = Duty(f"{TRAINERS}:plain", gpus=1.0)
    with study(tmp_path, replicas=replicas, budget=budget) as broker:
        traffic = Traffic(broker, Stop(), workers=2)
        first, second = give(traffic, "a"), give(traffic, "b")
        traffic.arrived("a", run_packed(duty, first))  # of 12 epochs it is promised 9, and the other has its 3
        traffic.arrived("b", run_packed(duty, second))
        assert (broker.done, traffic.over) == (True, False)
        traffic.arrived("c", run_packed(duty, give(traffic, "c")))
        assert traffic.give("d") is None
        assert traffic.over
        members = [len(record.members) for record in StudyFolder.open(tmp_path, "synthetic").records()]
        assert (members, broker.in_flight) == ([3, 1], 0)
