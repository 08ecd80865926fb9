"""A study and a suite on a set whose values are predicted, from the search to the verified report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from lorap_bench.data import load
from lorap_bench.data.packed import Packed
from lorap_bench.store.folder import StudyFolder
from lorap_bench.testing import value_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Command = Callable[..., Any]

STUDY = """
version = 1
name = "molecules"
objectives = ["mae", "average_bits", "overhead"]
[task]
dataset = "ZINC"
batch_size = 12
[model]
hidden = 8
dropout = 0.0
[prompt]
kind = "LoRAP"
[optim]
epochs = 4
[space]
"quant.bits" = { choices = [2, 4, 8] }
"prompt.count" = { int = [1, 3] }
[constraints]
mae = "<= 50"
[early_stopping]
rule = "MO-ASHA"
bound = true
grace_epochs = 2
reduction_factor = 2
[replicas]
search = 2
screen = 1
[budget]
trials = 6
"""
SUITE = """
version = 1
name = "values"
[task]
batch_size = 12
[model]
hidden = 4
layers = 1
[optim]
epochs = 2
[axes]
dataset = ["ZINC", "Digits"]
prompt = ["None"]
[replicas]
seeds = 2
"""


@pytest.fixture(autouse=True)
def _molecules() -> Iterator[None]:
    """Give this process 48 rings under the name of the molecules."""
    task = value_task()
    load.provide(
        "ZINC", Packed(x=task.x, edge_index=task.edge_index, graph_ptr=task.graph_ptr, y=task.y, splits=task.splits)
    )
    yield
    del load._provided["ZINC"]
    load._task.cache_clear()


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_from_the_search_to_the_report(lorap_bench: Command, tmp_path: Path, runs: Path) -> None:
    study = _written(tmp_path / "molecules.toml", STUDY)
    ended = lorap_bench("run", study, "--runs", runs, "--no-report")
    assert ended.code == 0, ended.err
    assert "best MAE " in ended.err
    folder = StudyFolder.open(runs, "molecules")
    records = folder.records()
    trained = [record for record in records if record.status in {"complete", "pruned"}]
    assert trained
    assert all(record.objectives["mae"] > 0 and "accuracy" not in record.objectives for record in trained)

    ended = lorap_bench("confirm", study, "--runs", runs, "--seeds", 2)
    assert ended.code == 0, ended.err
    assert "test MAE ↓" in ended.out
    rows = pd.read_csv(runs / "molecules" / "report" / "data.csv")
    spec_front = set(rows.loc[rows["front"], "number"])
    done = [record for record in records if record.status == "complete"]
    best = min(done, key=lambda one: (one.objectives["mae"], one.number))
    assert best.number in spec_front or best.duplicate_of is not None
    looked = rows.dropna(subset=["test_mae"])
    assert len(looked) >= len(spec_front)
    assert (looked["test_mae"] > 0).all()
    page = (runs / "molecules" / "report" / "index.html").read_text(encoding="utf-8")
    assert "validation MAE ↓" in page
    assert "Validation accuracy" not in page

    ended = lorap_bench("model", study, best.number, "--runs", runs, "--out", tmp_path / "net")
    assert ended.code == 0, ended.err
    ended = lorap_bench("predict", tmp_path / "net")
    assert (ended.code, "MAE on 12 graphs of the val split" in ended.err) == (0, True), ended.err
    assert float(ended.out) == best.members[0].val

    ended = lorap_bench("verify", runs / "molecules")
    assert ended.code == 0, ended.out
    shown = lorap_bench("status", study, "--runs", runs)
    assert shown.code == 0, shown.err


def test_a_metric_that_the_set_is_not_scored_by(lorap_bench: Command, tmp_path: Path, runs: Path) -> None:
    study = _written(tmp_path / "molecules.toml", STUDY.replace('"mae", "average', '"accuracy", "average'))
    ended = lorap_bench("run", study, "--runs", runs)
    assert ended.code == 2
    assert "objectives" in ended.err
    assert "values are predicted on ZINC" in ended.err
    assert "mae" in ended.err


def test_a_suite_names_the_metric_of_each_row(lorap_bench: Command, tmp_path: Path, runs: Path) -> None:
    suite = _written(tmp_path / "values.toml", SUITE)
    ended = lorap_bench("suite", suite, "--runs", runs, "--quiet")
    assert ended.code == 0, ended.err
    table = pd.read_csv(runs / "values" / "table.csv")
    assert table.groupby("dataset")["metric"].unique().map(list).to_dict() == {"Digits": ["accuracy"], "ZINC": ["mae"]}
    assert (table.loc[table["dataset"] == "ZINC", "test"] > 0).all()
    assert list(table.columns).index("metric") + 1 == list(table.columns).index("val")
    assert lorap_bench("verify", runs / "values").code == 0
