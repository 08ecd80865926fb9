"""The cohort axis: extents of one, leaving members, streams of draws; tests/contracts has the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from lorap_bench.config import ModelConfig, OptimConfig, PromptConfig, QuantConfig, TrialConfig
from lorap_bench.models import shape_of
from lorap_bench.testing import graph_task, node_task
from lorap_bench.train import Cohort, Member, fit

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
        {"model": {"hidden": 1, "heads": 1, "arch": "SAGE"}},
        {"model": {"hidden": 1, "heads": 1, "arch": "GAT"}, "quant": {"scheme": "A2Q", "sites": "all"}},
        {"model": {"hidden": 1, "heads": 1}, "quant": {"scheme": "MixQ", "search_epochs": 3, "pretrain_epochs": 1}},
        {"model": {"hidden": 1, "heads": 1}, "quant": {"scheme": "DegreeQuant", "rounding": "stochastic"}},
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
