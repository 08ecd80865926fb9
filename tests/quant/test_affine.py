"""Affine quantizers: how ranges are remembered, frozen, and kept apart between members; protected rows."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from lorap_bench.config import QuantConfig
from lorap_bench.quant import ActivationQuantizer, Context, WeightQuantizer
from tests.quant.sites import activation, context, normal, weight

DEFAULT = QuantConfig(observer="MovingAverage", gradient="straight_through")


def batch(*extremes: tuple[float, float]) -> torch.Tensor:
    """Return ``[S, 3, 2]`` whose members span these extremes."""
    return torch.stack([torch.tensor([[low, 0.0], [0.0, 0.0], [0.0, high]]) for low, high in extremes])


def build(widths: list[int], *configs: QuantConfig, at: Context | None = None) -> ActivationQuantizer:
    return ActivationQuantizer(widths, configs or (DEFAULT,), activation(), at or context())


def remembered(quantizer: ActivationQuantizer) -> list[tuple[float, float]]:
    lows, highs = quantizer.get_buffer("range_low"), quantizer.get_buffer("range_high")
    return list(zip(lows.tolist(), highs.tolist(), strict=True))


def test_moving_average_starts_at_the_first_range_and_follows_each_members_momentum() -> None:
    quantizer = build([8, 8], replace(DEFAULT, momentum=0.5), replace(DEFAULT, momentum=0.1))
    quantizer(batch((-1, 1), (-2, 2)))
    assert remembered(quantizer) == [(-1, 1), (-2, 2)]
    quantizer(batch((-3, 5), (-12, 12)))
    assert remembered(quantizer) == [(-2, 3), (-3, 3)]


def test_min_max_only_widens() -> None:
    quantizer = build([8], replace(DEFAULT, observer="MinMax"))
    for low, high in ((-1, 1), (-3, 0.5), (-0.1, 2)):
        quantizer(batch((low, high)))
    assert remembered(quantizer) == [(-3, 2)]


def test_percentile_ignores_the_tails() -> None:
    quantizer = build([8], replace(DEFAULT, observer="Percentile", percentile=0.1))
    quantizer(torch.linspace(0, 99, 100).view(1, 50, 2))
    assert remembered(quantizer) == [(9, 90)]


def test_moving_percentile_averages_the_order_statistics() -> None:
    quantizer = build([8], replace(DEFAULT, observer="MovingPercentile", percentile=0.1, momentum=0.5))
    x = torch.linspace(0, 99, 100).view(1, 50, 2)
    quantizer(x)
    assert remembered(quantizer) == [(9, 90)]
    quantizer(3 * x)
    assert remembered(quantizer) == [(18, 180)]


def test_evaluation_freezes_the_range() -> None:
    quantizer = build([4])
    quantizer(batch((-1, 1)))
    quantizer.eval()
    out = quantizer(batch((-50, 50)))
    assert remembered(quantizer) == [(-1, 1)]
    assert out.max() <= 1.2


def test_a_constant_is_calibrated_once_whatever_the_mode() -> None:
    quantizer = build([4], replace(DEFAULT, observer="Percentile", percentile=0.4))
    quantizer.calibrate(batch((-1, 1)))
    quantizer(batch((-50, 50)))
    assert remembered(quantizer) == [(-1, 1)]


@pytest.mark.parametrize("per_channel", [False, True])
def test_weights_use_their_present_range_in_both_modes(per_channel: bool) -> None:
    config = replace(DEFAULT, weight_per_channel=per_channel)
    quantizer = WeightQuantizer([8], (config,), weight(30, 4), context())
    x = normal(1, 30, 4) * torch.tensor([0.01, 1, 1, 100])
    error = (quantizer(x) - x).abs()
    ceiling = x.abs().amax((1,) if per_channel else (1, 2), keepdim=True) / 127 / 2
    assert (error <= ceiling * 1.0001).all()
    assert torch.equal(quantizer.eval()(10 * x), quantizer.train()(10 * x))


def test_more_bits_never_hurt() -> None:
    x = normal(1, 100, 10, seed=2)
    errors = [(build([bits])(x) - x).square().mean().item() for bits in range(2, 9)]
    assert errors == sorted(errors, reverse=True)


def test_a_members_result_does_not_depend_on_the_others() -> None:
    one, other = replace(DEFAULT, momentum=0.3), replace(DEFAULT, momentum=0.7)
    together, alone = build([3, 6], one, other, at=context(1, 2)), build([6], other, at=context(2))
    for seed in range(3):
        x = normal(2, 20, 5, seed=seed)
        assert torch.equal(together(x)[1], alone(x[1:])[0])


def test_protected_rows_pass_bit_by_bit_and_set_no_range() -> None:
    at = context()
    quantizer = build([2], at=at)
    x = torch.tensor([[[-77.123, 55.1], [-1.0, 0.3], [0.4, 2.0], [1e-20, 99.9]]])
    at.protected = torch.tensor([[True, False, False, True]])
    out = quantizer(x)
    assert torch.equal(out[0, [0, 3]], x[0, [0, 3]])
    assert remembered(quantizer) == [(-1, 2)]
    at.protected = None
    quantizer.eval()
    assert torch.equal(out[0, [1, 2]], quantizer(x)[0, [1, 2]])


def test_a_step_that_protects_every_row_leaves_the_range() -> None:
    at = context(1, 2)
    for observer in ("MinMax", "MovingAverage", "Percentile", "MovingPercentile"):
        config = replace(DEFAULT, observer=observer)
        quantizer = build([4, 4], config, config, at=at)
        at.protected = None
        quantizer(batch((-1, 1), (-2, 2)))
        before = remembered(quantizer)
        at.protected = torch.tensor([[True] * 3, [True] * 3])
        x = batch((-9, 9), (-8, 8))
        assert torch.equal(quantizer(x), x)
        assert remembered(quantizer) == before


def test_a_range_first_seen_after_steps_that_protect_all_is_taken_as_it_is() -> None:
    at = context()
    quantizer = build([4], at=at)
    at.protected = torch.ones(1, 3, dtype=torch.bool)
    quantizer(batch((-9, 9)))
    assert remembered(quantizer) == [(0, 0)]
    at.protected = None
    quantizer(batch((-1, 3)))
    assert remembered(quantizer) == [(-1, 3)]


def test_evaluation_protects_nothing() -> None:
    at = context()
    quantizer = build([2], at=at)
    x = batch((-1.0, 0.9))
    quantizer(x)
    quantizer.eval()
    plain = quantizer(x)
    at.protected = torch.ones(1, 3, dtype=torch.bool)
    assert torch.equal(quantizer(x), plain)
    assert not torch.equal(plain, x)


def test_protected_rows_keep_their_gradient_where_it_is_clipped() -> None:
    at = context()
    quantizer = build([2], replace(DEFAULT, gradient="clipped", observer="MinMax"), at=at)
    quantizer(batch((-1.0, 2.0)))
    at.protected = torch.tensor([[True, False, False]])
    x = torch.tensor([[[-9.0, 0.0], [2.0, 0.0], [0.4, 1.0]]], requires_grad=True)
    (gradient,) = torch.autograd.grad(quantizer(x).sum(), x)
    assert gradient.tolist() == [[[1, 1], [0, 1], [1, 1]]]


def test_a_row_with_not_a_number_stays_visible() -> None:
    # a diverging member must show it in its loss, never be rounded into a number
    quantizer = build([4])
    x = torch.full((1, 3, 2), float("nan"))
    assert quantizer(x).isnan().all()


def test_equal_values_are_quantized_without_a_division_by_zero() -> None:
    quantizer = build([4])
    for value in (0.0, 3.0, -2.5):
        out = build([4])(torch.full((1, 3, 2), value))
        torch.testing.assert_close(out, torch.full((1, 3, 2), value), rtol=1e-6, atol=0)
    assert torch.equal(quantizer(torch.zeros(1, 3, 2)), torch.zeros(1, 3, 2))
