"""Induced subgraphs: the edges between some nodes, and what each node brings from the whole graph."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pytest
import torch

from lorap_bench.data.task import GraphTask
from lorap_bench.kernels.backend import use
from lorap_bench.kernels.csr import Csr, csr_from_coo
from lorap_bench.models.graph import build_store
from lorap_bench.models.subgraph import induced
from lorap_bench.testing import node_task, relational, sparse_task

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKENDS = ("reference", "native")

# 0 → 1 → 2 → 3 → 4, 0 → 2, 4 → 0 (source → target); sorted by target, then source.
PATH = GraphTask(
    name="path",
    level="node",
    x=torch.arange(10.0).view(5, 2),
    edge_index=torch.tensor([[4, 0, 0, 1, 2, 3], [0, 1, 2, 2, 3, 4]]),
    graph_ptr=torch.tensor([0, 5]),
    y=torch.zeros(5, dtype=torch.int64),
    splits={"train": torch.tensor([0]), "val": torch.tensor([1])},
    classes=2,
)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.param == "native":
        pytest.importorskip("numba", reason="the native backend needs numba")
    with use(request.param):
        yield


def same(ours: Csr, theirs: Csr) -> bool:
    return all(torch.equal(getattr(ours, each.name), getattr(theirs, each.name)) for each in fields(Csr))


@pytest.mark.usefixtures("backend")
def test_a_batch_has_the_edges_between_its_nodes_under_new_numbers() -> None:
    store = build_store(PATH, self_loops=False, normalized=False)
    batch = induced(store.whole, torch.tensor([0, 2, 3]))
    # Of the six edges 0 → 2 and 2 → 3 stay: rows are targets.
    assert batch.pattern.rowptr.tolist() == [0, 0, 1, 2]
    assert batch.pattern.col.tolist() == [0, 1]
    assert batch.pattern.row.tolist() == [1, 2]
    assert torch.equal(batch.features.values[0], PATH.x[[0, 2, 3]])
    assert batch.sizes.tolist() == [[3.0]]
    assert batch.nodes is not None
    assert batch.nodes.tolist() == [0, 2, 3]


@pytest.mark.usefixtures("backend")
def test_weights_and_ranks_stay_those_of_the_whole_graph() -> None:
    store = build_store(PATH, self_loops=True, normalized=True)
    batch = induced(store.whole, torch.tensor([0, 2, 3]))
    # In-degrees with loops are 2, 2, 3, 2, 2: (0,0), (0→2), (2,2), (2→3), (3,3).
    assert batch.norm is not None
    expected = torch.tensor([[1 / 2, 6**-0.5, 1 / 3, 6**-0.5, 1 / 2]])
    assert torch.allclose(batch.norm, expected)
    assert batch.ranks.tolist() == pytest.approx([4 / 5, 1.0, 4 / 5])


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("task", [node_task(), sparse_task(), PATH], ids=["dense", "sparse", "directed"])
def test_a_part_is_what_its_coordinates_build(task: GraphTask) -> None:
    whole = build_store(task, self_loops=True, normalized=True).whole
    nodes = torch.arange(len(task.x))[::2]
    batch = induced(whole, nodes)
    place = torch.full((len(task.x),), -1)
    place[nodes] = torch.arange(nodes.numel())
    row, col = place[whole.pattern.row], place[whole.pattern.col.long()]
    inside = (row >= 0) & (col >= 0)
    expected, _ = csr_from_coo(row[inside], col[inside], (nodes.numel(), nodes.numel()))
    assert same(batch.pattern, expected)
    assert whole.norm is not None
    assert batch.norm is not None
    assert torch.equal(batch.norm, whole.norm[:, inside])
    assert torch.equal(batch.features.dense()[0], task.x[nodes])


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("task", [node_task(), sparse_task()], ids=["dense", "sparse"])
def test_all_nodes_are_the_graph(task: GraphTask) -> None:
    whole = build_store(task, self_loops=True, normalized=True).whole
    batch = induced(whole, torch.arange(len(task.x)))
    assert same(batch.pattern, whole.pattern)
    assert torch.equal(batch.features.values, whole.features.values)
    if whole.features.pattern is not None:
        assert batch.features.pattern is not None
        assert same(batch.features.pattern, whole.features.pattern)


@pytest.mark.usefixtures("backend")
def test_nodes_without_an_edge_between_them_are_a_batch() -> None:
    batch = induced(build_store(PATH, self_loops=False, normalized=False).whole, torch.tensor([1, 4]))
    assert batch.pattern.entries == 0
    assert batch.pattern.shape == (2, 2)


@pytest.mark.usefixtures("backend")
def test_the_edges_that_stay_keep_their_relations_and_weights() -> None:
    whole = build_store(relational(node_task()), self_loops=False, normalized=False, relational=True).whole
    nodes = torch.arange(0, 60, 3)
    batch = induced(whole, nodes)
    assert whole.relations is not None
    assert whole.norm is not None
    assert batch.relations is not None
    assert batch.norm is not None
    columns = (nodes.unsqueeze(1) * 3 + torch.arange(3)).flatten()
    assert torch.equal(dense(batch.relations, batch.norm[0]), dense(whole.relations, whole.norm[0])[nodes][:, columns])
    assert torch.equal(batch.relations.row, batch.pattern.row)  # entry by entry the edges of the pattern
    assert torch.equal(batch.relations.col // 3, batch.pattern.col)


def dense(pattern: Csr, values: torch.Tensor) -> torch.Tensor:
    out = torch.zeros(pattern.shape)
    out[pattern.row, pattern.col.long()] = values
    return out
