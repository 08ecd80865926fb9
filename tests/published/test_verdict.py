from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lorap_bench.config import ModelConfig, PromptConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.published.result import Definition, Metric, Protocol, PublishedResult, Reliability
from lorap_bench.published.setting import Setting
from lorap_bench.published.table import published
from lorap_bench.published.verdict import Verdict, verdict
from lorap_bench.stats.intervals import Interval
from lorap_bench.stats.welch import welch_interval

THEIRS = PublishedResult(
    paper="A paper",
    framework="MixQ",
    prompt="None",
    arch="GCN",
    dataset="Cora",
    metric=Metric.ACCURACY,
    bits="mixed",
    average_bits=7.7,
    definition=Definition.MIXQ,
    value=0.81,
    std=0.02,
    runs=10,
    protocol=Protocol(split="public", selection="validation", hidden=128, layers=2),
    source="a/repository@0123abc:a/path",
    reliability=Reliability.LOG,
    note="",
    line=2,
)
COSTS = {"bits_mixq": 7.5, "bits_a2q": 3.0, "average_bits": 9.0}
CONFIG = TrialConfig(
    task=TaskConfig(dataset="Cora"),
    model=ModelConfig(arch="GCN", hidden=16, layers=2),
    quant=QuantConfig(scheme="MixQ"),
    prompt=PromptConfig(kind="None"),
)
OURS = Setting.of(CONFIG.to_mapping(), COSTS)


def measured(mean: float, *, std: float | None = 0.01, n: int = 5) -> Interval:
    return Interval(mean=mean, std=std, low=None, high=None, n=n)


@pytest.mark.parametrize(
    ("mean", "expected", "reason"),
    [
        (0.81, Verdict.REPRODUCED, "0.0 points above the published mean, within one published deviation (2.0 points)"),
        (0.80, Verdict.REPRODUCED, "1.0 points below the published mean, within one published deviation (2.0 points)"),
        (0.83, Verdict.REPRODUCED, "2.0 points above"),
        (0.79, Verdict.REPRODUCED, "2.0 points below"),
        (0.8301, Verdict.BETTER, "2.0 points above the published mean, beyond one published deviation (2.0 points)"),
        (0.77, Verdict.WORSE, "4.0 points below the published mean, beyond"),
    ],
)
def test_means_within_a_published_deviation_are_reproduced(mean: float, expected: Verdict, reason: str) -> None:
    found = verdict(measured(mean), OURS, THEIRS)
    assert found.verdict is expected
    assert found.reason.startswith(reason)
    assert found.difference == pytest.approx(mean - 0.81)


@pytest.mark.parametrize(
    ("mean", "expected"),
    [(0.82, Verdict.REPRODUCED), (0.80, Verdict.REPRODUCED), (0.821, Verdict.BETTER), (0.799, Verdict.WORSE)],
)
def test_without_a_deviation_the_tolerance_is_one_point(mean: float, expected: Verdict) -> None:
    found = verdict(measured(mean), OURS, replace(THEIRS, std=None))
    assert found.verdict is expected
    assert "no deviation is published (1.0 points)" in found.reason
    assert (found.low, found.high) == (None, None)


@pytest.mark.parametrize(
    ("mean", "expected", "side"),
    [
        (0.45, Verdict.REPRODUCED, "0.010 above"),
        (0.40, Verdict.BETTER, "0.040 below"),
        (0.50, Verdict.WORSE, "0.060 above"),
    ],
)
def test_lower_errors_are_better(mean: float, expected: Verdict, side: str) -> None:
    theirs = replace(THEIRS, metric=Metric.MAE, value=0.44, std=0.02)
    found = verdict(measured(mean), replace(OURS, metric=Metric.MAE), theirs)
    assert found.verdict is expected
    assert found.reason.startswith(side)
    assert "(0.020)" in found.reason


def test_welchs_interval_stands_beside_the_verdict_where_it_is_known() -> None:
    ours = measured(0.80)
    theirs = Interval(mean=0.81, std=0.02, low=None, high=None, n=10)
    found = verdict(ours, OURS, THEIRS)
    assert (found.low, found.high) == welch_interval(ours, theirs)
    assert found.low is not None
    assert found.low < -0.01 < (found.high or 0.0)
    for unknown in (replace(THEIRS, runs=None), replace(THEIRS, runs=1), replace(THEIRS, std=None)):
        assert verdict(ours, OURS, unknown).low is None
    assert verdict(measured(0.80, std=None, n=1), OURS, THEIRS).low is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"dataset": "CiteSeer"}, "another data set: CiteSeer there, Cora here"),
        ({"metric": Metric.MAE}, "another metric: MAE there, accuracy here"),
        ({"arch": "GAT"}, "another architecture: GAT there, GCN here"),
        ({"framework": "QAT"}, "another scheme: QAT there, MixQ here"),
        ({"prompt": "LoRAP"}, "another prompt: LoRAP there, None here"),
        ({"protocol": Protocol(selection="test")}, "selection: test there, validation here"),
        ({"protocol": Protocol(data="cleaned")}, "data: cleaned there, full here"),
        ({"protocol": Protocol(folds=10)}, "folds: 10 there, 1 here"),
        ({"protocol": Protocol(split="official")}, "split: official there, public here"),
        ({"average_bits": 6.9}, "average bits (MixQ: mean over quantizers): 6.9 there, 7.5 here"),
        ({"definition": Definition.A2Q}, "average bits (A2Q: node mean of inputs): 7.7 there, 3 here"),
        ({"average_bits": None}, "the published average bits are not stated"),
        ({"definition": Definition.UNKNOWN}, "the published average bits are not stated, or not what"),
    ],
)
def test_what_differs_in_what_decides_is_not_comparable(change: dict[str, Any], reason: str) -> None:
    found = verdict(measured(0.81), OURS, replace(THEIRS, **change))
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert found.reason.startswith(reason)
    assert (found.difference, found.low, found.high) == (None, None, None)


def test_every_obstacle_is_told() -> None:
    theirs = replace(THEIRS, arch="GAT", average_bits=2.0, protocol=Protocol(data="cleaned", selection="test"))
    assert verdict(measured(0.81), OURS, theirs).reason == (
        "another architecture: GAT there, GCN here; selection: test there, validation here; "
        "data: cleaned there, full here; average bits (MixQ: mean over quantizers): 2 there, 7.5 here"
    )


def test_half_a_bit_apart_is_comparable_and_unknown_bits_are_not() -> None:
    for bits in (7.0, 8.0):
        assert verdict(measured(0.81), OURS, replace(THEIRS, average_bits=bits)).verdict is Verdict.REPRODUCED
    unknown = verdict(measured(0.81), replace(OURS, costs={}), THEIRS)
    assert unknown.verdict is Verdict.NOT_COMPARABLE
    assert unknown.reason == "our average bits are not known by their definition (MixQ: mean over quantizers)"


def test_widths_and_pooling_are_told_and_decide_nothing() -> None:
    theirs = replace(THEIRS, protocol=Protocol(hidden=128, layers=5, pool="max"))
    found = verdict(measured(0.81), OURS, theirs)
    assert found.verdict is Verdict.REPRODUCED
    assert found.differences == ("pool: max there, mean here", "hidden: 128 there, 16 here", "layers: 5 there, 2 here")
    unknown = verdict(measured(0.81), replace(OURS, protocol=Protocol()), theirs)
    assert (unknown.verdict, unknown.differences) == (Verdict.REPRODUCED, ())


def test_a_setting_is_read_from_a_trial() -> None:
    expected = Setting(
        dataset="Cora",
        arch="GCN",
        framework="MixQ",
        prompt="None",
        costs=COSTS,
        protocol=Protocol(
            split="public", folds=1, selection="validation", data="full", pool="mean", hidden=16, layers=2
        ),
    )
    assert expected == OURS
    protected = replace(CONFIG, quant=QuantConfig(scheme="MixQ", protect=True), task=TaskConfig(dataset="PROTEINS"))
    found = Setting.of(protected.to_mapping(), COSTS, folds=10)
    assert (found.framework, found.protocol.split, found.protocol.folds) == ("MixQ+DQ", None, 10)


def test_a_trial_beside_the_logs_of_mixq() -> None:
    """At 7.5 bits by MixQ's count, of the points on Cora only that of 7.69 bits is near enough."""
    judged = [(one, verdict(measured(0.82), OURS, one)) for one in published("Cora")]
    [(one, found)] = [pair for pair in judged if pair[1].verdict is not Verdict.NOT_COMPARABLE]
    assert (one.average_bits, found.verdict) == (7.69, Verdict.REPRODUCED)
    assert found.difference == pytest.approx(0.0042)
