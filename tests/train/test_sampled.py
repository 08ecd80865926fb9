"""Training on batches of a graph: what it is when the batch is the graph, and what stays as it is when it is not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from lorap_bench.config import ModelConfig, OptimConfig, PromptConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.models import blueprint, shape_of
from lorap_bench.models.sampling import passes_whole
from lorap_bench.prompts import PROMPTS
from lorap_bench.quant import SCHEMES
from lorap_bench.record import Status
from lorap_bench.testing import node_task, relational, sparse_task, value_task
from lorap_bench.train import Member, fit, run_trial
from lorap_bench.train.cohort import Cohort
from lorap_bench.train.feed import SampledGraph, make_feed
from lorap_bench.train.loop import Passes
from lorap_bench.train.memory import member_bytes

if TYPE_CHECKING:
    from lorap_bench.data.task import GraphTask
    from lorap_bench.train.loop import Fitted

TASKS = {"dense": node_task(), "sparse": sparse_task()}
RELATIONS = relational(value_task("node"))
WHOLE, ONE_PART = TaskConfig(sampling="whole"), TaskConfig(sampling="clusters", parts=1, joined=1)
CLUSTERS = TaskConfig(sampling="clusters", parts=6, joined=2)
NODES = TaskConfig(sampling="nodes", batch_size=8, fan_outs=[2, 1])
BASE = TrialConfig(model=ModelConfig(hidden=8), optim=OptimConfig(epochs=3))


def configure(task: TaskConfig, scheme: str = "QAT", prompt: str = "None", **model: Any) -> TrialConfig:
    quant = QuantConfig(scheme=scheme, bits=4, search_epochs=2, pretrain_epochs=2, p_max=0.5)
    prompted = PromptConfig(kind=prompt, count=4, rank=2)
    return replace(BASE, task=task, quant=quant, prompt=prompted, model=replace(BASE.model, **model))


def trained(config: TrialConfig, graphs: GraphTask = TASKS["dense"], seeds: tuple[int, ...] = (0, 1)) -> Fitted:
    return fit(graphs, [Member(config, seed) for seed in seeds], split="test")


def figures(fitted: Fitted) -> list[Any]:
    """Return all that is known of each member, but who they are."""
    members = [(one.train_loss, one.val_loss, one.val_metric, one.test) for one in fitted.trainees]
    return [*members, [(one.bits, one.row_bits, one.aggregation_error) for one in fitted.measured]]


def passes(config: TrialConfig, graphs: GraphTask = TASKS["dense"]) -> Passes:
    cohort = Cohort([Member(config, seed) for seed in (0, 1)], shape_of(graphs))
    run = Passes(cohort, make_feed(graphs, cohort.plan))
    run.begin(cohort.plan.stages[-1][0], 0)
    return run


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
@pytest.mark.parametrize("kind", sorted(TASKS))
def test_one_part_is_the_whole_graph_bit_for_bit(kind: str, scheme: str) -> None:
    whole, one = (trained(configure(task, scheme, "GPFLoRAP"), TASKS[kind]) for task in (WHOLE, ONE_PART))
    assert figures(whole) == figures(one)


@pytest.mark.parametrize(("arch", "scheme"), [("RGCN", "DegreeQuant"), ("RGCN", "A2Q"), ("GAT", "QAT")])
def test_one_part_is_the_whole_graph_with_relations_values_and_residuals(arch: str, scheme: str) -> None:
    model: dict[str, Any] = {"arch": arch, "heads": 2, "layers": 3, "residual": True}
    whole, one = (
        trained(configure(task, scheme, "GPFLoRAP", **model), RELATIONS, seeds=(0,)) for task in (WHOLE, ONE_PART)
    )
    assert figures(whole) == figures(one)
    assert whole.trainees[0].val_metric == whole.trainees[0].val_loss


@pytest.mark.parametrize("prompt", sorted(PROMPTS))
@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_every_scheme_and_prompt_trains_on_clusters(scheme: str, prompt: str) -> None:
    config = configure(CLUSTERS, scheme, prompt)
    run = passes(config)
    before = {name: value.detach().clone() for name, value in run.cohort.network.named_parameters()}
    losses = torch.stack([run.train(epoch) for epoch in range(3)])
    assert losses.isfinite().all()
    moved = {name for name, value in run.cohort.network.named_parameters() if not torch.equal(value, before[name])}
    # MixQ chooses in a stage of its own, and a 1-bit zero point is fixed.
    still = {name for name in set(before) - moved if not name.endswith(("choice", "zero"))}
    assert not still


@pytest.mark.slow
@pytest.mark.parametrize("task", [CLUSTERS, NODES], ids=["clusters", "nodes"])
@pytest.mark.parametrize("prompt", sorted(PROMPTS))
@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_every_scheme_and_prompt_learns_on_batches(scheme: str, prompt: str, task: TaskConfig) -> None:
    config = configure(task, scheme, prompt, dropout=0.2)
    config = replace(config, optim=OptimConfig(epochs=30, lr=0.02), quant=replace(config.quant, bits=8, momentum=0.3))
    fitted = trained(config, seeds=(0, 1))
    values = [one.val for one in fitted.trainees if one.val is not None]
    assert sum(values) / 2 > 1 / 3 + 0.15


@pytest.mark.parametrize("arch", ["GIN", "GAT", "SAGE"])
def test_every_architecture_trains_on_batches(arch: str) -> None:
    (only,) = trained(configure(CLUSTERS, "A2Q", "LoRAP", arch=arch, heads=2, batch_norm=True), seeds=(0,)).trainees
    assert only.val is not None
    assert not only.diverged


@pytest.mark.parametrize("task", [CLUSTERS, NODES], ids=["clusters", "nodes"])
@pytest.mark.parametrize("scheme", ["A2Q", "DegreeQuant"])
def test_members_are_independent_and_runs_repeat(scheme: str, task: TaskConfig) -> None:
    config = configure(task, scheme, "LoRAP")
    together, alone = trained(config, seeds=(0, 1, 2)), trained(config, seeds=(1,))
    assert figures(together)[1] == figures(alone)[0]
    assert figures(together) == figures(trained(config, seeds=(0, 1, 2)))


@pytest.mark.parametrize(("scheme", "task"), [("DegreeQuant", CLUSTERS), ("A2Q", NODES)])
def test_who_stays_when_another_leaves_keeps_its_bits_and_its_plateaus(scheme: str, task: TaskConfig) -> None:
    config = configure(task, scheme, "LoRAP", arch="RGCN")
    optims = [OptimConfig(epochs=3, lr=lr, plateau=plateau) for lr, plateau in ((0.1, 1), (float("inf"), 1), (0.1, 2))]
    members = [Member(replace(config, optim=optim), seed) for seed, optim in enumerate(optims)]
    together = fit(RELATIONS, members, split="test")
    assert [one.diverged for one in together.trainees] == [False, True, False]
    alone = figures(fit(RELATIONS, members[2:], split="test"))
    assert alone == [figures(together)[2], figures(together)[-1][1:]]


def by_node(run: Passes) -> dict[str, torch.Tensor]:
    """Return what A²Q learns for each node: ``[S, N, 1]`` each."""
    named = run.cohort.network.named_parameters()
    found = {name: value.detach().clone() for name, value in named if value.dim() == 3 and value.shape[1] == 60}
    assert found
    return found


def test_a_step_moves_what_its_nodes_learned_and_nothing_of_the_others() -> None:
    """The price pulls at every node's width, in and out of the batch; only those in it may follow."""
    config = configure(CLUSTERS, "A2Q")
    run = passes(replace(config, quant=replace(config.quant, memory_target=0.001)))
    run.train(0)
    before, moments = by_node(run), [flat.adam.first.clone() for flat in run.cohort._flats]
    portion = next(iter(run.feed.train(1)))
    run.cohort.network.train()
    run._learn(portion)
    assert portion.batch.nodes is not None
    outside = torch.ones(60, dtype=torch.bool)
    outside[portion.batch.nodes] = False
    for name, value in by_node(run).items():
        assert torch.equal(value[:, outside], before[name][:, outside])
        assert not torch.equal(value[:, ~outside], before[name][:, ~outside])
    for flat, old in zip(run.cohort._flats, moments, strict=True):
        if any(flat.by_node):
            stays = outside.repeat(len(flat.parameters))
            assert torch.equal(flat.adam.first[:, stays], old[:, stays])
            assert not torch.equal(flat.adam.first[:, ~stays], old[:, ~stays])


def test_a_node_s_first_visit_is_adam_s_first_step() -> None:
    """A first step has the length of the learning rate, however many batches came before the node's own."""
    run = passes(configure(CLUSTERS, "A2Q"))
    before = by_node(run)
    run.train(0)
    moved = 0
    for name, value in by_node(run).items():
        length = (value - before[name]).abs()
        rate = 0.1 if name.endswith("width") else 0.04
        assert ((length < 1e-6) | ((length - rate).abs() < 1e-2 * rate)).all()
        moved += int((length > 0).sum())
    assert moved > 60


def test_protection_ranks_and_edge_weights_are_those_of_the_whole_graph() -> None:
    run = passes(configure(CLUSTERS, "DegreeQuant"))
    whole = run.feed.store.whole
    assert whole.norm is not None
    weight = torch.zeros(60, 60)
    weight[whole.pattern.row, whole.pattern.col.long()] = whole.norm[0]
    for portion in run.feed.train(0):
        batch = portion.batch
        assert batch.nodes is not None
        assert batch.norm is not None
        assert torch.equal(batch.ranks, whole.ranks[batch.nodes])
        own = weight[batch.nodes][:, batch.nodes]
        assert torch.equal(own[batch.pattern.row, batch.pattern.col.long()], batch.norm[0])
        assert portion.rows is not None
        assert torch.equal(portion.y, TASKS["dense"].y[batch.nodes[portion.rows]])


@pytest.mark.parametrize("scheme", ["QAT", "A2Q", "MixQ"])
@pytest.mark.parametrize("arch", ["GCN", "SAGE", "RGCN"])
def test_batches_of_complete_neighbourhoods_evaluate_exactly(arch: str, scheme: str) -> None:
    """The same trained weights, on the whole graph and where a pass over it does not fit."""
    graphs = relational(TASKS["dense"]) if arch == "RGCN" else TASKS["dense"]
    run = passes(configure(CLUSTERS, scheme, "LoRAP", arch=arch), graphs)
    run.train(0)
    tight = replace(CLUSTERS, memory_gib=1e-9, batch_size=7)
    small = blueprint(configure(tight, scheme, "LoRAP", arch=arch), shape_of(graphs))
    assert not passes_whole(small)
    parts = Passes(run.cohort, make_feed(graphs, small))
    for split in ("val", "test"):
        assert len(list(parts.feed.held_out(split))) == 3
        exact, found = run.evaluate(split), parts.evaluate(split)
        assert torch.allclose(exact[0], found[0], rtol=1e-4)
        assert torch.equal(exact[1], found[1])


@pytest.mark.parametrize(
    "task", [CLUSTERS, NODES, replace(CLUSTERS, memory_gib=1e-9)], ids=["clusters", "nodes", "tight"]
)
def test_training_on_batches_never_needs_a_test_label(task: TaskConfig) -> None:
    graphs, config = TASKS["dense"], configure(task, "A2Q", "LoRAP")
    y = graphs.y.clone()
    y[graphs.splits["test"]] = -1
    seen, blind = fit(graphs, [Member(config, 0)]), fit(replace(graphs, y=y).without_test(), [Member(config, 0)])
    assert figures(seen) == figures(blind)


def test_a_trial_that_may_hold_no_graph_whole_trains_to_its_end() -> None:
    config = configure(replace(CLUSTERS, memory_gib=1e-9), "MixQ", "LoRAP")
    record = run_trial(config, [0, 1], split="test", task=TASKS["dense"]).record
    assert record.status is Status.COMPLETE
    assert record.effective["sampling"]["held_out"] == 128
    assert all(member.test is not None for member in record.members)


def test_one_drawing_serves_some_epochs_in_orders_of_their_own() -> None:
    feed = make_feed(TASKS["dense"], blueprint(configure(replace(CLUSTERS, draw_every=2)), shape_of(TASKS["dense"])))
    assert isinstance(feed, SampledGraph)

    def batches(epoch: int) -> list[tuple[int, ...]]:
        return [tuple(portion.batch.nodes.tolist()) for portion in feed.train(epoch) if portion.batch.nodes is not None]

    epochs = [batches(epoch) for epoch in range(8)]
    assert all(sorted(epochs[first]) == sorted(epochs[first + 1]) for first in (0, 2, 4, 6))
    assert sorted(epochs[1]) != sorted(epochs[2])
    assert any(epochs[first] != epochs[first + 1] for first in (0, 2, 4, 6))
    assert batches(0) == epochs[0]


def test_a_smaller_batch_takes_less_memory() -> None:
    graphs = TASKS["dense"]
    sizes = [
        member_bytes(
            blueprint(configure(TaskConfig(sampling="clusters", parts=12, joined=joined)), shape_of(graphs)), graphs
        )
        for joined in (1, 4, 12)
    ]
    whole = member_bytes(blueprint(configure(WHOLE), shape_of(graphs)), graphs)
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[1] < whole
    tight = configure(TaskConfig(sampling="clusters", parts=12, joined=1, memory_gib=1e-9))
    assert member_bytes(blueprint(tight, shape_of(graphs)), graphs) < sizes[0]
