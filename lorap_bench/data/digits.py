"""Handwritten digits as pixel graphs: the embedded data set that needs no download.

Source: ours, over scikit-learn's ``load_digits`` (the 1,797 test digits of the UCI ML hand-written
digits set, 8 × 8 pixels of intensity 0 … 16).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from lorap_bench.data.edges import canonical_edges
from lorap_bench.data.splits import parts
from lorap_bench.data.task import GraphTask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lorap_bench.data.task import Split

__all__ = ["digits", "pixel_graph"]

SIDE = 8
INTENSITY = 16.0
SIZES: dict[Split, int] = {"train": 1200, "val": 200, "test": 397}
SEED = 0
# One of each pair of opposite directions; canonical_edges adds the other.
STEPS = ((0, 1), (1, -1), (1, 0), (1, 1))


@lru_cache(maxsize=1)
def digits() -> GraphTask:
    """Return the digits as a graph-classification task with a fixed stratified split.

    Nodes are the non-zero pixels, in reading order; their features are intensity / 16, row / 7 and
    column / 7. Edges join a pixel with its up to eight non-zero neighbours, in both directions.

    Shape:
        x ``[58736, 3]``, edge_index ``[2, 319784]``, graph_ptr ``[1798]``, y ``[1797]``; 1200 graphs
        train, 200 validate, 397 test.
    """
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    graphs = [pixel_graph(image.reshape(SIDE, SIDE)) for image in images]
    counts = [len(features) for features, _ in graphs]
    pointer = np.concatenate([[0], np.cumsum(counts)])
    edges = np.concatenate([edge + start for (_, edge), start in zip(graphs, pointer[:-1], strict=True)], axis=1)
    chosen = parts([int(label) for label in labels], list(SIZES.values()), SEED)
    return GraphTask(
        name="Digits",
        level="graph",
        x=torch.from_numpy(np.concatenate([features for features, _ in graphs])),
        edge_index=canonical_edges(torch.from_numpy(edges), int(pointer[-1])),
        graph_ptr=torch.from_numpy(pointer),
        y=torch.from_numpy(labels.astype(np.int64)),
        splits={name: torch.tensor(indices) for name, indices in zip(SIZES, chosen, strict=True)},
        classes=10,
    )


def pixel_graph(image: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the features of an image's non-zero pixels and the edges between neighbours, one direction each.

    Shape:
        image ``[H, W]``; features ``[N, 3]``; edges ``[2, E]``.
    """
    rows, columns = np.nonzero(image)
    number = np.full((image.shape[0] + 2, image.shape[1] + 2), -1, dtype=np.int64)
    number[rows + 1, columns + 1] = np.arange(len(rows))
    pairs = []
    for down, right in STEPS:
        neighbour = number[rows + 1 + down, columns + 1 + right]
        here = np.flatnonzero(neighbour >= 0)
        pairs.append(np.stack([here, neighbour[here]]))
    features = np.stack([image[rows, columns] / INTENSITY, rows / (SIDE - 1), columns / (SIDE - 1)], axis=1)
    return features.astype(np.float32), np.concatenate(pairs, axis=1)
