"""Web pages of three universities (WebKB) and actors who share a page, in the ten splits of Geom-GCN.

Source: Pei et al., "Geom-GCN: Geometric Graph Convolutional Networks", 2020: 60 % of every class train in the
paper, 48 % in the published files; 32 % validate and 20 % test. Links are read in both directions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lorap_bench.data.arrays import arrays_of
from lorap_bench.data.masks import published_masks
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

NODES, EDGES = "out1_node_feature_label.txt", "out1_graph_edges.txt"
SPLITS = 10
INDEXED = "Actor"  # lists the words that are there; the others a zero or one for each word


def raw_set(name: str) -> RawSet:
    """Return the twelve raw files of a set; the addresses are PyG's."""
    from torch_geometric.datasets import WebKB

    masks = _mask_files(name)
    texts = tuple(f"{WebKB.url}/new_data/{_stem(name)}/{file}" for file in (NODES, EDGES))
    urls = (*texts, *(f"{WebKB.url}/splits/{file}" for file in masks))
    return RawSet(name=name, required=(NODES, EDGES, *masks), urls=urls)


def read(folder: Path, name: str) -> Packed:
    """Read a graph with binary word features and its ten splits.

    Raises:
        KeyError, ValueError: a line is not what it should be, or the files disagree.
    """
    rows = sorted((int(node), words, int(label)) for node, words, label in _lines(folder / NODES, 3))
    if [node for node, _, _ in rows] != list(range(len(rows))):
        raise ValueError(f"{NODES} does not number {len(rows)} nodes, each once")
    edges = np.array([[int(node) for node in pair] for pair in _lines(folder / EDGES, 2)], dtype=np.int64)
    edges = np.unique(edges.reshape(-1, 2), axis=0)
    check_listed(name, len(edges))
    words = [[int(word) for word in text.split(",")] for _, text, _ in rows]
    x = _indexed(words) if name == INDEXED else np.array(words, dtype=np.float32)
    return one_graph(x, edges, np.array([label for _, _, label in rows]), _splits(folder, name, len(rows)))


def _stem(name: str) -> str:
    return "film" if name == "Actor" else name.lower()


def _mask_files(name: str) -> tuple[str, ...]:
    return tuple(f"{_stem(name)}_split_0.6_0.2_{number}.npz" for number in range(SPLITS))


def _lines(path: Path, columns: int) -> list[list[str]]:
    """Return the cells of a table with a header line.

    Raises:
        ValueError: a line has another number of cells.
    """
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    cells = [line.split("\t") for line in lines]
    for number, line in enumerate(cells, start=2):
        if len(line) != columns:
            raise ValueError(f"{path.name}:{number} has {len(line)} columns instead of {columns}")
    return cells


def _indexed(words: list[list[int]]) -> NDArray[np.float32]:
    """Return one column a word, 1 where it is listed."""
    counts = [len(listed) for listed in words]
    columns = np.concatenate([np.array(listed) for listed in words])
    if int(columns.min()) < 0:
        raise ValueError(f"{NODES} lists word {int(columns.min())}")
    x = np.zeros((len(words), int(columns.max()) + 1), dtype=np.float32)
    x[np.repeat(np.arange(len(words)), counts), columns] = 1.0
    return x


def _splits(folder: Path, name: str, nodes: int) -> dict[Split, Tensor]:
    masks: dict[Split, list[NDArray[np.generic]]] = {"train": [], "val": [], "test": []}
    for file in _mask_files(name):
        with arrays_of(folder / file) as arrays:
            for split, listed in masks.items():
                listed.append(arrays[f"{split}_mask"])
    return published_masks({split: np.stack(listed) for split, listed in masks.items()}, SPLITS, nodes)
