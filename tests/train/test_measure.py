"""What is measured on a trained model."""

from __future__ import annotations

from dataclasses import replace

import torch

from lorap_bench.config import ModelConfig, PromptConfig, QuantConfig, TrialConfig
from lorap_bench.models import build_store, shape_of
from lorap_bench.testing import node_task
from lorap_bench.train import Cohort, Member
from lorap_bench.train.measure import measure

TASK = node_task()
BATCH = build_store(TASK, self_loops=True, normalized=True).whole
CONFIG = TrialConfig(model=ModelConfig(hidden=8), quant=QuantConfig(bits=4))


def test_full_precision_has_no_aggregation_error() -> None:
    cohort = Cohort([Member(replace(CONFIG, quant=QuantConfig(scheme="FP32")), 0)], shape_of(TASK))
    [measured] = measure(cohort.network, BATCH)
    assert measured.aggregation_error == [(0.0, 0.0), (0.0, 0.0)]


def test_a_prompt_moves_the_second_figure_alone() -> None:
    cohort = Cohort([Member(replace(CONFIG, prompt=PromptConfig(kind="LoRAP")), 0)], shape_of(TASK))
    before = measure(cohort.network, BATCH)[0].aggregation_error[0]
    with torch.no_grad():
        cohort.network.convs[0].prompt.basis.fill_(1.0)  # type: ignore[union-attr, operator]  # ModuleList forgets its items' type
    after = measure(cohort.network, BATCH)[0].aggregation_error[0]
    assert before[0] == before[1] == after[0]
    assert after[1] != after[0]


def test_weights_that_overflow_leave_no_figure_that_is_not_a_number() -> None:
    cohort = Cohort([Member(CONFIG, 0)], shape_of(TASK))
    for name, parameter in cohort.network.named_parameters():
        if name.endswith("weight"):
            parameter.data.fill_(3e38)
    [measured] = measure(cohort.network, BATCH)
    assert measured.aggregation_error == []
