from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from lorap_bench.data.planetoid import raw_set, read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_ring_is_read_with_its_public_split(tmp_path: Path, write_planetoid: Callable[..., Path]) -> None:
    packed = read(write_planetoid(tmp_path), "PubMed")
    assert packed.x.shape == (600, 8)
    assert packed.graph_ptr.tolist() == [0, 600]
    # Test rows stand in the order of test.index and are put back where they belong.
    assert packed.y.tolist() == [node % 3 for node in range(600)]
    assert {name: (int(i[0]), int(i[-1]), len(i)) for name, i in packed.splits.items()} == {
        "train": (0, 59, 60),
        "val": (60, 559, 500),
        "test": (590, 599, 10),
    }
    # A ring has two directed edges a node: the self-loop and the repeat are gone.
    source, target = packed.edge_index
    assert len(source) == 1200
    assert set((source - target).remainder(600).tolist()) == {1, 599}
    assert bool(((target * 600 + source).diff() > 0).all())


def test_parts_that_do_not_fit(tmp_path: Path, write_planetoid: Callable[..., Path]) -> None:
    import pickle

    write_planetoid(tmp_path)
    (tmp_path / "ind.pubmed.graph").write_bytes(pickle.dumps({0: [900], 900: [0]}))
    with pytest.raises(ValueError, match="edges up to 900"):
        read(tmp_path, "PubMed")


def test_raw_files_and_their_addresses() -> None:
    raw = raw_set("Cora")
    assert len(raw.required) == len(raw.urls) == 8
    assert raw.urls[0].endswith("/ind.cora.x")


@pytest.mark.parametrize(
    ("name", "nodes", "edges", "features", "classes", "train"),
    [("Cora", 2708, 10556, 1433, 7, 140), ("CiteSeer", 3327, 9104, 3703, 6, 120)],
)
def test_published_figures(
    raw_mirror: Path, name: str, nodes: int, edges: int, features: int, classes: int, train: int
) -> None:
    packed = read(raw_mirror / name / "raw", name)
    assert packed.x.shape == (nodes, features)
    assert packed.edge_index.shape == (2, edges)
    assert len(packed.y.unique()) == classes
    assert {split: len(index) for split, index in packed.splits.items()} == {"train": train, "val": 500, "test": 1000}
    assert packed.y[packed.splits["train"]].bincount().tolist() == [20] * classes
    # Words are there or not.
    assert torch.equal(packed.x.unique(), torch.tensor([0.0, 1.0]))
