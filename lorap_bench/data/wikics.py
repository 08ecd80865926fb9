"""Wikipedia's articles on computer science, with the twenty splits that come with them.

Source: Mernyei and Cangea, "Wiki-CS: A Wikipedia-Based Benchmark for Graph Neural Networks", 2020: every split
has its own training and validation nodes, all test on the same half. The nodes the paper stops early
on are left unused. Links are read in both directions.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from lorap_bench.data.masks import published_masks
from lorap_bench.data.one_graph import one_graph
from lorap_bench.data.raw import RawSet

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from lorap_bench.data.packed import Packed
    from lorap_bench.data.task import Split

__all__ = ["raw_set", "read"]

FILE = "data.json"
SPLITS = 20


def raw_set(name: str) -> RawSet:
    """Return the raw file; the address is PyG's."""
    from torch_geometric.datasets import WikiCS

    return RawSet(name=name, required=(FILE,), urls=(f"{WikiCS.url}/{FILE}",))


def read(folder: Path, name: str) -> Packed:  # noqa: ARG001  # readers are called alike
    """Read the graph with word vectors as features and its twenty splits.

    Raises:
        KeyError, TypeError, ValueError: the file is not JSON, lacks a part, or its parts do not fit together.
    """
    with (folder / FILE).open(encoding="utf-8") as stream:
        data = json.load(stream)
    x, labels = np.array(data["features"], dtype=np.float32), np.array(data["labels"])
    sources = np.repeat(np.arange(len(data["links"])), [len(links) for links in data["links"]])
    targets = np.array([target for links in data["links"] for target in links], dtype=np.int64)
    masks: dict[Split, NDArray[np.generic]] = {
        "train": np.array(data["train_masks"]),
        "val": np.array(data["val_masks"]),
        "test": np.array(data["test_mask"]),
    }
    return one_graph(x, np.stack([sources, targets], axis=1), labels, published_masks(masks, SPLITS, len(x)))
