"""Relations: told apart by RGCN, in one graph and in packed batches, under every scheme."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch_geometric.nn import RGCNConv

from lorap_bench.config import ModelConfig, OptimConfig, PromptConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.cost import TaskShape
from lorap_bench.errors import ConfigError
from lorap_bench.kernels.features import Features
from lorap_bench.models import blueprint, build_store, shape_of
from lorap_bench.models.hooks import Conv
from lorap_bench.models.saved.load import SavedModel
from lorap_bench.testing import graph_task, node_task, relational, renumbered
from lorap_bench.testing.comparison import assert_same, exact_logits, off_the_ties, some_order
from lorap_bench.testing.watch import node_state
from lorap_bench.train import Cohort, Member, fit
from lorap_bench.train.feed import make_feed

if TYPE_CHECKING:
    from torch import Tensor

    from lorap_bench.data.task import GraphTask
    from lorap_bench.kernels import Csr
    from lorap_bench.models import GraphBatch, Network

RELATIONS = 3
TASKS = {"node": relational(node_task(), RELATIONS), "graph": relational(graph_task(), RELATIONS)}
SCHEMES: dict[str, dict[str, Any]] = {
    "FP32": {},
    "QAT": {"messages": True},
    "DegreeQuant": {"messages": True, "p_min": 0.3, "p_max": 0.6},
    "A2Q": {"sites": "all", "groups": 9},
    "MixQ": {"sites": "all", "search_epochs": 1, "protect": True},
}


def configured(scheme: str = "QAT", prompt: str = "LoRAP", **quant: Any) -> TrialConfig:
    return TrialConfig(
        task=TaskConfig(batch_size=16),
        model=ModelConfig(arch="RGCN", hidden=8, dropout=0.2),
        quant=QuantConfig(scheme=scheme, **SCHEMES[scheme] | quant),
        prompt=PromptConfig(kind=prompt, count=4, rank=2),
        optim=OptimConfig(epochs=2, lr=0.02),
    )


def built(task: GraphTask, config: TrialConfig) -> tuple[Network, GraphBatch]:
    """Return a network of two members at its last stage, and the batch it was calibrated on."""
    cohort = Cohort([Member(config, seed) for seed in (0, 1)], shape_of(task))
    batch = make_feed(task, cohort.plan).store.whole
    cohort.network.calibrate(batch)
    cohort.network.begin(cohort.plan.stages[-1][0], batch)
    return cohort.network, batch


def first(network: Network) -> Conv:
    conv = network.convs[0]
    assert isinstance(conv, Conv)
    return conv


def test_relations_sum_as_pygs() -> None:
    task = TASKS["node"]
    assert task.edge_type is not None
    network, batch = built(task, configured("FP32", "None"))
    conv = first(network)
    peer = RGCNConv(12, 8, RELATIONS)
    out = conv(Features(task.x.unsqueeze(0)), batch)
    for member in range(2):
        p = {name: value.detach()[member] for name, value in conv.named_parameters()}
        peer.weight.data = torch.stack([p[f"weight{relation}"] for relation in range(RELATIONS)])
        peer.root.data, peer.bias.data = p["root_weight"], p["bias"][0]
        torch.testing.assert_close(out[member], peer(task.x, task.edge_index, task.edge_type.long()))


def test_one_relation_by_name_is_one_without_a_name() -> None:
    plain = node_task()
    named = replace(plain, edge_type=torch.zeros(plain.edge_index.shape[1], dtype=torch.int8))
    members = [Member(configured("QAT"), seed) for seed in (0, 1)]
    assert_same(fit(plain, members), fit(named, members), (1, 1), "a name")


def matrix(pattern: Csr, values: Tensor) -> Tensor:
    out = torch.zeros(pattern.shape)
    out[pattern.row, pattern.col.long()] = values
    return out


@pytest.mark.parametrize("chosen", [[5, 2, 7], list(range(48))])
def test_a_packed_batch_keeps_the_relations_of_its_edges(chosen: list[int]) -> None:
    task = TASKS["graph"]
    store = build_store(task, self_loops=False, normalized=False, relational=True)
    batch, whole = store.batch(torch.tensor(chosen)), store.whole
    assert whole.relations is not None
    assert batch.relations is not None
    assert whole.norm is not None
    assert batch.norm is not None
    nodes = torch.cat([torch.arange(int(task.graph_ptr[g]), int(task.graph_ptr[g + 1])) for g in chosen])
    columns = (nodes.unsqueeze(1) * RELATIONS + torch.arange(RELATIONS)).flatten()
    part = matrix(batch.relations, batch.norm[0])
    assert torch.equal(part, matrix(whole.relations, whole.norm[0])[nodes][:, columns])
    turned = torch.repeat_interleave(torch.arange(columns.numel()), batch.relations.t_rowptr.diff())
    back = torch.zeros(part.shape)
    back[batch.relations.t_col.long(), turned] = batch.norm[0][batch.relations.t_perm]
    assert torch.equal(back, part)
    shares = part.unflatten(1, (-1, RELATIONS)).sum(1)  # of each relation a mean, where there are neighbours
    torch.testing.assert_close(shares, (shares > 0).float())


def test_other_architectures_take_all_relations_for_one() -> None:
    store = build_store(TASKS["node"], self_loops=True, normalized=True)
    assert store.whole.relations is None


@pytest.mark.parametrize("level", TASKS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_trains_members_apart(scheme: str, level: str) -> None:
    task, members = TASKS[level], [Member(configured(scheme), seed) for seed in (3, 7)]
    together = fit(task, members)
    assert_same(fit(task, members[1:]), together, (0, 1), "company")
    assert len(together.alive) == 2


@pytest.mark.parametrize("scheme", ["QAT", "A2Q"])
def test_renumbering_the_nodes_renumbers_the_outputs(scheme: str) -> None:
    task = TASKS["node"]
    order = some_order(task)
    cohort = fit(task, [Member(configured(scheme, messages=False), seed) for seed in (0, 1)]).cohort
    state = off_the_ties(cohort.network.state_dict())
    by_node = node_state(cohort.network, order.numel())
    moved = {name: value[:, order] if name in by_node else value for name, value in state.items()}
    logits = exact_logits(cohort, task, state)[:, order]
    torch.testing.assert_close(exact_logits(cohort, renumbered(task, order), moved), logits, rtol=1e-6, atol=1e-9)


def test_messages_of_protected_nodes_pass_unchanged_along_every_relation() -> None:
    network, batch = built(TASKS["node"], configured("DegreeQuant", "None", bits=3, p_min=0.5, p_max=0.5))
    seen = []
    hook = first(network).quantizer("message").register_forward_hook(lambda _, given, out: seen.append((given[0], out)))
    network.train()(network.prepare(batch))
    hook.remove()
    [(before, after)] = seen
    assert network.context.protected is not None
    spared = network.context.protected.index_select(1, batch.pattern.col.long())
    assert torch.equal(before[spared], after[spared])
    assert not torch.equal(before[~spared], after[~spared])


def test_fused_messages_spare_whom_those_formed_one_by_one_spare() -> None:
    outputs = []
    for watched in (False, True):
        network, batch = built(TASKS["node"], configured("DegreeQuant", "None", bits=3, p_min=0.5, p_max=0.5))
        if watched:
            for conv in network.convs:
                assert isinstance(conv, Conv)
                conv.quantizer("message").register_forward_hook(lambda *_: None)
        outputs.append(network.train()(network.prepare(batch)))
    torch.testing.assert_close(*outputs, rtol=1e-4, atol=1e-4)


def test_costs_by_hand() -> None:
    shape = TaskShape(name="t", level="node", nodes=10, edges=30, features=6, classes=3, binary=False, relations=4)
    config = replace(
        configured("QAT", "None", messages=False, layer_bits={"0": 8}, bits=4), model=ModelConfig(arch="RGCN", hidden=5)
    )
    plan = blueprint(config, shape)
    sites = {site.name: site.elements for site in plan.ledger.sites}
    weights = [f"layers.0.relations.{relation}.weight" for relation in range(4)]
    assert [sites[name] for name in weights] == [30] * 4
    assert (sites["layers.0.feature"], sites["layers.0.norm"], sites["layers.0.aggregate"]) == (200, 30, 50)
    assert plan.costs["parameters"] == 5 * 6 * 5 + 5 + 5 * 5 * 3 + 3
    first_layer = 30 + 5 * 10 * 6 * 5 + 2 * 30 * 5 + 10 * 5
    second_layer = 5 * 10 * 5 * 3 + 2 * 30 * 3 + 10 * 3
    between = 2 * 10 * 5
    assert plan.costs["operations"] == first_layer + second_layer + between
    normalize = 30 * 32
    assert plan.costs["bit_operations"] == normalize + 8 * (first_layer - 30 + between) + 4 * second_layer


def test_a_model_reads_graphs_of_its_relations_only() -> None:
    fitted = fit(TASKS["node"], [Member(configured("FP32", "None"), 0)])
    saved = SavedModel(fitted.cohort.plan, 0, fitted.cohort.network.eval(), {})
    assert saved.predict(TASKS["node"]).shape == (60, 3)
    with pytest.raises(ConfigError, match=r"task\.relations.*got 1; allowed: 3"):
        saved.predict(node_task())
