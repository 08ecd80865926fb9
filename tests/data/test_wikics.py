from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.config import TaskConfig
from lorap_bench.data.load import load_task
from lorap_bench.data.wikics import read
from lorap_bench.errors import ConfigError, MissingResource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.data.raw import Folders

NODES = 6


def _write(folder: Path, **changed: Any) -> Path:
    """Write a ring of six articles; split k trains on article k mod 4 and validates on the next."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = range(20)
    data = {
        "features": [[node / 2, -node] for node in range(NODES)],
        "labels": [node % 3 for node in range(NODES)],
        "links": [[(node + 1) % NODES, node] for node in range(NODES)],
        "train_masks": [[node == row % 4 for node in range(NODES)] for row in rows],
        "val_masks": [[node == (row + 1) % 4 for node in range(NODES)] for row in rows],
        "stopping_masks": [[node == (row + 2) % 4 for node in range(NODES)] for row in rows],
        "test_mask": [node >= 4 for node in range(NODES)],
    }
    (folder / "data.json").write_text(json.dumps({**data, **changed}))
    return folder


def test_a_ring_and_its_twenty_splits(environment: Folders, forget_counts: Callable[..., None]) -> None:
    forget_counts("WikiCS")
    assert environment.mirror is not None
    _write(environment.mirror / "WikiCS" / "raw")
    task = load_task(TaskConfig(dataset="WikiCS", fold=19))
    assert task.edge_index.shape == (2, 2 * NODES)
    assert task.x[3].tolist() == [1.5, -3.0]
    assert {name: index.tolist() for name, index in task.splits.items()} == {"train": [3], "val": [0], "test": [4, 5]}
    with pytest.raises(ConfigError, match=r"WikiCS has 20 splits; got 20; allowed: 0 … 19"):
        load_task(TaskConfig(dataset="WikiCS", fold=20))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"links": [[9]]}, "not between two of the 6 nodes"),
        ({"features": [[1.0], [1.0, 2.0]]}, "inhomogeneous"),
        ({"test_mask": [True]}, r"the test mask is \[1\] instead of \[20, 6\]"),
        ({"labels": [0, 1]}, r"the labels are \[2\]"),
    ],
)
def test_parts_that_do_not_fit(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(_write(tmp_path, **changed), "WikiCS")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"features": 1, "labels": 2, "links": 3}'])
def test_a_damaged_file_is_told(environment: Folders, text: str) -> None:
    assert environment.mirror is not None
    folder = environment.mirror / "WikiCS" / "raw"
    folder.mkdir(parents=True)
    (folder / "data.json").write_text(text)
    with pytest.raises(MissingResource, match=r"^WikiCS: raw files of .* are damaged"):
        load_task(TaskConfig(dataset="WikiCS"))
