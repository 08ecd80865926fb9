"""Quantizers: how ranges are remembered, frozen, and kept apart between members."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from lorap_bench.config import QuantConfig
from lorap_bench.quant import ActivationQuantizer, WeightQuantizer


def batch(*extremes: tuple[float, float]) -> torch.Tensor:
    """Return ``[S, 3, 2]`` whose members span these extremes."""
    return torch.stack([torch.tensor([[low, 0.0], [0.0, 0.0], [0.0, high]]) for low, high in extremes])


def remembered(quantizer: ActivationQuantizer) -> list[tuple[float, float]]:
    lows, highs = quantizer.get_buffer("range_low"), quantizer.get_buffer("range_high")
    return list(zip(lows.tolist(), highs.tolist(), strict=True))


def test_moving_average_starts_at_the_first_range_and_follows_each_members_momentum() -> None:
    configs = (QuantConfig(momentum=0.5), QuantConfig(momentum=0.1))
    quantizer = ActivationQuantizer([8, 8], configs)
    quantizer(batch((-1, 1), (-2, 2)))
    assert remembered(quantizer) == [(-1, 1), (-2, 2)]
    quantizer(batch((-3, 5), (-12, 12)))
    assert remembered(quantizer) == [(-2, 3), (-3, 3)]


def test_min_max_only_widens() -> None:
    quantizer = ActivationQuantizer([8], (QuantConfig(observer="MinMax"),))
    for low, high in ((-1, 1), (-3, 0.5), (-0.1, 2)):
        quantizer(batch((low, high)))
    assert remembered(quantizer) == [(-3, 2)]


def test_percentile_ignores_the_tails() -> None:
    quantizer = ActivationQuantizer([8], (QuantConfig(observer="Percentile", percentile=0.1),))
    quantizer(torch.linspace(0, 99, 100).view(1, 50, 2))
    assert remembered(quantizer) == [(9, 90)]


def test_evaluation_freezes_the_range() -> None:
    quantizer = ActivationQuantizer([4], (QuantConfig(),))
    quantizer(batch((-1, 1)))
    quantizer.eval()
    out = quantizer(batch((-50, 50)))
    assert remembered(quantizer) == [(-1, 1)]
    assert out.max() <= 1.2


def test_a_constant_is_calibrated_once_whatever_the_mode() -> None:
    quantizer = ActivationQuantizer([4], (QuantConfig(observer="Percentile", percentile=0.4),))
    quantizer.calibrate(batch((-1, 1)))
    quantizer(batch((-50, 50)))
    assert remembered(quantizer) == [(-1, 1)]


@pytest.mark.parametrize("per_channel", [False, True])
def test_weights_use_their_present_range_in_both_modes(per_channel: bool) -> None:
    quantizer = WeightQuantizer([8], (QuantConfig(weight_per_channel=per_channel),))
    x = torch.randn(1, 30, 4, generator=torch.Generator().manual_seed(0)) * torch.tensor([0.01, 1, 1, 100])
    error = (quantizer(x) - x).abs()
    ceiling = x.abs().amax((1,) if per_channel else (1, 2), keepdim=True) / 127 / 2
    assert (error <= ceiling * 1.0001).all()
    assert torch.equal(quantizer.eval()(10 * x), quantizer.train()(10 * x))


def test_more_bits_never_hurt() -> None:
    x = torch.randn(1, 100, 10, generator=torch.Generator().manual_seed(2))
    errors = []
    for bits in range(2, 9):
        quantizer = ActivationQuantizer([bits], (QuantConfig(),))
        errors.append((quantizer(x) - x).square().mean().item())
    assert errors == sorted(errors, reverse=True)


def test_a_members_result_does_not_depend_on_the_others() -> None:
    one, other = QuantConfig(momentum=0.3), replace(QuantConfig(), momentum=0.7)
    together = ActivationQuantizer([3, 6], (one, other))
    alone = ActivationQuantizer([6], (other,))
    for seed in range(3):
        x = torch.randn(2, 20, 5, generator=torch.Generator().manual_seed(seed))
        assert torch.equal(together(x)[1], alone(x[1:])[0])
