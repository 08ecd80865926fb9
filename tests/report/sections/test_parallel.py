"""Parallel coordinates over the searched parameters and the objectives."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lorap_bench.report.document import Parallel, Section, Words
from lorap_bench.report.material import Material
from lorap_bench.report.sections.parallel import section
from lorap_bench.report.trial import score

if TYPE_CHECKING:
    from tests.report.conftest import RecordMaker, SpecMaker, StudyMaker


def lines(found: Section) -> Parallel:
    (block,) = (block for block in found.blocks if isinstance(block, Parallel))
    return block


def test_a_column_a_parameter_and_an_objective(make_spec: SpecMaker, make_study: StudyMaker) -> None:
    material = Material(make_spec(), make_study())
    found = lines(section(material))
    labels = [column.label for column in found.table.columns]
    assert labels[0] == "Trial"
    assert labels[1:6] == list(material.varied)
    assert labels[6:] == ["accuracy, %", "average bits", "overhead, %", "part"]
    assert found.table.columns[found.colour].kind == "interval"
    assert found.table.trials == [record.number for record in material.drawn]
    for row, record in zip(found.table.rows, material.drawn, strict=True):
        assert row[0] == record.number
        assert row[1:6] == tuple(record.params[path] for path in material.varied)
        assert row[found.colour] == score(record)
        assert row[-1] == material.part(record)


def test_what_a_trial_lacks_is_none(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    one = make_record(0, params={"prompt.kind": "LoRAP", "prompt.count": 4})
    two = make_record(1, 0.7, 3.0, params={"prompt.kind": "None"})
    three = make_record(2, 0.6, 3.0, math.nan, params={"prompt.kind": "LoRAP", "prompt.count": 8})
    found = lines(section(Material(make_spec(), [one, two, three])))
    rows = [dict(zip((column.label for column in found.table.columns), row, strict=True)) for row in found.table.rows]
    assert [row["prompt.count"] for row in rows] == [4, None, 8]
    assert [row["overhead, %"] for row in rows] == [1.0, 1.0, None]
    assert {column.label: column.kind for column in found.table.columns}["prompt.kind"] == "text"


def test_a_column_holds_whole_numbers_only_where_all_are(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    values: tuple[dict[str, Any], ...] = (
        {"a": 1, "b": 1, "c": True, "d": 0.5},
        {"a": 2, "b": 0.5, "c": False, "d": "x"},
    )
    records = [replace(make_record(number), params=params) for number, params in enumerate(values)]
    found = lines(section(Material(make_spec(), records)))
    kinds = {column.label: column.kind for column in found.table.columns}
    assert [kinds[name] for name in "abcd"] == ["whole", "number", "text", "text"]


def test_trials_without_an_accuracy_are_coloured_by_their_bits(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    records = [make_record(0, members=()), make_record(1, bits=3.0, members=())]
    found = lines(section(Material(make_spec(), records)))
    assert found.table.columns[found.colour].label == "average bits"


def test_fewer_than_two_trials_say_so(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    for records, words in (([], "there is none"), ([make_record(0)], "there is one")):
        (block,) = section(Material(make_spec(), records)).blocks
        assert isinstance(block, Words)
        assert block.empty
        assert words in block.text


def test_thinned_trials_are_said(make_spec: SpecMaker, make_record: RecordMaker) -> None:
    records = [make_record(number, 0.5 + 1e-4 * (number % 97), 3.0 + 0.001 * number) for number in range(900)]
    material = Material(make_spec(), records)
    found = section(material)
    words = found.blocks[0]
    assert isinstance(words, Words)
    assert f"{len(material.drawn)} of 900 complete trials" in words.text
    assert lines(found).table.of == 900
