"""Packs: what is asked for together, when that changes nothing, and who travels alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.cost.shape import TaskShape
from lorap_bench.executors.local import run_local
from lorap_bench.executors.stop import Stop
from lorap_bench.record import Status
from lorap_bench.search.loop import Broker
from lorap_bench.search.pack import together
from lorap_bench.store.folder import StudyFolder
from tests.search.synthetic import WIDE, each, make_spec, sketch, story, train

if TYPE_CHECKING:
    from pathlib import Path

    from lorap_bench.search.loop import Job
    from lorap_bench.study.spec import StudySpec

pytestmark = pytest.mark.usefixtures("fast_disk")

FLAT: dict[str, Any] = {name: line for name, line in WIDE.items() if "when" not in line}
CORA = TaskShape(name="Cora", level="node", nodes=2708, edges=10556, features=1433, classes=7, binary=True)
TINY = TaskShape(name="tiny", level="node", nodes=20, edges=40, features=4, classes=2, binary=False)
RINGS = TaskShape(name="rings", level="graph", nodes=20, edges=40, features=4, classes=2, binary=False)


def open_broker(folder: Path, spec: StudySpec, **more: Any) -> Broker:
    return Broker(
        spec, StudyFolder.create(folder, spec.to_mapping(), spec.identity), more.pop("shape", None), blueprint=sketch
    )


def tell(broker: Broker, jobs: list[Job]) -> None:
    for job in jobs:
        broker.tell(job, train(job.config, job.seeds))


def points(jobs: list[Job]) -> list[tuple[int, dict[str, Any], tuple[int, ...]]]:
    return [(job.number, job.params, job.seeds) for job in jobs]


@pytest.mark.parametrize(
    ("hidden", "seeds", "shape", "expected"),
    [
        (16, 3, CORA, 3),
        (32, 1, CORA, 10),
        (64, 3, CORA, 1),
        (16, 10, CORA, 1),
        (16, 30, CORA, 1),
        (16, 2, RINGS, 5),
        (64, 2, RINGS, 1),
        (16, 2, None, 1),
    ],
)
def test_auto_brings_small_cohorts_to_ten_members(
    hidden: int, seeds: int, shape: TaskShape | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORAP_BENCH_DEVICE", "cpu")
    spec = make_spec({"quant.bits": {"choices": [2, 4]}}, model={"hidden": hidden}, replicas={"search": seeds})
    assert together(spec, shape) == expected


def test_the_widest_model_of_the_space_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORAP_BENCH_DEVICE", "cpu")
    for line in ({"choices": [8, 64]}, {"int": [8, 64]}):
        assert together(make_spec({"model.hidden": line}), CORA) == 1
    assert together(make_spec({"model.hidden": {"choices": [8, 32]}}), CORA) == 5


def test_a_number_is_taken_as_it_is_and_makes_another_study() -> None:
    plain = make_spec()
    assert together(make_spec(together=7), CORA) == 7
    assert make_spec(together="auto").identity == plain.identity
    assert len({plain.identity, make_spec(together=1).identity, make_spec(together=4).identity}) == 3


def test_a_pack_is_asked_for_at_once_and_told_one_by_one(tmp_path: Path) -> None:
    with open_broker(tmp_path, make_spec(FLAT, trials=10, together=4)) as broker:
        jobs = broker.ask_pack()
        assert [job.number for job in jobs] == [0, 1, 2, 3]
        assert len({job.seeds for job in jobs}) == 4
        tell(broker, jobs)
        assert [job.number for job in broker.ask_pack(2)] == [4, 5]
        rest = broker.ask_pack()
        assert [job.number for job in rest] == [6, 7, 8, 9]
        assert broker.ask_pack() == []
        assert broker.ask() is None


def test_a_pack_whose_worker_was_lost_goes_on_one_by_one(tmp_path: Path) -> None:
    with open_broker(tmp_path, make_spec(FLAT, trials=8, together=3)) as broker:
        lost = broker.ask_pack()
        for job in lost:
            broker.release(job, Status.WORKER_LOST)
        again = [broker.ask_pack() for _ in range(3)]
        assert [len(pack) for pack in again] == [1, 1, 1]
        assert points([pack[0] for pack in again]) == points(lost)
        for pack in (again[0], again[2]):
            tell(broker, pack)
        culprit = again[1][0]
        for _ in range(broker.spec.budget.retries - 1):
            broker.release(culprit, Status.WORKER_LOST)
            (culprit,) = broker.ask_pack()
            assert culprit.number == 1
        broker.release(culprit, Status.WORKER_LOST)
        assert broker.counted == 2
        assert [job.number for job in broker.ask_pack()] == [3, 4, 5]
    assert StudyFolder.open(tmp_path, "synthetic").records()[1].status is Status.WORKER_LOST


def test_an_interrupted_pack_is_given_out_again_without_new_points(tmp_path: Path) -> None:
    spec = make_spec(FLAT, trials=9, sampler="TPE", arguments={"n_startup_trials": 2}, together=3)
    with open_broker(tmp_path, spec) as broker:
        tell(broker, broker.ask_pack())
        pack = broker.ask_pack()
        tell(broker, pack[:1])
        for job in pack[1:]:
            broker.release(job, Status.INTERRUPTED)
    with open_broker(tmp_path, spec) as broker:
        again = broker.ask_pack()
        assert points(again) == points(pack[1:])
        tell(broker, again)
        assert [job.number for job in broker.ask_pack()] == [6, 7, 8]


@pytest.mark.parametrize(
    ("sampler", "arguments"),
    [
        ("Random", {}),
        ("TPE", {"n_startup_trials": 7}),
        ("TPE", {"n_startup_trials": 5, "multivariate": True, "group": True}),
        ("NSGAII", {"population_size": 6}),
        ("NSGAIII", {"population_size": 6}),
        ("QMC", {}),
        ("EHVI", {"n_startup_trials": 7}),
    ],
)
@pytest.mark.parametrize("space", [FLAT, WIDE], ids=["flat", "conditional"])
def test_auto_packs_and_changes_no_point(
    tmp_path: Path, sampler: str, arguments: dict[str, Any], space: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORAP_BENCH_DEVICE", "cpu")
    changes: dict[str, Any] = {"sampler": sampler, "arguments": arguments, "constraints": {"average_bits": "<= 8"}}
    spec = make_spec(space, trials=20, model={"hidden": 4}, replicas={"search": 2}, **changes)
    lengths: list[int] = []

    def noting(requests: Any, **rest: Any) -> Any:
        lengths.append(len(requests))
        return each(train)(requests, **rest)

    for shape, name in ((None, "one by one"), (TINY, "packs")):
        lengths.clear()
        with open_broker(tmp_path / name, spec, shape=shape) as broker:
            run_local(broker, noting, Stop())
    apart, packed = (
        StudyFolder.create(tmp_path / name, spec.to_mapping(), spec.identity) for name in ("one by one", "packs")
    )
    assert story(packed) == story(apart)
    assert max(lengths) > 1
    if sampler in {"TPE", "EHVI"}:
        assert lengths[-4:] == [1] * 4  # it learns from each


def test_a_number_lets_tpe_propose_before_it_hears(tmp_path: Path) -> None:
    spec = make_spec(FLAT, trials=9, sampler="TPE", arguments={"n_startup_trials": 2}, together=3)
    with open_broker(tmp_path, spec) as broker:
        while pack := broker.ask_pack():
            assert len(pack) == 3
            tell(broker, pack)
        assert broker.done
