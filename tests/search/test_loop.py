from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from optuna.trial import TrialState

from lorap_bench.errors import ConfigError, StoreError
from lorap_bench.executors.local import run_local
from lorap_bench.executors.stop import Stop
from lorap_bench.record import Outcome, Status
from lorap_bench.search import account
from lorap_bench.search.journal import read_journal
from lorap_bench.search.loop import Broker, StudyFailed
from lorap_bench.search.running import count_running
from lorap_bench.store.folder import StudyFolder
from tests.search.synthetic import SMALL, each, fail, make_spec, sketch, story, train

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from optuna.trial import FrozenTrial

    from lorap_bench.config import TrialConfig
    from lorap_bench.record import TrialRecord
    from lorap_bench.study.spec import StudySpec

pytestmark = pytest.mark.usefixtures("fast_disk")


def open_study(tmp_path: Path, spec: StudySpec) -> StudyFolder:
    return StudyFolder.create(tmp_path / "runs", spec.to_mapping(), spec.identity)


def open_broker(folder: StudyFolder, spec: StudySpec, **more: Any) -> Broker:
    return Broker(spec, folder, None, blueprint=sketch, **more)


def stored(folder: StudyFolder) -> list[FrozenTrial]:
    return optuna.load_study(study_name="study", storage=read_journal(folder.journal)).get_trials()


def statuses(folder: StudyFolder) -> list[Status]:
    return [record.status for record in folder.records()]


def run(folder: StudyFolder, spec: StudySpec) -> None:
    with open_broker(folder, spec) as broker:
        run_local(broker, each(train), Stop())


def test_a_study_spends_its_budget_exactly_and_leaves_nothing_running(tmp_path: Path) -> None:
    spec = make_spec(trials=12)
    folder = open_study(tmp_path, spec)
    seen: list[TrialRecord] = []
    with open_broker(folder, spec, on_event=seen.append) as broker:
        run_local(broker, each(train), Stop())
        assert broker.done
        assert broker.counted == 12
        assert broker.exhausted == ""
        assert broker.ask() is None
    records = folder.records()
    assert seen == records
    assert [record.number for record in records] == list(range(len(records)))
    assert sum(record.status.counts for record in records) == 12
    assert all(folder.curves(record.number) for record in records if record.members)
    assert all(trial.state.is_finished() for trial in stored(folder))
    assert {trial.user_attrs["key"] for trial in stored(folder)} == {record.number for record in records}


def test_each_member_has_its_own_seed_and_each_trial_its_own_point(tmp_path: Path) -> None:
    spec = make_spec(trials=10)
    folder = open_study(tmp_path, spec)
    run(folder, spec)
    seeds = [member.seed for record in folder.records() for member in record.members]
    assert len(seeds) == len(set(seeds)) == 20
    assert all(0 <= seed < 2**31 for seed in seeds)
    digests = [record.digest for record in folder.records() if record.status is Status.COMPLETE]
    assert len(set(digests)) == len(digests)


def test_an_inactive_parameter_is_not_suggested(tmp_path: Path) -> None:
    spec = make_spec(trials=10)
    folder = open_study(tmp_path, spec)
    run(folder, spec)
    for record in folder.records():
        assert ("prompt.rank" in record.params) == (record.params["prompt.kind"] == "LoRAP")


def test_a_finished_study_asks_nothing_and_a_grown_budget_goes_on(tmp_path: Path) -> None:
    spec = make_spec(trials=5, sampler="TPE", arguments={"n_startup_trials": 3})
    folder = open_study(tmp_path, spec)
    run(folder, spec)
    before = story(folder)
    with open_broker(folder, spec) as broker:
        assert broker.done
        assert broker.ask() is None
    grown = make_spec(trials=9, sampler="TPE", arguments={"n_startup_trials": 3})
    folder = open_study(tmp_path, grown)
    run(folder, grown)
    assert story(folder)[: len(before)] == before
    (tmp_path / "other").mkdir()
    at_once = StudyFolder.create(tmp_path / "other", grown.to_mapping(), grown.identity)
    run(at_once, grown)
    assert story(at_once) == story(folder)


def test_budget_is_never_exceeded_by_trials_in_flight(tmp_path: Path) -> None:
    spec = make_spec(trials=4)
    folder = open_study(tmp_path, spec)
    with open_broker(folder, spec) as broker:
        jobs = [job for _ in range(10) if (job := broker.ask()) is not None]
        assert len(jobs) == 4
        assert broker.in_flight == 4
        assert broker.counted == 0
        broker.tell(jobs[0], fail(jobs[0].config, jobs[0].seeds))
        assert broker.ask() is None
        broker.release(jobs[1], Status.INTERRUPTED)
        again = broker.ask()
        assert again is not None
        assert (again.number, again.params, again.seeds) == (jobs[1].number, jobs[1].params, jobs[1].seeds)
        assert again.attempt == 1
        assert broker.ask() is None
        for job in [jobs[3], again, jobs[2]]:
            broker.tell(job, train(job.config, job.seeds))
        assert broker.done
        assert broker.counted == 4
    assert folder.records()[1].attempt == 1


def test_a_second_driver_is_refused(tmp_path: Path) -> None:
    spec = make_spec()
    folder = open_study(tmp_path, spec)
    with open_broker(folder, spec) as broker:
        with pytest.raises(StoreError, match="another process drives this study"):
            open_broker(folder, spec)
        assert count_running(folder) == 0
        assert broker.ask() is not None
        assert count_running(folder) == 1
    assert count_running(folder) == 0


def test_count_running_without_a_journal_is_zero(tmp_path: Path) -> None:
    assert count_running(open_study(tmp_path, make_spec())) == 0


def test_invalid_points_are_recorded_and_never_trained(tmp_path: Path) -> None:
    spec = make_spec(trials=8, constraints={"average_bits": "<= 4", "accuracy": ">= 0.5"})
    folder = open_study(tmp_path, spec)
    trained: list[int] = []

    def train_cheap(config: TrialConfig, seeds: Sequence[int], **arguments: Any) -> Outcome:
        trained.append(config.quant.bits)
        return train(config, seeds, **arguments)

    with open_broker(folder, spec) as broker:
        run_local(broker, each(train_cheap), Stop())
    assert len(trained) == 8
    assert max(trained) <= 4
    invalid = [record for record in folder.records() if record.status is Status.INVALID]
    assert invalid
    for record in invalid:
        assert record.violations["average_bits"] == record.params["quant.bits"] - 4 > 0
        assert "average_bits" in record.reason
        assert not record.feasible
    complete = [record for record in folder.records() if record.status is Status.COMPLETE]
    assert all(set(record.violations) == {"average_bits", "accuracy"} for record in complete)
    states = {trial.user_attrs["key"]: trial for trial in stored(folder)}
    for record in folder.records():
        assert states[record.number].constraints == record.violations
    assert all(states[record.number].state is TrialState.PRUNED for record in invalid)


def test_a_point_that_makes_no_configuration_is_invalid(tmp_path: Path) -> None:
    space = {"model.hidden": {"choices": [8, 12, 16, 20]}, "optim.lr": {"float": [0.01, 0.1]}}
    spec = make_spec(space, trials=6, model={"arch": "GAT", "heads": 8})
    folder = open_study(tmp_path, spec)
    run(folder, spec)
    bad = [record for record in folder.records() if record.status is Status.INVALID]
    assert bad
    assert {record.params["model.hidden"] for record in bad} <= {12, 20}
    assert all("heads do not divide" in record.reason for record in bad)
    assert all(record.violations == {"configuration": 1.0} for record in bad)


def test_a_repeat_is_answered_from_the_first_trial(tmp_path: Path) -> None:
    space = {"prompt.rank": {"choices": [2, 8, 9, 10]}, "quant.bits": {"choices": [2, 4]}}
    spec = make_spec(space, trials=20)
    folder = open_study(tmp_path, spec)
    run(folder, spec)
    records = {record.number: record for record in folder.records()}
    repeats = [record for record in records.values() if record.status is Status.DUPLICATE]
    assert sum(record.status.counts for record in records.values()) == 4  # two ranks by two widths
    assert repeats
    for record in repeats:
        assert record.duplicate_of is not None
        first = records[record.duplicate_of]
        assert first.digest == record.digest
        assert first.objectives == record.objectives
        assert record.members == ()
    told = {trial.user_attrs["key"]: trial.values for trial in stored(folder)}
    assert all(told[record.number] == list(record.objectives.values()) for record in repeats)


def test_a_small_space_is_exhausted_once_every_point_was_tried(tmp_path: Path) -> None:
    spec = make_spec(SMALL, trials=100)
    folder = open_study(tmp_path, spec)
    with open_broker(folder, spec) as broker:
        run_local(broker, each(train), Stop())
        assert broker.done
        assert broker.exhausted == "all 12 points of the space were tried"
    assert broker.counted == 12
    assert len(folder.records()) < 200
    with open_broker(folder, spec) as broker:
        assert broker.done


def test_a_thousand_idle_answers_in_a_row_exhaust_a_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "IDLE_LIMIT", 30)
    space = {"prompt.rank": {"choices": [9, 10]}, "prompt.temperature": {"float": [0.1, 0.2]}}
    spec = make_spec(space, trials=5)
    folder = open_study(tmp_path, spec)
    flat = replace(spec.base, prompt=replace(spec.base.prompt, rank=9))
    with Broker(spec, folder, None, blueprint=lambda config: sketch(flat)) as broker:
        run_local(broker, each(train), Stop())
        assert broker.exhausted == "the last 30 points were repeats or broke a constraint"
    assert statuses(folder) == [Status.COMPLETE, *[Status.DUPLICATE] * 30]


def test_a_space_with_no_feasible_point_is_refused_before_anything_runs(tmp_path: Path) -> None:
    spec = make_spec(SMALL, constraints={"average_bits": "<= 1.5"})
    folder = open_study(tmp_path, spec)
    with pytest.raises(ConfigError, match=r"constraints\.average_bits: broken by 12 of 12 points.*2 to 8"):
        open_broker(folder, spec)
    assert not folder.driven
    assert folder.records() == []


def test_an_endless_space_with_no_feasible_point_ends_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "IDLE_LIMIT", 25)
    spec = make_spec(trials=5, sampler="TPE", constraints={"average_bits": "<= 1.5"})
    folder = open_study(tmp_path, spec)
    with open_broker(folder, spec) as broker, pytest.raises(ConfigError, match="no feasible point"):
        run_local(broker, each(train), Stop())
    assert statuses(folder) == [Status.INVALID] * 25


def test_twenty_failures_in_a_row_stop_the_study_and_a_new_run_tries_again(tmp_path: Path) -> None:
    spec = make_spec(trials=60)
    folder = open_study(tmp_path, spec)

    def always(config: TrialConfig, seeds: Sequence[int], **arguments: Any) -> Outcome:
        return fail(config, seeds, status=Status.USER_ERROR, reason="no such file")

    with open_broker(folder, spec) as broker, pytest.raises(StudyFailed, match="20 trials in a row failed"):
        run_local(broker, each(always), Stop())
    assert [status for status in statuses(folder) if status.counts] == [Status.USER_ERROR] * 20
    with open_broker(folder, spec) as broker:
        assert not broker.done
        run_local(broker, each(train), Stop())
        assert broker.counted == 60


def test_a_success_starts_the_count_of_failures_anew(tmp_path: Path) -> None:
    spec = make_spec(trials=45)
    folder = open_study(tmp_path, spec)
    turn = iter(range(100))

    def mostly(config: TrialConfig, seeds: Sequence[int], **arguments: Any) -> Outcome:
        return train(config, seeds) if next(turn) % 15 == 14 else fail(config, seeds)

    with open_broker(folder, spec) as broker:
        run_local(broker, each(mostly), Stop())
    assert broker.counted == 45


def test_an_objective_that_is_no_number_is_a_divergence(tmp_path: Path) -> None:
    spec = make_spec(trials=2)
    folder = open_study(tmp_path, spec)
    with open_broker(folder, spec) as broker:
        for value in (math.nan, math.inf):
            job = broker.ask()
            assert job is not None
            outcome = train(job.config, job.seeds)
            spoilt = replace(outcome.record, objectives={**outcome.record.objectives, "accuracy": value})
            curves = {"train_loss": [[0.5, value]]}
            record = broker.tell(job, Outcome(spoilt, curves))
            assert record is not None
            assert record.status is Status.DIVERGED
            assert record.reason == f"accuracy is {value}"
            assert "accuracy" not in record.objectives
            assert folder.read(job.number) == record
            assert math.isnan(folder.curves(job.number)["train_loss"][0][1])
    assert {trial.state for trial in stored(folder)} == {TrialState.FAIL}


def test_a_missing_objective_is_a_bug(tmp_path: Path) -> None:
    spec = make_spec(trials=2)
    folder = open_study(tmp_path, spec)
    with open_broker(folder, spec) as broker:
        job = broker.ask()
        assert job is not None
        outcome = train(job.config, job.seeds)
        with pytest.raises(KeyError, match="accuracy"):
            broker.tell(job, Outcome(replace(outcome.record, objectives={}), {}))
        with pytest.raises(KeyError):
            broker.tell(replace(job, number=99), outcome)


def test_pruned_trials_count_and_guide_the_sampler(tmp_path: Path) -> None:
    spec = make_spec(trials=3)
    folder = open_study(tmp_path, spec)
    with open_broker(folder, spec) as broker:
        while (job := broker.ask()) is not None:
            outcome = train(job.config, job.seeds)
            broker.tell(job, Outcome(replace(outcome.record, status=Status.PRUNED, objectives={}), {}))
        assert broker.counted == 3
    assert {trial.state for trial in stored(folder)} == {TrialState.PRUNED}


TWO: dict[str, Any] = {"prompt.rank": {"choices": [9, 10]}, "quant.bits": {"choices": [2, 4]}}


@pytest.mark.parametrize("ending", ["complete", "failed", "released", "lost"])
def test_a_repeat_of_a_running_trial_waits_for_it(tmp_path: Path, ending: str) -> None:
    """Four points, two configurations: while both run, no further point is trained."""
    spec = make_spec(TWO, trials=50)
    folder = open_study(tmp_path, spec)
    with open_broker(folder, spec) as broker:
        first, second = broker.ask(), broker.ask()
        assert first is not None
        assert second is not None
        assert broker.ask() is None
        assert not broker.done
        assert folder.records() == []
        if ending == "complete":
            broker.tell(first, train(first.config, first.seeds))
        elif ending == "failed":
            broker.tell(first, fail(first.config, first.seeds, reason="nan"))
        else:
            for _ in range(3 if ending == "lost" else 1):
                broker.release(first, Status.WORKER_LOST if ending == "lost" else Status.INTERRUPTED)
                broker.release(first, Status.INTERRUPTED)  # once more changes nothing
                again = broker.ask()
                assert again is not None
                assert again.config.quant.bits == first.config.quant.bits
                first = again
            broker.tell(first, train(first.config, first.seeds))
        broker.tell(second, train(second.config, second.seeds))
        run_local(broker, each(train), Stop())
        assert "tried" in broker.exhausted
    assert all(trial.state.is_finished() for trial in stored(folder))
    records = folder.records()
    if ending == "failed":
        repeats = [record for record in records if record.duplicate_of == first.number]
        assert repeats
        assert all(record.objectives == {} and "diverged (nan)" in record.reason for record in repeats)
    assert {record.status for record in records if record.number == first.number} == {
        Status.DIVERGED if ending == "failed" else Status.COMPLETE
    }


def test_a_trial_whose_worker_dies_three_times_is_failed_and_the_study_goes_on(tmp_path: Path) -> None:
    spec = make_spec(trials=1)
    folder = open_study(tmp_path, spec)
    with open_broker(folder, spec) as broker:
        for attempt in range(3):
            job = broker.ask()
            assert job is not None
            assert (job.number, job.attempt) == (0, attempt)
            broker.release(job, Status.WORKER_LOST)
        lost = folder.read(0)
        assert lost is not None
        assert (lost.status, lost.reason) == (Status.WORKER_LOST, "its worker was lost 3 times")
        assert broker.counted == 0
        job = broker.ask()
        assert job is not None
        assert job.number == 1
        broker.tell(job, train(job.config, job.seeds))
        assert broker.done


def test_interruptions_do_not_count_as_lost_workers(tmp_path: Path) -> None:
    spec = make_spec(trials=1)
    folder = open_study(tmp_path, spec)
    for attempt in range(6):
        with open_broker(folder, spec) as broker:
            job = broker.ask()
            assert job is not None
            assert (job.number, job.attempt) == (0, attempt)
    assert folder.records() == []


def test_closing_queues_what_is_out_and_what_waits(tmp_path: Path) -> None:
    spec = make_spec(TWO, trials=50)
    folder = open_study(tmp_path, spec)
    with open_broker(folder, spec) as broker:
        jobs = [broker.ask(), broker.ask()]
        assert broker.ask() is None
    assert None not in jobs
    assert {trial.state for trial in stored(folder)} == {TrialState.FAIL, TrialState.WAITING}
    run(folder, spec)
    assert all(trial.state.is_finished() for trial in stored(folder))


def test_records_without_a_journal_are_refused(tmp_path: Path) -> None:
    spec = make_spec(trials=8)
    folder = open_study(tmp_path, spec)
    run(folder, spec)
    folder.journal.unlink()
    with pytest.raises(StoreError, match=r"the journal never had \(0, 1, 2, 3, 4, … 8 in all\)"):
        open_broker(folder, spec)
    assert not folder.driven


def test_a_journal_without_its_records_is_refused(tmp_path: Path) -> None:
    spec = make_spec(trials=3)
    folder = open_study(tmp_path, spec)
    run(folder, spec)
    (folder.root / "trials" / "000001.json").unlink()
    with pytest.raises(StoreError, match=r"records of finished trials are gone \(1\)"):
        open_broker(folder, spec)
