"""A single attributed graph from its arrays, once they are seen to fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from lorap_bench.data.edges import canonical_edges
from lorap_bench.data.packed import Packed

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from lorap_bench.data.task import Split

__all__ = ["one_graph"]


def one_graph(
    x: NDArray[np.generic], edges: NDArray[np.generic], labels: NDArray[np.generic], splits: dict[Split, Tensor]
) -> Packed:
    """Return a graph whose edges come in both directions, once each, without self-loops.

    Shape:
        x ``[N, F]`` numbers, edges ``[E, 2]`` integer in any direction, labels ``[N]`` integer from 0.

    Raises:
        ValueError: the arrays disagree in the number of nodes, a feature is not finite, or a label is negative.
    """
    nodes = len(x)
    if x.ndim != 2 or not nodes:
        raise ValueError(f"the features are {list(x.shape)} instead of a row a node")
    if labels.shape != (nodes,) or labels.dtype.kind not in "iu":
        raise ValueError(f"the labels are {list(labels.shape)} {labels.dtype} for {nodes} nodes")
    if edges.ndim != 2 or edges.shape[1] != 2 or edges.dtype.kind not in "iu":
        raise ValueError(f"the edges are {list(edges.shape)} {edges.dtype} instead of pairs of nodes")
    # Comparisons of the ends alone: the largest graphs have 62 million edges.
    if edges.size and (int(edges.min()) < 0 or int(edges.max()) >= nodes):
        raise ValueError(f"an edge is not between two of the {nodes} nodes")
    if int(labels.min()) < 0:
        raise ValueError(f"a label is {int(labels.min())}; labels count from 0")
    features = torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32))
    if not bool(torch.isfinite(features.sum())):
        raise ValueError("a feature is not a finite number")
    return Packed(
        x=features,
        edge_index=canonical_edges(torch.from_numpy(np.ascontiguousarray(edges.T, dtype=np.int64)), nodes),
        graph_ptr=torch.tensor([0, nodes]),
        y=torch.from_numpy(labels.astype(np.int64)),
        splits=splits,
    )
