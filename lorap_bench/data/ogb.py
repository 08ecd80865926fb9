"""The node-classification graphs of the Open Graph Benchmark with their official splits, read from its CSV files.

Source: Hu et al., "Open Graph Benchmark: Datasets for Machine Learning on Graphs", 2020. The ``ogb`` package is
not needed. Edges are read in both directions, as the benchmark's baselines do. Of ogbn-mag only the papers
and their citations are read: one kind of node, one kind of edge.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from lorap_bench.data.one_graph import one_graph
from lorap_bench.data.published import check_listed
from lorap_bench.data.raw import RawSet

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from lorap_bench.data.packed import Packed
    from lorap_bench.data.task import Split

__all__ = ["raw_set", "read"]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the files of a set lie below its folder."""

    archive: str
    edges: str
    features: str
    labels: str
    nodes: str
    split: str

    @property
    def files(self) -> tuple[str, ...]:
        """Return every file that is read."""
        splits = (f"{self.split}/{part}.csv.gz" for part in PARTS.values())
        return (self.edges, self.features, self.labels, self.nodes, *splits)


PARTS: dict[Split, str] = {"train": "train", "val": "valid", "test": "test"}
PAPER = "paper"
_PLAIN = ("raw/edge.csv.gz", "raw/node-feat.csv.gz", "raw/node-label.csv.gz", "raw/num-node-list.csv.gz")
_PAPERS = (
    f"raw/relations/{PAPER}___cites___{PAPER}/edge.csv.gz",
    f"raw/node-feat/{PAPER}/node-feat.csv.gz",
    f"raw/node-label/{PAPER}/node-label.csv.gz",
    "raw/num-node-dict.csv.gz",
)
LAYOUTS = {
    "ogbn-arxiv": Layout("arxiv.zip", *_PLAIN, "split/time"),
    "ogbn-products": Layout("products.zip", *_PLAIN, "split/sales_ranking"),
    "ogbn-mag": Layout("mag.zip", *_PAPERS, f"split/time/{PAPER}"),
}


def raw_set(name: str) -> RawSet:
    """Return the raw files of a set; the address is that of the archive PyG takes ogbn-mag from."""
    from torch_geometric.datasets import OGB_MAG

    layout = LAYOUTS[name]
    return RawSet(name=name, required=layout.files, urls=(f"{OGB_MAG.url.rpartition('/')[0]}/{layout.archive}",))


def read(folder: Path, name: str) -> Packed:
    """Read a graph and its split.

    Raises:
        KeyError, ValueError: a line is not numbers, or the files disagree.
    """
    layout = LAYOUTS[name]
    labels = _table(folder / layout.labels, np.int64)[:, 0]
    _check_nodes(folder / layout.nodes, len(labels))
    x = _table(folder / layout.features, np.float32)
    edges = _table(folder / layout.edges, np.int64)
    check_listed(name, len(edges))
    splits = {split: _table(folder / layout.split / f"{file}.csv.gz", np.int64)[:, 0] for split, file in PARTS.items()}
    return one_graph(x, edges, labels, _indices(splits, len(labels)))


def _table(path: Path, dtype: type[Any]) -> NDArray[Any]:
    """Return a compressed table of numbers without a header.

    Shape:
        ``[lines, columns]``.

    Raises:
        ValueError: the file is empty, a line has another number of columns, or a cell is no number.
    """
    import pyarrow as pa
    from pyarrow import csv

    with gzip.open(path, "rt", encoding="utf-8") as stream:
        width = stream.readline().count(",") + 1
    names = [str(number) for number in range(width)]
    kind = pa.from_numpy_dtype(dtype)
    table = csv.read_csv(
        path,
        read_options=csv.ReadOptions(column_names=names),
        convert_options=csv.ConvertOptions(column_types=dict.fromkeys(names, kind), null_values=[]),
    )
    result = np.empty((len(table), width), dtype=dtype)
    for number, column in enumerate(table.columns):
        result[:, number] = column.to_numpy()
    return result


def _check_nodes(path: Path, nodes: int) -> None:
    """Compare the number of labels with the number of nodes that a set states, of papers where it has several kinds.

    Raises:
        ValueError: they differ, or the number of papers is not stated.
    """
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        lines = [line.split(",") for line in stream.read().splitlines() if line]
    kinds, *rest = lines or [[]]
    stated = dict(zip(kinds, rest[0], strict=True))[PAPER] if rest else "".join(kinds)
    if int(stated) != nodes:
        raise ValueError(f"{nodes:,} labels for {int(stated):,} nodes")


def _indices(splits: dict[Split, NDArray[np.int64]], nodes: int) -> dict[Split, Tensor]:
    """Return the split's parts, each sorted.

    Raises:
        ValueError: a part is empty, or a node is in two parts, twice in one, or not there.
    """
    together = np.concatenate(list(splits.values()))
    if not all(map(len, splits.values())):
        raise ValueError("a part of the split is empty")
    if int(together.min()) < 0 or int(together.max()) >= nodes:
        raise ValueError(f"the split names a node that is none of the {nodes:,}")
    if int(np.bincount(together, minlength=nodes).max()) > 1:
        raise ValueError("the split names a node twice")
    return {split: torch.from_numpy(np.sort(items)) for split, items in splits.items()}
