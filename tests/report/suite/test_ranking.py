"""Which groups ranks are made from, and which are left out why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.report.suite.entry import Arm
from lorap_bench.report.suite.ranking import ranking

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.report.suite.entry import Entry
    from lorap_bench.report.suite.material import SuiteMaterial

    Make = Callable[..., Entry]
    MakeMaterial = Callable[..., SuiteMaterial]

ARMS = [Arm("QAT", prompt) for prompt in ("None", "LoRAP", "GPFPlus")]


def test_only_whole_groups_count_and_errors_are_turned(make_entry: Make, make_material: MakeMaterial) -> None:
    material = make_material(
        *(make_entry("Cora", "GCN", *arm, [0.5 + 0.125 * place]) for place, arm in enumerate(ARMS)),
        *(make_entry("ZINC", "GCN", *arm, [0.5 + 0.125 * place], metric="mae") for place, arm in enumerate(ARMS)),
        make_entry("CiteSeer", "GCN", *ARMS[0], [0.5, None]),
        make_entry("CiteSeer", "GCN", *ARMS[1]),
        make_entry("CiteSeer", "GCN", *ARMS[2], skipped="no need"),
    )
    found = ranking(material.groups, ARMS)
    assert found.arms == ARMS
    assert found.table == [[0.5, 0.625, 0.75], [-0.5, -0.625, -0.75]]
    assert [group.dataset for group in found.blocks] == ["Cora", "ZINC"]
    assert found.left_out == {"CiteSeer with GCN": "1 failed, 1 left, 1 skipped"}


def test_an_arm_that_is_skipped_everywhere_is_none(make_entry: Make, make_material: MakeMaterial) -> None:
    material = make_material(
        make_entry("Cora", "GCN", *ARMS[0], [0.5]), make_entry("Cora", "GCN", *ARMS[1], skipped="no need")
    )
    found = ranking(material.groups, ARMS)
    assert (found.arms, found.table, found.left_out) == ([ARMS[0]], [[0.5]], {})
    assert ranking(material.groups, ARMS[1:]).table == []
