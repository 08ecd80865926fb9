"""Two studies against each other: bests under budgets with their tests, fronts, hypervolume, attainment."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.record import MemberResult, Status
from lorap_bench.report.compare import compare, dominated
from lorap_bench.report.compare_page import compare_document, write_comparison
from lorap_bench.report.compare_verdict import budget_text
from lorap_bench.report.document import Figure, Table, Words, walk
from lorap_bench.report.material import Material

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.record import TrialRecord
    from lorap_bench.report.document import Document
    from lorap_bench.store.look import Confirmation
    from lorap_bench.study.spec import StudySpec

    MakeSpec = Callable[..., StudySpec]
    MakeRecord = Callable[..., TrialRecord]
    MakeConfirmation = Callable[..., Confirmation]
    MakeStudy = Callable[..., list[TrialRecord]]


def _members(*values: float, first: int = 0) -> tuple[MemberResult, ...]:
    return tuple(
        MemberResult(seed=first + place, status=Status.COMPLETE, val=value) for place, value in enumerate(values)
    )


def _named(study: Material, name: str) -> Material:
    return Material(study.spec.model_copy(update={"name": name}), study.records, study.confirmations)


@pytest.fixture
def material(make_spec: MakeSpec) -> Callable[..., Material]:
    def make(*records: TrialRecord, name: str = "a", **parts: Any) -> Material:
        return Material(make_spec(name=name), list(records), parts.get("confirmations"))

    return make


def test_one_row_for_each_pair_of_best_trials(material: Callable[..., Material], make_record: MakeRecord) -> None:
    first = material(make_record(0, bits=2.0, accuracy=0.6), make_record(1, bits=5.0, accuracy=0.8))
    second = material(make_record(0, bits=3.5, accuracy=0.7), make_record(1, bits=20.0, accuracy=0.9), name="b")
    rows = compare(first, second).rows
    assert [row.budgets for row in rows] == [(3.0,), (4.0,), (6.0, 8.0), (math.inf,)]
    assert [budget_text(row.budgets) for row in rows] == ["≤ 3", "≤ 4", "≤ 6, ≤ 8", "any"]
    trials = [(row.first and row.first.trial, row.second and row.second.trial) for row in rows]
    assert trials == [(0, None), (0, 0), (1, 0), (1, 1)]
    assert rows[0].comparison is None
    assert rows[1].comparison is not None
    assert rows[1].comparison.difference.mean == pytest.approx(-0.1)


def test_equal_seeds_are_paired_and_others_not(material: Callable[..., Material], make_record: MakeRecord) -> None:
    one = material(make_record(0, members=_members(0.8, 0.7, 0.9)))
    same = material(make_record(0, members=_members(0.79, 0.69, 0.89)), name="b")
    (row,) = compare(one, same).rows
    assert row.comparison is not None
    assert (row.comparison.paired, row.comparison.n, row.measured) == (True, 3, "validation")
    assert row.comparison.t_test == row.p_holm == 0.0  # the same difference with every seed
    partly = material(make_record(0, members=_members(0.79, 0.69, 0.89, first=1)), name="b")
    (row,) = compare(one, partly).rows
    assert row.comparison is not None
    assert (row.comparison.paired, row.comparison.n, row.comparison.n_other) == (False, 3, 3)
    assert row.comparison.a12 == pytest.approx(2 / 3)


def test_holm_counts_the_rows(material: Callable[..., Material], make_record: MakeRecord) -> None:
    first = material(
        make_record(0, bits=2.0, members=_members(0.6, 0.62, 0.61)),
        make_record(1, bits=8.0, accuracy=0.9, members=_members(0.9, 0.92, 0.94)),
    )
    second = material(
        make_record(0, bits=2.0, members=_members(0.55, 0.53, 0.56, first=10)),
        make_record(1, bits=8.0, accuracy=0.85, members=_members(0.85, 0.84, 0.89, first=10)),
        name="b",
    )
    rows = compare(first, second).rows
    raw = [row.comparison.t_test for row in rows if row.comparison and row.comparison.t_test]
    assert len(raw) == 2
    assert rows[raw.index(min(raw))].p_holm == pytest.approx(2 * min(raw))


def test_the_test_split_where_both_were_confirmed(
    material: Callable[..., Material], make_record: MakeRecord, make_confirmation: MakeConfirmation
) -> None:
    better, worse = make_record(0, accuracy=0.8), make_record(0, accuracy=0.75)
    one = material(better, confirmations={0: make_confirmation(better)})
    other = material(worse, name="b", confirmations={0: make_confirmation(worse)})
    (row,) = compare(one, other).rows
    assert row.measured == "test"
    assert row.first is not None
    assert row.first.score.n == 10
    assert row.first.score.mean == pytest.approx(0.79)
    assert row.comparison is not None
    assert row.comparison.paired
    assert row.comparison.difference.mean == pytest.approx(0.05)
    (row,) = compare(one, material(worse, name="b")).rows
    assert row.measured == "validation"
    assert row.first is not None
    assert row.first.score.n == 3


def test_standings_in_closed_form(material: Callable[..., Material], make_record: MakeRecord) -> None:
    first = material(make_record(0, accuracy=0.8, bits=8.0, overhead=0.0, members=_members(0.8, 0.8)))
    second = material(make_record(0, accuracy=0.5, bits=16.0, overhead=50.0, members=_members(0.9, 0.1)), name="b")
    found = compare(first, second)
    assert found.plane == ("average_bits", "accuracy")
    assert (found.first.front, found.first.dominated, found.second.dominated) == (1, 0, 1)
    assert found.first.hypervolume == pytest.approx(0.8 * 24 / 32)
    assert found.second.hypervolume == pytest.approx(0.5 * 16 / 32 * 0.5)
    # Over 8 to 16 bits all of the first's runs and none of the second's attain up to 0.8; beyond, up to 0.1 both do,
    # up to 0.8 half of the second's, and above it half of the second's alone.
    assert found.first.more_often == pytest.approx((8 * 0.8 + 16 * 0.7) / 32)
    assert found.first.attainment_gain == pytest.approx((8 * 0.8 + 16 * 0.7 / 2) / 32)
    assert found.second.more_often == pytest.approx(16 * 0.1 / 32)
    assert found.second.attainment_gain == pytest.approx(16 * 0.1 / 2 / 32)


def test_the_gains_differ_by_the_mean_hypervolume_of_the_runs(
    material: Callable[..., Material], make_study: MakeStudy
) -> None:
    """α is the mean over runs of what each attains, so ∫ (α₁ − α₂) is the difference of their mean areas."""
    from lorap_bench.stats.front import box_hypervolume

    def area(study: Material) -> float:
        points = [
            [[record.members[seed].val, record.objectives["average_bits"]] for record in study.able]
            for seed in range(3)
        ]
        return sum(box_hypervolume(run, {"accuracy": "max", "average_bits": "min"}) for run in points) / 3

    first, second = material(*make_study(seed=1)), material(*make_study(seed=2), name="b")
    found = compare(first, second)
    assert found.first.attainment_gain is not None
    assert found.second.attainment_gain is not None
    gap = found.first.attainment_gain - found.second.attainment_gain
    assert gap == pytest.approx(area(first) - area(second), abs=1e-12)


def test_equal_points_dominate_nothing(material: Callable[..., Material], make_study: MakeStudy) -> None:
    study = material(*make_study())
    assert dominated(study, study) == []
    found = compare(study, study)
    assert (found.first.more_often, found.second.more_often) == (0.0, 0.0)
    assert [one.name for one in (found.first, found.second)] == ["a (A)", "a (B)"]


def test_json_holds_no_infinity_and_the_effect_sizes(material: Callable[..., Material], make_study: MakeStudy) -> None:
    found = compare(material(*make_study(seed=1)), material(*make_study(seed=2), name="b"))
    mapping = json.loads(json.dumps(found.to_mapping(), allow_nan=False))
    assert (mapping["schema_version"], mapping["reference"]) == (1, 1)
    assert mapping["rows"][-1]["budgets"][-1] is None
    assert set(mapping["rows"][0]["comparison"]) >= {"paired", "n", "difference", "t_test", "rank_test", "d", "a12"}


def _tables(document: Document) -> dict[str, Table]:
    blocks = [block for section in document.sections for block in walk(section.blocks)]
    found = [block.table if isinstance(block, Figure) else block for block in blocks]
    return {table.id: table for table in found if isinstance(table, Table)}


def test_the_page_says_the_same(material: Callable[..., Material], make_study: MakeStudy, tmp_path: Path) -> None:
    first, second = material(*make_study(seed=1)), material(*make_study(seed=2), name="b")
    compared = compare(first, second)
    document = compare_document(compared, first, second)
    assert [section.id for section in document.sections] == ["verdict", "attainment", "progress", "fronts"]
    tables = _tables(document)
    assert [row[0] for row in tables["standings"].rows] == ["A: a", "B: b"]
    assert len(tables["budgets"].rows) == len(compared.rows)
    assert {row[0] for row in tables["attainment-corners"].rows} == {"a", "b"}
    assert {row[0] for row in tables["progress-trials"].rows} == {"a", "b"}
    beaten = [sum(row[4] == "yes" for row in tables[f"front-{letter}"].rows) for letter in "ab"]
    assert beaten == [compared.first.dominated, compared.second.dominated]
    page = write_comparison(first, second, tmp_path / "out")
    assert json.loads((page.parent / "compare.json").read_text()) == json.loads(json.dumps(compared.to_mapping()))
    assert (page.parent / "tables" / "budgets.csv").read_text().startswith("Bits,Measured on,")
    assert "a against b" in page.read_text()
    assert write_comparison(first, second, tmp_path / "again").read_bytes() == page.read_bytes()


def test_test_accuracy_stands_in_the_page_where_it_was_measured(
    material: Callable[..., Material], make_record: MakeRecord, make_confirmation: MakeConfirmation
) -> None:
    record = make_record(0)
    looked, plain = material(record, confirmations={0: make_confirmation(record)}), material(record, name="b")

    def told(first: Material, second: Material) -> tuple[str, list[int]]:
        document = compare_document(compare(first, second), first, second)
        words = " ".join(block.text for block in walk(document.sections[0].blocks) if isinstance(block, Words))
        return words, [len(_tables(document)[f"front-{letter}"].columns) for letter in "ab"]

    words, columns = told(looked, plain)
    assert "validation split, which chose these trials" in words
    assert columns == [8, 7]
    words, columns = told(looked, _named(looked, "b"))
    assert "those of the test split on fresh seeds" in words
    assert "the tests are paired" in words
    assert columns == [8, 8]


def test_studies_with_nothing_to_show(material: Callable[..., Material], make_record: MakeRecord) -> None:
    lost = material(replace(make_record(0), status=Status.DIVERGED, members=(), objectives={}))
    found = compare(lost, lost)
    assert found.rows == ()
    assert found.first.more_often is None
    document = compare_document(found, lost, lost)
    empty = [block for section in document.sections for block in walk(section.blocks) if isinstance(block, Words)]
    assert sum(block.empty for block in empty) == 4
    some = material(make_record(0), name="b")
    assert compare(lost, some).rows[0].first is None
    compare_document(compare(lost, some), lost, some)


def test_costs_alone_have_no_attainment(make_spec: MakeSpec, make_record: MakeRecord) -> None:
    study = Material(make_spec(objectives=["average_bits", "overhead"]), [make_record(0)])
    found = compare(study, study)
    assert found.first.more_often is None
    assert any(
        isinstance(block, Words) and block.empty for block in compare_document(found, study, study).sections[1].blocks
    )
