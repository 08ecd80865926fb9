"""Percentile observers: exact by sorting, sampled within the exact distribution."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from lorap_bench.config import QuantConfig
from lorap_bench.quant import Context, Observer, Percentile
from lorap_bench.quant.observers import make_observer
from tests.quant.sites import activation, context, normal

CONFIG = QuantConfig(observer="Percentile", percentile=0.01)


def observer(at: Context | None = None, **changes: object) -> Observer:
    config = replace(CONFIG, **changes)  # type: ignore[arg-type]  # keyword arguments of mixed types
    at = at or context()
    return make_observer((config,) * len(at.draws.seeds), activation(), at)


@pytest.mark.parametrize("fraction", [0.001, 0.01, 0.1, 0.49])
@pytest.mark.parametrize("rows", [1, 7, 400])
def test_measured_ranges_are_order_statistics(fraction: float, rows: int) -> None:
    x = normal(1, rows, 5).round(decimals=1)  # with ties
    low, high = observer(percentile=fraction).measure(x, None)
    ordered = sorted(x.flatten().tolist())
    k = max(1, math.floor(fraction * len(ordered)))
    assert (low.item(), high.item()) == (ordered[k - 1], ordered[-k])


def test_protected_rows_do_not_count() -> None:
    x, protected = normal(1, 300, 4), normal(1, 300, seed=1) > 0
    low, high = observer(percentile=0.05).measure(x, protected)
    ordered = sorted(x[~protected].flatten().tolist())
    k = math.floor(0.05 * len(ordered))
    assert (low.item(), high.item()) == (ordered[k - 1], ordered[-k])


def test_members_have_percentiles_of_their_own() -> None:
    configs = [replace(CONFIG, percentile=share) for share in (0.001, 0.2)]
    both = Percentile(configs, activation(), context(1, 2))
    x = torch.linspace(1, 1000, 1000).view(1, 500, 2).expand(2, 500, 2)
    low, high = both.measure(x, None)
    assert (low.tolist(), high.tolist()) == ([1, 200], [1000, 801])


def test_tensors_of_up_to_a_thousand_values_are_kept_whole() -> None:
    x = normal(1, 200, 5)
    for sample in (1e-6, 0.5, 1.0):
        low, high = observer(sample=sample).measure(x, None)
        assert (low, high) == observer().measure(x, None)


def test_a_sample_is_a_pure_function_of_seed_and_step() -> None:
    x, at = normal(2, 900, 10), context(5, 6)
    first = observer(at, sample=0.2).measure(x, None)
    alone = context(6)
    assert observer(alone, sample=0.2).measure(x[1:], None) == (first[0][1:], first[1][1:])
    at.draws.step = 1
    other = observer(at, sample=0.2).measure(x, None)
    assert not torch.equal(first[0], other[0])
    at.draws.step = 0
    again = observer(at, sample=0.2).measure(x, None)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])


def test_a_sampled_percentile_is_one_of_the_values_near_the_exact_rank() -> None:
    count, share, sample = 50_000, 0.05, 0.1
    x = normal(1, count // 10, 10)
    ordered, at = x.flatten().sort().values, context()
    drawn = int(sample * count)
    deviation = math.sqrt(share * (1 - share) / drawn)  # of the rank of a random sample's order statistic
    for step in range(20):
        at.draws.step = step
        low, high = observer(at, sample=sample, percentile=share).measure(x, None)
        below, above = (torch.searchsorted(ordered, value).item() / count for value in (low, high))
        assert low in ordered
        assert high in ordered
        assert abs(below - share) < 4.5 * deviation
        assert abs(above - (1 - share)) < 4.5 * deviation


def test_a_sample_keeps_rows_protected() -> None:
    x = normal(1, 5000, 4)
    protected = torch.arange(5000).view(1, -1) % 2 == 0
    x[:, ::2] = 1e6
    _, high = observer(sample=0.1, percentile=0.001).measure(x, protected)
    assert high.item() < 10
    _, high = observer(sample=0.1, percentile=0.001).measure(x, torch.ones_like(protected))
    assert high.item() == -math.inf


@pytest.mark.parametrize("fill", [0.3, 0.0])
def test_every_stretch_of_the_tensor_gives_one_value(fill: float) -> None:
    # 1,000 of 2,500 values: with the value as its own place, the draws are spread one to a stretch of 2.5
    x = torch.arange(2500.0).view(1, 500, 5) + fill
    found = [observer(sample=1e-9, percentile=(k + 0.5) / 1000).measure(x, None)[0].item() for k in (1, 10, 100, 499)]
    for k, value in zip((1, 10, 100, 499), found, strict=True):
        assert math.floor(2.5 * (k - 1)) <= value <= 2.5 * k + fill
