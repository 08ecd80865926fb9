from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.executors.local import run_local
from lorap_bench.executors.stop import Stop
from lorap_bench.record import Outcome, Status
from lorap_bench.search.confirm import front
from lorap_bench.search.log import Overtaken
from lorap_bench.search.loop import Broker
from lorap_bench.search.promotion import joined
from lorap_bench.search.seeds import member_seeds
from lorap_bench.store.folder import StudyFolder
from tests.search.synthetic import each, make_spec, sketch, story, train

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lorap_bench.config import TrialConfig
    from lorap_bench.record import TrialRecord
    from lorap_bench.study.spec import StudySpec

pytestmark = pytest.mark.usefixtures("fast_disk")

SCREENED: dict[str, Any] = {"replicas": {"search": 3, "screen": 1}}


def open_broker(tmp_path: Path, spec: StudySpec) -> Broker:
    folder = StudyFolder.create(tmp_path, spec.to_mapping(), spec.identity)
    return Broker(spec, folder, None, blueprint=sketch)


def run(tmp_path: Path, spec: StudySpec) -> list[TrialRecord]:
    with open_broker(tmp_path, spec) as broker:
        run_local(broker, each(train), Stop())
    return StudyFolder.open(tmp_path, spec.name).records()


def test_a_promoted_trial_has_the_seeds_that_it_would_have_had_at_once(tmp_path: Path) -> None:
    screened = run(tmp_path / "screened", make_spec(trials=12, **SCREENED))
    whole = {record.digest: record for record in run(tmp_path / "whole", make_spec(trials=12, replicas={"search": 3}))}
    promoted = [record for record in screened if len(record.members) == 3]
    assert promoted
    first = promoted[0]
    assert [member.seed for member in first.members] == list(member_seeds(0, first.number, 3))
    assert first.objectives == pytest.approx(whole[first.digest].objectives)
    assert first.status is Status.COMPLETE


def test_what_cannot_be_on_the_front_keeps_its_one_seed(tmp_path: Path) -> None:
    spec = make_spec({"quant.bits": {"choices": [2, 4, 8]}, "prompt.rank": {"int": [1, 8]}}, trials=24, **SCREENED)
    records = run(tmp_path, spec)
    members = [len(record.members) for record in records if record.status is Status.COMPLETE]
    assert set(members) == {1, 3}
    assert all(len(record.members) == 3 for record in front(spec, records))


def test_a_screening_that_failed_is_not_promoted(tmp_path: Path) -> None:
    def diverges(config: TrialConfig, seeds: Sequence[int], **arguments: Any) -> Outcome:
        outcome = train(config, seeds, **arguments)
        return outcome._replace(record=replace(outcome.record, status=Status.DIVERGED, objectives={}))

    spec = make_spec(trials=3, **SCREENED)
    with open_broker(tmp_path, spec) as broker:
        run_local(broker, each(diverges), Stop())
    assert {len(record.members) for record in StudyFolder.open(tmp_path, spec.name).records()} == {1}


def test_the_rest_of_the_seeds_must_fit_the_budget_of_epochs(tmp_path: Path) -> None:
    spec = make_spec(budget={"trials": 50, "epochs": 30}, **SCREENED)
    with open_broker(tmp_path, spec) as broker:
        run_local(broker, each(train), Stop())
        assert 27 < broker.spent.epochs <= 30


@pytest.mark.parametrize("together", [1, 4])
@pytest.mark.parametrize("after", [1, 2, 3, 5, 8])
def test_a_study_cut_short_decides_as_one_that_was_not(tmp_path: Path, together: int, after: int) -> None:
    spec = make_spec(trials=10, sampler="TPE", arguments={"n_startup_trials": 4}, together=together, **SCREENED)
    run(tmp_path / "uncut", spec)
    with open_broker(tmp_path / "cut", spec) as broker:
        told = 0
        while told < after and (jobs := broker.ask_pack()):
            for job in jobs:
                broker.tell(job, train(job.config, job.seeds))
                told += 1
                if told == after:
                    break
    run(tmp_path / "cut", spec)
    cut, uncut = (StudyFolder.open(tmp_path / name, spec.name) for name in ("cut", "uncut"))
    assert story(cut) == story(uncut)


def test_parts_of_a_trial_are_joined_as_one() -> None:
    spec = make_spec()
    first, rest = train(spec.base, [1]), train(spec.base, [2, 3])
    whole = train(spec.base, [1, 2, 3])
    found = joined(first, rest)
    assert found.record.members == whole.record.members
    assert found.record.objectives == pytest.approx(whole.record.objectives)
    assert found.record.costs == whole.record.costs
    assert found.record.seconds == 3.0
    assert found.curves == whole.curves


def test_learned_costs_are_means_over_all_seeds() -> None:
    spec = make_spec()

    def costing(bits: float, seeds: list[int]) -> Outcome:
        outcome = train(spec.base, seeds)
        record = outcome.record
        figures = {"average_bits": bits}
        return outcome._replace(
            record=replace(record, costs=record.costs | figures, objectives=record.objectives | figures)
        )

    found = joined(costing(3.0, [1]), costing(4.5, [2, 3])).record
    assert found.costs["average_bits"] == found.objectives["average_bits"] == pytest.approx(4.0)


def test_a_trial_whose_rest_fails_has_failed() -> None:
    spec = make_spec()
    first, rest = train(spec.base, [1]), train(spec.base, [2])
    broken = rest._replace(record=replace(rest.record, status=Status.DIVERGED, reason="at epoch 2", objectives={}))
    found = joined(first, broken).record
    assert (found.status, found.reason, len(found.members)) == (Status.DIVERGED, "at epoch 2", 2)


def test_costs_that_only_a_trained_trial_has_are_gone_where_the_rest_failed() -> None:
    spec = make_spec()
    first, rest = train(spec.base, [1]), train(spec.base, [2])
    fixed = {"overhead": first.record.costs["overhead"]}
    failed = replace(rest.record, status=Status.DIVERGED, objectives={}, costs=fixed)
    assert joined(first, rest._replace(record=failed)).record.costs == fixed


def test_a_promotion_is_decided_once_where_another_driver_comes_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = make_spec(trials=4, **SCREENED)
    with open_broker(tmp_path, spec) as broker:
        job = broker.ask()
        assert job is not None
        turns: list[bool] = []
        home = broker._seat.memory.log._home
        append = home.append

        def overtaken(start: int, lines: Sequence[str]) -> None:
            if len(turns) == 1:
                raise Overtaken("another driver wrote")
            append(start, lines)

        def take_in(*, news: bool) -> None:  # what a dead driver left is queued again
            turns.append(news)
            broker._trials._study.set_user_attr("turn", len(turns))

        with monkeypatch.context() as patch:
            patch.setattr(home, "append", overtaken)
            patch.setattr(broker, "_take_in", take_in)
            assert broker.tell(job, train(job.config, job.seeds)) is None
        assert turns == [False, True]
        again = broker.ask()
        assert again is not None
        assert (again.number, again.seeds) == (job.number, member_seeds(0, job.number, 3)[1:])


def erring(outcome: Outcome) -> Outcome:
    """Return an outcome whose error is 1 less its accuracy."""
    record = outcome.record
    members = tuple(replace(member, val=1 - (member.val or 0.0)) for member in record.members)
    objectives = {name: value for name, value in record.objectives.items() if name != "accuracy"}
    mean = sum(member.val or 0.0 for member in members) / len(members)
    return outcome._replace(record=replace(record, members=members, objectives={"mae": mean, **objectives}))


def test_of_errors_the_smaller_is_promoted(tmp_path: Path) -> None:
    """A study told in errors promotes, and has on its front, what it would if it were told in accuracies."""
    space = {"quant.bits": {"choices": [2, 4, 8]}, "prompt.rank": {"int": [1, 8]}}

    def trains(config: TrialConfig, seeds: Sequence[int], **arguments: Any) -> Outcome:
        return erring(train(config, seeds, **arguments))

    found = []
    for name, metric, trainer in (("accuracies", "accuracy", train), ("errors", "mae", trains)):
        spec = make_spec(space, trials=24, objectives=[metric, "average_bits", "overhead"], **SCREENED)
        with open_broker(tmp_path / name, spec) as broker:
            run_local(broker, each(trainer), Stop())
        records = StudyFolder.open(tmp_path / name, spec.name).records()
        found.append(([len(one.members) for one in records], [one.number for one in front(spec, records)]))
    assert found[0] == found[1]


def test_parts_of_a_trial_on_values_are_joined_as_one() -> None:
    spec = make_spec(objectives=["mae"])
    found = joined(erring(train(spec.base, [1])), erring(train(spec.base, [2, 3])))
    assert found.record.objectives == pytest.approx(erring(train(spec.base, [1, 2, 3])).record.objectives)
