from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from lorap_bench.config import TaskConfig
from lorap_bench.data.geom_gcn import raw_set, read
from lorap_bench.data.load import load_task
from lorap_bench.data.published import PUBLISHED, check_counts
from lorap_bench.errors import MissingResource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.data.raw import Folders

# Features of the first node and of the others.
FEATURES = {"Cornell": ("0,1,0,1", "0,1,1,0"), "Actor": ("3", "2,1")}


def _write(folder: Path, name: str) -> Path:
    """Write six nodes in three classes, listed backwards, four links and a self-loop."""
    folder.mkdir(parents=True, exist_ok=True)
    nodes = [f"{node}\t{FEATURES[name][node > 0]}\t{node % 3}" for node in range(6)]
    (folder / "out1_node_feature_label.txt").write_text("\n".join(["node_id\tfeature\tlabel", *nodes[::-1]]) + "\n")
    (folder / "out1_graph_edges.txt").write_text("node_id\tnode_id\n0\t1\n1\t0\n0\t1\n2\t3\n4\t4\n5\t2\n")
    for number, file in enumerate(raw_set(name).required[2:]):
        masks = np.zeros((3, 6), dtype=np.uint8)
        masks[0, number % 6] = masks[1, (number + 1) % 6] = masks[2, (number + 2) % 6] = 1
        np.savez(folder / file, train_mask=masks[0], val_mask=masks[1], test_mask=masks[2])
    return folder


@pytest.fixture
def forgotten(forget_counts: Callable[..., None]) -> None:
    forget_counts("Cornell", "Actor")


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize(
    ("name", "first", "last"),
    [("Cornell", [0.0, 1.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0]), ("Actor", [0.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0])],
)
def test_both_forms_of_features(tmp_path: Path, name: str, first: list[float], last: list[float]) -> None:
    packed = read(_write(tmp_path, name), name)
    assert (packed.x[0].tolist(), packed.x[5].tolist()) == (first, last)
    assert packed.y.tolist() == [0, 1, 2, 0, 1, 2]
    assert packed.edge_index.tolist() == [[1, 0, 3, 5, 2, 2], [0, 1, 2, 2, 3, 5]]
    assert packed.splits["train"].shape == (10, 6)


@pytest.mark.usefixtures("forgotten")
def test_the_fold_is_the_number_of_the_split(environment: Folders) -> None:
    assert environment.mirror is not None
    _write(environment.mirror / "cornell" / "raw", "Cornell")
    task = load_task(TaskConfig(dataset="Cornell", fold=7))
    assert {name: index.tolist() for name, index in task.splits.items()} == {"train": [1], "val": [2], "test": [3]}
    assert (task.level, task.classes) == ("node", 3)


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("out1_graph_edges.txt", "a\tb\n0\t1\t2\n", r"out1_graph_edges\.txt:2 has 3 columns instead of 2"),
        ("out1_graph_edges.txt", "a\tb\n0\t6\n", "not between two of the 6 nodes"),
        ("out1_graph_edges.txt", "a\tb\n0\tx\n", "invalid literal for int"),
        ("out1_node_feature_label.txt", "h\n0\t1\t0\n0\t1\t1\n", "does not number 2 nodes, each once"),
        ("out1_node_feature_label.txt", "h\n0\t1,0\t0\n1\t1\t1\n", "inhomogeneous"),
        (
            "out1_node_feature_label.txt",
            "h\n0\t1,0\t0\n1\t1,1\t1\n",
            r"the train mask is \[10, 6\] instead of \[10, 2\]",
        ),
    ],
)
def test_files_that_are_none(tmp_path: Path, file: str, text: str, message: str) -> None:
    _write(tmp_path, "Cornell")
    (tmp_path / file).write_text(text)
    with pytest.raises(ValueError, match=message):
        read(tmp_path, "Cornell")


def test_a_link_that_is_missing_is_told(environment: Folders) -> None:
    assert environment.mirror is not None
    _write(environment.mirror / "cornell" / "raw", "Cornell")
    with pytest.raises(MissingResource, match=r"^Cornell: .* \(5 listed edges instead of 298\); fetch them again"):
        load_task(TaskConfig(dataset="Cornell"))


def test_the_addresses_are_pygs() -> None:
    from torch_geometric.datasets import Actor

    urls = raw_set("Actor").urls
    assert urls[0] == f"{Actor.url}/new_data/film/out1_node_feature_label.txt"
    assert urls[-1] == f"{Actor.url}/splits/film_split_0.6_0.2_9.npz"


# Name → listed edges, nodes, features, classes, as published; nodes of the first split.
FIGURES = {
    "Cornell": (298, 183, 1703, 5, [87, 59, 37]),
    "Texas": (325, 183, 1703, 5, [87, 59, 37]),
    "Wisconsin": (515, 251, 1703, 5, [120, 80, 51]),
    "Actor": (30019, 7600, 932, 5, [3648, 2432, 1520]),
}


@pytest.mark.parametrize("name", FIGURES)
def test_published_figures(raw_mirror: Path, name: str) -> None:
    listed, nodes, features, classes, split = FIGURES[name]
    assert PUBLISHED[name].listed == listed  # compared by read
    folder = "Actor" if name == "Actor" else name.lower()
    packed = read(raw_mirror / folder / "raw", name)
    check_counts(name, packed)
    assert packed.x.shape == (nodes, features)
    assert len(packed.y.unique()) == classes
    assert [int(masks[0].sum()) for masks in packed.splits.values()] == split
    assert torch.equal(packed.x, packed.x.bool().float())
