from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from scipy import sparse

from lorap_bench.config import TaskConfig
from lorap_bench.data.amazon_coauthor import fold_splits, raw_set, read
from lorap_bench.data.load import load_task
from lorap_bench.data.published import check_counts
from lorap_bench.errors import MissingResource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from lorap_bench.data.raw import Folders

NODES = 120


def _write(folder: Path, name: str = "Photo", **changed: NDArray[np.generic]) -> Path:
    """Write a path of 120 nodes in two classes, one direction listed, with counts of words."""
    folder.mkdir(parents=True, exist_ok=True)
    chain = np.arange(NODES - 1)
    links = sparse.csr_matrix((np.ones(NODES - 1, dtype=np.float32), (chain, chain + 1)), (NODES, NODES))
    words = sparse.csr_matrix(np.eye(NODES, 6, dtype=np.float32) * 3)
    arrays = {
        f"{part}_{field}": np.asarray(value)
        for part, matrix in (("adj", links), ("attr", words))
        for field, value in (
            ("data", matrix.data),
            ("indices", matrix.indices),
            ("indptr", matrix.indptr),
            ("shape", matrix.shape),
        )
    }
    every = {**arrays, "labels": np.arange(NODES) % 2, **changed}
    np.savez(folder / raw_set(name).required[0], allow_pickle=False, **every)
    return folder


def test_a_path_is_read(tmp_path: Path) -> None:
    packed = read(_write(tmp_path), "Photo")
    assert torch.equal(packed.x, torch.eye(NODES, 6))  # counts become one
    assert packed.edge_index.shape == (2, 2 * (NODES - 1))
    assert packed.y.bincount().tolist() == [60, 60]
    assert packed.splits == {}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"labels": np.arange(7)}, "class 0 has 1 items, and more than 50"),
        ({"labels": np.arange(NODES + 4) % 2}, r"the labels are \[124\] int64 for 120 nodes"),
        ({"adj_indices": np.full(NODES - 1, NODES)}, "indices|index"),
        ({"attr_indptr": np.zeros(3, dtype=np.int32)}, "index pointer"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path: Path, changed: dict[str, NDArray[np.generic]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(_write(tmp_path, "Photo", **changed), "Photo")


@pytest.mark.parametrize("damage", ["truncated", "other arrays"])
def test_a_damaged_file_is_told(environment: Folders, damage: str) -> None:
    assert environment.mirror is not None
    path = _write(environment.mirror / "Photo" / "raw") / "amazon_electronics_photo.npz"
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:500])
    else:
        np.savez(path, labels=np.arange(3))
    with pytest.raises(MissingResource, match=r"^Photo: raw files of .* are damaged \(.*\); fetch them again"):
        load_task(TaskConfig(dataset="Photo"))


def test_the_fold_is_the_number_of_the_split(environment: Folders, forget_counts: Callable[..., None]) -> None:
    forget_counts("CS")
    assert environment.mirror is not None
    _write(environment.mirror / "CS" / "raw", "CS")
    first, other = (load_task(TaskConfig(dataset="CS", fold=fold)) for fold in (0, 9))
    assert (first.name, first.level) == ("CS", "node")
    for task in (first, other):
        assert {name: len(index) for name, index in task.splits.items()} == {"train": 40, "val": 60, "test": 20}
        assert torch.equal(torch.cat(list(task.splits.values())).sort().values, torch.arange(NODES))
        assert task.y[task.splits["train"]].bincount().tolist() == [20, 20]
        assert task.y[task.splits["val"]].bincount().tolist() == [30, 30]
    assert not torch.equal(first.splits["train"], other.splits["train"])
    assert torch.equal(fold_splits(first.y, 9)["val"], other.splits["val"])


def test_the_address_is_pygs() -> None:
    from torch_geometric.datasets import Coauthor

    assert raw_set("Physics").urls == (f"{Coauthor.url}ms_academic_phy.npz",)


@pytest.mark.parametrize("name", ["Photo", "Computers", "CS", "Physics"])
def test_published_figures(raw_mirror: Path, name: str) -> None:
    packed = read(raw_mirror / name / "raw", name)
    check_counts(name, packed)
    assert torch.equal(packed.x, packed.x.bool().float())


def test_the_graph_is_that_of_pyg(raw_mirror: Path) -> None:
    from torch_geometric.io import read_npz

    data = read_npz(str(raw_mirror / "Photo" / "raw" / "amazon_electronics_photo.npz"))
    packed = read(raw_mirror / "Photo" / "raw", "Photo")
    assert torch.equal(packed.x, data.x)
    assert torch.equal(packed.y, data.y)
    keys, theirs = (edges[1] * len(packed.x) + edges[0] for edges in (packed.edge_index, data.edge_index))
    assert torch.equal(keys, theirs.sort().values)
