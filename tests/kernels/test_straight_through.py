"""Learned quantizers: forward by the formula, gradients by finite differences of the straight-through surrogate.

The surrogate freezes what rounding added: inside the range ``x_q = s (t + r)``, r the rounding residual of the
point at hand (a plain difference of the rounded function would see r as constant in s too, and be wrong).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from lorap_bench.kernels import CodeRange
from lorap_bench.kernels.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Callable

KERNELS = Reference()
DELTA = 1e-6


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def difference(function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    """Return the central difference of a scalar function in every entry of ``at``."""
    slopes = torch.zeros_like(at)
    for index in range(at.numel()):
        step = torch.zeros_like(at).flatten()
        step[index] = DELTA
        step = step.view_as(at)
        slopes.view(-1)[index] = (function(at + step) - function(at - step)) / (2 * DELTA)
    return slopes


def step_surrogate(x: Tensor, step: Tensor, top: Tensor) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return the differentiable stand-in of ``step_quantize`` around a point."""
    inside = x.abs() <= step * top
    residual = x.sign() * torch.floor(x.abs() / step + 0.5) - x / step

    def surrogate(x: Tensor, step: Tensor, top: Tensor) -> Tensor:
        return torch.where(inside, step * (x / step + residual), x.sign() * step * top)

    return surrogate


SHAPES = [((2, 6, 1), (2, 6, 1)), ((2, 1, 5), (2, 1, 1)), ((2, 6, 5), (2, 6, 5)), ((2, 1, 1), (2, 1, 1))]


@pytest.mark.parametrize(("step_shape", "top_shape"), SHAPES)
def test_step_quantizer_forward(step_shape: tuple[int, ...], top_shape: tuple[int, ...]) -> None:
    x, step = 3 * draw(2, 6, 5), draw(*step_shape, seed=1).abs() + 0.1
    top = torch.tensor([1.0, 7.0]).double().view(2, 1, 1).expand(top_shape).contiguous()
    found = KERNELS.step_quantize(x, step, top, local=False)
    codes = torch.minimum(torch.floor(x.abs() / step + 0.5), top)
    torch.testing.assert_close(found, step * x.sign() * codes, rtol=0, atol=0)


@pytest.mark.parametrize(("step_shape", "top_shape"), SHAPES)
def test_task_gradients_of_step_and_largest_code(step_shape: tuple[int, ...], top_shape: tuple[int, ...]) -> None:
    x, step = 3 * draw(2, 6, 5), draw(*step_shape, seed=1).abs() + 0.3
    top, probe = (draw(*top_shape, seed=2).abs() * 4).ceil(), draw(2, 6, 5, seed=3)
    wanted = [tensor.clone().requires_grad_() for tensor in (x, step, top)]
    found = torch.autograd.grad(KERNELS.step_quantize(*wanted, local=False), wanted, probe)
    surrogate = step_surrogate(x, step, top)
    expected = (
        difference(lambda x: (surrogate(x, step, top) * probe).sum(), x),
        difference(lambda step: (surrogate(x, step, top) * probe).sum(), step),
        difference(lambda top: (surrogate(x, step, top) * probe).sum(), top),
    )
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("step_shape", "top_shape"), SHAPES[:3])
def test_local_gradients_are_those_of_the_mean_error(step_shape: tuple[int, ...], top_shape: tuple[int, ...]) -> None:
    x, step = 3 * draw(2, 6, 5), draw(*step_shape, seed=1).abs() + 0.3
    top = (draw(*top_shape, seed=2).abs() * 4).ceil()
    wanted = [tensor.clone().requires_grad_() for tensor in (x, step, top)]
    found = torch.autograd.grad(KERNELS.step_quantize(*wanted, local=True), wanted, draw(2, 6, 5, seed=3))
    surrogate = step_surrogate(x, step, top)

    def error(shape: tuple[int, ...], step: Tensor, top: Tensor) -> Tensor:
        # the sum over all steps of the mean over the values that share one
        sharing = x[0].numel() / torch.Size(shape[1:]).numel()
        return (surrogate(x, step, top) - x).abs().sum() / sharing

    torch.testing.assert_close(found[1], difference(lambda step: error(step_shape, step, top), step))
    torch.testing.assert_close(found[2], difference(lambda top: error(top_shape, step, top), top))
    # the tensor itself still carries the task's gradient
    assert torch.equal(found[0] != 0, x.abs() <= step * top)


def test_the_mask_of_a_step_quantizer_is_the_range() -> None:
    x = torch.tensor([[[-9.0, -3.0, -2.9, 0.0, 1.4, 3.0, 3.1]]], requires_grad=True)
    step, top = torch.ones(1, 1, 1), torch.full((1, 1, 1), 3.0)
    (gradient,) = torch.autograd.grad(KERNELS.step_quantize(x, step, top, local=False).sum(), x)
    assert gradient.tolist() == [[[0, 1, 1, 1, 1, 1, 0]]]


CODES = CodeRange(torch.tensor([0.0, -4.0]).double(), torch.tensor([15.0, 3.0]).double(), symmetric=False)


def affine_surrogate(x: Tensor, scale: Tensor, zero: Tensor) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return the differentiable stand-in of ``affine_quantize`` around a point."""
    low, high = CODES.low.view(2, 1, 1), CODES.high.view(2, 1, 1)
    place = x / scale + zero
    residual, inside = place.round() - place, (place >= low) & (place <= high)
    end = torch.where(place < low, low, high)

    def surrogate(x: Tensor, scale: Tensor, zero: Tensor) -> Tensor:
        return torch.where(inside, x / scale + residual, end - zero) * scale

    return surrogate


@pytest.mark.parametrize("shape", [(2, 1, 1), (2, 1, 5), (2, 6, 1)])
def test_affine_quantizer_with_learned_scale_and_zero_point(shape: tuple[int, ...]) -> None:
    x, scale = 3 * draw(2, 6, 5), draw(*shape, seed=1).abs() + 0.1
    zero, probe = torch.tensor([6.0, -1.0]).double().view(2, 1, 1).expand(shape).contiguous(), draw(2, 6, 5, seed=3)
    wanted = [tensor.clone().requires_grad_() for tensor in (x, scale, zero)]
    out = KERNELS.affine_quantize(wanted[0], wanted[1], wanted[2], CODES)
    codes = (x / scale + zero).round().clamp(CODES.low.view(2, 1, 1), CODES.high.view(2, 1, 1))
    torch.testing.assert_close(out, (codes - zero) * scale, rtol=0, atol=1e-12)
    found = torch.autograd.grad(out, wanted, probe)
    surrogate = affine_surrogate(x, scale, zero)
    sharing = x.numel() / scale.numel()
    factor = (sharing * (CODES.high - CODES.low)).rsqrt().view(2, 1, 1)  # LSQ, section 2.2
    expected = (
        difference(lambda x: (surrogate(x, scale, zero) * probe).sum(), x),
        factor * difference(lambda scale: (surrogate(x, scale, zero) * probe).sum(), scale),
        factor * difference(lambda zero: (surrogate(x, scale, zero) * probe).sum(), zero),
    )
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7)


def test_members_do_not_see_each_other() -> None:
    x, step = draw(2, 6, 5), draw(2, 1, 5, seed=1).abs() + 0.1
    top, zero = torch.tensor([1.0, 7.0]).double().view(2, 1, 1), torch.zeros(2, 1, 5).double()
    alone = CodeRange(CODES.low[1:], CODES.high[1:], symmetric=False)
    assert torch.equal(
        KERNELS.step_quantize(x, step, top, local=False)[1:],
        KERNELS.step_quantize(x[1:], step[1:], top[1:], local=False),
    )
    assert torch.equal(
        KERNELS.affine_quantize(x, step, zero, CODES)[1:], KERNELS.affine_quantize(x[1:], step[1:], zero[1:], alone)
    )
