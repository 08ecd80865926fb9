from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from lorap_bench.config import TaskConfig
from lorap_bench.data.heterophilous import raw_set, read
from lorap_bench.data.load import load_task
from lorap_bench.data.published import check_counts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.data.raw import Folders

NODES = 8


def _write(folder: Path, name: str = "Roman-empire", splits: int = 10) -> Path:
    """Write a path of eight nodes; every split trains on four of them."""
    folder.mkdir(parents=True, exist_ok=True)
    order = (np.arange(NODES) + np.arange(splits)[:, None]) % NODES
    np.savez(
        folder / raw_set(name).required[0],
        node_features=np.arange(2 * NODES, dtype=np.float32).reshape(NODES, 2),
        node_labels=np.arange(NODES) % 2,
        edges=np.stack([np.arange(NODES - 1), np.arange(1, NODES)], axis=1),
        train_masks=order < 4,
        val_masks=(order >= 4) & (order < 6),
        test_masks=order >= 6,
    )
    return folder


def test_a_path_and_its_splits(environment: Folders, forget_counts: Callable[..., None]) -> None:
    forget_counts("Roman-empire")
    assert environment.mirror is not None
    _write(environment.mirror / "roman_empire" / "raw")
    task = load_task(TaskConfig(dataset="Roman-empire", fold=2))
    assert task.edge_index.shape == (2, 2 * (NODES - 1))
    assert task.x[1].tolist() == [2.0, 3.0]
    assert {name: index.tolist() for name, index in task.splits.items()} == {
        "train": [0, 1, 6, 7],
        "val": [2, 3],
        "test": [4, 5],
    }
    assert load_task(TaskConfig(dataset="Heterophilous/Roman-empire", fold=2)) is task


def test_splits_that_are_missing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the train mask is \[9, 8\] instead of \[10, 8\]"):
        read(_write(tmp_path, splits=9), "Roman-empire")


def test_published_figures(raw_mirror: Path) -> None:
    packed = read(raw_mirror / "tolokers" / "raw", "Tolokers")
    check_counts("Tolokers", packed)
    assert torch.equal(torch.stack(list(packed.splits.values())).sum(dim=(0, 2)), torch.full((10,), 11758))
    assert packed.y.bincount().tolist() == [9192, 2566]
