"""The table of goals: what a row says of its result, which rows there are, what is written down."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from benchmarks import bench_table, timing
from benchmarks.bench_table import markdown
from benchmarks.table import ROWS, Goal, Row, Settings, choose, gpu, pieces
from lorap_bench.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

FASTER = Goal(name="faster", measure="a step", floor=15, aim=40)
SMALLER = Goal(name="smaller", measure="a share", floor=20, aim=10, at_most=True, unit="%")
QUICK = Settings(rounds=1, repeats=1)


@pytest.mark.parametrize(
    ("goal", "result", "reached"),
    [
        (FASTER, 41.0, "aim"),
        (FASTER, 15.0, "floor"),
        (FASTER, 14.9, "no"),
        (FASTER, math.nan, "no"),
        (FASTER, None, "–"),
        (SMALLER, 9.0, "aim"),
        (SMALLER, 20.0, "floor"),
        (SMALLER, 21.0, "no"),
        (replace(FASTER, aim=None), 1000.0, "floor"),
        (replace(FASTER, floor=None), 1000.0, "–"),
    ],
)
def test_reached(goal: Goal, result: float | None, reached: str) -> None:
    assert Row(goal=goal, result=result).reached == reached


def test_cells_and_record() -> None:
    row = Row(goal=SMALLER, ours=6.05, other=4.3, result=28.9, details={"rounds": 5})
    assert row.cells() == {
        "measure": "a share",
        "ours": "6.05 ms",
        "naive": "4.3 ms",
        "ratio": "28.9 %",
        "floor": "≤ 20 %",
        "aim": "≤ 10 %",
        "reached": "no",
    }
    record = row.record()
    assert (record["name"], record["result"], record["rounds"], record["at most"]) == ("smaller", 28.9, 5, True)


def test_names_are_unique_and_groups_stand_for_their_rows() -> None:
    names = [goal.name for goal, _ in ROWS]
    assert len(set(names)) == len(names)
    assert [goal.name for goal, _ in choose([])] == names
    assert [goal.name for goal, _ in choose(["dq", "percentile"])] == [
        *("dq-16", "dq-64", "dq-messages-16", "dq-messages-64"),
        "percentile",
    ]
    with pytest.raises(ConfigError) as caught:
        choose(["dq", "percentil", "nothing"])
    assert [fault.got for fault in caught.value.faults] == ["percentil", "nothing"]
    assert caught.value.faults[0].suggestion == "percentile"


def test_percentile_is_checked_for_equality(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "SHAPE", (1000, 4))
    row = pieces.percentile(FASTER, QUICK)
    assert row.note == ""
    assert row.result is not None
    assert row.result > 0
    monkeypatch.setattr(pieces, "_kth", lambda x: torch.zeros(2))
    row = pieces.percentile(FASTER, QUICK)
    assert row.note == "not bit-equal"
    assert row.reached == "no"


def test_without_a_device_a_row_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    row = gpu.on_device(FASTER, QUICK, function="cohort")
    assert (row.result, row.note) == (None, "no CUDA device here")


@pytest.mark.parametrize(("arguments", "stored"), [([], True), (["--rounds", "4"], False), (["--quick"], False)])
def test_only_a_full_run_is_stored(
    arguments: list[str], stored: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["bench_table", *arguments])
    monkeypatch.setattr(timing, "RESULTS", tmp_path)
    monkeypatch.setattr(bench_table, "start_again_with_settings", lambda module: None)
    row = Row(goal=FASTER, ours=1.0, other=20.0, result=20.0)
    monkeypatch.setattr("benchmarks.table.choose", lambda names: [(FASTER, lambda goal, settings: row)])
    bench_table.main()
    assert sorted(path.name for path in tmp_path.iterdir()) == (["table.json", "table.md"] if stored else [])
    if stored:
        measured = json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))
        assert measured["rows"] == [row.record()]
        assert measured["processor"]
        assert measured["threads"] >= 1


def test_markdown_has_a_line_a_row() -> None:
    text = markdown([Row(goal=FASTER, ours=1.0, other=20.0, result=20.0), Row(goal=SMALLER, note="not here")])
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 4
    assert lines[2] == "| a step | 1 ms | 20 ms | 20 × | ≥ 15 × | ≥ 40 × | floor |"
    assert lines[3].endswith("| not here |")
    assert "torch" in text
