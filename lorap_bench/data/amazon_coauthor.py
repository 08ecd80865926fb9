"""Co-purchase graphs of Amazon and co-author graphs of the Microsoft Academic Graph, in ten drawn splits.

Source: Shchur et al., "Pitfalls of Graph Neural Network Evaluation", 2018. There is no standard split: as
there, each one draws 20 nodes of every class to train and 30 to validate, and tests on the rest. Words are
there or not, as PyG reads them: counts above one become one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy import sparse

from lorap_bench.data.arrays import arrays_of
from lorap_bench.data.one_graph import one_graph
from lorap_bench.data.raw import RawSet
from lorap_bench.data.splits import per_class

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from lorap_bench.data.packed import Packed
    from lorap_bench.data.task import Split

__all__ = ["fold_splits", "raw_set", "read"]

FILES = {
    "Photo": "amazon_electronics_photo.npz",
    "Computers": "amazon_electronics_computers.npz",
    "CS": "ms_academic_cs.npz",
    "Physics": "ms_academic_phy.npz",
}
TRAIN, VAL = 20, 30


def raw_set(name: str) -> RawSet:
    """Return the raw file of a set; the address is PyG's."""
    from torch_geometric.datasets import Amazon

    return RawSet(name=name, required=(FILES[name],), urls=(f"{Amazon.url}{FILES[name]}",))


def read(folder: Path, name: str) -> Packed:
    """Read a graph with binary word features.

    Raises:
        KeyError, ValueError: an array is missing, arrays do not fit together, or a class is too small to be drawn from.
    """
    with arrays_of(folder / FILES[name]) as arrays:
        words = _matrix(arrays, "attr")
        links = _matrix(arrays, "adj").tocoo()
        labels = arrays["labels"]
    per_class(labels.tolist(), (TRAIN, VAL), 0)
    x = np.zeros(words.shape, dtype=np.float32)
    x[words.nonzero()] = 1.0
    return one_graph(x, np.stack([links.row, links.col], axis=1), labels, {})


def fold_splits(y: Tensor, fold: int) -> dict[Split, Tensor]:
    """Return split number ``fold``: 20 nodes a class train, 30 validate, the rest tests."""
    train, val, test = (torch.tensor(items) for items in per_class(y.tolist(), (TRAIN, VAL), fold))
    return {"train": train, "val": val, "test": test}


def _matrix(arrays: Mapping[str, NDArray[Any]], part: str) -> sparse.csr_matrix:
    """Return one sparse matrix of the file, checked."""
    data, indices, pointers, shape = (arrays[f"{part}_{name}"] for name in ("data", "indices", "indptr", "shape"))
    matrix = sparse.csr_matrix((data, indices, pointers), tuple(shape))
    matrix.check_format(full_check=True)
    return matrix
