"""Images as graphs of superpixels, from files of node tables: MNIST at 75 and CIFAR10 at 150 superpixels.

Source: the extraction of Knyazev et al., "Understanding Attention and Generalization in Graph Neural Networks",
2019, and the edges of Dwivedi et al., "Benchmarking Graph Neural Networks", 2020. A node has its segment's
mean value in each channel and the centre of mass. Edges lead from a node to the eight others of greatest
affinity, in that direction alone, as published; equal affinities choose the lower number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from lorap_bench.data.arrays import arrays_of
from lorap_bench.data.packed import Packed
from lorap_bench.data.raw import RawSet
from lorap_bench.data.splits import parts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from lorap_bench.data.task import Split

__all__ = ["nearest_edges", "raw_set", "read"]

FILES = {"MNIST-75sp": "superpixels_75.npz", "CIFAR10-150sp": "superpixels_150.npz"}
# One of so many training images validates: 5,000 of 60,000 and 5,000 of 50,000.
ONE_OF = {"MNIST-75sp": 12, "CIFAR10-150sp": 10}
SEED = 0
NEIGHBOURS = 8
CHUNK = 256


def raw_set(name: str) -> RawSet:
    """Return the raw file of a set, which is published nowhere in this form."""
    return RawSet(name=name, required=(FILES[name],))


def read(folder: Path, name: str) -> Packed:
    """Read the graphs of all images, those of the published training part first.

    Raises:
        KeyError, ValueError: an array is missing, or arrays do not fit together.
    """
    with arrays_of(folder / FILES[name]) as arrays:
        train, test = (_part(arrays, part) for part in ("train", "test"))
    sizes, x = torch.cat([train[0], test[0]]), torch.cat([train[1], test[1]])
    y = torch.cat([train[2], test[2]])
    pointer = torch.cat([torch.zeros(1, dtype=torch.int64), sizes.cumsum(0)])
    return Packed(
        x=x,
        edge_index=nearest_edges(x[:, -2:], pointer),
        graph_ptr=pointer,
        y=y,
        splits=_splits(train[2].tolist(), len(test[2]), ONE_OF[name]),
    )


def nearest_edges(positions: Tensor, pointer: Tensor) -> Tensor:
    """Return the edges from every node to the eight others of its graph with the greatest affinity.

    ``D`` are the distances in a graph, ``σ_i`` the mean of the eight smallest of node i (+ 1e-8),
    ``A_ij = exp(-(D_ij / σ_i)²)`` and ``(A + Aᵀ) / 2`` the affinity.

    Shape:
        positions ``[N, 2]``, pointer ``[G + 1]`` → ``[2, 8 N]`` int64 (source, target), sorted by target and then
        source.
    """
    found = [
        _edges_of(positions[pointer[start] : pointer[end]], pointer[start : end + 1])
        for start in range(0, len(pointer) - 1, CHUNK)
        for end in [min(start + CHUNK, len(pointer) - 1)]
    ]
    return torch.cat(found, dim=1)


def _edges_of(positions: Tensor, pointer: Tensor) -> Tensor:
    """Return the edges of some graphs, padded to one size, in packed node numbers."""
    sizes = pointer.diff()
    there = torch.arange(int(sizes.max())) < sizes.unsqueeze(1)  # [G, n]
    padded = torch.zeros(*there.shape, 2, dtype=torch.float64)
    padded[there] = positions.double()
    across, down = (padded[:, :, None] - padded[:, None]).unbind(-1)
    squares = across * across + down * down
    self_loop = torch.eye(there.shape[1], dtype=torch.bool)
    other = there[:, :, None] & there[:, None] & ~self_loop
    distances = squares.sqrt().masked_fill(~other, torch.inf)
    sigma = distances.topk(NEIGHBOURS, dim=2, largest=False).values.mean(dim=2, keepdim=True) + 1e-8
    affinity = (squares / (sigma * sigma)).neg().exp()
    affinity = (affinity + affinity.transpose(1, 2)).masked_fill(~other, -1.0)
    least = affinity.topk(NEIGHBOURS, dim=2).values[:, :, -1:]
    above, equal = affinity > least, affinity == least
    room = NEIGHBOURS - above.sum(dim=2, keepdim=True)
    chosen = (above | (equal & (equal.cumsum(dim=2) <= room))) & other
    graph, target, source = chosen.transpose(1, 2).nonzero().unbind(1)
    return torch.stack([source, target]) + pointer[graph]


def _part(arrays: Mapping[str, NDArray[Any]], part: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return the nodes a graph, the features and the labels of the training or the test images.

    Raises:
        ValueError: the arrays do not fit together.
    """
    sizes, y = (arrays[f"{part}_{name}"].astype(np.int64) for name in ("num_nodes", "y"))
    pixel, place = (arrays[f"{part}_{name}"] for name in ("pixel", "pos"))
    nodes = int(sizes.sum())
    if len(sizes) != len(y) or not len(y):
        raise ValueError(f"{len(y)} labels for {len(sizes)} {part} images")
    if pixel.shape[1:] != (nodes,) or place.shape != (2, nodes):
        raise ValueError(f"pixels {list(pixel.shape)} and positions {list(place.shape)} for {nodes} {part} nodes")
    if int(sizes.min()) <= NEIGHBOURS:
        raise ValueError(f"an image of {int(sizes.min())} superpixels has no {NEIGHBOURS} neighbours")
    x: NDArray[np.float32] = np.concatenate([pixel, place]).T.astype(np.float32)
    if not np.isfinite(x).all():
        raise ValueError(f"a {part} pixel or position is not a finite number")
    return torch.from_numpy(sizes), torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(y)


def _splits(labels: list[int], tests: int, one_of: int) -> dict[Split, Tensor]:
    """Return the published test images, and a stratified validation part of the training images."""
    held = len(labels) // one_of
    train, val = parts(labels, [len(labels) - held, held], SEED)
    test = torch.arange(len(labels), len(labels) + tests)
    return {"train": torch.tensor(train), "val": torch.tensor(val), "test": test}
