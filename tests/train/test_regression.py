"""Training on values: everything trains, the epoch of the least error is kept, figures are errors."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from lorap_bench.config import ModelConfig, OptimConfig, PromptConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.models import ARCHS
from lorap_bench.prompts import PROMPTS
from lorap_bench.quant import SCHEMES
from lorap_bench.record import Status
from lorap_bench.testing import value_task
from lorap_bench.train import run_trial

if TYPE_CHECKING:
    from lorap_bench.data.task import GraphTask

NODE, GRAPH = value_task("node"), value_task("graph")
BASE = TrialConfig(
    task=TaskConfig(batch_size=12),
    model=ModelConfig(hidden=8, heads=2, dropout=0.0),
    quant=QuantConfig(bits=8, search_epochs=1, pretrain_epochs=0),
    prompt=PromptConfig(kind="GPFLoRAP", count=2, node_count=2, rank=2),
    optim=OptimConfig(epochs=1, lr=0.02),
)
# One axis after the other in the quick suite; the whole product among the long tests.
FEW = [("GCN", scheme, "GPFLoRAP") for scheme in sorted(SCHEMES)]
FEW += [(arch, "QAT", "None") for arch in sorted(ARCHS)] + [("GIN", "A2Q", kind) for kind in sorted(PROMPTS)]


def configure(**sections: dict[str, Any]) -> TrialConfig:
    return replace(BASE, **{name: replace(getattr(BASE, name), **fields) for name, fields in sections.items()})


def check(arch: str, scheme: str, kind: str, task: GraphTask) -> None:
    if scheme == "A2Q" and task.level == "graph":
        sections: dict[str, Any] = {"quant": {"scheme": scheme, "groups": 8}}
    else:
        sections = {"quant": {"scheme": scheme}}
    config = configure(model={"arch": arch}, prompt={"kind": kind}, **sections)
    record, curves = run_trial(config, [0], task=task)
    assert record.status is Status.COMPLETE, record.reason
    assert set(record.objectives) == {"mae", "average_bits", "overhead"}
    assert record.objectives["mae"] == record.members[0].val == min(curves["val_metric"][0][-1:])
    assert math.isfinite(record.objectives["mae"])


@pytest.mark.parametrize(("arch", "scheme", "kind"), FEW)
def test_every_part_trains_on_values(arch: str, scheme: str, kind: str) -> None:
    check(arch, scheme, kind, GRAPH)


@pytest.mark.slow
@pytest.mark.parametrize("task", [NODE, GRAPH], ids=["node", "graph"])
@pytest.mark.parametrize("kind", sorted(PROMPTS))
@pytest.mark.parametrize("scheme", sorted(SCHEMES))
@pytest.mark.parametrize("arch", sorted(ARCHS))
def test_every_combination_trains_on_values(arch: str, scheme: str, kind: str, task: GraphTask) -> None:
    check(arch, scheme, kind, task)


@pytest.mark.parametrize("task", [NODE, GRAPH], ids=["node", "graph"])
def test_the_epoch_of_the_least_error_is_kept(task: GraphTask) -> None:
    config = configure(quant={"scheme": "FP32"}, optim={"epochs": 25, "lr": 0.05}, model={"arch": "GIN", "hidden": 16})
    record, curves = run_trial(config, [0, 1], split="test", task=task)
    for member, errors, losses in zip(record.members, curves["val_metric"], curves["val_loss"], strict=True):
        assert errors == losses  # what is minimised is what is told
        assert (member.val, member.best_epoch) == (min(errors), errors.index(min(errors)))
    assert all(min(losses) < losses[0] / 2 for losses in curves["train_loss"])
    assert all(member.test is not None and math.isfinite(member.test) for member in record.members)
    assert record.objectives["mae"] == pytest.approx(sum(member.val or 0.0 for member in record.members) / 2)


def test_a_value_that_is_no_number_ends_as_diverged() -> None:
    y = GRAPH.y.clone()
    y[0] = torch.nan
    record, _ = run_trial(BASE, [0], task=replace(GRAPH, y=y))
    assert record.status is Status.DIVERGED
    assert "mae" not in record.objectives
