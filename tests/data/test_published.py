from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
import torch

from lorap_bench.data.inventory import prepare, verify
from lorap_bench.data.load import DATASETS, EMBEDDED
from lorap_bench.data.packed import Packed
from lorap_bench.data.published import PUBLISHED, Counts, check_counts, check_listed
from lorap_bench.errors import MissingResource

if TYPE_CHECKING:
    from pathlib import Path

    from lorap_bench.data.raw import Folders


def test_every_named_set_has_its_counts_and_they_are_documented(project_root: Path) -> None:
    assert set(PUBLISHED) == set(DATASETS) - {EMBEDDED}
    text = (project_root / "docs" / "data.md").read_text(encoding="utf-8").replace("degree: ", "")
    for name, counts in PUBLISHED.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        cells = [cell.strip() for cell in line.split("|")[3:8]]
        wanted = (counts.graphs, counts.nodes, counts.edges, counts.features, counts.classes)
        assert cells == ["–" if count is None else f"{count:,}" for count in wanted]


def test_what_is_not_published_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = Packed(
        x=torch.ones(3, 2),
        edge_index=torch.tensor([[0, 1], [1, 0]]),
        graph_ptr=torch.tensor([0, 3]),
        y=torch.tensor([0, 1, 0]),
    )
    monkeypatch.setitem(PUBLISHED, "TINY", Counts(1, None, None, 2, 2))
    check_counts("TINY", packed)
    monkeypatch.setitem(PUBLISHED, "TINY", Counts(1, 3, 4, 2, 3))
    with pytest.raises(ValueError, match=r"^2 edges instead of 4, 2 classes instead of 3$"):
        check_counts("TINY", packed)


def test_listed_edges_are_compared_where_they_are_what_is_published() -> None:
    check_listed("Cora", 1)
    check_listed("NOWHERE", 1)
    check_listed("Cornell", 298)
    with pytest.raises(ValueError, match=r"^1 listed edges instead of 1,166,243$"):
        check_listed("ogbn-arxiv", 1)


def test_a_truncated_proteins_is_refused(raw_mirror: Path, environment: Folders) -> None:
    assert environment.mirror is not None
    folder = environment.mirror / "PROTEINS" / "raw"
    shutil.copytree(raw_mirror / "PROTEINS" / "raw", folder)
    edges = folder / "PROTEINS_A.txt"
    edges.write_bytes(edges.read_bytes()[:1000])
    assert verify(["PROTEINS"])[0].state == "unchecked"
    with pytest.raises(MissingResource, match=r"^PROTEINS: .* \(162 edges instead of 162,088\); fetch them again$"):
        prepare(["PROTEINS"])
    assert not list(environment.cache.rglob("*.pt"))
