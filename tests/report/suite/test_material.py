"""Cells in groups that are compared within."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.metric import Metric
from lorap_bench.report.score import Score
from lorap_bench.report.suite.entry import Arm, State
from lorap_bench.report.suite.material import slug

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.report.suite.entry import Entry
    from lorap_bench.report.suite.material import SuiteMaterial

    Make = Callable[..., Entry]
    MakeMaterial = Callable[..., SuiteMaterial]


def test_groups_are_data_sets_with_architectures(whole: SuiteMaterial) -> None:
    assert [group.name for group in whole.groups][:3] == ["Cora with GCN", "Cora with GIN", "CiteSeer with GCN"]
    first = whole.groups[0]
    assert first.slug == "cora-gcn"
    assert len(first.entries) == 6
    found = first.test(Arm("QAT", "None"))
    assert found is not None
    assert (round(found.mean, 12), found.n) == (0.71, 3)
    assert first.test(Arm("MixQ", "None")) is None
    assert not first.done(Arm("MixQ", "None"))
    assert whole.counts == {State.DONE: 36}


def test_a_further_axis_parts_groups_if_it_has_several_values(make_entry: Make, make_material: MakeMaterial) -> None:
    axes = [{"bits": bits, "model.batch_norm": True, "model.hidden": 16 * bits} for bits in (4, 8)]
    entries = [make_entry("Cora", "GCN", "QAT", "None", [0.5], axes=one) for one in axes]
    names = [group.name for group in make_material(*entries).groups]
    assert names == ["Cora with GCN, 4 bits, hidden 64", "Cora with GCN, 8 bits, hidden 128"]
    (group,) = make_material(entries[0]).groups
    assert group.name == "Cora with GCN"


def test_a_data_set_is_measured_by_what_its_records_say(make_entry: Make, make_material: MakeMaterial) -> None:
    material = make_material(
        make_entry("ZINC", "GCN", "QAT", "None"),
        make_entry("ZINC", "GCN", "QAT", "LoRAP", [0.4], metric="mae"),
        make_entry("Cora", "GCN", "QAT", "None", [0.4]),
    )
    assert [group.score for group in material.groups] == [Score(Metric.MAE), Score(Metric.ACCURACY)]
    assert material.scores == [Score(Metric.MAE), Score(Metric.ACCURACY)]


def test_a_slug_may_name_a_file() -> None:
    assert slug("IMDB-BINARY GCN, 4 bits") == "imdb-binary-gcn-4-bits"
