from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from lorap_bench.data.one_graph import one_graph

X, EDGES, LABELS = np.eye(3), np.array([[0, 1], [1, 0], [2, 2], [1, 2]]), np.array([0, 1, 0])


def test_edges_come_in_both_directions() -> None:
    packed = one_graph(X, EDGES, LABELS, {})
    assert packed.edge_index.tolist() == [[1, 0, 2, 1], [0, 1, 1, 2]]
    assert packed.graph_ptr.tolist() == [0, 3]
    assert (packed.x.dtype, packed.y.dtype) == (torch.float32, torch.int64)


def test_a_graph_without_edges() -> None:
    assert one_graph(X, np.zeros((0, 2), dtype=np.int64), LABELS, {}).edge_index.shape == (2, 0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x": np.zeros(3)}, r"the features are \[3\] instead of a row a node"),
        ({"x": np.zeros((0, 3))}, r"the features are \[0, 3\]"),
        ({"x": np.array([[0.0], [np.nan], [1.0]])}, "a feature is not a finite number"),
        ({"labels": np.array([0, 1])}, r"the labels are \[2\] int64 for 3 nodes"),
        ({"labels": np.array([0.0, 1.0, 1.0])}, r"the labels are \[3\] float64"),
        ({"labels": np.array([0, -1, 1])}, "a label is -1"),
        ({"edges": np.array([[0, 3]])}, "not between two of the 3 nodes"),
        ({"edges": np.array([[0, -1]])}, "not between two of the 3 nodes"),
        ({"edges": np.array([[0, 1, 2]])}, r"the edges are \[1, 3\] int64"),
        ({"edges": np.array([[0.0, 1.0]])}, r"the edges are \[1, 2\] float64"),
    ],
)
def test_arrays_that_do_not_fit(changed: dict[str, Any], message: str) -> None:
    arrays = {"x": X, "edges": EDGES, "labels": LABELS, **changed}
    with pytest.raises(ValueError, match=message):
        one_graph(arrays["x"], arrays["edges"], arrays["labels"], {})
