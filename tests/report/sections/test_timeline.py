"""The timeline of trials, how busy the lanes were, and what pruning left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.record import Status
from lorap_bench.report.document import Figure, Section, Table, Words
from lorap_bench.report.material import Material
from lorap_bench.report.sections.timeline import MOST_BARS, section

if TYPE_CHECKING:
    from lorap_bench.record import TrialRecord
    from tests.report.conftest import RecordMaker, SpecMaker


def ran(make: RecordMaker, number: int, start: float, seconds: float = 10.0, **changes: Any) -> TrialRecord:
    started = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=start)).isoformat(timespec="seconds")
    return make(number, started=started, seconds=seconds, **changes)


def parts(found: Section) -> tuple[Figure, dict[str, Table], str]:
    (figure,) = (block for block in found.blocks if isinstance(block, Figure))
    tables = {block.id: block for block in found.blocks if isinstance(block, Table)}
    return figure, tables, " ".join(block.text for block in found.blocks if isinstance(block, Words))


def test_a_bar_a_trial_by_how_it_ended(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    ends = (Status.COMPLETE, Status.PRUNED, Status.COMPLETE, Status.DIVERGED, Status.INVALID)
    records = [
        ran(make_record, number, 10 * number, 0.0 if end is Status.INVALID else 10.0, status=end)
        for number, end in enumerate(ends)
    ]
    figure, tables, _ = parts(section(Material(make_spec(), records)))
    assert [trace.name for trace in figure.plot.data] == ["complete (n = 2)", "pruned (n = 1)", "diverged (n = 1)"]
    whole = figure.plot.data[0]
    assert [list(getattr(whole, name)) for name in ("base", "x", "y", "customdata")] == [
        [0.0, 20.0],
        [10.0, 10.0],
        [1, 1],
        [0, 2],
    ]
    looks = {(trace.marker.color, trace.marker.pattern.shape) for trace in figure.plot.data}
    assert len({shape for _, shape in looks}) == len(looks) == 3
    assert figure.table.rows[1] == (1, 1, 1, "2026-01-01 00:00:10", 10.0, "pruned")
    assert [row[:3] for row in tables["timeline-endings"].rows][-1] == ("invalid", 1, 0.0)


def test_idle_hours_are_cut_out_and_marked(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    starts = (0, 0, 10, 7210, 7220)
    records = [ran(make_record, number, start) for number, start in enumerate(starts)]
    figure, tables, text = parts(section(Material(make_spec(), records)))
    (bars,) = figure.plot.data
    assert list(bars.base) == [0.0, 0.0, 10.0, 20.0, 30.0]
    assert [shape.x0 for shape in figure.plot.layout.shapes] == [20.0]
    assert [note.text for note in figure.plot.layout.annotations] == ["1 h 59 min idle"]
    first, second = tables["timeline-sessions"].rows
    assert first == (1, "2026-01-01 00:00:00", None, 20.0, 3, 2, 30.0, 0.75)
    assert second == (2, "2026-01-01 02:00:10", 7190.0, 20.0, 2, 1, 20.0, 1.0)
    assert "50.0 s of 1 min 00 s in all lanes: **83.3 %**" in text
    assert "An idle gap" in text


def test_pruning_is_told_in_epochs(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    def cut(record: TrialRecord, epochs: int) -> TrialRecord:
        config = record.config | {"optim": {"epochs": 60}}
        members = tuple(replace(member, epochs=epochs) for member in record.members)
        return replace(record, config=config, members=members)

    whole = cut(ran(make_record, 0, 0, 30.0), 60)
    pruned = cut(ran(make_record, 1, 30, 10.0, status=Status.PRUNED), 20)
    _, tables, text = parts(section(Material(make_spec(), [whole, pruned])))
    assert "**120 of 360 epochs** (33.3 %)" in text
    assert "(n = 1) ran 60 of the 180" in text
    assert tables["timeline-endings"].rows == [
        ("complete", 1, 30.0, 0.75, 180, 180, 0),
        ("pruned", 1, 10.0, 0.25, 60, 180, 120),
    ]


@pytest.mark.parametrize("count", [MOST_BARS, MOST_BARS + 1, 3 * MOST_BARS])
def test_ever_so_many_trials_become_few_bars(make_spec: SpecMaker, make_record: RecordMaker, count: int) -> None:
    one, ends = make_record(0), (Status.COMPLETE,) * 9 + (Status.PRUNED,)
    beginning = datetime(2026, 1, 1, tzinfo=UTC)
    records = [
        replace(
            one,
            number=number,
            status=ends[number % 10],
            seconds=2.0,
            started=(beginning + timedelta(seconds=2 * number)).isoformat(),
        )
        for number in range(count)
    ]
    figure, _, text = parts(section(Material(make_spec(), records)))
    drawn = sum(len(trace.x) for trace in figure.plot.data)
    assert drawn <= MOST_BARS
    assert len(figure.table.rows) == drawn
    assert sum(row[1] for row in figure.table.rows) == count
    assert sum(row[4] for row in figure.table.rows) == pytest.approx(2.0 * count)
    merged = count > MOST_BARS
    assert ("stand for them" in text) == merged
    assert bool(figure.table.trials) != merged
    assert any(trace.customdata is None for trace in figure.plot.data) == merged


def test_screened_trials_are_explained(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    spec = make_spec(replicas={"search": 3, "screen": 1})
    assert "screening began" in parts(section(Material(spec, [ran(make_record, 0, 0)])))[2]


def test_nothing_that_took_time_says_so(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    for records in ([], [make_record(0, seconds=0.0, status=Status.INVALID)]):
        (words,) = section(Material(make_spec(), records)).blocks
        assert isinstance(words, Words)
        assert words.empty
