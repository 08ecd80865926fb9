"""The promise of the cohort axis: a member's result does not depend on the company it keeps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from lorap_bench.config import ModelConfig, OptimConfig, PromptConfig, QuantConfig, TrialConfig
from lorap_bench.models import ARCHS, shape_of
from lorap_bench.prompts import PROMPTS
from lorap_bench.train import Cohort, Member, fit
from tests.graphs import graph_task, node_task

if TYPE_CHECKING:
    from lorap_bench.data.task import GraphTask

TASKS = {"node": node_task(), "graph": graph_task()}
BASE = TrialConfig(
    model=ModelConfig(hidden=8, heads=4, batch_norm=True),
    quant=QuantConfig(bits=4),
    prompt=PromptConfig(kind="LoRAP", count=4, rank=2),
    optim=OptimConfig(epochs=12),
)


def configure(**sections: dict[str, Any]) -> TrialConfig:
    return replace(BASE, **{name: replace(getattr(BASE, name), **fields) for name, fields in sections.items()})


def outcome(task: GraphTask, members: list[Member]) -> list[tuple[Any, ...]]:
    fitted = fit(task, members)
    rows = torch.cat([flat.values for flat in fitted.cohort._flats], dim=1)
    return [
        (row.tolist(), trainee.train_loss, trainee.val_loss, trainee.val_metric, trainee.best_epoch)
        for row, trainee in zip(rows, fitted.trainees, strict=True)
    ]


@pytest.mark.parametrize("level", ["node", "graph"])
@pytest.mark.parametrize("arch", sorted(ARCHS))
def test_a_member_alone_and_among_others_is_bitwise_the_same(arch: str, level: str) -> None:
    config = configure(model={"arch": arch}, task={"batch_size": 8})
    together = outcome(TASKS[level], [Member(config, seed) for seed in (3, 7, 1, 9, 4)])
    for position, seed in enumerate((3, 7, 1)):
        assert outcome(TASKS[level], [Member(config, seed)])[0] == together[position]
    assert outcome(TASKS[level], [Member(config, seed) for seed in (1, 3)])[1] == together[0]


@pytest.mark.parametrize("kind", sorted(PROMPTS))
@pytest.mark.parametrize("observer", ["MinMax", "Percentile"])
def test_members_may_differ_in_every_scalar(kind: str, observer: str) -> None:
    shared: dict[str, Any] = {"quant": {"observer": observer, "gradient": "clipped"}, "prompt": {"kind": kind}}
    configs = [
        configure(**shared | {"optim": {"lr": 0.05}, "model": {"dropout": 0.1}}),
        configure(**shared | {"quant": shared["quant"] | {"bits": 2, "percentile": 0.05, "momentum": 0.9}}),
        configure(**shared | {"prompt": {"kind": kind, "lr": 0.2, "temperature": 3.0, "weight_decay": 0.1}}),
        configure(**shared | {"quant": shared["quant"] | {"site_bits": {"layers.1.weight": 8}}}),
    ]
    members = [Member(config, seed) for seed, config in enumerate(configs)]
    together = outcome(TASKS["node"], members)
    assert len({str(result) for result in together}) == 4
    for member, result in zip(members, together, strict=True):
        assert outcome(TASKS["node"], [member])[0] == result


@pytest.mark.parametrize("nodes", [61, 97, 173])
@pytest.mark.parametrize(
    "change",
    [
        {"prompt": {"rank": 1}},
        {"prompt": {"count": 1}},
        {"prompt": {"gate": "sigmoid"}},
        {"prompt": {"gate": "linear", "count": 1, "rank": 1}},
        {"prompt": {"factorize": False, "count": 1}},
        {"prompt": {"kind": "GPFLoRAP", "node_count": 1, "gate": "sigmoid"}},
        {"model": {"hidden": 1, "heads": 1}},
        {"model": {"hidden": 1, "heads": 1, "arch": "GIN"}},
        {"model": {"hidden": 1, "heads": 1, "arch": "GAT"}},
    ],
    ids=str,
)
@pytest.mark.parametrize("features", [1, 3])
def test_extents_of_one_and_odd_sizes_do_not_join_the_members(
    change: dict[str, Any], nodes: int, features: int
) -> None:
    task = node_task(nodes=nodes, features=features)
    config = configure(**{"optim": {"epochs": 3}} | change)
    together = outcome(task, [Member(config, seed) for seed in (3, 7, 1)])
    for position, seed in enumerate((3, 7)):
        assert outcome(task, [Member(config, seed)])[0] == together[position]


def test_a_diverging_member_leaves_without_disturbing_the_others() -> None:
    calm, wild = configure(), configure(optim={"lr": 1e38})
    members = [Member(calm, 0), Member(wild, 1), Member(calm, 2)]
    fitted = fit(TASKS["node"], members)
    assert [trainee.diverged for trainee in fitted.trainees] == [False, True, False]
    assert len(fitted.trainees[1].train_loss) < 12
    alone = [fit(TASKS["node"], [member]).trainees[0] for member in (members[0], members[2])]
    for ours, theirs in zip((fitted.trainees[0], fitted.trainees[2]), alone, strict=True):
        assert ours == theirs


def test_leaving_members_take_their_own_state_along() -> None:
    cohort = Cohort([Member(BASE, seed) for seed in range(4)], shape_of(TASKS["node"]))
    before = {name: value.clone() for name, value in cohort.network.state_dict().items()}
    cohort.select(torch.tensor([3, 1]))
    for name, value in cohort.network.state_dict().items():
        assert torch.equal(value, before[name][[3, 1]])
    assert cohort.draws.seeds == [3, 1]
    for flat in cohort._flats:
        flat.values += 1
    weight = cohort.network.state_dict()["convs.0.weight"]
    assert torch.equal(weight, before["convs.0.weight"][[3, 1]] + 1)


def test_members_of_different_shapes_are_refused() -> None:
    with pytest.raises(AssertionError, match="agree in shape"):
        Cohort([Member(BASE, 0), Member(configure(prompt={"count": 5}), 1)], shape_of(TASKS["node"]))


def test_adding_a_prompt_does_not_shift_the_backbones_draws() -> None:
    plain, prompted = (
        Cohort([Member(configure(prompt={"kind": kind}), 5)], shape_of(TASKS["node"])) for kind in ("None", "GPFLoRAP")
    )
    ours, theirs = prompted.network.state_dict(), plain.network.state_dict()
    for name, value in theirs.items():
        assert torch.equal(ours[name], value)


def test_the_prompt_starts_silent_so_the_first_loss_is_the_plain_models() -> None:
    losses = [
        fit(TASKS["node"], [Member(configure(prompt={"kind": kind}, optim={"epochs": 1}), 0)]).trainees[0].train_loss
        for kind in ("None", "LoRAP")
    ]
    assert losses[0] == losses[1]
