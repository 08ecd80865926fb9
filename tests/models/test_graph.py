"""Patterns, normalisation and packed batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch_geometric.nn.conv.gcn_conv import gcn_norm

from lorap_bench.models.graph import GraphBatch, build_store
from lorap_bench.testing import graph_task, node_task

if TYPE_CHECKING:
    from lorap_bench.kernels import Csr


def dense(pattern: Csr, values: torch.Tensor | None = None) -> torch.Tensor:
    out = torch.zeros(pattern.shape)
    out[pattern.row, pattern.col.long()] = 1.0 if values is None else values
    return out


def transposed(pattern: Csr) -> torch.Tensor:
    columns = torch.repeat_interleave(torch.arange(pattern.shape[1]), pattern.t_rowptr.diff())
    out = torch.zeros(pattern.shape[1], pattern.shape[0])
    out[columns, pattern.t_col.long()] = 1.0
    return out


def check_transpose(pattern: Csr) -> None:
    assert torch.equal(transposed(pattern), dense(pattern).T)
    marks = torch.arange(1.0, pattern.entries + 1)
    columns = torch.repeat_interleave(torch.arange(pattern.shape[1]), pattern.t_rowptr.diff())
    turned = torch.zeros(pattern.shape[1], pattern.shape[0])
    turned[columns, pattern.t_col.long()] = marks[pattern.t_perm]
    assert torch.equal(turned, dense(pattern, marks).T)


def test_normalised_adjacency_equals_pyg() -> None:
    task = node_task()
    store = build_store(task, self_loops=True, normalized=True)
    index, weight = gcn_norm(task.edge_index, num_nodes=60, add_self_loops=True)
    expected = torch.zeros(60, 60)
    expected[index[1], index[0]] = weight
    assert store.whole.norm is not None
    torch.testing.assert_close(dense(store.whole.pattern, store.whole.norm[0]), expected)
    check_transpose(store.whole.pattern)


def test_a_directed_graph_keeps_its_direction() -> None:
    task = node_task()
    one_way = task.edge_index[:, task.edge_index[0] < task.edge_index[1]]
    directed = type(task)(**{name: getattr(task, name) for name in task.__slots__} | {"edge_index": one_way})
    pattern = build_store(directed, self_loops=False, normalized=False).whole.pattern
    assert dense(pattern).triu().count_nonzero() == 0
    check_transpose(pattern)


@pytest.mark.parametrize("chosen", [[0], [5, 2, 7], list(range(48))])
def test_a_packed_batch_is_the_graphs_in_that_order(chosen: list[int]) -> None:
    task = graph_task()
    store = build_store(task, self_loops=True, normalized=True)
    batch = store.batch(torch.tensor(chosen))
    assert store.whole.norm is not None
    assert batch.norm is not None
    whole, part = dense(store.whole.pattern, store.whole.norm[0]), dense(batch.pattern, batch.norm[0])
    nodes = torch.cat([torch.arange(int(task.graph_ptr[g]), int(task.graph_ptr[g + 1])) for g in chosen])
    assert torch.equal(part, whole[nodes][:, nodes])
    assert torch.equal(batch.features.values[0], task.x[nodes])
    check_transpose(batch.pattern)
    check_pooling(batch, [int(task.graph_ptr[g + 1] - task.graph_ptr[g]) for g in chosen])


def check_pooling(batch: GraphBatch, sizes: list[int]) -> None:
    assert batch.sizes.flatten().tolist() == sizes
    assert dense(batch.pool).sum(1).tolist() == sizes
    assert torch.equal(dense(batch.pool).sum(0), torch.ones(sum(sizes)))
    check_transpose(batch.pool)
