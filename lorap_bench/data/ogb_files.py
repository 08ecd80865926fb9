"""The compressed tables of the Open Graph Benchmark."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from lorap_bench.data.task import Split

__all__ = ["PARTS", "read_node_counts", "read_split", "read_table", "split_files"]

PARTS: dict[Split, str] = {"train": "train", "val": "valid", "test": "test"}


def read_table(path: Path, dtype: type[Any]) -> NDArray[Any]:
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


def read_node_counts(path: Path) -> dict[str, int]:
    """Return the number of nodes that a set states, by kind; of sets with one kind by the kind "".

    Raises:
        ValueError: a count is no number, or there is not one for every kind.
    """
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        lines = [line.split(",") for line in stream.read().splitlines() if line]
    kinds, *rest = lines or [[]]
    stated = dict(zip(kinds, rest[0], strict=True)) if rest else {"": "".join(kinds)}
    return {kind: int(count) for kind, count in stated.items()}


def split_files(folder: str) -> tuple[str, ...]:
    """Return the files of a split that lies in a folder."""
    return tuple(f"{folder}/{part}.csv.gz" for part in PARTS.values())


def read_split(folder: Path, nodes: int) -> dict[Split, Tensor]:
    """Return the parts of a split of so many nodes, each sorted.

    Raises:
        ValueError: a part is empty, or a node is in two parts, twice in one, or not there.
    """
    splits = {split: read_table(folder / f"{file}.csv.gz", np.int64)[:, 0] for split, file in PARTS.items()}
    together = np.concatenate(list(splits.values()))
    if not all(map(len, splits.values())):
        raise ValueError("a part of the split is empty")
    if int(together.min()) < 0 or int(together.max()) >= nodes:
        raise ValueError(f"the split names a node that is none of the {nodes:,}")
    if int(np.bincount(together, minlength=nodes).max()) > 1:
        raise ValueError("the split names a node twice")
    return {split: torch.from_numpy(np.sort(items)) for split, items in splits.items()}
