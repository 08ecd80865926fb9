from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lorap_bench.cli import progress
from lorap_bench.record import Status, TrialRecord
from lorap_bench.study.spec import StudySpec

SPEC = StudySpec.from_mapping(
    {"version": 1, "name": "tiny", "objectives": ["accuracy", "average_bits"], "budget": {"trials": 3}}
)


def record(number: int, accuracy: float, bits: float, **changes: Any) -> TrialRecord:
    made = TrialRecord(
        status=Status.COMPLETE,
        config={},
        digest=str(number),
        number=number,
        objectives={"accuracy": accuracy, "average_bits": bits},
    )
    return replace(made, **changes)


RECORDS = [
    record(0, 0.5, 4.0),
    record(1, 0.4, 8.0),
    record(2, 0.0, 2.0, status=Status.DIVERGED, objectives={"average_bits": 2.0}, reason="lost"),
    record(3, 0.5, 4.0, status=Status.DUPLICATE),
    record(4, 0.75, 8.0),
]


def test_a_scoreboard_kept_up_equals_one_made_at_once() -> None:
    kept = progress.Scoreboard(SPEC)
    for one in RECORDS:
        kept.add(one)
    made = progress.Scoreboard(SPEC, RECORDS)
    assert (kept.counted, kept.failed, kept.best) == (4, 1, 0.75)
    assert [one.number for one in kept.front] == [one.number for one in made.front] == [0, 4]
    # (32 - 4) / 32 * 0.5 under the first point, and 24 / 32 * 0.25 that the second adds.
    assert kept.hypervolume == pytest.approx(0.4375 + 0.1875)
    assert made.hypervolume == pytest.approx(kept.hypervolume)
    assert str(kept) == "1 failed · front 2 · best accuracy 0.75 · hypervolume 0.6250"


def test_an_empty_scoreboard() -> None:
    assert str(progress.Scoreboard(SPEC)) == "front 0 · best accuracy – · hypervolume 0.0000"


def test_a_log_has_a_line_for_each_trial_that_counts(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.watch(SPEC, RECORDS[:1], quiet=False) as show:
        for one in RECORDS[1:]:
            show(one)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" · ")[0] for line in lines] == [
        "[2/3] trial 1 accuracy 0.4 average_bits 8",
        "[3/3] trial 2 diverged: lost",
        "[4/3] trial 4 accuracy 0.75 average_bits 8",
    ]
    assert "s left" in lines[0]
    assert "s left" not in lines[1]


def test_quiet_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.watch(SPEC, [], quiet=True) as show:
        show(RECORDS[0])
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes this for a terminal
    monkeypatch.setenv("COLUMNS", "120")
    with progress.watch(SPEC, [], quiet=False) as show:
        show(RECORDS[0])
        show(RECORDS[2])
    err = capsys.readouterr().err
    assert "2/3" in err
    assert "1 failed · front 1 · best accuracy 0.5" in err
