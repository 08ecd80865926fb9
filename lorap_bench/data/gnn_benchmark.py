"""The published superpixel graphs of MNIST and CIFAR10, with their published splits.

Source: Dwivedi et al., "Benchmarking Graph Neural Networks", 2020, in the files that PyG's
``GNNBenchmarkDataset`` reads. Edges lead from a node to its eight nearest, in that direction alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from lorap_bench.data.packed import Packed
from lorap_bench.data.raw import RawSet

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from lorap_bench.data.task import Split

__all__ = ["raw_set", "read"]

ORDER: tuple[Split, ...] = ("train", "val", "test")


def raw_set(name: str) -> RawSet:
    """Return the raw file of a set; the address is PyG's."""
    from torch_geometric.datasets import GNNBenchmarkDataset

    return RawSet(name=name, required=(f"{name}_v2.pt",), urls=(GNNBenchmarkDataset.urls[name],))


def read(folder: Path, name: str) -> Packed:
    """Read the graphs; a node's features are its pixel values and its position.

    Only tensors are unpickled, so that the file need not be trusted.

    Raises:
        KeyError, TypeError, ValueError: the file is not three lists of graphs, or a graph does not fit together.
        pickle.UnpicklingError: the file holds more than tensors.
    """
    found = torch.load(folder / f"{name}_v2.pt", weights_only=True)
    if len(found) != len(ORDER) or not all(found):
        raise ValueError(f"{len(found)} parts instead of {', '.join(ORDER)}, each with graphs")
    graphs = [graph for part in found for graph in part]
    sizes = torch.tensor([len(graph["x"]) for graph in graphs])
    pointer = torch.cat([torch.zeros(1, dtype=torch.int64), sizes.cumsum(0)])
    ends = torch.tensor([len(part) for part in found]).cumsum(0)
    return Packed(
        x=torch.cat([torch.cat([graph["x"], graph["pos"]], dim=1) for graph in graphs]).float(),
        edge_index=_edges(graphs, pointer),
        graph_ptr=pointer,
        y=torch.cat([graph["y"].view(1) for graph in graphs]).long(),
        splits={
            split: torch.arange(end - len(part), end)
            for split, part, end in zip(ORDER, found, ends.tolist(), strict=True)
        },
    )


def _edges(graphs: list[dict[str, Any]], pointer: Tensor) -> Tensor:
    """Return the edges in packed node numbers, sorted by target and then source, without self-loops or repeats.

    Raises:
        ValueError: an edge leaves its graph.
    """
    counts = torch.tensor([graph["edge_index"].shape[1] for graph in graphs])
    owner = torch.arange(len(graphs)).repeat_interleave(counts)
    source, target = torch.cat([graph["edge_index"] for graph in graphs], dim=1).long()
    sizes = pointer.diff()[owner]
    if bool(((source < 0) | (target < 0) | (source >= sizes) | (target >= sizes)).any()):
        raise ValueError("an edge leaves its graph")
    kept = source != target
    start, nodes = pointer[owner], int(pointer[-1])
    keys = ((target + start) * nodes + source + start)[kept].unique()
    return torch.stack([keys % nodes, keys // nodes])
