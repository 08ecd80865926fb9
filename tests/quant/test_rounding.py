"""The noise that training sees in place of rounding to nearest: unbiased, of the right size, and gone in evaluation."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from lorap_bench.config import QuantConfig
from lorap_bench.quant import ActivationQuantizer, Context, WeightQuantizer
from tests.quant.sites import activation, context, normal, weight

CONFIG = QuantConfig(observer="MinMax", gradient="straight_through")


def activations(rounding: str, at: Context, *, bits: int = 4) -> ActivationQuantizer:
    """Return a quantizer that remembers the range -1 … 2."""
    config = replace(CONFIG, rounding=rounding)  # type: ignore[arg-type]  # one of the literals
    members = len(at.draws.seeds)
    quantizer = ActivationQuantizer([bits] * members, (config,) * members, activation(), at)
    quantizer(torch.tensor([[[-1.0, 2.0]]]).expand(members, 1, 2))
    return quantizer


SCALE = 3 / 15
ZERO = 5


def codes(x: Tensor) -> Tensor:
    return x / SCALE + ZERO


def test_stochastic_rounding_is_unbiased_and_stays_on_the_grid() -> None:
    quantizer = activations("stochastic", context())
    for value in (-0.93, 0.01, 0.25, 1.9999):
        x = torch.full((1, 1000, 200), value)
        out = quantizer(x)
        code = codes(out.double())
        torch.testing.assert_close(code, code.round(), rtol=0, atol=1e-5)
        assert out.unique().numel() <= 2
        up = (value / SCALE) % 1
        bound = 4.5 * SCALE * math.sqrt(up * (1 - up) / x.numel())
        assert abs(out.double().mean().item() - value) < bound + 1e-6


def test_uniform_noise_has_the_variance_of_rounding_errors() -> None:
    quantizer = activations("noise", context())
    x = torch.full((1, 1000, 200), 0.777)
    error = (quantizer(x) - x).double()
    assert error.abs().max() <= SCALE / 2 * 1.0001
    assert abs(error.mean().item()) < 4.5 * SCALE / math.sqrt(12 * x.numel())
    assert error.var().item() == pytest.approx(SCALE**2 / 12, rel=0.01)


@pytest.mark.parametrize("rounding", ["stochastic", "noise"])
def test_codes_stay_within_the_range(rounding: str) -> None:
    out = activations(rounding, context())(torch.linspace(-1, 2, 5000).view(1, -1, 1))
    code = codes(out)
    assert code.min() >= -1e-5
    assert code.max() <= 15 + 1e-5


@pytest.mark.parametrize("rounding", ["stochastic", "noise"])
def test_evaluation_rounds_to_nearest(rounding: str) -> None:
    x = normal(1, 50, 4).clamp(-1, 2)
    nearest, noisy = (activations(kind, context()) for kind in ("nearest", rounding))
    assert not torch.equal(noisy(x), nearest(x))
    assert torch.equal(noisy.eval()(x), nearest.eval()(x))


@pytest.mark.parametrize("rounding", ["stochastic", "noise"])
def test_draws_follow_seed_step_and_site_and_no_company(rounding: str) -> None:
    x = normal(1, 300, 4).clamp(-1, 2)
    at = context(1, 2)
    quantizer = activations(rounding, at)
    together = quantizer(x.expand(2, -1, -1))
    assert not torch.equal(together[0], together[1])
    assert torch.equal(together[1], activations(rounding, context(2))(x)[0])
    at.draws.step = 1
    assert not torch.equal(quantizer(x.expand(2, -1, -1)), together)
    other = activations(rounding, context(1))
    other.site = replace(other.site, name="layers.1.feature")
    assert not torch.equal(other(x)[0], together[0])


@pytest.mark.parametrize("rounding", ["stochastic", "noise"])
def test_weights_are_dithered_in_training_only(rounding: str) -> None:
    config = replace(CONFIG, rounding=rounding)  # type: ignore[arg-type]  # one of the literals
    at, x = context(), normal(1, 400, 50)
    quantizer = WeightQuantizer([4], (config,), weight(400, 50), at)
    scale = x.abs().max().item() / 7
    draws = []
    for at.draws.step in range(200):
        draws.append(quantizer(x))
    error = torch.stack(draws).mean(0) - x
    # the smallest code lies beyond the range: nothing is clamped but the extreme
    assert error.abs().max() < 5.5 * scale / 2 / math.sqrt(200)
    plain = WeightQuantizer([4], (CONFIG,), weight(400, 50), at)
    assert torch.equal(quantizer.eval()(x), plain(x))


def test_a_calibrated_constant_is_never_dithered() -> None:
    quantizer = activations("stochastic", context())
    x = normal(1, 30, 2)
    quantizer.calibrate(x)
    assert torch.equal(quantizer.train()(x), quantizer.eval()(x))


@pytest.mark.parametrize("rounding", ["stochastic", "noise"])
def test_the_gradient_stays_the_straight_through_one(rounding: str) -> None:
    x = normal(1, 20, 2).requires_grad_()
    (gradient,) = torch.autograd.grad(activations(rounding, context())(x).sum(), x)
    assert torch.equal(gradient, torch.ones_like(x))
