"""The node-classification graphs of the Open Graph Benchmark with their official splits, read from its CSV files.

Source: Hu et al., "Open Graph Benchmark: Datasets for Machine Learning on Graphs", 2020. The ``ogb`` package is
not needed. Edges are read in both directions, as the benchmark's baselines do. Of ogbn-mag only the papers
and their citations are read: one kind of node, one kind of edge; ``data.ogb_mag`` reads the whole of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lorap_bench.data.ogb_files import read_node_counts, read_split, read_table, split_files
from lorap_bench.data.one_graph import one_graph
from lorap_bench.data.published import check_listed
from lorap_bench.data.raw import RawSet

if TYPE_CHECKING:
    from pathlib import Path

    from lorap_bench.data.packed import Packed

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
        return (self.edges, self.features, self.labels, self.nodes, *split_files(self.split))


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
    labels = read_table(folder / layout.labels, np.int64)[:, 0]
    _check_nodes(folder / layout.nodes, len(labels))
    x = read_table(folder / layout.features, np.float32)
    edges = read_table(folder / layout.edges, np.int64)
    check_listed(name, len(edges))
    return one_graph(x, edges, labels, read_split(folder / layout.split, len(labels)))


def _check_nodes(path: Path, nodes: int) -> None:
    """Compare the number of labels with the number of nodes that a set states, of papers where it has several kinds.

    Raises:
        ValueError: they differ, or the number of papers is not stated.
    """
    stated = read_node_counts(path)
    count = stated[""] if "" in stated else stated[PAPER]
    if count != nodes:
        raise ValueError(f"{nodes:,} labels for {count:,} nodes")
