"""Tiny raw data sets, written in exactly the layout of the published ones."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import sparse

from lorap_bench.data.published import PUBLISHED
from lorap_bench.data.raw import Folders

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GRAPHS = 20
TRIANGLE = ((1, 2), (2, 3), (3, 1))


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """An empty mirror and an empty cache."""
    (tmp_path / "mirror").mkdir()
    return Folders(tmp_path / "mirror", tmp_path / "cache")


@pytest.fixture
def environment(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> Folders:
    """The same, named by the environment."""
    monkeypatch.setenv("LORAP_BENCH_RAW", str(folders.mirror))
    monkeypatch.setenv("LORAP_BENCH_CACHE", str(folders.cache))
    return folders


@pytest.fixture
def forget_counts(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Forget the published counts of sets, so that small ones may bear their names."""

    def forget(*names: str) -> None:
        for name in names:
            monkeypatch.delitem(PUBLISHED, name)

    return forget


@pytest.fixture
def write_tu() -> Callable[..., Path]:
    return _write_tu


@pytest.fixture
def write_planetoid(forget_counts: Callable[..., None]) -> Callable[..., Path]:
    """Write a small set under the name of a known one, whose published counts are forgotten meanwhile."""
    forget_counts("PubMed")
    return _write_planetoid


def _write_tu(folder: Path, name: str = "TINY", *, labels: bool = True, attributes: bool = False) -> Path:
    """Write 20 triangles in two classes; edges in one direction, one repeated, one self-loop."""
    folder.mkdir(parents=True, exist_ok=True)
    edges = [(3 * g + a, 3 * g + b) for g in range(GRAPHS) for a, b in TRIANGLE]
    edges += [edges[0], (1, 1)]
    tables: dict[str, list[str]] = {
        "A": [f"{a}, {b}" for a, b in edges],
        "graph_indicator": [str(g + 1) for g in range(GRAPHS) for _ in range(3)],
        "graph_labels": [str(1 if g % 2 else -1) for g in range(GRAPHS)],
    }
    if labels:
        tables["node_labels"] = [str(node % 3 + 4) for node in range(3 * GRAPHS)]
    if attributes:
        tables["node_attributes"] = [f"{node / 2}, {-node}" for node in range(3 * GRAPHS)]
    for part, lines in tables.items():
        (folder / f"{name}_{part}.txt").write_text("\n".join(lines) + "\n")
    return folder


def _write_planetoid(folder: Path, name: str = "PubMed") -> Path:
    """Write a ring of 600 nodes in three classes: 60 labelled, 500 validate, the last 10 test in another order."""
    nodes, labelled, tested, classes = 600, 60, 10, 3
    folder.mkdir(parents=True, exist_ok=True)
    kinds = np.arange(nodes) % classes
    one_hot = np.eye(classes, dtype=np.int32)[kinds]
    words = sparse.csr_matrix(np.eye(nodes, 8, dtype=np.float32) + one_hot[:, [0, 1, 2, 0, 1, 2, 0, 1]])
    known = nodes - tested
    order = np.arange(known, nodes)[::-1]
    graph = {node: [(node + 1) % nodes, (node - 1) % nodes] for node in range(nodes)}
    graph[0] += [0, 1]  # a self-loop and a repeat, as the published files have
    parts = {
        "x": words[:labelled],
        "y": one_hot[:labelled],
        "allx": words[:known],
        "ally": one_hot[:known],
        "tx": words[order],
        "ty": one_hot[order],
        "graph": graph,
    }
    for part, value in parts.items():
        (folder / f"ind.{name.lower()}.{part}").write_bytes(pickle.dumps(value, protocol=2))
    (folder / f"ind.{name.lower()}.test.index").write_text("\n".join(map(str, order)) + "\n")
    return folder
