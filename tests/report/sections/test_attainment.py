"""Attainment: what a run is, what its surfaces are, and where one method reaches more often, in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.record import MemberResult, Status
from lorap_bench.report.document import Figure, Section, Words, walk
from lorap_bench.report.material import Material
from lorap_bench.report.sections.attainment import section

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import TrialRecord
    from lorap_bench.study.spec import StudySpec

    MakeSpec = Callable[..., StudySpec]
    MakeRecord = Callable[..., TrialRecord]


def _members(*values: float | None) -> tuple[MemberResult, ...]:
    return tuple(MemberResult(seed=seed, status=Status.COMPLETE, val=value) for seed, value in enumerate(values))


def _figures(found: Section | None) -> list[Figure]:
    assert found is not None
    return [block for block in walk(found.blocks) if isinstance(block, Figure)]


def _words(found: Section | None) -> str:
    assert found is not None
    return " ".join(block.text for block in found.blocks if isinstance(block, Words))


def _kind(make_record: MakeRecord, number: int, kind: str, *values: float, bits: float = 4.0) -> TrialRecord:
    return make_record(number, bits=bits, params={"prompt.kind": kind}, members=_members(*values))


def test_a_run_is_a_seed_position_where_there_is_one_search(make_spec: MakeSpec, make_record: MakeRecord) -> None:
    records = [
        make_record(0, bits=4.0, members=_members(0.7, 0.8, 0.9, 0.6)),
        make_record(1, bits=8.0, members=_members(0.8, None, 0.95, 0.7)),
    ]
    found = section(Material(make_spec(), records))
    (figure,) = _figures(found)
    # Of four runs, one reaches 0.9 at 4 bits, two 0.8, three 0.7; at 8 bits 0.95, 0.8 (no better than at 4), 0.8.
    assert [row[1:4] for row in figure.table.rows] == [
        (0.25, 4.0, 0.9),
        (0.25, 8.0, 0.95),
        (0.5, 4.0, 0.8),
        (0.75, 4.0, 0.7),
        (0.75, 8.0, 0.8),
    ]
    assert {row[4:] for row in figure.table.rows} == {(4, 2)}
    assert "one replica of the one search, n = 4" in _words(found)
    assert "`lorap-bench run made-up.toml --set name=made-up-1 --set seed=1`" in _words(found)


def test_trials_with_fewer_seeds_are_told_where_runs_are_seed_positions(
    make_spec: MakeSpec, make_record: MakeRecord
) -> None:
    records = [make_record(0, members=_members(0.7, 0.8, 0.9)), make_record(1, bits=8.0, members=_members(0.8))]
    assert "Trials have 1 to 3 seeds: those with fewer take part in the first runs alone" in _words(
        section(Material(make_spec(), records))
    )


def test_a_run_is_a_search_where_there_are_several(make_spec: MakeSpec, make_record: MakeRecord) -> None:
    lost = make_record(0, status=Status.DIVERGED, members=(), objectives={})
    others = (
        Material(make_spec(name="again", seed=1), [make_record(0, accuracy=0.9)]),
        Material(make_spec(name="third", seed=2), [lost]),
    )
    found = section(Material(make_spec(), [make_record(0, accuracy=0.7)], others=others))
    (figure,) = _figures(found)
    # The third search found nothing, and still counts: three quarters of three runs are all of them.
    assert [row[1:] for row in figure.table.rows] == [(0.25, 4.0, 0.9, 3, 2), (0.5, 4.0, 0.7, 3, 2)]
    assert "A run is one search" in _words(found)
    assert "n = 3" in _words(found)


def test_one_search_is_parted_by_its_prompts(make_spec: MakeSpec, make_record: MakeRecord) -> None:
    records = [
        _kind(make_record, 0, "None", 0.6, 0.8),
        _kind(make_record, 1, "LoRAP", 0.7, 0.7),
        _kind(make_record, 2, "LoRAP", 0.5, 0.5),
        _kind(make_record, 3, "GPFPlus", 0.5, 0.9),
    ]
    surfaces, difference = _figures(section(Material(make_spec(), records)))
    assert list(dict.fromkeys(row[0] for row in surfaces.table.rows)) == ["no prompt", "LoRAP", "GPFPlus"]
    # With a prompt the runs reach 0.7 and 0.9, without 0.6 and 0.8: half more from 0.6 to 0.7 and from 0.8 to 0.9.
    assert sorted(row[2:] for row in difference.table.rows) == [
        pytest.approx((0.6, 0.7, 0.5)),
        pytest.approx((0.8, 0.9, 0.5)),
    ]
    assert "with a prompt (n = 2) and of no prompt (n = 2)" in difference.label
    assert [trace.name for trace in difference.plot.data if trace.fill] == ["+50 points"]


def test_signs_and_steps_of_the_difference(make_spec: MakeSpec, make_record: MakeRecord) -> None:
    records = [
        _kind(make_record, 0, "None", 0.6, 0.6, bits=3.0),
        _kind(make_record, 1, "LoRAP", 0.8, 0.7, bits=4.0),
    ]
    _, difference = _figures(section(Material(make_spec(), records)))
    areas = {trace.name: trace for trace in difference.plot.data if trace.fill}
    assert list(areas) == ["+50 points", "+100 points", "−100 points"]
    assert areas["−100 points"].fillcolor != areas["+100 points"].fillcolor == areas["+50 points"].fillcolor
    assert areas["+50 points"].opacity < areas["+100 points"].opacity
    assert areas["−100 points"].text == "no prompt more often<br>by 100 points of runs (−)"
    shares = {(row[0], row[3]): row[4] for row in difference.table.rows}
    assert shares[3.0, 0.6] == -1.0
    assert shares[4.0, 0.8] == 0.5


def test_many_shares_are_drawn_in_fifths(make_spec: MakeSpec, make_record: MakeRecord) -> None:
    records = [
        _kind(make_record, 0, "None", *([0.5] * 9)),
        _kind(make_record, 1, "LoRAP", *(0.6 + 0.01 * place for place in range(9))),
    ]
    _, difference = _figures(section(Material(make_spec(), records)))
    names = [trace.name for trace in difference.plot.data if trace.fill]
    assert names == ["+11 points", "+22 to 33 points", "+44 to 56 points", "+67 to 78 points", "+89 to 100 points"]


def test_schemes_part_where_prompts_do_not_and_methods_before_both(
    make_spec: MakeSpec, make_record: MakeRecord
) -> None:
    records = [
        make_record(0, params={"quant.scheme": "QAT"}),
        make_record(1, params={"quant.scheme": "DegreeQuant"}),
        make_record(2, params={"quant.scheme": "DegreeQuant"}),
    ]
    surfaces, difference = _figures(section(Material(make_spec(), records)))
    assert list(dict.fromkeys(row[0] for row in surfaces.table.rows)) == ["DegreeQuant", "QAT"]
    assert difference.table.rows == []
    assert "nowhere" in difference.label
    random = Material(make_spec(name="random", search={"sampler": "Random"}), records)
    surfaces, _ = _figures(section(Material(make_spec(), records, others=(random,))))
    assert list(dict.fromkeys(row[0] for row in surfaces.table.rows)) == ["EHVI", "Random"]


def test_the_fifth_side_is_named_and_not_drawn(make_spec: MakeSpec, make_record: MakeRecord) -> None:
    kinds = ["None", "LoRAP", "LoRAP", "GPF", "GPFPlus", "GPFLoRAP"]
    records = [_kind(make_record, number, kind, 0.7, 0.8) for number, kind in enumerate(kinds)]
    found = section(Material(make_spec(), records))
    surfaces, difference = _figures(found)
    drawn = list(dict.fromkeys(row[0] for row in surfaces.table.rows))
    assert drawn == ["no prompt", "LoRAP", "GPF", "GPFLoRAP"]
    assert "Not drawn, for want of room: GPFPlus." in _words(found)
    assert difference.id == "attainment-1"


def test_nothing_to_show_says_why(make_spec: MakeSpec, make_record: MakeRecord) -> None:
    def told(*records: TrialRecord) -> str:
        found = section(Material(make_spec(), records))
        assert found is not None
        assert _figures(found) == []
        assert all(isinstance(block, Words) and block.empty for block in found.blocks)
        return _words(found)

    assert "No feasible trial completed" in told(make_record(0, violations={"average_bits": 1.0}))
    assert "average bits" in told(make_record(0, bits=float("nan")))
    assert "There is one run" in told(make_record(0, members=_members(0.8)))


def test_a_single_point_is_drawn(make_spec: MakeSpec, make_record: MakeRecord) -> None:
    (figure,) = _figures(section(Material(make_spec(), [make_record(0, members=_members(0.8, 0.8))])))
    assert [row[1:4] for row in figure.table.rows] == [(level, 4.0, 0.8) for level in (0.25, 0.5, 0.75)]
    low, high = figure.plot.layout.xaxis.range
    assert low < 4.0 < high


def test_costs_alone_have_no_runs(make_spec: MakeSpec, make_record: MakeRecord) -> None:
    assert section(Material(make_spec(objectives=["average_bits", "overhead"]), [make_record(0)])) is None


def test_a_hostile_label_is_shown_letter_by_letter(make_spec: MakeSpec, make_record: MakeRecord) -> None:
    records = [make_record(n, config={"quant": {"scheme": "<b>x"}, "prompt": {"kind": f"<i>{n}"}}) for n in range(2)]
    surfaces, difference = _figures(section(Material(make_spec(), records)))
    for trace in (*surfaces.plot.data, *difference.plot.data):
        assert "<i>" not in (trace.name or "")
    assert surfaces.table.rows[0][0] == "<i>0"


def test_a_window_over_octaves_has_a_logarithmic_axis(make_spec: MakeSpec, make_record: MakeRecord) -> None:
    records: list[Any] = [make_record(0, bits=2.0), make_record(1, bits=32.0, accuracy=0.9)]
    (figure,) = _figures(section(Material(make_spec(), records)))
    low, high = figure.plot.layout.xaxis.range
    assert figure.plot.layout.xaxis.type == "log"
    assert 10**low < 2.0
    assert 10**high > 32.0
