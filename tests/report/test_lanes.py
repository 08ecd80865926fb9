"""Bars in lanes, and the sessions between idle gaps."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.record import Status, TrialRecord
from lorap_bench.report.lanes import Bar, bars_of, merged, sessions_of

if TYPE_CHECKING:
    from tests.report.conftest import RecordMaker


def at(second: float) -> str:
    return (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)).isoformat(timespec="seconds")


def ran(make: RecordMaker, number: int, start: float, seconds: float, **changes: Any) -> TrialRecord:
    cohort = changes.pop("cohort", 3)
    return make(number, started=at(start), seconds=seconds, provenance={"cohort": cohort}, **changes)


def spans(bars: list[Bar]) -> list[tuple[int, float, float]]:
    first = bars[0].start
    return [(bar.lane, bar.start - first, bar.seconds) for bar in bars]


def test_what_ran_one_after_another_stands_in_one_lane(make_record: RecordMaker) -> None:
    # A start is cut to the second: the second trial began at 3.4, when the first had ended.
    bars = bars_of([ran(make_record, 0, 0, 3.4), ran(make_record, 1, 3, 2.0), ran(make_record, 2, 8, 1.0)])
    assert spans(bars) == [(0, 0, 3.4), (0, pytest.approx(3.4), 2.0), (0, 8, 1.0)]


def test_what_ran_at_once_stands_in_as_few_lanes_as_hold_it(make_record: RecordMaker) -> None:
    records = [ran(make_record, number, start, 10) for number, start in enumerate((0, 0, 5, 10, 10))]
    assert [lane for lane, _, _ in spans(bars_of(records))] == [0, 1, 2, 0, 1]


def test_trials_of_one_program_stand_one_after_another(make_record: RecordMaker) -> None:
    packed = [ran(make_record, number, 0, 4, cohort=6) for number in range(4)]
    bars = bars_of(packed)
    assert spans(bars) == [(0, 0, 4), (1, 0, 4), (0, 4, 4), (1, 4, 4)]
    assert [bar.number for bar in bars if bar.lane == 0] == [0, 1]


def test_what_took_no_time_or_has_no_start_is_left_out(make_record: RecordMaker) -> None:
    records = [ran(make_record, 0, 0, 0.0), make_record(1, started="", seconds=3.0), make_record(2, started="soon")]
    assert bars_of(records) == []
    assert sessions_of([]) == []


def test_a_long_idle_gap_begins_a_session(make_record: RecordMaker) -> None:
    starts = (0, 100, 205, 10_000, 10_100)
    sessions = sessions_of(bars_of([ran(make_record, number, start, 100) for number, start in enumerate(starts)]))
    assert [len(session.bars) for session in sessions] == [3, 2]
    assert [session.idle for session in sessions] == [0, 10_000 - 305]
    assert [session.span for session in sessions] == [305, 200]
    assert [session.busy for session in sessions] == [300, 200]
    assert [session.lanes for session in sessions] == [1, 1]


def test_many_bars_are_merged_by_ending_and_keep_their_time(make_record: RecordMaker) -> None:
    ends = (Status.COMPLETE, Status.COMPLETE, Status.PRUNED, Status.DIVERGED)
    bars = bars_of(ran(make_record, number, 4 * number, 3, status=ends[number % 4]) for number in range(400))
    few = merged(bars, 50)
    assert len(few) <= 50

    def time(of: list[Bar]) -> Counter[Status]:
        found: Counter[Status] = Counter()
        for bar in of:
            found[bar.status] += round(bar.seconds)
        return found

    assert time(few) == time(bars)
    assert sum(bar.trials for bar in few) == 400
    for before, after in itertools.pairwise(few):
        assert before.end <= after.start + 1e-6
    assert merged(bars, 400) == bars


def test_each_lane_keeps_each_of_its_endings(make_record: RecordMaker) -> None:
    bars = bars_of(ran(make_record, number, 0, 50, status=list(Status)[number % 2]) for number in range(10))
    assert len(merged(bars, 1)) == 10
