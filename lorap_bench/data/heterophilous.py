"""Five graphs whose neighbours often differ in class, with the ten splits that come with them.

Source: Platonov et al., "A critical look at the evaluation of GNNs under heterophily", 2023: half of the nodes
train, a quarter validates, a quarter tests. The paper scores the two-class sets by ROC AUC; here all are
scored by accuracy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.data.arrays import arrays_of
from lorap_bench.data.masks import published_masks
from lorap_bench.data.one_graph import one_graph
from lorap_bench.data.raw import RawSet

if TYPE_CHECKING:
    from pathlib import Path

    from lorap_bench.data.packed import Packed

__all__ = ["raw_set", "read"]

SPLITS = 10


def raw_set(name: str) -> RawSet:
    """Return the raw file of a set; the address is PyG's."""
    from torch_geometric.datasets import HeterophilousGraphDataset

    return RawSet(name=name, required=(_file(name),), urls=(f"{HeterophilousGraphDataset.url}/{_file(name)}",))


def read(folder: Path, name: str) -> Packed:
    """Read a graph and its ten splits.

    Raises:
        KeyError, ValueError: an array is missing, or arrays do not fit together.
    """
    with arrays_of(folder / _file(name)) as arrays:
        x, edges, labels = (arrays[part] for part in ("node_features", "edges", "node_labels"))
        masks = {split: arrays[f"{split}_masks"] for split in ("train", "val", "test")}
    return one_graph(x, edges, labels, published_masks(masks, SPLITS, len(x)))  # type: ignore[arg-type]


def _file(name: str) -> str:
    return f"{name.lower().replace('-', '_')}.npz"
