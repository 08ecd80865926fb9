"""Graphs at the edge of what is a graph: a defined status, never a silent NaN."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from lorap_bench.config import ModelConfig, OptimConfig, PromptConfig, QuantConfig, TrialConfig
from lorap_bench.data.task import GraphTask
from lorap_bench.models import ARCHS
from lorap_bench.record import Status
from lorap_bench.train import run_trial
from tests.graphs import graph_task, node_task

NODE = node_task()
CONFIG = TrialConfig(
    model=ModelConfig(hidden=8, heads=4),
    quant=QuantConfig(bits=4),
    prompt=PromptConfig(kind="GPFLoRAP"),
    optim=OptimConfig(epochs=4),
)


def changed(task: GraphTask, **fields: torch.Tensor) -> GraphTask:
    return GraphTask(**{name: getattr(task, name) for name in task.__slots__} | fields)


ISOLATED = changed(NODE, edge_index=NODE.edge_index[:, (NODE.edge_index > 9).all(0)])
EDGELESS = changed(NODE, edge_index=NODE.edge_index[:, :0])
EQUAL = changed(NODE, x=torch.ones(60, 12))
EMPTY = changed(NODE, x=torch.zeros(60, 12))
SINGLE = GraphTask(
    name="points",
    level="graph",
    x=torch.arange(12.0).view(12, 1),
    edge_index=torch.zeros(2, 0, dtype=torch.int64),
    graph_ptr=torch.arange(13),
    y=torch.arange(12) % 2,
    splits={"train": torch.arange(6), "val": torch.arange(6, 9), "test": torch.arange(9, 12)},
    classes=2,
)


@pytest.mark.parametrize("observer", ["MovingAverage", "Percentile"])
@pytest.mark.parametrize("arch", sorted(ARCHS))
@pytest.mark.parametrize(
    "task",
    [ISOLATED, EDGELESS, EQUAL, EMPTY, SINGLE],
    ids=["isolated", "edgeless", "equal", "empty", "single"],
)
def test_degenerate_graphs_train_to_finite_figures(task: GraphTask, arch: str, observer: str) -> None:
    quant = QuantConfig(bits=4, observer="Percentile" if observer == "Percentile" else "MovingAverage")
    config = replace(CONFIG, model=replace(CONFIG.model, arch=arch), quant=quant)
    record, curves = run_trial(config, [0, 1], task=task)
    assert record.status is Status.COMPLETE, record.reason
    assert all(math.isfinite(value) for member in curves["train_loss"] for value in member)
    assert all(math.isfinite(value) for value in record.costs.values())


@pytest.mark.parametrize("task", [NODE, graph_task()], ids=["node", "graph"])
def test_features_that_are_no_numbers_end_as_diverged(task: GraphTask) -> None:
    x = task.x.clone()
    x[0, 0] = math.nan
    record, _ = run_trial(CONFIG, [0, 1], task=changed(task, x=x))
    assert record.status is Status.DIVERGED
    assert "accuracy" not in record.objectives
