"""The citation graphs Cora, CiteSeer and PubMed with their public split.

Source: Yang, Cohen and Salakhutdinov, "Revisiting Semi-Supervised Learning with Graph Embeddings",
2016; the split is the one of Kipf and Welling, 2017: 20 training nodes a class, 500 validation and
1,000 test nodes. PyG's reader is used, not its data set class, which would write beside the raw files.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import torch

from lorap_bench.data.edges import canonical_edges
from lorap_bench.data.packed import Packed
from lorap_bench.data.raw import RawSet

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["raw_set", "read"]

PARTS = ("x", "tx", "allx", "y", "ty", "ally", "graph", "test.index")


def raw_set(name: str) -> RawSet:
    """Return the raw files of a citation graph; the addresses are PyG's."""
    from torch_geometric.datasets import Planetoid

    files = tuple(f"ind.{name.lower()}.{part}" for part in PARTS)
    return RawSet(name=name, required=files, urls=tuple(f"{Planetoid.url}/{file}" for file in files))


def read(folder: Path, name: str) -> Packed:
    """Read the eight files of a citation graph as one graph with binary or weighted word features.

    The files list some edges twice and some from a node to itself; both are removed, which gives
    the published 10,556 directed edges of Cora. The files are pickles: read only those you trust.

    Raises:
        ValueError: the parts do not fit together.
    """
    from torch_geometric.io import read_planetoid_data

    with warnings.catch_warnings():
        # The pickles name modules that NumPy and SciPy have moved since 2016.
        warnings.simplefilter("ignore", DeprecationWarning)
        data = read_planetoid_data(str(folder), name)
    nodes = len(data.y)
    if len(data.x) != nodes or int(data.edge_index.max()) >= nodes:
        raise ValueError(f"{len(data.x)} feature rows, {nodes} labels and edges up to {int(data.edge_index.max())}")
    masks = {"train": data.train_mask, "val": data.val_mask, "test": data.test_mask}
    return Packed(
        x=data.x,
        edge_index=canonical_edges(data.edge_index, nodes),
        graph_ptr=torch.tensor([0, nodes]),
        y=data.y,
        splits={split: mask.nonzero().squeeze(1) for split, mask in masks.items()},  # type: ignore[misc]
    )
