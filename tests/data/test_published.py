from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from lorap_bench.data.inventory import prepare, verify
from lorap_bench.data.load import DATASETS, EMBEDDED
from lorap_bench.data.published import PUBLISHED
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
        assert cells == [f"{count:,}" for count in wanted]


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
