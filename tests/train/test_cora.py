"""Accuracy on real data: the full-precision GCN where the literature has it, 8-bit QAT beside it."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.config import ModelConfig, PromptConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.record import Status
from lorap_bench.train import run_trial

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("raw_mirror")


def test_full_precision_is_where_the_literature_has_it_and_eight_bits_beside_it() -> None:
    found = {}
    for name, config in (("FP32", QuantConfig(scheme="FP32")), ("QAT", QuantConfig(bits=8))):
        trial = TrialConfig(task=TaskConfig(dataset="Cora", features="row_normalized"), quant=config)
        record = run_trial(trial, range(10), split="test").record
        assert record.status is Status.COMPLETE
        found[name] = 100 * statistics.mean(member.test or 0 for member in record.members)
    assert 80.5 <= found["FP32"] <= 82.5
    assert abs(found["QAT"] - found["FP32"]) <= 1.0


@pytest.mark.slow
def test_one_relation_is_where_a_mean_over_neighbours_is() -> None:
    found = {}
    for arch in ("RGCN", "SAGE"):
        trial = TrialConfig(
            task=TaskConfig(dataset="Cora", features="row_normalized"),
            model=ModelConfig(arch=arch),
            quant=QuantConfig(scheme="FP32"),
        )
        record = run_trial(trial, range(10), split="test").record
        found[arch] = 100 * statistics.mean(member.test or 0 for member in record.members)
    assert 79.0 <= found["RGCN"] <= 81.5
    assert abs(found["RGCN"] - found["SAGE"]) <= 1.0


def test_binary_features_lose_nothing_at_any_width(raw_mirror: Path) -> None:
    def accuracy(bits: Any) -> float:
        config = TrialConfig(
            task=TaskConfig(dataset="Cora"), quant=QuantConfig(bits=8, site_bits={"layers.0.input": bits})
        )
        return run_trial(config, [0, 1], split="val").record.objectives["accuracy"]

    assert accuracy(2) == accuracy(8)


def test_prompted_low_bit_training_stays_far_above_chance(raw_mirror: Path) -> None:
    config = TrialConfig(task=TaskConfig(dataset="Cora"), quant=QuantConfig(bits=4), prompt=PromptConfig(kind="LoRAP"))
    record = run_trial(config, [0, 1, 2]).record
    assert record.objectives["accuracy"] > 0.7
    assert record.costs["average_bits"] < 4.1
