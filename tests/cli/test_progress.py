from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from lorap_bench.cli import progress
from lorap_bench.cli.pulse import Pace, Pulse
from lorap_bench.cli.scoreboard import Scoreboard
from lorap_bench.record import Status, TrialRecord
from lorap_bench.search.budget import Spending
from lorap_bench.study.extension import Extension
from lorap_bench.study.sections import BudgetSpec
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
    kept = Scoreboard(SPEC)
    for one in RECORDS:
        kept.add(one)
    made = Scoreboard(SPEC, RECORDS)
    assert (kept.counted, kept.failed, kept.best) == (4, 1, 0.75)
    assert [one.number for one in kept.front] == [one.number for one in made.front] == [0, 4]
    # (32 - 4) / 32 * 0.5 under the first point, and 24 / 32 * 0.25 that the second adds.
    assert kept.hypervolume == pytest.approx(0.4375 + 0.1875)
    assert made.hypervolume == pytest.approx(kept.hypervolume)
    assert str(kept) == "1 failed · front 2 · best accuracy 0.75 · hypervolume 0.6250"


def test_an_empty_scoreboard() -> None:
    assert str(Scoreboard(SPEC)) == "front 0 · best accuracy – · hypervolume 0.0000"


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


@pytest.mark.parametrize("columns", ["50", "80", "120"])
def test_a_terminal_gets_a_live_view(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes this for a terminal
    monkeypatch.setenv("COLUMNS", columns)
    with progress.watch(SPEC, [], quiet=False, by=Extension(trials=1)) as show:
        show.feel(lambda: Pulse(spent=Spending(trials=2, epochs=70), running=3))
        for one in RECORDS:
            show(one)
    err = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().err)
    last = err[err.rindex("tiny  ") :]
    assert "3 complete · 1 diverged (lost) · 1 duplicate" in " ".join(last.split())
    assert "2 of 2 + 1 trials" in last
    assert "3 trials under way" in last
    assert "2 trials, hypervolume 0.6250" in last
    table = [line.split()[:3] for line in last.splitlines()[-2:]]
    assert table == [["4", "0.75", "8"], ["0", "0.5", "4"]]
    assert ("no prompt" in last) == (columns != "50")
    assert max(map(len, last.splitlines())) <= int(columns)


def test_the_pace_tells_what_is_left_of_the_nearest_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("lorap_bench.cli.pulse.time.monotonic", lambda: now)
    budget = BudgetSpec(trials=10, epochs=50)
    pace = Pace()
    assert pace.left(budget, Spending()) is None
    now += 60
    # 2 trials and 20 epochs in 60 s: 8 trials take 240 s, 30 epochs 90 s.
    assert pace.left(budget, Spending(trials=2, epochs=20, seconds=60)) == pytest.approx(90)
    assert pace.left(budget, Spending(trials=10, epochs=20, seconds=60)) == 0
    hours = BudgetSpec(trials=10, hours=1.0)
    assert Pace().left(hours, Spending(seconds=3000)) == pytest.approx(600)
    # Before the first trial of this session, the pace is that of the sessions before.
    assert Pace().left(BudgetSpec(trials=10), Spending(trials=5, seconds=50)) == pytest.approx(50)
