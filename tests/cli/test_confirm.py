from __future__ import annotations

import json
import os
import re
import signal
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.errors import ConfigError, Fault
from lorap_bench.store.folder import StudyFolder
from lorap_bench.store.look import Baseline
from lorap_bench.store.manifest import SUITE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., Any]


@pytest.fixture
def confirm(lorap_bench: Command, tiny: Path, runs: Path, finished: Path) -> Command:
    """Return the verb on the finished study."""
    return lambda *options: lorap_bench("confirm", tiny, "--runs", runs, *options)


def test_the_front_and_its_baselines_are_looked_at_once(
    confirm: Command, lorap_bench: Command, tiny: Path, runs: Path
) -> None:
    ended = confirm("--seeds", 2)
    folder = StudyFolder.open(runs, "tiny")
    [look] = folder.looks.all()
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0].strip() == "tiny: look 1 at the test split, 2 fresh seeds, mean ± standard deviation"
    assert [word in lines[1] for word in ("trial", "test accuracy, %", "gain over no prompt", "gain over FP32", "n")]
    assert [int(line.split()[0]) for line in lines[2:]] == [one.number for one in look.subjects]
    assert all(line.split()[-1] == "2" for line in lines[2:])
    assert f"report: {runs / 'tiny' / 'report' / 'index.html'}" in ended.err
    for digest in look.digests:
        assert f"{look.label(digest)} confirmed on the test split with 2 fresh seeds: complete" in ended.err
    for record in folder.looks.records(look).values():
        assert tuple(member.seed for member in record.members) == look.seeds
        assert all(member.test is not None for member in record.members)

    refused = confirm("--seeds", 2)
    assert refused.code == 2
    assert f"the test split has been looked at already (look 1, of {look.date}); --again looks once more" in refused.err
    assert folder.looks.all() == [look]

    again = confirm("--seeds", 1, "--again", "--no-report", "--json", "--quiet").json
    assert (again["schema_version"], again["name"]) == (1, "tiny")
    assert (again["look"]["number"], again["look"]["again"], len(again["look"]["seeds"])) == (2, True, 1)
    assert [trial["number"] for trial in again["trials"]] == [one.number for one in look.subjects]
    assert all(set(trial["gains"]) == {"no_prompt", "fp32"} for trial in again["trials"])
    assert all(trial["gains"]["fp32"]["n"] == 1 for trial in again["trials"])

    status = lorap_bench("status", tiny, "--runs", runs, "--json").json
    assert [(told["number"], told["again"]) for told in status["looks"]] == [(1, False), (2, True)]
    shown = lorap_bench("status", tiny, "--runs", runs).out
    assert f"look 1 at the test split  {look.date}" in " ".join(shown.split()).replace("split ", "split  ")
    exported = lorap_bench("export", tiny, "--runs", runs).json
    confirmed = {trial["number"]: trial["confirmation"] for trial in exported["trials"] if "confirmation" in trial}
    assert {number: found["look"] for number, found in confirmed.items()} == {o.number: 2 for o in look.subjects}
    assert "confirmed" not in lorap_bench("run", tiny, "--runs", runs, "--no-report").err


def test_an_unfinished_search_is_refused_with_what_is_missing(
    confirm: Command, lorap_bench: Command, tiny: Path, runs: Path
) -> None:
    path = runs / "tiny" / "study.json"
    stored = json.loads(path.read_text())
    stored["spec"]["budget"]["trials"] = 5
    path.write_text(json.dumps(stored))
    ended = confirm()
    assert ended.code == 2
    assert "the search is not finished: 2 of 5 trials missing; run it first" in ended.err
    assert not (runs / "tiny" / "looks").exists()


def test_a_study_that_never_ran_is_refused(lorap_bench: Command, tiny: Path, runs: Path) -> None:
    ended = lorap_bench("confirm", tiny, "--runs", runs)
    assert ended.code == 2
    assert "no study called 'tiny' here" in ended.err


def test_a_study_that_tunes_a_cell_of_a_suite_is_left_to_the_suite(
    lorap_bench: Command, finished: Path, tmp_path: Path
) -> None:
    searches = tmp_path / "table" / "searches"
    searches.mkdir(parents=True)
    finished.rename(searches / "tiny")
    (searches.parent / SUITE).write_text("{}", encoding="utf-8")
    command = ("confirm", "tiny", "--runs", searches, "--seeds", 1, "--no-report")

    refused = lorap_bench(*command)
    assert refused.code == 2
    assert "tunes a cell of the suite table, whose fresh seeds look at the test split" in refused.err
    assert StudyFolder.open(searches, "tiny").looks.all() == []

    assert lorap_bench(*command, "--again").code == 0
    assert len(StudyFolder.open(searches, "tiny").looks.all()) == 1


def test_the_default_seeds_are_the_studys_else_ten(confirm: Command, runs: Path, monkeypatch: Any) -> None:
    import lorap_bench.cli.drive as module

    asked: list[int] = []

    def noted(self: Any, planner: Any, *, seeds: int, **flags: bool) -> None:
        asked.append(seeds)
        assert flags == {"again": False, "ladder": False}

    monkeypatch.setattr(module.Drive, "look", noted)
    confirm()
    path = runs / "tiny" / "study.json"
    stored = json.loads(path.read_text())
    stored["spec"]["replicas"]["confirm"] = 4
    path.write_text(json.dumps(stored))
    confirm()
    assert asked == [10, 4]


def test_a_ladder_is_trained_where_it_is_asked_for(confirm: Command, runs: Path) -> None:
    ended = confirm("--seeds", 2, "--ladder", "--no-report", "--quiet")
    folder = StudyFolder.open(runs, "tiny")
    [look] = folder.looks.all()
    assert ended.code == 0
    words = set(re.findall(r"\w+", ended.out))  # headings may be broken over lines
    assert {"FP32", "node", "prompts", "alone"} <= words
    assert "LoRAP" not in words
    for one in folder.confirmations().values():
        assert set(one.baselines) == {"no_prompt", "fp32", "gpf"}
        prompt, rung = one.record.config["prompt"], one.baselines[Baseline.GPF].config["prompt"]
        assert rung == prompt | {"kind": "GPFPlus"}

    again = confirm("--seeds", 1, "--again", "--ladder", "--no-report", "--json", "--quiet").json
    assert again["look"]["ladder"]
    assert all(set(trial["gains"]) == {"no_prompt", "fp32", "gpf"} for trial in again["trials"])
    assert all(trial["baselines"]["gpf"] == "complete" for trial in again["trials"])
    assert look.ladder


def test_a_ladder_that_was_interrupted_goes_on_with_the_plain_command(
    confirm: Command, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lorap_bench.train.trial as trial_module

    true_trial = trial_module.run_trial

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return true_trial(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(trial_module, "run_trial", interrupted)
        assert confirm("--seeds", 2, "--ladder").code == 130
    assert confirm("--no-report", "--quiet").code == 0
    folder = StudyFolder.open(runs, "tiny")
    [look] = folder.looks.all()
    assert (look.ladder, bool(look.finished)) == (True, True)
    assert all(Baseline.GPF in one.baselines for one in folder.confirmations().values())


def test_the_help_tells_what_a_ladder_costs(lorap_bench: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert "Two more trainings at most a front trial" in lorap_bench("confirm", "--help").out


def test_an_interrupted_look_goes_on_as_it_began(
    confirm: Command, lorap_bench: Command, tiny: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lorap_bench.train.trial as trial_module

    true_trial = trial_module.run_trial

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return true_trial(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(trial_module, "run_trial", interrupted)
        ended = confirm("--seeds", 2)
    assert ended.code == 130
    assert "the same command goes on from here" in ended.err
    folder = StudyFolder.open(runs, "tiny")
    [begun] = folder.looks.all()
    assert not begun.finished
    first = folder.looks.records(begun)
    assert len(first) == 1
    assert "not finished" in lorap_bench("status", tiny, "--runs", runs).out

    other = confirm("--seeds", 3)
    assert other.code == 2
    assert "look 1 at the test split began with 2 seeds and goes on with them; got 3" in other.err
    assert confirm("--no-report").code == 0
    [whole] = folder.looks.all()
    assert (whole.seeds, bool(whole.finished)) == (begun.seeds, True)
    records = folder.looks.records(whole)
    assert first.items() <= records.items()
    assert set(records) == set(whole.digests)


def test_a_diverged_baseline_is_told_and_shows_in_the_exit_code(
    confirm: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lorap_bench.train.trial as trial_module

    true_trial = trial_module.run_trial

    def hot(config: Any, *args: Any, **kwargs: Any) -> Any:
        from dataclasses import replace

        if config.quant.scheme == "FP32":
            config = replace(config, optim=replace(config.optim, lr=1e38, epochs=3))
        return true_trial(config, *args, **kwargs)

    monkeypatch.setattr(trial_module, "run_trial", hot)
    ended = confirm("--seeds", 2, "--no-report")
    assert ended.code == 3
    assert "2 fresh seeds: diverged (2 of 2 members diverged" in ended.err
    assert "of the look failed; the gains rest on the seeds that both sides finished" in ended.err
    assert all("–" in line for line in ended.out.splitlines()[2:])


def test_a_baseline_that_cannot_be_is_told(confirm: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    import lorap_bench.search.objective as module

    true_planner = module.default_planner

    def picky(shape: Any) -> Any:
        def plan(config: Any) -> Any:
            if config.prompt.kind == "None" and config.quant.scheme != "FP32":
                raise ConfigError([Fault(path="quant.site_bits.x", message="this model has no such entry")])
            return true_planner(shape)(config)

        return plan

    monkeypatch.setattr(module, "default_planner", picky)
    ended = confirm("--seeds", 1, "--no-report", "--quiet")
    assert ended.code == 0
    assert "has no baseline no prompt: 1 fault" in ended.err
    assert "no such entry" in ended.err
