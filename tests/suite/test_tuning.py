from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from lorap_bench.config import digest_of
from lorap_bench.errors import ConfigError, StoreError
from lorap_bench.executors.stop import Stop
from lorap_bench.record import Status, TrialRecord
from lorap_bench.study.space import overlay
from lorap_bench.suite.check import State
from lorap_bench.suite.run import Audience
from lorap_bench.suite.tuning import best_of, search_study
from lorap_bench.suite.verify import verify_suite
from lorap_bench.train.trial import run_groups
from tests.suite.sittings import comparable, run, run_killed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.executors.desk import Desk
    from lorap_bench.search.job import Job
    from lorap_bench.suite.sitting import Sitting
    from lorap_bench.suite.spec import SuiteSpec

    Sit = Callable[..., Sitting]
    Load = Callable[[str], SuiteSpec]

TUNE = """
[tune]
trials = 3
seeds = 2
[tune.search]
sampler = "Random"
together = 1
[tune.space]
"optim.lr" = { choices = [0.01, 0.03, 0.05, 0.07] }
[tune.space.prompt.rank]
choices = [1, 2, 4]
when = { "prompt.kind" = "LoRAP" }
"""


@pytest.fixture
def tuned(text: str) -> str:
    """Return the suite of four short cells, each tuned by three trials."""
    return text + TUNE


def record(number: int, accuracy: float, **more: object) -> TrialRecord:
    made = TrialRecord(status=Status.COMPLETE, config={}, digest="", number=number, objectives={"accuracy": accuracy})
    return replace(made, **more)  # type: ignore[arg-type]  # fields by name


def test_the_first_of_the_best_feasible_complete_trials_is_chosen() -> None:
    failed = record(0, 0.99, status=Status.DIVERGED)
    broken = record(1, 0.98, violations={"average_bits": 0.5})
    trials = [failed, broken, record(2, 0.5), record(3, 0.7), record(4, 0.7, violations={"average_bits": 0.0})]
    best = best_of(trials)
    assert best is not None
    assert best.number == 3
    assert best_of([failed, broken]) is None


def test_a_cells_study_is_the_suites_search_over_the_cells_configuration(load: Load, sit: Sit, tuned: str) -> None:
    cell = sit(tuned).cells[3]
    study = search_study(cell)
    assert cell.axes == {"scheme": "A2Q", "prompt": "LoRAP"}
    assert study.base == cell.config
    assert (study.name, study.objectives, study.seed) == (cell.key, ("accuracy",), 0)
    assert (study.budget.trials, study.replicas.search, study.replicas.confirm) == (3, 2, 0)
    assert list(study.space) == ["optim.lr", "prompt.rank"]
    assert study.search.sampler == "Random"
    assert load(tuned).tune == cell.tune


def test_a_tuned_cell_is_another_cell(sit: Sit, text: str, tuned: str) -> None:
    keys = [cell.key for cell in sit(text).cells]
    others = [cell.key for cell in sit(tuned).cells]
    more = [cell.key for cell in sit(tuned.replace("trials = 3", "trials = 4")).cells]
    assert len({*keys, *others, *more}) == 12


def test_tuned_cells_are_searched_then_trained_with_other_seeds(sit: Sit, tuned: str) -> None:
    sitting = sit(tuned, "scheme=QAT")
    assert run(sitting)
    for cell in sitting.plan.cells:
        result = sitting.folder.read(cell.key)
        searched = sitting.folder.search(cell.key)
        assert result is not None
        assert result.tuning is not None
        assert searched is not None
        records = searched[1]
        best = best_of(records)
        assert best is not None
        assert (result.tuning.trials, result.tuning.number) == (3, best.number)
        assert result.tuning.val == best.objectives["accuracy"]
        assert result.tuning.params == best.params
        assert result.records[0].config == overlay(cell.config, best.params).to_mapping()
        assert [member.seed for member in result.records[0].members] == [0, 1]
        trained = {member.seed for one in records for member in one.members}
        assert trained.isdisjoint({0, 1})
        assert all(member.test is None for one in records for member in one.members)
        assert all(member.test is not None for member in result.records[0].members)
        assert result.epochs == 3 * 2 * 2 + 2 * 2
        assert result.seconds > result.records[0].seconds
    table = pd.read_parquet(sitting.folder.root / "table.parquet")
    assert table["trials"].tolist() == [3, 3, 3, 3]
    assert table["tuned.optim.lr"].isin([0.01, 0.03, 0.05, 0.07]).all()
    assert table["tuned.prompt.rank"].isna().tolist() == [True, True, False, False]


def test_killed_in_its_search_and_after_it_ends_with_the_same_table(sit: Sit, tuned: str, tmp_path: Path) -> None:
    only = "scheme=QAT,prompt=LoRAP"
    whole = sit(tuned, only)
    assert run(whole)
    wanted = comparable(whole.folder.root)
    whole.folder.root.rename(tmp_path / "whole")
    run_killed(sit(tuned, only), epoch=3)  # in the second trial
    run_killed(sit(tuned, only), epoch=2)  # in the third
    assert whole.folder.search(whole.plan.cells[0].key) is None
    run_killed(sit(tuned, only), epoch=3)  # after the search, in the cell's own training
    assert whole.folder.search(whole.plan.cells[0].key) is not None
    assert run(sit(tuned, only))
    found = comparable(whole.folder.root)
    assert found[0] == wanted[0]
    pd.testing.assert_frame_equal(found[1], wanted[1])


def test_a_search_without_a_feasible_point_is_a_result(sit: Sit, tuned: str) -> None:
    none = tuned.replace("[tune.search]", '[tune.constraints]\naverage_bits = "<= 0.5"\n[tune.search]')
    sitting = sit(none, "prompt=None")
    assert run(sitting)
    for result in sitting.results.values():
        assert result.failed
        assert result.tuning is not None
        assert result.tuning.number is None
        assert [record.status for record in result.records] == [Status.INVALID]
    reasons = [record.reason for result in sitting.results.values() for record in result.records]
    assert all("average_bits" in reason or "within the constraints" in reason for reason in reasons)
    assert run(sit(none, "prompt=None"))  # and is not tried again
    wanted = comparable(sitting.folder.root)[0]
    for path in (sitting.folder.root / "cells").iterdir():
        path.unlink()  # as if it had been killed just before they were written
    assert run(sit(none, "prompt=None"))
    assert comparable(sitting.folder.root)[0] == wanted
    assert not [check for check in verify_suite(sitting.folder) if check.name == "searches" and check.state != State.OK]


def test_verification_chooses_again(sit: Sit, tuned: str) -> None:
    sitting = sit(tuned, "scheme=QAT,prompt=None")
    assert run(sitting)
    (cell,) = sitting.plan.cells

    def searches() -> tuple[State, str]:
        (check,) = [check for check in verify_suite(sitting.folder) if check.name == "searches"]
        return check.state, " ".join(check.found)

    assert searches()[0] is State.OK
    path = sitting.folder.root / "searches" / f"{cell.key}.json"
    stored = json.loads(path.read_text())
    study, records = stored["study"], [TrialRecord.from_mapping(one) for one in stored["records"]]
    best = best_of(records)
    assert best is not None
    better = [replace(one, objectives={"accuracy": 1.0}) if one.number != best.number else one for one in records]
    sitting.folder.write_search(study, cell.key, better)
    state, told = searches()
    assert state is State.WRONG
    assert "its search makes" in told
    assert "is not the mean of the validation figures" in told
    sitting.folder.write_search({**study, "seed": 1}, cell.key, records)
    assert "was tuned by another study" in searches()[1]
    path.write_text(path.read_text().replace('"complete"', '"pruned"', 1))
    assert "was changed after it was written" in searches()[1]
    path.unlink()
    assert searches() == (State.WRONG, "QAT None: its search is not there")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("trials = 3", ""), "tune.trials: required key is missing"),
        (('"optim.lr"', '"optim.rl"'), "tune.space.optim.rl"),
        (
            ('"optim.lr" = { choices = [0.01, 0.03, 0.05, 0.07] }', '"prompt.kind" = { choices = ["None"] }'),
            "is an axis",
        ),
        (("seeds = 2\n", "folds = 2\n"), "with task.fold as an axis each is tuned"),
        (('"Random"', '"Rundom"'), "did you mean 'Random'?"),
    ],
)
def test_what_is_wrong_with_a_search_is_told(load: Load, tuned: str, change: tuple[str, str], told: str) -> None:
    with pytest.raises(ConfigError, match=r"few\.toml") as error:
        load(tuned.replace(*change, 1))
    assert told in str(error.value)


def test_a_training_that_costs_its_worker_each_time_is_a_result(sit: Sit, text: str) -> None:
    sitting = sit(text, "scheme=QAT,prompt=None")
    lost = []

    def lose(desk: object) -> None:
        while jobs := desk.ask_pack():  # type: ignore[attr-defined]  # a desk
            lost.append(jobs[0].attempt)
            desk.release(jobs[0], Status.WORKER_LOST)  # type: ignore[attr-defined]  # as above

    assert sitting.run(lose, Audience(lambda cell, result: None, lambda cell, jobs: None), lambda note: None)
    assert lost == [0, 1, 2]
    (result,) = sitting.results.values()
    assert [(one.status, one.reason) for one in result.records] == [(Status.WORKER_LOST, "its worker was lost 3 times")]
    assert run(sit(text), Stop()) is True


def test_the_parts_of_a_cell_are_kept_as_they_end(sit: Sit, text: str, raw_mirror: Path) -> None:
    folds = text.replace("seeds = 2", "folds = 3").replace("[axes]", '[task]\ndataset = "MUTAG"\n[axes]')
    only = "scheme=QAT,prompt=None"
    whole = sit(folds, only)
    assert run(whole)
    wanted = comparable(whole.folder.root)[0]
    whole.folder.root.rename(whole.folder.root.with_name("whole"))
    run_killed(sit(folds, only), epoch=5)  # in the third fold
    parts = whole.folder.root / "parts" / whole.plan.cells[0].key
    assert sorted(path.name for path in parts.iterdir()) == ["0.json", "1.json"]
    (parts / "1.json").write_text("{}")
    with pytest.raises(StoreError, match="not a training; remove it"):
        run(sit(folds, only))
    (parts / "1.json").unlink()
    assert run(sit(folds, only))
    assert comparable(whole.folder.root)[0] == wanted
    assert not parts.exists()


def test_a_search_proposes_the_same_however_many_workers_there_are(sit: Sit, tuned: str) -> None:
    model = tuned.replace('sampler = "Random"', 'sampler = "TPE"').replace("trials = 3", "trials = 6")
    model += "[tune.search.arguments]\nn_startup_trials = 1\n"
    one = sit(model, "scheme=QAT")
    assert run(one)
    wanted = comparable(one.folder.root)[0]
    one.folder.root.rename(one.folder.root.with_name("one"))

    def two_workers(desk: Desk) -> None:
        """Train every pack only when a second one is out, or none is to be had; the last one given first."""
        out: list[list[Job]] = []
        while (jobs := desk.ask_pack()) or out:
            out += [jobs] if jobs else []
            if len(out) == 2 or not jobs:
                ended = out.pop()
                for outcomes in run_groups([(job.config, job.seeds) for job in ended], split=ended[0].split):
                    for place, outcome in outcomes.items():
                        desk.tell(ended[place], outcome)

    two = sit(model, "scheme=QAT")
    assert two.run(two_workers, Audience(lambda cell, result: None, lambda cell, jobs: None), lambda note: None)
    assert comparable(two.folder.root)[0] == wanted


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"objectives": {}}, "has no accuracy: what is best cannot be told"),
        ({"objectives": {"mae": 0.1}}, "has no accuracy: what is best cannot be told"),
        ({"params": {"optim.lr": 0.9}}, "its configuration is not what its point makes of the cell's"),
    ],
)
def test_a_search_that_cannot_be_so_is_told(sit: Sit, tuned: str, change: dict[str, object], told: str) -> None:
    sitting = sit(tuned.replace("epochs = 2", "epochs = 1"), "scheme=QAT,prompt=None")
    assert run(sitting)
    (cell,) = sitting.plan.cells
    searched = sitting.folder.search(cell.key)
    assert searched is not None
    study, records = searched
    sitting.folder.write_search(study, cell.key, [replace(records[0], **change), *records[1:]])  # type: ignore[arg-type]  # fields by name
    (check,) = [check for check in verify_suite(sitting.folder) if check.name == "searches"]
    assert check.state is State.WRONG
    assert told in " ".join(check.found)
    assert all(len(line) < 300 for line in check.found)


def test_a_search_without_its_parts_is_damaged(sit: Sit, tuned: str) -> None:
    folder = sit(tuned).folder
    folder.searches.mkdir(parents=True)
    stored = {"schema_version": 1, "key": "0"}
    (folder.searches / "0.json").write_text(json.dumps(stored | {"checksum": digest_of(stored)}))
    with pytest.raises(StoreError, match="damaged search"):
        folder.search("0")


def test_a_search_of_failures_says_how_they_ended(sit: Sit, tuned: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from lorap_bench.train import group

    def broken(*arguments: object, **named: object) -> None:
        raise RuntimeError("no such luck")

    monkeypatch.setattr(group, "train_together", broken)
    sitting = sit(tuned, "scheme=QAT,prompt=None")
    assert run(sitting)
    (result,) = sitting.results.values()
    assert "within the constraints (3 user_error" in result.records[0].reason
    assert "such as: RuntimeError: no such luck" in result.records[0].reason


def test_a_search_may_mend_what_its_cell_lacks(sit: Sit, tuned: str) -> None:
    without = tuned.replace("groups = 20", "groups = 0")
    mending = without.replace("[tune.space]\n", '[tune.space]\n"quant.groups" = { choices = [10, 20] }\n')
    assert [cell.axes["scheme"] for cell in sit(without).plan.skipped] == ["A2Q", "A2Q"]
    sitting = sit(mending, "scheme=A2Q,prompt=None")
    assert run(sitting)
    (result,) = sitting.results.values()
    assert not result.failed
    assert result.records[0].config["quant"]["groups"] in {10, 20}
    checks = {check.name: check.state for check in verify_suite(sitting.folder)}
    assert checks["searches"] is checks["replicas"] is checks["costs"] is State.OK
