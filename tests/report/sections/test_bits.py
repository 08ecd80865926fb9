"""Where the bits go: the heat map of the front, and widths learned by node or by group."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lorap_bench.report.document import Figure, Heading, Section, Words
from lorap_bench.report.material import Material
from lorap_bench.report.sections.bits import MOST_ROWS, section

if TYPE_CHECKING:
    from lorap_bench.record import Curves, TrialRecord
    from tests.report.conftest import RecordMaker, SpecMaker, StudyMaker

SITES = {"layers.0.input": 4, "layers.0.weight": 2, "head.weight": 8}


def figures(found: Section) -> list[Figure]:
    return [block for block in found.blocks if isinstance(block, Figure)]


def told(found: Section) -> str:
    return " ".join(block.text for block in found.blocks if isinstance(block, Words))


def learner(make: RecordMaker, number: int, accuracy: float = 0.8, bits: float = 4.0, **changes: Any) -> TrialRecord:
    """Return a trial whose first site learned its width."""
    record = make(number, accuracy, bits, effective={"bits": SITES}, **changes)
    members = tuple(
        replace(member, bits={"layers.0.input": 3.0 + place}) for place, member in enumerate(record.members)
    )
    config = record.config | {"quant": {"scheme": "A2Q"}}
    return replace(record, members=members, config=config)


def by_node(_: int) -> Curves:
    return {"row_bits:layers.0.input": [[2.0, 3.0, 5.0], [4.0, 5.0, 5.0]], "in_degree": [[1.0, 1.0, 4.0]]}


def test_a_row_is_a_trial_and_a_column_a_site(make_spec: SpecMaker, make_study: StudyMaker) -> None:
    material = Material(make_spec(), make_study())
    (figure,) = figures(section(material))
    (heat,) = figure.plot.data
    numbers = heat.meta["trials"]
    assert set(numbers) == material.on_front
    bits = {record.number: record.objectives["average_bits"] for record in material.front}
    assert [bits[number] for number in numbers] == sorted(bits.values())
    assert list(heat.x) == ["layers.0.input", "layers.0.weight", "layers.1.input", "layers.1.weight"]
    assert figure.plot.layout.xaxis.labelalias["layers.0.weight"] == "weight"
    assert [note.text for note in figure.plot.layout.annotations] == ["layer 0", "layer 1"]
    widths = material.records[numbers[0]].effective["bits"]
    assert list(heat.text[0]) == [str(width) for width in widths.values()]
    assert heat.y[0].startswith(f"trial {numbers[0]} · ")


def test_the_table_holds_every_trial_of_a_large_front(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    records = [
        make_record(number, 0.5 + 0.004 * number, 2.0 + 0.05 * number, effective={"bits": SITES})
        for number in range(MOST_ROWS + 20)
    ]
    found = section(Material(make_spec(), records))
    (figure,) = figures(found)
    assert len(figure.plot.data[0].y) == MOST_ROWS
    assert len(figure.table.rows) == MOST_ROWS + 20
    assert figure.table.trials == [row[0] for row in figure.table.rows]
    assert f"Drawn are {MOST_ROWS} of the {MOST_ROWS + 20} trials" in told(found)


def test_a_site_that_a_trial_lacks_stays_empty(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    one = make_record(0, 0.7, 2.0, effective={"bits": {"layers.0.input": 2}})
    two = make_record(1, 0.8, 4.0, effective={"bits": SITES})
    found = section(Material(make_spec(), [one, two]))
    (figure,) = figures(found)
    assert list(figure.plot.data[0].text[0]) == ["2", "", ""]
    assert figure.table.rows[0][3:] == (2.0, None, None)
    assert "An empty cell" in told(found)


def test_markup_in_a_site_is_shown_as_it_is(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    record = make_record(0, effective={"bits": {"<b>x</b>.<img>": 4}})
    (figure,) = figures(section(Material(make_spec(), [record])))
    text = figure.plot.to_json()
    assert "<img" not in text.replace("\\u003c", "<")
    assert "<b>" not in text.replace("\\u003c", "<")
    assert figure.table.columns[-1].label == "<b>x</b>.<img>"


def test_without_a_front_or_without_sites_it_says_so(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    for records, words in (([], "no front yet"), ([make_record(0)], "No trial of the front records")):
        found = section(Material(make_spec(), records))
        assert not figures(found)
        assert words in told(found)


def test_learned_widths_stand_against_the_in_degree(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    found = section(Material(make_spec(), [learner(make_record, 0)], curves=by_node))
    heat, degree = figures(found)
    assert heat.table.rows[0][3] == 4.0  # the mean of 3, 4 and 5
    assert [row[2:6] for row in degree.table.rows] == [("1", 2, 2, 3.5), ("3–4", 1, 2, 5.0)]
    (line,) = degree.plot.data
    assert line.meta == {"trial": 0}
    assert list(line.y) == [3.5, 5.0]
    assert list(degree.plot.layout.xaxis.ticktext) == ["1<br>n = 2", "3–4<br>n = 1"]
    assert "No such trial is on the front" not in told(found)


def test_of_several_sites_the_most_accurate_trial_is_drawn(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    def curves(number: int) -> Curves:
        return by_node(number) | {"row_bits:layers.1.input": [[6.0, 6.0, 7.0]]}

    records = [learner(make_record, 0, 0.7, 2.0), learner(make_record, 1, 0.8, 4.0)]
    _, degree = figures(section(Material(make_spec(), records, curves=curves)))
    assert [trace.meta["trial"] for trace in degree.plot.data] == [1, 1]
    assert [trace.name for trace in degree.plot.data] == ["layers.0.input", "layers.1.input"]
    assert {(row[0], row[1]) for row in degree.table.rows} == {
        (number, site) for number in (0, 1) for site in ("layers.0.input", "layers.1.input")
    }


def test_trials_off_the_front_stand_in_where_none_on_it_learns(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    better = make_record(0, 0.9, 2.0, effective={"bits": SITES})
    off = [learner(make_record, number, 0.5 + 0.01 * number, 7.0, overhead=3.0) for number in range(1, 9)]
    found = section(Material(make_spec(), [better, *off], curves=by_node))
    _, degree = figures(found)
    assert {row[0] for row in degree.table.rows} == {3, 4, 5, 6, 7, 8}
    assert "the 6 most accurate of the others" in told(found)


def test_groups_of_nodes_are_counted_by_width(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    def curves(_: int) -> Curves:
        return {"row_bits:layers.0.input": [[2.0, 2.0, 3.0, 3.0], [3.0, 3.0, 3.0, 4.0]]}

    found = section(Material(make_spec(), [learner(make_record, 0)], curves=curves))
    _, groups = figures(found)
    assert groups.id == "bits-groups"
    assert [row[2:] for row in groups.table.rows] == [(2, 2, 0.25), (3, 5, 0.625), (4, 1, 0.125)]
    assert list(groups.plot.data[0].y) == [25.0, 62.5, 12.5]
    assert "not for a node" in told(found)


def test_lost_curves_are_said_and_widths_by_site_need_none(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    record = learner(make_record, 0)
    lost = section(Material(make_spec(), [record]))
    assert any(isinstance(block, Heading) for block in lost.blocks)
    assert "not in the study’s folder" in told(lost)
    by_site = replace(record, config=record.config | {"quant": {"scheme": "MixQ"}})
    assert not any(isinstance(block, Heading) for block in section(Material(make_spec(), [by_site])).blocks)
