from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.cli.run import announce
from lorap_bench.errors import ConfigError, Fault
from lorap_bench.record import Status
from lorap_bench.store.folder import StudyFolder
from lorap_bench.train.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., Any]


def test_a_study_runs_is_told_exported_and_reported(lorap_bench: Command, tiny: Path, runs: Path) -> None:
    ended = lorap_bench("run", tiny, "--runs", runs)
    page = runs / "tiny" / "report" / "index.html"
    assert (ended.code, ended.out) == (0, f"{page}\n")
    assert page.is_file()
    assert "[3/3] trial" in ended.err

    status = lorap_bench("status", tiny, "--runs", runs, "--json").json
    assert status["schema_version"] == 1
    assert status["name"] == "tiny"
    assert status["budget"] == {"trials": 3, "counted": 3, "extension": {}}
    assert (status["limits"], status["driven"]) == ({}, False)
    assert (status["states"]["complete"], status["states"]["running"]) == (3, 0)
    assert {"number", "values"} <= set(status["front"][0])
    assert set(status["front"][0]["values"]) == {"accuracy", "average_bits", "overhead"}
    assert 0 <= status["hypervolume"] <= 1

    table = lorap_bench("status", "tiny", "--runs", runs)
    assert "3 of 3" in table.out
    assert "front trial" in table.out

    exported = lorap_bench("export", "tiny", "--runs", runs, "--format", "json").json
    assert exported["name"] == "tiny"
    complete = [trial for trial in exported["trials"] if trial["status"] == "complete"]
    assert len(complete) == 3
    assert {"number", "digest", "status", "params", "values"} <= set(complete[0])


def test_a_finished_study_says_so_and_does_nothing(
    lorap_bench: Command, tiny: Path, runs: Path, finished: Path
) -> None:
    folder = StudyFolder.open(runs, "tiny")
    before = {path: path.stat().st_mtime_ns for path in sorted((folder.root / "trials").iterdir())}
    assert not (folder.root / "report").exists()

    again = lorap_bench("run", tiny, "--runs", runs)
    page = folder.root / "report" / "index.html"
    assert (again.code, again.out) == (0, f"{page}\n")  # the missing report is made good
    assert "tiny is finished: 3 of 3 trials" in again.err
    written = page.stat().st_mtime_ns

    journal = folder.journal.read_bytes()
    assert lorap_bench("run", tiny, "--runs", runs).code == 0
    assert page.stat().st_mtime_ns == written
    assert folder.journal.read_bytes() == journal
    assert before == {path: path.stat().st_mtime_ns for path in sorted((folder.root / "trials").iterdir())}


def test_a_grown_budget_goes_on(lorap_bench: Command, tiny: Path, runs: Path, finished: Path) -> None:
    first = [record.to_mapping() for record in StudyFolder.open(runs, "tiny").records()]
    assert lorap_bench("run", tiny, "--runs", runs, "--no-report", "--set", "budget.trials=5").code == 0
    records = StudyFolder.open(runs, "tiny").records()
    assert sum(record.status.counts for record in records) == 5
    assert [record.to_mapping() for record in records][: len(first)] == first


def test_a_space_that_ends_with_the_budget_did_not_end_before_it(lorap_bench: Command, tiny: Path, runs: Path) -> None:
    small = ("--set", 'space={"prompt.count"={choices=[1,2]}}', "--no-report", "--runs", runs)
    ended = lorap_bench("run", tiny, *small, "--set", "budget.trials=2")
    assert ended.code == 0
    assert "before its budget" not in ended.err
    assert "tiny is finished: 2 of 2 trials" in lorap_bench("run", tiny, *small, "--set", "budget.trials=2").err
    more = lorap_bench("run", tiny, *small, "--set", "budget.trials=3")
    assert "tiny is finished: all 2 points of the space were tried" in more.err
    less = lorap_bench("run", tiny, *small, "--set", "budget.trials=1")
    assert "tiny is finished: 2 trials, of a budget since cut to 1" in less.err


def test_a_space_of_one_point_ends_before_its_budget(lorap_bench: Command, tiny: Path, runs: Path) -> None:
    settings = ("--set", "space={prompt={count={choices=[1]}}}", "--set", "optim.lr=1e38", "--set", "optim.epochs=3")
    ended = lorap_bench("run", tiny, "--runs", runs, "--no-report", *settings)
    assert "tiny ended before its budget: its only point was tried" in ended.err
    assert "\n1 trial failed; " in ended.err


@pytest.mark.parametrize("place", ["journal.log", "driver.lock"])
def test_a_folder_in_place_of_a_file_is_told(
    lorap_bench: Command, tiny: Path, runs: Path, finished: Path, place: str
) -> None:
    path = runs / "tiny" / place
    path.unlink()
    path.mkdir()
    ended = lorap_bench("run", tiny, "--runs", runs)
    assert ended.code == 2
    assert f"{path}: cannot " in ended.err
    assert "Is a directory" in ended.err


def test_a_journal_that_is_none_is_told_and_left(lorap_bench: Command, tiny: Path, runs: Path, finished: Path) -> None:
    path = runs / "tiny" / "journal.log"
    path.write_text("garbage\n")
    ended = lorap_bench("run", tiny, "--runs", runs)
    assert ended.code == 2
    assert f"{path}: damaged" in ended.err
    assert path.read_text() == "garbage\n"
    assert lorap_bench("status", tiny, "--runs", runs).code == 0


def test_quiet_prints_nothing_but_where_the_report_lies(lorap_bench: Command, tiny: Path, runs: Path) -> None:
    ended = lorap_bench("run", tiny, "--runs", runs, "--quiet")
    assert ended.err == "report:\n"


def test_a_confirmed_study_looks_at_the_test_split_once(lorap_bench: Command, tiny: Path, runs: Path) -> None:
    call = ("run", tiny, "--runs", runs, "--no-report", "--set", "replicas.confirm=2")
    assert "confirmed on the test split with 2 fresh seeds" in lorap_bench(*call).err
    confirmed = StudyFolder.open(runs, "tiny").confirmations()
    front = lorap_bench("status", tiny, "--runs", runs, "--json").json["front"]
    assert set(confirmed) == {point["number"] for point in front}
    assert all(member.test is not None for one in confirmed.values() for member in one.record.members)
    assert "confirmed" not in lorap_bench(*call).err


def test_a_study_extended_after_its_look_is_not_looked_at_again_by_itself(
    lorap_bench: Command, tiny: Path, runs: Path
) -> None:
    call = ("run", tiny, "--runs", runs, "--no-report", "--set", "replicas.confirm=1")
    assert lorap_bench(*call).code == 0
    folder = StudyFolder.open(runs, "tiny")
    [look] = folder.looks.all()
    more = lorap_bench(*call[:-1], "replicas.confirm=2", "--set", "budget.trials=8")
    assert more.code == 0
    assert folder.looks.all() == [look]
    assert f"not confirmed again: the test split was looked at on {look.date} (look 1) and " in more.err
    assert "the study asks for 2 seeds, not 1" in more.err
    assert "`lorap-bench confirm tiny --again` looks once more" in more.err


def test_a_study_with_other_content_is_refused(lorap_bench: Command, tiny: Path, runs: Path, finished: Path) -> None:
    ended = lorap_bench("run", tiny, "--runs", runs, "--set", "optim.epochs=2")
    assert ended.code == 2
    assert "another study" in ended.err
    assert "optim.epochs" in ended.err


def test_two_drivers_do_not_meet(lorap_bench: Command, tiny: Path, runs: Path, finished: Path) -> None:
    with StudyFolder.open(runs, "tiny").lock():
        ended = lorap_bench("run", tiny, "--runs", runs)
    assert ended.code == 2
    assert "another process drives this study" in ended.err


def test_an_infeasible_space_is_refused_before_there_is_a_folder(lorap_bench: Command, tiny: Path, runs: Path) -> None:
    with tiny.open("a", encoding="utf-8") as file:
        file.write('[constraints]\naverage_bits = "<= 1"\n')
    ended = lorap_bench("run", tiny, "--runs", runs)
    assert ended.code == 2
    assert "constraints.average_bits: broken by 27 of 27 points" in ended.err
    assert not runs.exists()


def test_all_faults_of_a_file_are_told(lorap_bench: Command, tiny: Path, runs: Path) -> None:
    ended = lorap_bench("run", tiny, "--runs", runs, "--set", "prompt.kind=LoRAPP", "--set", "quant.bits=9")
    assert ended.code == 2
    assert "2 faults" in ended.err
    assert "did you mean 'LoRAP'?" in ended.err
    assert "Traceback" not in ended.err


def test_missing_data_are_a_missing_resource(
    lorap_bench: Command, tiny: Path, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORAP_BENCH_RAW", "")  # restored afterwards, whatever the command sets
    monkeypatch.setenv("LORAP_BENCH_CACHE", str(tmp_path / "cache"))  # another test may have prepared Cora
    ended = lorap_bench("run", tiny, "--runs", runs, "--raw-mirror", tmp_path, "--set", "task.dataset=Cora")
    assert ended.code == 5
    assert "Cora" in ended.err


def test_failed_trials_show_in_the_exit_code(lorap_bench: Command, tiny: Path, runs: Path) -> None:
    ended = lorap_bench("run", tiny, "--runs", runs, "--set", "optim.lr=1e38", "--set", "optim.epochs=3")
    records = StudyFolder.open(runs, "tiny").records()
    assert {record.status for record in records if record.status.counts} == {Status.DIVERGED}
    assert ended.code == 3
    assert "3 trials failed" in ended.err
    assert (runs / "tiny" / "report" / "index.html").is_file()


def test_a_failure_of_the_study_leaves_a_report(
    lorap_bench: Command, tiny: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(broker: Any, train: Any, stop: Any, **_: Any) -> None:
        job = broker.ask()
        (ended,) = train([(job.config, job.seeds)], watch=Watch(on_epoch=stop.check))
        broker.tell(job, ended[0])
        raise ConfigError([Fault(path="somewhere", message="no further")])

    monkeypatch.setattr("lorap_bench.executors.local.run_local", fail)
    ended = lorap_bench("run", tiny, "--runs", runs)
    page = runs / "tiny" / "report" / "index.html"
    assert (ended.code, ended.out) == (2, f"{page}\n")
    assert "no further" in ended.err


def test_a_bug_keeps_its_traceback(
    lorap_bench: Command, tiny: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(broker: Any, train: Any, stop: Any, **_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("lorap_bench.executors.local.run_local", fail)
    with pytest.raises(ZeroDivisionError):
        lorap_bench("run", tiny, "--runs", runs)


def test_a_request_to_stop_saves_and_the_same_command_goes_on(
    lorap_bench: Command, tiny: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lorap_bench.executors import local

    true_run = local.run_local

    def interrupted(broker: Any, train: Any, stop: Any, **_: Any) -> None:
        def first_then_stop(*args: Any, **kwargs: Any) -> Any:
            os.kill(os.getpid(), signal.SIGTERM)
            return train(*args, **kwargs)

        true_run(broker, first_then_stop, stop)

    call = ("run", tiny, "--runs", runs, "--set", "search.together=1")
    with monkeypatch.context() as patch:
        patch.setattr(local, "run_local", interrupted)
        ended = lorap_bench(*call)
    assert ended.code == 130
    assert "the same command goes on from here" in ended.err
    assert len(StudyFolder.open(runs, "tiny").records()) == 1
    assert lorap_bench(*call).code == 0
    assert sum(record.status.counts for record in StudyFolder.open(runs, "tiny").records()) == 3


def test_an_interrupted_confirmation_goes_on(
    lorap_bench: Command, tiny: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lorap_bench.train.trial as trial_module

    assert lorap_bench("run", tiny, "--runs", runs, "--no-report", "--quiet").code == 0
    true_trial = trial_module.run_trial

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return true_trial(*args, **kwargs)

    call = ("run", tiny, "--runs", runs, "--no-report", "--set", "replicas.confirm=1")
    with monkeypatch.context() as patch:
        patch.setattr(trial_module, "run_trial", interrupted)
        assert lorap_bench(*call).code == 130
    assert len(StudyFolder.open(runs, "tiny").confirmations()) == 1
    assert lorap_bench(*call).code == 0


def test_the_third_request_waits_for_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    announce(1)
    announce(2)
    with pytest.raises(KeyboardInterrupt):
        announce(3)
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.parametrize("kills", [1, pytest.param(5, marks=pytest.mark.slow)])
def test_killed_at_any_moment_a_run_loses_nothing(
    lorap_bench: Command, start: Command, tiny: Path, runs: Path, kills: int
) -> None:
    budget = ("--set", f"budget.trials={kills + 2}", "--no-report")
    for _ in range(kills):
        process = start("run", tiny, "--runs", runs, *budget)
        lines = iter(process.stderr.readline, "")
        assert any("] trial " in line for line in lines)  # one trial is through, the next has begun
        process.kill()
        process.communicate()
    assert lorap_bench("run", tiny, "--runs", runs, *budget).code == 0
    straight = runs / "straight"
    assert lorap_bench("run", tiny, "--runs", straight, *budget).code == 0

    found, wanted = story(runs / "tiny"), story(straight / "tiny")
    assert found == wanted
    assert sum(trial["status"] == "complete" for trial in found) == kills + 2
    assert lorap_bench("status", tiny, "--runs", runs, "--json").json["states"]["running"] == 0


def story(root: Path) -> list[dict[str, Any]]:
    """Return what a study's folder tells, times, attempts and versions aside."""
    leave = {"started", "seconds", "attempt", "provenance"}
    records = [json.loads(path.read_text()) for path in sorted((root / "trials").glob("*.json"))]
    return [{name: value for name, value in record.items() if name not in leave} for record in records]


@pytest.mark.ray
@pytest.mark.slow
def test_the_same_study_on_ray(lorap_bench: Command, start: Command, tiny: Path, runs: Path) -> None:
    pytest.importorskip("ray")
    process = start("run", tiny, "--runs", runs, "--executor", "ray", "--workers", "2", "--no-report")
    process.communicate()
    assert process.returncode == 0
    records = StudyFolder.open(runs, "tiny").records()
    assert sum(record.status is Status.COMPLETE for record in records) == 3
