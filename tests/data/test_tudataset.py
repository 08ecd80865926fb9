from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from lorap_bench.data import tudataset
from lorap_bench.data.tudataset import fold_splits, raw_set, read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_node_labels_become_one_hot_features(tmp_path: Path, write_tu: Callable[..., Path]) -> None:
    packed = read(write_tu(tmp_path, attributes=True), "TINY")
    assert torch.equal(packed.x, torch.eye(3).repeat(20, 1))
    assert packed.graph_ptr.tolist() == list(range(0, 61, 3))
    assert packed.y.tolist() == [0, 1] * 10
    assert packed.splits == {}
    # A triangle has six directed edges, whatever the file repeats.
    assert packed.edge_index.shape == (2, 120)
    assert packed.edge_index[:, :6].tolist() == [[1, 2, 0, 2, 0, 1], [0, 0, 1, 1, 2, 2]]


def test_attributes_stand_in_for_labels(tmp_path: Path, write_tu: Callable[..., Path]) -> None:
    packed = read(write_tu(tmp_path, labels=False, attributes=True), "TINY")
    assert packed.x[:3].tolist() == [[0.0, 0.0], [0.5, -1.0], [1.0, -2.0]]


def test_the_degree_stands_in_for_both(tmp_path: Path, write_tu: Callable[..., Path]) -> None:
    packed = read(write_tu(tmp_path, labels=False), "TINY")
    assert torch.equal(packed.x, torch.tensor([[0.0, 0.0, 1.0]]).repeat(60, 1))


def test_a_wide_degree_is_standardised(tmp_path: Path) -> None:
    # A star of 1,001 nodes and a single edge.
    edges = [f"1, {leaf}" for leaf in range(2, 1002)] + ["1002, 1003"]
    (tmp_path / "STAR_A.txt").write_text("\n".join(edges))
    (tmp_path / "STAR_graph_indicator.txt").write_text("\n".join(["1"] * 1001 + ["2"] * 2))
    (tmp_path / "STAR_graph_labels.txt").write_text("0\n1")
    packed = read(tmp_path, "STAR")
    degree = torch.tensor([1000.0] + [1.0] * 1002)
    assert torch.allclose(packed.x[:, 0], (degree - degree.mean()) / degree.std())


@pytest.mark.parametrize(
    ("part", "text", "message"),
    [
        ("graph_labels", "1\n2\n", "does not number 2 graphs in order"),
        ("graph_indicator", "2\n1\n" * 30, "does not number 20 graphs in order"),
        ("A", "1, 61\n", "not pairs of the 60 nodes"),
        ("A", "0, 1\n", "not pairs of the 60 nodes"),
        ("A", "1\n", "not pairs of the 60 nodes"),
        ("A", "1, 4\n", "joins two graphs"),
        ("A", "1, x\n", "could not convert"),
        ("A", "1, 2\n2, ", "could not convert"),
        ("A", "1, 2\n2", "number of columns changed"),
        ("node_labels", "1\n2\n", "2 lines of node_labels for 60 nodes"),
    ],
)
def test_files_that_disagree(tmp_path: Path, write_tu: Callable[..., Path], part: str, text: str, message: str) -> None:
    write_tu(tmp_path)
    (tmp_path / f"TINY_{part}.txt").write_text(text)
    with pytest.raises(ValueError, match=message):
        read(tmp_path, "TINY")


def test_an_empty_file(tmp_path: Path, write_tu: Callable[..., Path]) -> None:
    write_tu(tmp_path)
    (tmp_path / "TINY_A.txt").write_text("")
    with pytest.raises(ValueError, match=r"TINY_A\.txt is empty"):
        read(tmp_path, "TINY")


def test_every_item_tests_once_and_validates_once() -> None:
    y = torch.tensor([0] * 63 + [1] * 45)
    splits = [fold_splits(y, fold) for fold in range(10)]
    for role in ("test", "val"):
        assert torch.equal(torch.cat([split[role] for split in splits]).sort().values, torch.arange(108))
    for fold, split in enumerate(splits):
        assert torch.equal(split["val"], splits[(fold + 1) % 10]["test"])
        assert torch.equal(torch.cat(list(split.values())).sort().values, torch.arange(108))
        assert int(y[split["test"]].sum()) in {4, 5}


def test_a_labelled_set_requires_its_labels() -> None:
    assert "MUTAG_node_labels.txt" in raw_set("MUTAG").required
    assert "REDDIT-BINARY_node_labels.txt" in raw_set("REDDIT-BINARY").optional
    assert raw_set("MUTAG").urls == (f"{_pyg_url()}/MUTAG.zip",)


def _pyg_url() -> str:
    from torch_geometric.datasets import TUDataset

    return str(TUDataset.url)


# Name → graphs, nodes, directed edges, features, counts a class, as published.
PUBLISHED = {
    "MUTAG": (188, 3371, 7442, 7, [63, 125]),
    "PROTEINS": (1113, 43471, 162088, 3, [663, 450]),
    "NCI1": (4110, 122747, 265506, 37, [2053, 2057]),
    "IMDB-BINARY": (1000, 19773, 193062, 136, [500, 500]),
    "REDDIT-BINARY": (2000, 859254, 1991016, 1, [1000, 1000]),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_figures(raw_mirror: Path, name: str) -> None:
    packed = read(raw_mirror / name / "raw", name)
    graphs, nodes, edges, features, counts = PUBLISHED[name]
    assert packed.x.shape == (nodes, features)
    assert packed.edge_index.shape == (2, edges)
    assert len(packed.graph_ptr) == graphs + 1
    assert packed.y.bincount().tolist() == counts


@pytest.mark.parametrize("name", ["MUTAG", "PROTEINS"])
def test_the_graphs_are_those_of_pyg(raw_mirror: Path, name: str) -> None:
    from torch_geometric.io import read_tu_data

    data, slices, sizes = read_tu_data(str(raw_mirror / name / "raw"), name)
    packed = tudataset.read(raw_mirror / name / "raw", name)
    assert torch.equal(packed.x, data.x[:, sizes["num_node_attributes"] :])
    assert torch.equal(packed.graph_ptr, slices["x"])
    assert torch.equal(packed.y, data.y)
    start = packed.graph_ptr[:-1].repeat_interleave(slices["edge_index"].diff())
    source, target = data.edge_index + start
    order = (target * len(packed.x) + source).argsort()
    assert torch.equal(packed.edge_index, torch.stack([source[order], target[order]]))
