"""Graph-classification sets of the TU collection, in ten stratified folds.

Source: Morris et al., "TUDataset: A collection of benchmark datasets for learning with graphs", 2020.
The text files are read here, with every count checked, into what PyG's ``TUDataset`` gives: one-hot
node labels as features, node attributes left out unless there are no labels. Sets without either
(REDDIT-BINARY, IMDB-BINARY) get a feature of the node's degree, as PyG's own kernel benchmark does:
one-hot where no degree reaches 1,000, else (degree - mean) / standard deviation over all nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from lorap_bench.data.edges import canonical_edges
from lorap_bench.data.packed import Packed
from lorap_bench.data.raw import RawSet
from lorap_bench.data.splits import folds

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from lorap_bench.data.task import Split

__all__ = ["FOLDS", "fold_splits", "raw_set", "read"]

FOLDS = 10
FOLD_SEED = 0
ONE_HOT_DEGREES = 1000
REQUIRED = ("A", "graph_indicator", "graph_labels")
# Sets whose published form has node labels; without this file they would be read without features.
LABELLED = frozenset({"MUTAG", "PROTEINS", "NCI1", "DD"})


def raw_set(name: str) -> RawSet:
    """Return the raw files of a set; the address of its archive is PyG's."""
    from torch_geometric.datasets import TUDataset

    labels = ("node_labels",) if name in LABELLED else ()
    required = tuple(f"{name}_{part}.txt" for part in (*REQUIRED, *labels))
    optional = tuple(f"{name}_{part}.txt" for part in ("node_labels", "node_attributes"))
    return RawSet(
        name=name,
        required=required,
        optional=tuple(file for file in optional if file not in required),
        urls=(f"{TUDataset.url}/{name}.zip",),
    )


def read(folder: Path, name: str) -> Packed:
    """Read the set's text files as packed graphs; edges come in both directions, once each.

    Raises:
        ValueError: a line is not numbers, or the files disagree in the number of nodes or graphs.
    """
    indicator = _table(folder, name, "graph_indicator")[:, 0]
    edges = _table(folder, name, "A")
    labels = _table(folder, name, "graph_labels")[:, 0]
    nodes, graphs = len(indicator), len(labels)
    if np.any(np.diff(indicator) < 0) or indicator[0] < 1 or indicator[-1] != graphs:
        raise ValueError(f"the graph indicator does not number {graphs} graphs in order")
    if edges.shape[1] != 2 or edges.min(initial=1) < 1 or edges.max(initial=1) > nodes:
        raise ValueError(f"the edge list is not pairs of the {nodes} nodes")
    if np.any(indicator[edges[:, 0] - 1] != indicator[edges[:, 1] - 1]):
        raise ValueError("an edge joins two graphs")
    sizes = np.bincount(indicator, minlength=graphs + 1)[1:]
    edge_index = canonical_edges(torch.from_numpy(edges.T - 1), nodes)
    return Packed(
        x=_features(folder, name, nodes, edge_index),
        edge_index=edge_index,
        graph_ptr=torch.from_numpy(np.concatenate([[0], np.cumsum(sizes)])),
        y=torch.from_numpy(np.unique(labels, return_inverse=True)[1].astype(np.int64)),
    )


def fold_splits(y: Tensor, fold: int) -> dict[Split, Tensor]:
    """Return the split in which ``fold`` tests, the next fold validates and the other eight train."""
    index = [torch.tensor(items, dtype=torch.int64) for items in folds(y.tolist(), FOLDS, FOLD_SEED)]
    following = (fold + 1) % FOLDS
    rest = [items for number, items in enumerate(index) if number not in {fold, following}]
    return {"train": torch.cat(rest).sort().values, "val": index[following], "test": index[fold]}


def _table(folder: Path, name: str, part: str, dtype: type[Any] = np.int64) -> NDArray[Any]:
    """Return one text file as a table of numbers."""
    path = folder / f"{name}_{part}.txt"
    if not path.stat().st_size:
        raise ValueError(f"{path.name} is empty")
    table: NDArray[Any] = np.loadtxt(path, dtype=dtype, delimiter=",", ndmin=2)
    return table


def _features(folder: Path, name: str, nodes: int, edge_index: Tensor) -> Tensor:
    """Return node features: one-hot labels, else attributes, else a feature of the degree."""
    kinds: tuple[tuple[str, type[Any]], ...] = (("node_labels", np.int64), ("node_attributes", np.float32))
    for part, dtype in kinds:
        if (folder / f"{name}_{part}.txt").is_file():
            table = torch.from_numpy(_table(folder, name, part, dtype))
            if len(table) != nodes:
                raise ValueError(f"{len(table)} lines of {part} for {nodes} nodes")
            return table if part == "node_attributes" else torch.cat([_one_hot(c) for c in table.unbind(1)], 1)
    return _degree_feature(edge_index, nodes)


def _one_hot(values: Tensor) -> Tensor:
    """Return one column for each whole number from the least to the greatest value, as PyG does.

    Shape:
        ``[N]`` → ``[N, max - min + 1]`` float32.
    """
    return torch.nn.functional.one_hot(values - values.min()).float()


def _degree_feature(edge_index: Tensor, nodes: int) -> Tensor:
    """Return the degree one-hot, or standardised where one-hot would be too wide."""
    degree = torch.bincount(edge_index[1], minlength=nodes)
    if int(degree.max()) < ONE_HOT_DEGREES:
        return torch.nn.functional.one_hot(degree).float()
    column = degree.float()
    return ((column - column.mean()) / column.std()).unsqueeze(1)
