"""Batches of a real graph train what the whole graph trains."""

from __future__ import annotations

import statistics
from dataclasses import replace

import pytest

from lorap_bench.config import ModelConfig, OptimConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.train import run_trial

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("raw_mirror")]

WHOLE = TaskConfig(dataset="Photo", sampling="whole")
BATCHES = {
    "clusters": replace(WHOLE, sampling="clusters", parts=32, joined=8),
    "nodes": replace(WHOLE, sampling="nodes", fan_outs=[10, 5]),
}


def accuracy(task: TaskConfig, quant: QuantConfig) -> float:
    config = TrialConfig(
        task=task, model=ModelConfig(hidden=32), quant=quant, optim=OptimConfig(epochs=60, eval_every=5)
    )
    return statistics.mean(member.val or 0.0 for member in run_trial(config, [0, 1, 2]).record.members)


@pytest.mark.parametrize("quant", [QuantConfig(scheme="FP32"), QuantConfig(bits=8)], ids=["FP32", "QAT"])
def test_sampled_training_reaches_what_the_whole_graph_reaches(quant: QuantConfig) -> None:
    whole = accuracy(WHOLE, quant)
    assert whole > 0.85
    for task in BATCHES.values():
        assert accuracy(task, quant) > whole - 0.04
