"""The document as JSON and its tables as CSV: raw values, nothing that is no number, nothing lost."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lorap_bench.report.assemble import assemble
from lorap_bench.report.document import Column, Document, Fold, Pair, Section, Table, Words, plain
from lorap_bench.report.material import Material
from lorap_bench.report.raw import file_stem, raw_csv, raw_label, raw_value, tables
from lorap_bench.report.report_json import REPORT_VERSION, report_json
from lorap_bench.stats.intervals import Interval
from tests.report.hostile import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import TrialRecord
    from lorap_bench.study.spec import StudySpec

GAIN = Interval(mean=0.02, std=None, low=None, high=math.inf, n=1)
PARTS = {"mean": 0.02, "std": None, "low": None, "high": None, "n": 1, "level": 0.95}


def test_a_whole_study(make_spec: Callable[..., StudySpec], make_study: Callable[..., list[TrialRecord]]) -> None:
    material = Material(make_spec(), make_study(40))
    made = assemble(material)
    text = report_json(made)
    found = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert found["schema_version"] == REPORT_VERSION
    assert (found["title"], found["facts"]["Task"]) == ("made-up", "Cora")
    assert [section["id"] for section in found["sections"]] == [section.id for section in made.sections]
    verdict = found["sections"][0]["blocks"]
    assert "**" not in verdict[0]["text"]
    assert {block["kind"] for block in verdict} == {"words", "cards", "heading", "checks"}
    assert {check["state"] for check in verdict[-1]["checks"]} <= {"good", "note", "warn"}
    front = next(block for block in found["sections"][1]["blocks"] if block.get("id") == "front")
    assert front["columns"][1] == {"label": "Validation accuracy", "kind": "interval"}
    assert [row[0] for row in front["rows"]] == [row[0] for row in tables_by_id(made)["front"].rows]
    assert set(front["rows"][0][1]) == set(PARTS)
    assert 0 < front["rows"][0][1]["mean"] < 1
    assert report_json(assemble(Material(make_spec(), make_study(40)))) == text


def tables_by_id(made: Document) -> dict[str, Table]:
    found = tables(made)
    assert len({file_stem(table.id) for table in found}) == len(found)  # a file each
    return {table.id: table for table in found}


@pytest.mark.parametrize(
    ("value", "raw"),
    [
        (GAIN, PARTS),
        (math.nan, None),
        (-math.inf, None),
        (np.float64(0.5), 0.5),
        (np.float32("nan"), None),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (None, None),
        ("x", "x"),
    ],
)
def test_raw_values(value: Any, raw: Any) -> None:
    assert raw_value(value) == raw
    assert type(raw_value(value)) is type(raw)


@pytest.mark.parametrize(
    ("label", "kind", "raw"),
    [
        ("Validation accuracy, %", "interval", "Validation accuracy"),
        ("Validation accuracy (%)", "interval", "Validation accuracy"),
        ("One more, points", "gain", "One more"),
        ("Difference, points", "points", "Difference"),
        ("Mean, %", "fraction", "Mean"),
        ("Overhead, %", "number", "Overhead, %"),
        ("points", "text", "points"),
    ],
)
def test_a_heading_of_fractions_names_no_percent(label: str, kind: Any, raw: str) -> None:
    assert raw_label(Column(label, kind)) == raw


def test_csv_has_intervals_in_their_parts() -> None:
    columns = (Column("Trial", "trial"), Column("Gain, points", "gain"), Column("Bits"), Column("Reason", "text"))
    text = raw_csv(
        Table(id="t", caption="", columns=columns, rows=[(1, GAIN, 2.5, 'a "b", c'), (2, None, math.nan, None)])
    )
    assert text == (
        'Trial,Gain,Gain std,Gain low,Gain high,Gain n,Bits,Reason\n1,0.02,,,,1,2.5,"a ""b"", c"\n2,,,,,,,\n'
    )


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_strings_come_back_as_they_are(hostile: str) -> None:
    table = Table(id="t", caption=hostile, columns=(Column(hostile, "text"),), rows=[(hostile,)])
    section = Section(
        id="s", title=hostile, nav="", blocks=(Words(plain(hostile)), Pair(((Fold(hostile, (table,)),),)))
    )
    found = json.loads(
        report_json(Document(title=hostile, lead=hostile, facts=((hostile, hostile),), sections=(section,)))
    )
    words, group = found["sections"][0]["blocks"]
    inner = group["blocks"][0]
    assert found["title"] == found["lead"] == found["facts"][hostile] == words["text"] == inner["title"] == hostile
    assert inner["blocks"][0]["rows"] == [[hostile]]
    assert list(csv.reader(io.StringIO(raw_csv(table), newline=""))) == [[hostile], [hostile]]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_file_is_named_by_letters_and_figures(hostile: str) -> None:
    assert set(file_stem(hostile).lower()) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
    assert file_stem(hostile).strip(".")
    assert file_stem("prompt-count-table") == "prompt-count-table"
