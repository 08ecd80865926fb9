from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from lorap_bench.errors import StoreError
from lorap_bench.executors.local import run_local
from lorap_bench.executors.stop import Stop
from lorap_bench.record import Status
from lorap_bench.store.lock import Driven
from lorap_bench.suite import work
from lorap_bench.suite.run import Audience
from lorap_bench.train.trial import run_groups
from tests.suite.sittings import comparable, run, run_killed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lorap_bench.search.job import Job
    from lorap_bench.suite.cell import Cell
    from lorap_bench.suite.sitting import Sitting
    from lorap_bench.suite.spec import SuiteSpec

    Sit = Callable[..., Sitting]


def test_killed_five_times_and_resumed_it_ends_with_the_same_table(sit: Sit, text: str, tmp_path: Path) -> None:
    whole = sit(text)
    assert run(whole)
    wanted_csv, wanted = comparable(whole.folder.root)
    whole.folder.root.rename(tmp_path / "whole")
    # suite.json is write 0, a cell two more: its curves and itself.
    for place in ({"write": 2}, {"epoch": 3}, {"write": 4}, {"write": 0}, {"write": 3}):
        run_killed(sit(text), **place)
    assert len(sit(text).results) == 3
    run_killed(sit(text), write=4)  # the last cell is done, the table half-written
    assert len(sit(text).results) == 4
    assert run(sit(text))
    found_csv, found = comparable(whole.folder.root)
    assert found_csv == wanted_csv
    pd.testing.assert_frame_equal(found, wanted)
    assert not (whole.folder.root / "edited").exists()


def test_a_finished_cell_is_not_trained_again(sit: Sit, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(sit(text, "scheme=QAT"))
    seen: list[str] = []
    assert run(sit(text), on_cell=lambda cell, result: seen.append(cell.name))
    assert seen == ["A2Q None", "A2Q LoRAP"]
    monkeypatch.setattr(work, "Job", None)  # nothing is left to train
    assert run(sit(text))


def test_no_executor_starts_when_nothing_is_left(sit: Sit, text: str) -> None:
    assert run(sit(text))
    nobody = Audience(lambda cell, result: None, lambda cell, jobs: None)
    assert sit(text).run(lambda desk: pytest.fail("an executor was started"), nobody, pytest.fail)


def test_a_cell_holds_what_was_found_on_both_splits(sit: Sit, text: str) -> None:
    sitting = sit(text, "prompt=None")
    assert run(sitting)
    for cell in sitting.plan.cells:
        result = sitting.folder.read(cell.key)
        assert result is not None
        assert result.replicas == cell.replicas
        assert not result.failed
        (record,) = result.records
        assert record.config == cell.config.to_mapping()
        assert all(member.val is not None and member.test is not None for member in record.members)
        assert len(sitting.folder.curves(cell.key)[0]["val_metric"]) == 2
    qat, a2q = (sitting.results[cell.key] for cell in sitting.plan.cells)
    assert qat.costs[0] == qat.costs[1] == qat.records[0].costs
    assert a2q.costs[0]["average_bits"] != a2q.costs[1]["average_bits"]  # each replica's own
    mean = (a2q.costs[0]["average_bits"] + a2q.costs[1]["average_bits"]) / 2
    assert a2q.records[0].costs["average_bits"] == pytest.approx(mean, rel=1e-12)


def test_a_request_to_stop_lets_the_cell_end(sit: Sit, text: str) -> None:
    stop = Stop()
    sitting = sit(text)
    assert not run(sitting, stop, on_cell=lambda cell, result: stop.request())
    assert len(sitting.results) == 1
    assert len(pd.read_csv(sitting.folder.root / "table.csv")) == 2
    at_once = Stop()
    at_once.request()
    assert not run(sit(text), at_once)
    assert len(sit(text).results) == 1


def test_a_second_request_leaves_the_cell(sit: Sit, text: str) -> None:
    stop = Stop()
    sitting = sit(text)

    def twice(cell: Cell, jobs: Sequence[Job]) -> None:
        stop.request()
        stop.request()

    unheard = Audience(lambda cell, result: None, twice)
    assert not sitting.run(lambda desk: run_local(desk, run_groups, stop), unheard, lambda note: None)
    assert sitting.results == {}


def test_a_training_that_fails_is_a_result_with_its_reason(
    sit: Sit, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The reason is the message of an error inside training.
    from lorap_bench.train import group

    def broken(*arguments: object, **named: object) -> None:
        raise RuntimeError("no such luck")

    monkeypatch.setattr(group, "train_together", broken)
    sitting = sit(text, "scheme=QAT,prompt=None")
    assert run(sitting)
    (result,) = sitting.results.values()
    assert result.failed
    assert result.records[0].status is Status.USER_ERROR
    table = pd.read_csv(sitting.folder.root / "table.csv")
    assert set(table["status"]) == {"user_error"}
    assert table["reason"].str.contains("no such luck").all()
    assert table["test"].isna().all()
    assert run(sit(text, "scheme=QAT,prompt=None"))  # and is not tried again


def test_two_suites_in_one_folder(sit: Sit, text: str) -> None:
    sitting = sit(text)
    with (
        sitting.folder.lock(),
        pytest.raises(Driven, match=r"few: another process runs a suite in this folder"),
    ):
        run(sit(text))
    assert sitting.folder.keys() == set()


def test_a_studys_folder_is_refused(sit: Sit, text: str) -> None:
    root = sit(text).folder.root
    root.mkdir(parents=True)
    (root / "study.json").write_text("{}")
    with pytest.raises(StoreError, match="here lies a study"):
        run(sit(text))


def test_a_suite_may_grow_and_shrink(sit: Sit, text: str) -> None:
    assert run(sit(text, "scheme=QAT,prompt=None"))
    fewer = sit(text.replace('["QAT", "A2Q"]', '["QAT"]'))
    assert len(fewer.results) == 1  # the same cell
    assert run(fewer)
    other = sit(text.replace("epochs = 2", "epochs = 1"))
    assert other.results == {}
    assert len(other.folder.keys()) == 2  # what is not the suite's stays


def test_a_cell_changed_by_hand_is_not_used(sit: Sit, text: str) -> None:
    sitting = sit(text, "scheme=QAT,prompt=None")
    assert run(sitting)
    (path,) = (sitting.folder.root / "cells").iterdir()
    stored = json.loads(path.read_text())
    stored["records"][0]["members"][0]["test"] = 1.0
    path.write_text(json.dumps(stored))
    with pytest.raises(StoreError, match=rf"{path.name}: was changed after it was written"):
        sit(text)
    path.write_text("{")
    with pytest.raises(StoreError, match="damaged"):
        sit(text)
    path.unlink()
    assert sit(text).results == {}


def test_a_cell_under_another_name_is_not_used(sit: Sit, text: str) -> None:
    sitting = sit(text, "scheme=QAT,prompt=None")
    assert run(sitting)
    (path,) = (sitting.folder.root / "cells").iterdir()
    path.rename(path.with_name(f"{sit(text).cells[1].key}.json"))
    with pytest.raises(StoreError, match=r"holds the cell [0-9a-f]{16}, which its name does not say"):
        sit(text)


def test_summary(sit: Sit, text: str, load: Callable[[str], SuiteSpec]) -> None:
    rule = '[[skip]]\nwhen = { scheme = "A2Q", prompt = "LoRAP" }\nreason = "too dear"\n'
    assert run(sit(text + rule, "scheme=QAT,prompt=None"))
    found = sit(text + rule).summary()
    json.dumps(found, allow_nan=False)
    assert found["states"] == {"done": 1, "failed": 0, "left": 2, "skipped": 1}
    assert (found["forecast"]["known"], found["forecast"]["unknown"]) == (2, 0)
    assert found["forecast"]["seconds"] > 0
    assert [(line["state"], line["reason"]) for line in found["cells"]] == [
        ("done", ""),
        ("left", ""),
        ("left", ""),
        ("skipped", "too dear"),
    ]
    assert found["cells"][0]["replicas"] == [{"seed": 0, "fold": 0}, {"seed": 1, "fold": 0}]


def test_folds_train_one_by_one(sit: Sit, text: str, raw_mirror: Path) -> None:
    folds = text.replace("seeds = 2", "folds = 2").replace("[axes]", '[task]\ndataset = "MUTAG"\n[axes]')
    sitting = sit(folds, "scheme=A2Q,prompt=LoRAP")
    assert run(sitting)
    (result,) = sitting.results.values()
    assert [record.config["task"]["fold"] for record in result.records] == [0, 1]
    assert [record.members[0].seed for record in result.records] == [0, 1]
    assert [costs["average_bits"] for costs in result.costs] == [
        record.costs["average_bits"] for record in result.records
    ]
    assert replace(result, axes={}).key == sitting.plan.cells[0].key
    table = pd.read_parquet(sitting.folder.root / "table.parquet")
    assert table["fold"].tolist() == [0, 1]
