"""Training curves of the front."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lorap_bench.report.document import Figure, Section, Words, walk
from lorap_bench.report.material import Material
from lorap_bench.report.sections.curves import MOST_TRIALS, section
from lorap_bench.report.verdict import winners

if TYPE_CHECKING:
    from lorap_bench.record import Curves, TrialRecord
    from tests.report.conftest import RecordMaker, SpecMaker

EPOCHS = 60


def trained(_: int, epochs: int = EPOCHS) -> Curves:
    rise = [epoch / epochs for epoch in range(epochs)]
    fall = [2.0 / (1 + epoch) for epoch in range(epochs)]
    return {
        "val_metric": [[value + 0.01 * place for value in rise] for place in range(3)],
        "val_loss": [fall] * 3,
        "train_loss": [[value + place for value in fall] for place in range(3)],
    }


def front(make: RecordMaker, count: int) -> list[TrialRecord]:
    return [make(number, 0.5 + 0.01 * number, 2.0 + 0.2 * number) for number in range(count)]


def figures(found: Section) -> list[Figure]:
    return [block for block in walk(found.blocks) if isinstance(block, Figure)]


def lines(figure: Figure) -> list[Any]:
    return [trace for trace in figure.plot.data if trace.showlegend is not False]


def test_a_line_is_the_mean_over_a_trials_seeds(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    found = section(Material(make_spec(), front(make_record, 2), curves=trained))
    validation, loss = figures(found)
    first, _ = lines(validation)
    assert first.meta == {"trial": 0}
    assert list(first.x) == list(range(EPOCHS))
    assert abs(first.y[30] - (50 + 1)) < 1e-9
    assert abs(lines(loss)[0].y[0] - 3.0) < 1e-9
    assert [row[:4] for row in validation.table.rows[:2]] == [(0, 0, 60, 40), (0, 1, 60, 40)]
    assert [row[3] for row in loss.table.rows[:3]] == [2 / 60, 2 / 60 + 1, 2 / 60 + 2]
    bands = [trace for trace in validation.plot.data if trace.showlegend is False]
    assert [trace.meta["trial"] for trace in bands] == [0, 0, 1, 1]
    assert [trace.fill for trace in bands] == [None, "tonexty"] * 2


def test_of_a_long_front_winners_and_a_spread_are_drawn(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    material = Material(make_spec(), front(make_record, 25), curves=trained)
    validation, _ = figures(section(material))
    drawn = [trace.meta["trial"] for trace in lines(validation)]
    assert len(drawn) == MOST_TRIALS
    assert {winner.record.number for winner in winners(material.able)} <= set(drawn)
    assert drawn == sorted(drawn)
    looks = {(trace.line.color, trace.line.dash) for trace in lines(validation)}
    assert len(looks) == MOST_TRIALS
    banded = {trace.meta["trial"] for trace in validation.plot.data if trace.showlegend is False}
    assert banded == {drawn[0], drawn[-1]}


def test_long_curves_are_thinned(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    material = Material(make_spec(), front(make_record, 1), curves=lambda number: trained(number, 5000))
    for figure in figures(section(material)):
        assert all(len(trace.x) == 200 and trace.x[-1] == 4999 for trace in figure.plot.data)


def test_a_trial_whose_curves_are_lost_is_left_out(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    material = Material(
        make_spec(), front(make_record, 3), curves=lambda number: trained(number) if number == 1 else {}
    )
    validation, _ = figures(section(material))
    assert [trace.meta["trial"] for trace in lines(validation)] == [1]
    assert {row[0] for row in validation.table.rows} == {1}


def test_without_curves_or_a_front_it_says_so(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    for records, words in (([], "no front yet"), (front(make_record, 2), "have no curves here")):
        (block,) = section(Material(make_spec(), records)).blocks
        assert isinstance(block, Words)
        assert block.empty
        assert words in block.text


def test_one_seed_and_one_epoch_are_drawn_without_a_band(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    record = make_record(0)
    single = make_record(0, members=record.members[:1])
    curves: Curves = {"val_metric": [[0.5]], "train_loss": [[1.0]], "val_loss": [[1.0]]}
    validation, _ = figures(section(Material(make_spec(), [single], curves=lambda _: curves)))
    (point,) = validation.plot.data
    assert point.mode == "markers"
    assert list(point.y) == [50.0]
