"""The spectrum of the aggregation error of a calibrated model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lorap_bench.config import ModelConfig, PromptConfig, QuantConfig, TrialConfig
from lorap_bench.testing import graph_task, node_task
from lorap_bench.train import error_spectrum as module
from lorap_bench.train import feed
from lorap_bench.train.error_spectrum import error_spectrum

TASK = node_task()
CONFIG = TrialConfig(model=ModelConfig(hidden=8), quant=QuantConfig(bits=4))


def energy(values: list[float]) -> float:
    return sum(value**2 for value in values)


def test_each_layer_has_as_many_singular_values_as_columns_the_largest_first() -> None:
    hidden, last = error_spectrum(TASK, CONFIG, 0, epochs=3)
    assert len(hidden) == 8
    assert len(last) == TASK.classes
    for values in (hidden, last):
        assert values == sorted(values, reverse=True)
        assert values[0] > 0


def test_fewer_bits_make_a_larger_error_and_full_precision_none() -> None:
    errors = [
        energy(error_spectrum(TASK, replace(CONFIG, quant=QuantConfig(bits=bits)), 0, epochs=3)[0])
        for bits in (2, 4, 8, 32)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[2] < errors[0] / 100
    assert errors[3] == 0


def test_it_follows_from_the_seed_and_leaves_prompts_out() -> None:
    first = error_spectrum(TASK, CONFIG, 1, epochs=2)
    assert first == error_spectrum(TASK, replace(CONFIG, prompt=PromptConfig(kind="LoRAP")), 1, epochs=2)
    assert first != error_spectrum(TASK, CONFIG, 2, epochs=2)


def test_graphs_have_a_spectrum_too() -> None:
    task = graph_task()
    found = error_spectrum(task, TrialConfig(model=ModelConfig(arch="GIN", hidden=8)), 0, epochs=1)
    assert [values[0] > 0 for values in found] == [True] * len(found)


def test_the_energy_is_that_of_the_error() -> None:
    import torch

    error = torch.randn(50, 6, generator=torch.Generator().manual_seed(0))
    assert energy(module._singular_values(error)) == pytest.approx(float(error.square().sum()), rel=1e-6)


def test_every_layer_is_remembered_for_no_more_than_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(feed, "SHOWN_NODES", 40)
    monkeypatch.setattr(module, "_see", lambda _network, batch: seen.append(int(batch.sizes.sum())))
    error_spectrum(graph_task(), CONFIG, 0, epochs=1)
    assert 0 < seen[0] <= 50
