from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lorap_bench.report.document import Table
from lorap_bench.report.suite.headlines import headlines
from lorap_bench.report.suite.material import SuiteMaterial
from lorap_bench.report.suite.sections import published

if TYPE_CHECKING:
    from tests.report.suite.conftest import EntryMaker


def test_a_headline_stands_beside_the_best_cell_with_lorap_on_validation(make_entry: EntryMaker) -> None:
    cells = (
        make_entry("Cora", "GIN", "A2Q", "None", [0.9, 0.9, 0.9]),  # no LoRAP
        make_entry("Cora", "GIN", "A2Q", "LoRAP", [0.7, 0.8, 0.75]),
        make_entry("Cora", "GCN", "QAT", "GPFLoRAP", [0.7, 0.71, 0.72]),
        make_entry("Cora", "GCN", "A2Q", "LoRAP", [0.99, None, 0.99]),  # one training failed
    )
    (found,) = headlines(SuiteMaterial(name="made", entries=cells))
    assert found.theirs.value == pytest.approx(0.791)
    assert found.theirs.arch == "unknown"
    assert (found.group.part, str(found.arm)) == ("GIN", "A2Q, LoRAP")
    assert found.ours.mean == pytest.approx(0.75)
    assert found.gap == pytest.approx(-0.041)
    (table,) = [
        block
        for block in published.section(SuiteMaterial(name="made", entries=cells)).blocks
        if isinstance(block, Table) and block.id == "headlines"
    ]
    assert (table.rows[0][0], table.rows[0][4]) == ("Cora", "GIN, A2Q, LoRAP")


def test_errors_and_cut_again_superpixels_have_theirs(make_entry: EntryMaker) -> None:
    cells = (
        make_entry("ZINC", "GIN", "A2Q", "GPFLoRAP", [0.5, 0.4, 0.45], metric="mae"),
        make_entry("ZINC", "GIN", "QAT", "GPFLoRAP", [0.3, 0.35, 0.4], metric="mae"),
        make_entry("MNIST-75sp", "GIN", "A2Q", "GPFLoRAP", [0.9]),
    )
    zinc, *mnist = headlines(SuiteMaterial(name="made", entries=cells))
    assert (zinc.theirs.value, zinc.arm.scheme) == (0.361, "QAT")  # the smaller error
    assert zinc.gap == pytest.approx(0.35 - 0.361)
    assert {one.theirs.dataset for one in mnist} == {"MNIST"}
    assert [one.theirs.value for one in mnist] == pytest.approx([0.964] * len(mnist))


def test_without_a_cell_with_lorap_there_is_none(make_entry: EntryMaker) -> None:
    assert headlines(SuiteMaterial(name="made", entries=(make_entry("Cora", "GIN", "A2Q", "None", [0.9, 0.8]),))) == []
