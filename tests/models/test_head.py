"""The head of graph-level tasks: plain torch, counted costs, members apart, dropout, digests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from lorap_bench.config import ModelConfig, OptimConfig, PromptConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.models import blueprint, shape_of
from lorap_bench.models.digest import canonical
from lorap_bench.testing import graph_task, node_task
from lorap_bench.testing.comparison import assert_same
from lorap_bench.train import Cohort, Member, cohort_key, fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from lorap_bench.models.head import Head

TASK = graph_task()
GRAPH, NODE = shape_of(TASK), shape_of(node_task())
BASE = TrialConfig(
    task=TaskConfig(batch_size=16),
    model=ModelConfig(arch="GIN", hidden=8, head="mlp", dropout=0.0),
    quant=QuantConfig(bits=4),
    optim=OptimConfig(epochs=3),
)


def configured(**sections: dict[str, Any]) -> TrialConfig:
    return replace(BASE, **{name: replace(getattr(BASE, name), **fields) for name, fields in sections.items()})


def head_of(config: TrialConfig, seeds: Sequence[int] = (0,)) -> tuple[Head, Cohort]:
    cohort = Cohort([Member(config, seed) for seed in seeds], GRAPH)
    assert cohort.network.head is not None
    return cohort.network.head, cohort


def pooled(members: int) -> Tensor:
    return torch.rand(members, 5, 8, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_in_full_precision_it_is_plain_linear_maps(kind: str) -> None:
    head, _ = head_of(configured(model={"head": kind, "head_dropout": 0.5}, quant={"scheme": "FP32"}), (0, 1, 2))
    for name, parameter in head.named_parameters():
        if name.startswith("bias"):
            parameter.data.normal_(generator=torch.Generator().manual_seed(3))
    x = pooled(3)
    for member in range(3):
        found = {name: parameter[member] for name, parameter in head.named_parameters()}
        if kind == "linear":
            expected = x[member] @ found["weight"] + found["bias"]
        else:
            inner = (x[member] @ found["weight0"] + found["bias0"]).relu()
            expected = inner @ found["weight1"] + found["bias1"]
        torch.testing.assert_close(head.eval()(x)[member], expected)


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_dropout_acts_in_training_alone_at_its_rate(kind: str) -> None:
    head, cohort = head_of(configured(model={"head": kind, "head_dropout": 0.25}, quant={"scheme": "FP32"}))
    x = torch.rand(1, 4000, 8, generator=torch.Generator().manual_seed(2)) + 0.1
    seen: list[Tensor] = []
    head.dropout.register_forward_hook(lambda _module, given, made: seen.extend((given[0], made)))
    evaluated = head.eval()(x)
    assert torch.equal(seen[1], seen[0].relu())
    trained = head.train()(x)
    assert not torch.equal(trained, evaluated)
    alive = seen[2] > 0
    kept = (seen[3] != 0)[alive].double().mean()
    assert kept == pytest.approx(0.75, abs=0.02)
    torch.testing.assert_close(seen[3][seen[3] != 0], seen[2][seen[3] != 0] / 0.75)
    cohort.draws.step += 1
    assert not torch.equal(head(x), trained), "every step draws anew"


def test_the_costs_of_two_maps_are_those_counted_by_hand() -> None:
    plan = blueprint(BASE, GRAPH)
    sites = {site.name: site for site in plan.ledger.sites if site.layer == "head"}
    assert {name: site.elements for name, site in sites.items()} == {
        "head.0.input": 8,
        "head.0.weight": 64,
        "head.0.bias": 8,
        "head.0.output": 8,
        "head.1.input": 8,
        "head.1.weight": 16,
        "head.1.bias": 2,
        "head.1.output": 2,
    }
    assert {name for name, site in sites.items() if site.feeds_linear} == {"head.0.input", "head.1.input"}
    assert {name for name, site in sites.items() if site.leaves_linear} == {"head.0.output", "head.1.output"}
    assert sites["head.1.input"].nonnegative
    operations = {each.name: each.count for each in plan.ledger.operations if each.name.startswith("head.")}
    assert operations == {
        "head.pool": GRAPH.nodes * 8,
        "head.0.linear": 64,
        "head.activate": 8,
        "head.1.linear": 16,
    }
    one = blueprint(configured(model={"head": "linear"}), GRAPH)
    assert plan.costs["parameters"] - one.costs["parameters"] == 64 + 8
    assert plan.costs["operations"] - one.costs["operations"] == 64 + 8
    assert plan.costs["bit_operations"] - one.costs["bit_operations"] == pytest.approx(4 * (64 + 8))
    assert plan.costs["model_bytes"] - one.costs["model_bytes"] == 64 * 4 / 8 + 8 * 32 / 8


def test_one_map_keeps_its_names() -> None:
    plan = blueprint(configured(model={"head": "linear"}), GRAPH)
    names = [site.name for site in plan.ledger.sites if site.layer == "head"]
    assert names == ["head.input", "head.weight", "head.bias", "head.output"]
    head, _ = head_of(configured(model={"head": "linear"}))
    assert [name for name, _ in head.named_parameters()] == ["weight", "bias"]


@pytest.mark.parametrize("readout", ["mean", "max"])
@pytest.mark.parametrize("scheme", ["QAT", "DegreeQuant", "A2Q", "MixQ"])
def test_members_train_as_if_alone(scheme: str, readout: str) -> None:
    quant = {"scheme": scheme, "search_epochs": 1, "pretrain_epochs": 1, "groups": 9}
    configs = [configured(quant=quant, model={"readout": readout, "head_dropout": rate}) for rate in (0.0, 0.3, 0.6)]
    members = [Member(config, seed) for seed, config in enumerate(configs)]
    together = fit(TASK, members)
    for position, member in enumerate(members):
        assert_same(fit(TASK, [member]), together, (0, position), "company")


@pytest.mark.parametrize("prompt", ["None", "LoRAP"])
@pytest.mark.parametrize("arch", ["GCN", "GAT"])
def test_two_maps_learn(arch: str, prompt: str) -> None:
    model = {"arch": arch, "readout": "max", "head_dropout": 0.2, "heads": 4}
    config = configured(model=model, prompt={"kind": prompt, "rank": 2}, optim={"epochs": 30})
    (losses,) = (trainee.train_loss for trainee in fit(TASK, [Member(config, 0)]).alive)
    assert min(losses) < losses[0]


def test_members_of_one_cohort_may_differ_in_the_heads_dropout_only() -> None:
    def key(**model: Any) -> dict[str, Any]:
        return cohort_key(blueprint(configured(model=model), GRAPH))

    assert key(head_dropout=0.5) == key()
    assert key(head="linear") != key()
    assert key(readout="max") != key()


def test_both_maps_take_the_heads_width() -> None:
    bits = blueprint(configured(quant={"layer_bits": {"head": 8}, "site_bits": {"head.1.input": 3}}), GRAPH).ledger.bits
    assert [bits[f"head.{number}.{name}"] for number in (0, 1) for name in ("input", "weight", "output")] == [
        *(8, 8, 8),
        *(3, 8, 8),
    ]


@pytest.mark.parametrize("name", ["input", "weight", "output"])
def test_mixq_chooses_the_width_of_every_tensor_of_both_maps(name: str) -> None:
    bits = blueprint(configured(quant={"scheme": "MixQ"}), GRAPH).ledger.bits
    assert {f"head.0.{name}", f"head.1.{name}"} <= set(bits)


# ---------------------------------------------------------------------------------- digests


def test_digests_outlive_the_head() -> None:
    config = TrialConfig(
        task=TaskConfig(batch_size=16),
        model=ModelConfig(arch="GIN", hidden=8, heads=4),
        quant=QuantConfig(scheme="FP32"),
        prompt=PromptConfig(count=4, rank=2),
    )
    assert blueprint(config, NODE).digest == "4f57fa712aadbf05"
    normed = replace(config, model=replace(config.model, readout="sum", batch_norm=True))
    assert blueprint(normed, GRAPH).digest == "d3148d6795ed6360"
    assert not {"head", "head_dropout"} & set(canonical(blueprint(normed, GRAPH))["model"])


@pytest.mark.parametrize("change", [{"head": "linear"}, {"head_dropout": 0.5}, {"readout": "max"}], ids=str)
def test_graph_level_tasks_alone_read_the_head(change: dict[str, Any]) -> None:
    other = configured(model=change)
    assert blueprint(other, GRAPH).digest != blueprint(BASE, GRAPH).digest
    assert blueprint(other, NODE).digest == blueprint(BASE, NODE).digest
    assert blueprint(other, NODE).costs == blueprint(BASE, NODE).costs
