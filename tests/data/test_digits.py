from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_digits

from lorap_bench.data.digits import digits, pixel_graph


def test_pixels_are_nodes_in_reading_order() -> None:
    image = np.zeros((8, 8))
    image[0, 7], image[7, 0] = 16, 4
    features, edges = pixel_graph(image)
    assert features.tolist() == [[1.0, 0.0, 1.0], [0.25, 1.0, 0.0]]
    assert edges.shape == (2, 0)


def test_a_full_image_has_every_neighbour_pair_once() -> None:
    features, edges = pixel_graph(np.ones((8, 8)))
    # Per direction: 8·7 to the right, 7·8 down, 7·7 on each diagonal.
    assert features.shape == (64, 3)
    assert edges.shape == (2, 56 + 56 + 49 + 49)
    rows, columns = np.divmod(edges, 8)
    assert np.abs(np.diff(rows, axis=0)).max() == np.abs(np.diff(columns, axis=0)).max() == 1
    assert len({frozenset(pair) for pair in edges.T.tolist()}) == edges.shape[1]


def test_counts_are_those_of_the_images() -> None:
    images, labels = load_digits(return_X_y=True)
    task = digits()
    assert (task.name, task.level, task.classes) == ("Digits", "graph", 10)
    assert task.x.shape == (int((images > 0).sum()), 3) == (58736, 3)
    assert task.graph_ptr.diff().tolist() == (images > 0).sum(axis=1).tolist()
    assert task.y.tolist() == labels.tolist()
    assert float(task.x.min()) == 0.0
    assert float(task.x.max()) == 1.0
    # The intensities of a graph add up to its image's.
    graph = torch.repeat_interleave(task.graph_ptr.diff())
    sums = torch.zeros(len(labels)).index_add_(0, graph, task.x[:, 0])
    assert torch.equal(sums, torch.from_numpy(images.sum(axis=1) / 16).float())


def test_edges_keep_the_contract() -> None:
    task = digits()
    source, target = task.edge_index
    keys = target * len(task.x) + source
    assert bool((keys.diff() > 0).all())
    assert torch.equal((source * len(task.x) + target).sort().values, keys)
    graph = torch.repeat_interleave(task.graph_ptr.diff())
    assert torch.equal(graph[source], graph[target])
    assert task.edge_index.dtype == task.graph_ptr.dtype == task.y.dtype == torch.int64


def test_splits_are_stratified_and_part_the_graphs() -> None:
    task = digits()
    assert {name: len(index) for name, index in task.splits.items()} == {"train": 1200, "val": 200, "test": 397}
    assert torch.equal(torch.cat(list(task.splits.values())).sort().values, torch.arange(1797))
    whole = task.y.bincount() / 1797
    for index in task.splits.values():
        assert torch.equal(index, index.sort().values)
        assert float((task.y[index].bincount() - whole * len(index)).abs().max()) <= 1.5


def test_another_call_gives_the_same_task() -> None:
    first = digits()
    digits.cache_clear()
    again = digits()
    assert first is not again
    assert torch.equal(first.x, again.x)
    assert torch.equal(first.edge_index, again.edge_index)
    assert all(torch.equal(first.splits[name], again.splits[name]) for name in first.splits)
