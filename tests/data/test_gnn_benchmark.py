from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest
import torch

from lorap_bench.config import TaskConfig
from lorap_bench.data.gnn_benchmark import raw_set, read
from lorap_bench.data.load import load_task
from lorap_bench.errors import MissingResource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.data.raw import Folders


def _graph(nodes: int, label: int) -> dict[str, Any]:
    """Return a directed ring with a self-loop, as the published file keeps an image."""
    ring = torch.arange(nodes)
    edges = torch.stack([torch.cat([ring, torch.tensor([0])]), torch.cat([(ring + 1) % nodes, torch.tensor([0])])])
    return {
        "x": torch.full((nodes, 1), float(label)),
        "pos": torch.rand(nodes, 2),
        "edge_index": edges,
        "edge_attr": torch.rand(nodes + 1, 1),
        "y": torch.tensor([label]),
    }


def _write(folder: Path, parts: Any = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    graphs = [[_graph(4, 0), _graph(3, 1)], [_graph(5, 1)], [_graph(3, 0)]]
    torch.save(graphs if parts is None else parts, folder / "MNIST_v2.pt")
    return folder


def test_three_lists_of_images(environment: Folders, forget_counts: Callable[..., None]) -> None:
    forget_counts("MNIST")
    assert environment.mirror is not None
    _write(environment.mirror / "MNIST" / "raw")
    task = load_task(TaskConfig(dataset="MNIST"))
    assert (task.level, task.classes, task.x.shape) == ("graph", 2, (15, 3))
    assert task.graph_ptr.tolist() == [0, 4, 7, 12, 15]
    assert {name: index.tolist() for name, index in task.splits.items()} == {"train": [0, 1], "val": [2], "test": [3]}
    # One direction, without the self-loop, by target.
    assert task.edge_index[:, :7].tolist() == [[3, 0, 1, 2, 6, 4, 5], [0, 1, 2, 3, 4, 5, 6]]


def test_an_edge_that_leaves_its_image(tmp_path: Path) -> None:
    graph = _graph(3, 0)
    graph["edge_index"] = torch.tensor([[0], [3]])
    with pytest.raises(ValueError, match="an edge leaves its graph"):
        read(_write(tmp_path, [[graph], [_graph(3, 0)], [_graph(3, 1)]]), "MNIST")


def test_a_part_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="2 parts instead of train, val, test"):
        read(_write(tmp_path, [[_graph(3, 0)], [_graph(3, 0)]]), "MNIST")


def test_a_file_with_more_than_tensors_is_refused(environment: Folders) -> None:
    assert environment.mirror is not None
    folder = environment.mirror / "MNIST" / "raw"
    folder.mkdir(parents=True)
    (folder / "MNIST_v2.pt").write_bytes(pickle.dumps(print, protocol=2))
    with pytest.raises(MissingResource, match=r"^MNIST: raw files of .* are damaged"):
        load_task(TaskConfig(dataset="MNIST"))


def test_the_address_is_pygs() -> None:
    from torch_geometric.datasets import GNNBenchmarkDataset

    assert raw_set("CIFAR10").urls == (GNNBenchmarkDataset.urls["CIFAR10"],)
