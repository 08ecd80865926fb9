"""Degree-Quant's protection: its probabilities, its draws, and what it spares."""

from __future__ import annotations

import functools
import math
import operator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from lorap_bench.config import ModelConfig, QuantConfig, TrialConfig
from lorap_bench.kernels import Draws
from lorap_bench.models.blueprint import blueprint, shape_of
from lorap_bench.models.graph import GraphBatch, build_store, degree_ranks
from lorap_bench.models.network import Network
from lorap_bench.quant import Protection
from lorap_bench.testing import graph_task, node_task
from lorap_bench.train.feed import make_feed
from tests.quant.sites import context

if TYPE_CHECKING:
    from lorap_bench.data.task import GraphTask

DQ = QuantConfig(scheme="DegreeQuant", bits=4)


def brute_force(degrees: list[int]) -> list[float]:
    """Return the share of the graph's nodes whose degree is no greater, node by node."""
    return [sum(other <= degree for other in degrees) / len(degrees) for degree in degrees]


def test_ranks_count_the_nodes_of_no_greater_degree_and_ties_share_theirs() -> None:
    graphs = [[3, 1, 1, 0, 3, 7], [5], [2, 2, 2], [0, 9]]
    sizes = torch.tensor([len(graph) for graph in graphs])
    pointers = torch.cat([torch.zeros(1, dtype=torch.int64), sizes.cumsum(0)])
    owner = torch.repeat_interleave(torch.arange(len(graphs)), sizes)
    ranks = degree_ranks(torch.tensor(functools.reduce(operator.iadd, graphs, [])), owner, pointers)
    torch.testing.assert_close(ranks, torch.tensor([rank for graph in graphs for rank in brute_force(graph)]))


def test_each_graph_of_a_batch_has_ranks_of_its_own() -> None:
    task = graph_task()
    batch = build_store(task, self_loops=False, normalized=False).batch(torch.tensor([7, 0, 21]))
    degrees, start, expected = batch.pattern.rowptr.diff().tolist(), 0, list[float]()
    for size in batch.sizes.long().flatten().tolist():
        expected += brute_force(degrees[start : start + size])
        start += size
    torch.testing.assert_close(batch.ranks, torch.tensor(expected))


def test_self_loops_do_not_change_the_ranks() -> None:
    task = node_task()
    with_loops, without = (build_store(task, self_loops=loops, normalized=False).whole for loops in (True, False))
    assert torch.equal(with_loops.ranks, without.ranks)


def test_nodes_are_protected_as_often_as_the_formula_says() -> None:
    configs = (replace(DQ, p_min=0.1, p_max=0.3), replace(DQ, p_min=0.0, p_max=0.5))
    protection, draws, ranks = Protection(configs), Draws([3, 4]), torch.tensor([0.25, 0.5, 0.5, 1.0])
    steps, counts = 4000, torch.zeros(2, 4)
    for draws.step in range(steps):
        counts += protection(ranks, draws)
    expected = torch.tensor([[0.15, 0.2, 0.2, 0.3], [0.125, 0.25, 0.25, 0.5]])
    bound = 4.5 * (expected * (1 - expected) / steps).sqrt()
    assert ((counts / steps - expected).abs() < bound).all()


def test_draws_of_two_nodes_two_steps_and_two_seeds_are_independent() -> None:
    protection, draws, ranks = Protection((replace(DQ, p_max=1.0),) * 2), Draws([1, 2]), torch.full((2000,), 0.5)
    first = protection(ranks, draws)
    draws.step = 1
    second = protection(ranks, draws)
    for one, other in ((first[0], first[1]), (first[0], second[0]), (first[0, :-1], first[0, 1:])):
        both = (one & other).double().mean().item()
        assert abs(both - 0.25) < 4.5 * math.sqrt(0.25 * 0.75 / 2000)
    draws.step = 0
    assert torch.equal(protection(ranks, draws), first)


def test_probability_zero_protects_none_and_one_all() -> None:
    protection = Protection((replace(DQ, p_min=0.0, p_max=0.0), replace(DQ, p_min=1.0, p_max=1.0)))
    mask = protection(torch.rand(50_000, generator=torch.Generator().manual_seed(0)), Draws([0, 0]))
    assert not mask[0].any()
    assert mask[1].all()


def test_an_edge_is_protected_with_its_source() -> None:
    at = context()
    at.protected, at.source = torch.tensor([[True, False, False]]), torch.tensor([0, 2, 0, 1])
    edges = at.protected_rows("edge")
    assert edges is not None
    assert edges.tolist() == [[True, False, True, False]]
    assert at.protected_rows("node") is at.protected
    assert at.protected_rows("graph") is None
    assert at.protected_rows("none") is None


def sparse_task() -> GraphTask:
    """Return a task whose raw features are wide and mostly empty, and of many values."""
    generator = torch.Generator().manual_seed(5)
    x = torch.rand(60, 100, generator=generator)
    return replace(node_task(), x=torch.where(torch.rand(60, 100, generator=generator) < 0.05, x, 0.0), name="sparse")


def trained(task: GraphTask, *, arch: str = "GCN", **quant: object) -> tuple[Network, GraphBatch]:
    """Return a network of two members, calibrated, and the task's whole graph."""
    config = TrialConfig(
        model=ModelConfig(arch=arch, dropout=0.0),
        quant=replace(DQ, **quant),  # type: ignore[arg-type]  # keyword arguments of mixed types
    )
    plan = blueprint(config, shape_of(task))
    network = Network(plan, [config, config], Draws([1, 2]))
    for parameter in network.parameters():
        torch.nn.init.uniform_(parameter, -0.5, 0.5, generator=torch.Generator().manual_seed(0))
    batch = make_feed(task, plan).store.whole
    network.calibrate(batch)
    return network, batch


@pytest.mark.parametrize("sparse", [False, True])
def test_protected_nodes_keep_their_raw_features(sparse: bool) -> None:
    network, batch = trained(sparse_task() if sparse else node_task(), p_min=0.2, p_max=0.8)
    assert (batch.features.pattern is not None) == sparse
    raw, constants = batch.features.dense(), network.prepare(batch)
    network.train()(constants)
    mask = network.context.protected
    assert mask is not None
    assert 0 < mask.sum() < mask.numel()
    entered = network._inputs(constants[0])
    assert not isinstance(entered, torch.Tensor)
    dense = entered.dense()
    assert torch.equal(dense[mask], raw.expand_as(dense)[mask])
    quantized = constants[0].features.dense()
    assert torch.equal(dense[~mask], quantized.expand_as(dense)[~mask])
    assert not torch.equal(quantized, raw.expand_as(quantized))


def test_messages_of_protected_sources_pass_unchanged() -> None:
    network, batch = trained(node_task(), p_min=0.5, p_max=0.5, messages=True)
    seen = []
    quantizer = network.convs[0].quantizer("message")  # type: ignore[operator]  # ModuleList forgets its items' type
    quantizer.register_forward_hook(lambda _, given, out: seen.append((given[0], out)))
    network.train()(network.prepare(batch))
    [(before, after)] = seen
    mask = network.context.protected
    assert mask is not None
    spared = mask.index_select(1, batch.pattern.col.long())
    assert torch.equal(before[spared], after[spared])
    assert (before[~spared] != after[~spared]).any(1).float().mean() > 0.9


@pytest.mark.parametrize("arch", ["GCN", "GIN", "GAT", "SAGE", "RGCN"])
def test_evaluation_protects_nobody_and_all_protected_is_full_precision_but_for_weights(arch: str) -> None:
    network, batch = trained(node_task(), arch=arch, p_min=1.0, p_max=1.0, component_bits={"weight": 8})
    network.train()(network.prepare(batch))
    assert network.context.protected is not None
    assert network.context.protected.all()
    ranges = [value for name, value in network.named_buffers() if name.endswith(("range_low", "range_high"))]
    node_sites = [value for value in ranges if not value.any()]
    assert node_sites  # nothing was seen, so nothing was remembered
    network.eval()(network.prepare(batch))
    assert network.context.protected is None
