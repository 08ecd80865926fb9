"""Quantizers with learned steps and widths: codes, the convention of widths, gradients, the nearest group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from lorap_bench.kernels import Csr, Group, csr_from_coo
from lorap_bench.quant.learned_step import (
    ColumnQuantizer,
    GroupQuantizer,
    LearnedStep,
    RowQuantizer,
    Start,
    nearest_group,
)
from tests.quant.sites import activation, context, normal

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAIN, CALIBRATED = Start(0.1, 0.0, calibrated=False), Start(0.1, 0.0, calibrated=True)


def rows(
    count: int = 4,
    columns: int = 6,
    *,
    members: int = 1,
    signed: bool = True,
    local: bool = False,
    start: Start = PLAIN,
) -> RowQuantizer:
    site = activation(count, columns, nonnegative=not signed)
    quantizer = RowQuantizer([4] * members, site, context(*range(members)), start, local=local)
    fill(quantizer, step=0.1, width=4.0)
    return quantizer


def fill(quantizer: LearnedStep, **values: float | Tensor) -> None:
    for name, value in values.items():
        quantizer.get_parameter(name).data.copy_(torch.as_tensor(value))


@pytest.mark.parametrize("signed", [True, False])
def test_widths_are_rounded_and_clamped_in_one_convention(signed: bool) -> None:
    stored = torch.tensor([-3.0, 0.9, 1.4, 1.6, 2.5, 3.5, 7.4, 8.0, 31.0])
    quantizer = rows(9, 1, signed=signed)
    fill(quantizer, width=stored.view(1, 9, 1))
    least = 2.0 if signed else 1.0
    expected = stored.clamp(least, 8).round()  # half to even
    assert torch.equal(quantizer.row_bits()[0], expected)
    torch.testing.assert_close(quantizer.bits(), expected.mean().view(1))
    largest = 2 ** (expected - 1) - 1 if signed else 2**expected - 1
    out = quantizer(torch.full((1, 9, 1), 1e6))
    torch.testing.assert_close(out[0, :, 0] / 0.1, largest)


@pytest.mark.parametrize(("signed", "bits"), [(True, 2), (True, 5), (True, 8), (False, 1), (False, 4), (False, 8)])
def test_codes_fit_the_width(signed: bool, bits: int) -> None:
    quantizer = rows(50, 40, signed=signed)
    fill(quantizer, width=float(bits))
    x = 30 * normal(1, 50, 40)
    codes = quantizer(x if signed else x.abs()) / 0.1
    torch.testing.assert_close(codes, codes.round(), rtol=0, atol=1e-3)
    top = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    assert codes.max().round() == top
    assert codes.min().round() == (-top if signed else 0)
    assert codes.round().unique().numel() <= 2**bits


def test_the_gradient_of_a_mean_width_passes_rounding_and_clamping() -> None:
    quantizer = rows()
    fill(quantizer, width=torch.tensor([-5.0, 2.2, 7.7, 20.0]).view(1, 4, 1))
    (gradient,) = torch.autograd.grad(quantizer.bits().sum(), quantizer.get_parameter("width"))
    torch.testing.assert_close(gradient, torch.full((1, 4, 1), 0.25))


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("local", [True, False])
def test_gradients_to_step_and_real_width_by_finite_differences(signed: bool, local: bool) -> None:
    quantizer = rows(4, 6, signed=signed, local=local).double()
    x = normal(1, 4, 6).double()
    x = x if signed else x.abs()
    step = torch.tensor([0.05, 0.2, -0.4, 0.9]).double().view(1, 4, 1)
    width = torch.tensor([2.3, 3.8, 3.0, 2.0]).double().view(1, 4, 1)
    fill(quantizer, step=step, width=width)
    probe, used = normal(1, 4, 6, seed=2).double(), width.round()
    found = torch.autograd.grad(quantizer(x), list(quantizer.parameters()), probe)
    residual = x.sign() * torch.floor(x.abs() / step.abs() + 0.5) - x / step.abs()
    top = 2 ** (used - int(signed)) - 1
    inside = x.abs() <= step.abs() * top

    def loss(step: Tensor, moved: Tensor) -> Tensor:
        surrogate = torch.where(
            inside, x + step.abs() * residual, x.sign() * step.abs() * (2 ** (used + moved - int(signed)) - 1)
        )
        return (surrogate - x).abs().mean(2).sum() if local else (surrogate * probe).sum()

    still, delta = torch.zeros_like(width), 1e-6
    names = [name for name, _ in quantizer.named_parameters()]
    for row in range(4):
        nudge = torch.zeros_like(width)
        nudge[0, row] = delta
        by_step = (loss(step + nudge, still) - loss(step - nudge, still)) / (2 * delta)
        by_width = (loss(step, still + nudge) - loss(step, still - nudge)) / (2 * delta)
        torch.testing.assert_close(found[names.index("step")][0, row, 0], by_step, rtol=1e-5, atol=1e-8)
        torch.testing.assert_close(found[names.index("width")][0, row, 0], by_width, rtol=1e-5, atol=1e-8)
    assert not inside.all()
    assert inside.any()


def test_a_local_gradient_only_raises_the_width_and_only_where_values_are_clipped() -> None:
    quantizer = rows(3, 6, local=True)
    x = torch.stack([torch.full((6,), value) for value in (0.3, -50.0, 50.0)]).unsqueeze(0)
    (gradient,) = torch.autograd.grad(quantizer(x).sum(), quantizer.get_parameter("width"))
    assert gradient[0, 0] == 0
    assert (gradient[0, 1:] < 0).all()  # descent raises what has a negative slope


def sparse_rows(count: int, columns: int) -> tuple[Csr, Tensor, Tensor]:
    """Return a pattern, its stored values ``[2, E]`` and the dense tensor; one row and one column are empty."""
    generator = torch.Generator().manual_seed(3)
    filled = torch.rand(count, columns, generator=generator) < 0.3
    filled[2], filled[:, 1] = False, False
    row, col = filled.nonzero(as_tuple=True)
    pattern, order = csr_from_coo(row, col, (count, columns))
    values = normal(2, row.numel(), seed=4)[:, order]
    dense = torch.zeros(2, count, columns)
    dense[:, pattern.row, pattern.col.long()] = values
    return pattern, values, dense


def learned(count: int, columns: int, *, local: bool) -> Iterator[LearnedStep]:
    """Build each kind that may meet sparse features, with steps and widths that differ."""
    site = activation(count, columns)
    for steps in (columns, columns // 4):
        quantizer = ColumnQuantizer(
            [4, 2], site, context(1, 2), PLAIN, steps=steps, group=Group.FEATURE_STEP, local=local
        )
        fill(quantizer, step=normal(2, 1, steps, seed=6) * 0.3)
        yield quantizer
    row = RowQuantizer([4, 4], site, context(1, 2), PLAIN, local=local)
    fill(row, step=normal(2, count, 1, seed=6) * 0.3, width=normal(2, count, 1, seed=7) + 3)
    yield row
    groups = GroupQuantizer([4, 4], site, context(1, 2), PLAIN, groups=5)
    fill(groups, step=normal(2, 5, 1, seed=6) * 0.3, width=normal(2, 5, 1, seed=7) + 3)
    yield groups


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize("kind", range(4))
def test_sparse_entries_are_quantized_and_learned_from_as_the_dense_tensor(kind: int, local: bool) -> None:
    pattern, values, dense = sparse_rows(15, 8)
    quantizer = list(learned(15, 8, local=local))[kind]
    stored, whole = quantizer.sparse(values, pattern), quantizer(dense)
    assert torch.equal(stored, whole[:, pattern.row, pattern.col.long()])
    assert (whole[dense == 0] == 0).all()
    probe = normal(*dense.shape, seed=8)
    parameters = list(quantizer.parameters())
    from_stored = torch.autograd.grad(stored, parameters, probe[:, pattern.row, pattern.col.long()])
    for ours, theirs in zip(from_stored, torch.autograd.grad(whole, parameters, probe), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7)


def test_blocks_of_columns_share_a_step() -> None:
    quantizer = ColumnQuantizer([3], activation(5, 6), context(), PLAIN, steps=2, group=Group.FEATURE_STEP, local=False)
    fill(quantizer, step=torch.tensor([0.1, -0.5]).view(1, 1, 2))
    out = quantizer(torch.full((1, 5, 6), 100.0))
    torch.testing.assert_close(out[0, 0], torch.tensor([0.3, 0.3, 0.3, 1.5, 1.5, 1.5]))


def test_calibrated_steps_follow_lsq() -> None:
    x, at = normal(1, 4, 6), context()
    at.calibrating = True
    row = RowQuantizer([4], activation(4, 6), at, CALIBRATED, local=False)
    fill(row, step=0.0, width=4.0)
    row(x)
    torch.testing.assert_close(row.get_parameter("step").data, 2 * x.abs().mean(2, keepdim=True) / 7**0.5)
    column = ColumnQuantizer([4], activation(4, 6), at, CALIBRATED, steps=3, group=Group.FEATURE_STEP, local=False)
    column(x)
    blocks = x.abs().mean(1).view(3, 2).mean(1)
    torch.testing.assert_close(column.get_parameter("step").data.flatten(), 2 * blocks / 7**0.5)
    at.calibrating = False
    before = row.get_parameter("step").data.clone()
    row(100 * x)
    assert torch.equal(row.get_parameter("step").data, before)


def test_calibrated_steps_of_sparse_features_see_the_stored_entries() -> None:
    pattern, values, dense = sparse_rows(15, 8)
    at = context(1, 2)
    at.calibrating = True
    for axis, quantizer in (
        (2, RowQuantizer([4, 4], activation(15, 8), at, CALIBRATED, local=False)),
        (1, ColumnQuantizer([4, 4], activation(15, 8), at, CALIBRATED, steps=8, group=Group.FEATURE_STEP, local=False)),
    ):
        if isinstance(quantizer, RowQuantizer):
            fill(quantizer, width=4.0)
        quantizer.sparse(values, pattern)
        stored = (dense != 0).sum(axis, keepdim=True).clamp(min=1)
        expected = 2 * dense.abs().sum(axis, keepdim=True) / stored / 7**0.5
        torch.testing.assert_close(quantizer.get_parameter("step").data, expected)


def brute_force(peaks: Tensor, reach: Tensor) -> Tensor:
    """Return the nearest group by all distances; of equally near ones the first of the smallest reach."""
    distance = (peaks.unsqueeze(2) - reach.unsqueeze(1)).abs()
    nearest = distance == distance.amin(2, keepdim=True)
    smallest = torch.where(nearest, reach.unsqueeze(1), torch.inf)
    return (smallest == smallest.amin(2, keepdim=True)).int().argmax(2)


@pytest.mark.parametrize(("nodes", "groups"), [(200, 33), (5, 1), (1, 7), (300, 2)])
def test_the_nearest_group_is_that_of_brute_force(nodes: int, groups: int) -> None:
    peaks, reach = normal(3, nodes).abs().double(), normal(3, groups, seed=1).abs().double()
    assert torch.equal(nearest_group(peaks, reach), brute_force(peaks, reach))


def test_ties_go_to_the_smaller_reach_and_equal_groups_to_the_first_of_them() -> None:
    reach = torch.tensor([[4.0, 2.0, 8.0, 2.0, 4.0]])  # unsorted, with repeats
    peaks = torch.tensor([[0.0, 2.0, 3.0, 3.5, 4.0, 6.0, 6.25, 1e3]])
    found = nearest_group(peaks, reach)
    assert reach[0][found[0]].tolist() == [2, 2, 2, 4, 4, 4, 8, 8]
    assert torch.equal(reach[0][found[0]], reach[0][brute_force(peaks, reach)[0]])


def test_a_matrix_of_all_distances_would_not_fit() -> None:
    # 300,000 nodes against 100,000 groups would be 120 GB
    peaks, reach = normal(1, 300_000).abs(), normal(1, 100_000, seed=1).abs()
    found = nearest_group(peaks, reach)
    some = torch.arange(0, 300_000, 3001)
    expected = brute_force(peaks[:, some], reach)
    gap = (peaks[0, some] - reach[0][found[0, some]]).abs() - (peaks[0, some] - reach[0][expected[0]]).abs()
    assert gap.abs().max() < 1e-6  # two groups at the same distance within rounding may swap


def groups(count: int, *, signed: bool = True, members: int = 1, start: Start = PLAIN) -> GroupQuantizer:
    site = activation(30, 6, nonnegative=not signed)
    quantizer = GroupQuantizer([4] * members, site, context(*range(members)), start, groups=count)
    fill(quantizer, step=normal(members, count, 1, seed=5).abs() + 0.05, width=normal(members, count, 1, seed=6) + 4)
    return quantizer


def test_each_row_takes_step_and_width_of_its_nearest_group() -> None:
    quantizer, x = groups(5, members=2), 3 * normal(2, 30, 6)
    step = quantizer.get_parameter("step").data.squeeze(2)
    bits = quantizer.row_bits()
    top = 2 ** (bits - 1) - 1
    chosen = brute_force(x.abs().amax(2), step * top)
    s, q = step.gather(1, chosen).unsqueeze(2), top.gather(1, chosen).unsqueeze(2)
    torch.testing.assert_close(quantizer(x), s * x.sign() * torch.minimum((x.abs() / s + 0.5).floor(), q))
    torch.testing.assert_close(quantizer.bits(), bits.gather(1, chosen).mean(1))
    assert (chosen[0] != chosen[1]).any()


def test_groups_learn_from_the_task_through_the_rows_that_chose_them() -> None:
    quantizer, x = groups(5), 3 * normal(1, 30, 6)
    out = quantizer(x)
    reach = (quantizer.get_parameter("step").data * (2 ** (quantizer.row_bits().unsqueeze(2) - 1) - 1)).squeeze(2)
    chosen = brute_force(x.abs().amax(2), reach)[0]
    probe = normal(1, 30, 6, seed=9)
    (by_step,) = torch.autograd.grad(out, quantizer.get_parameter("step"), probe, retain_graph=True)
    counted = torch.zeros(5)
    for node, group in enumerate(chosen.tolist()):
        step, most = quantizer.get_parameter("step").data[0, group, 0], reach[0, group]
        inside = x[0, node].abs() <= most
        slope = torch.where(inside, (out[0, node].detach() - x[0, node]) / step, x[0, node].sign() * most / step)
        counted[group] += (slope * probe[0, node]).sum()
    torch.testing.assert_close(by_step.flatten(), counted, rtol=1e-4, atol=1e-5)
    # the mean width has a slope of each group's share of the rows
    (by_width,) = torch.autograd.grad(quantizer.bits().sum(), quantizer.get_parameter("width"))
    torch.testing.assert_close(by_width.flatten(), torch.bincount(chosen, minlength=5) / 30)


def test_calibrated_groups_reach_evenly_spaced_order_statistics() -> None:
    quantizer, x = groups(4, start=CALIBRATED), normal(1, 30, 6)
    fill(quantizer, width=4.0)
    quantizer.context.calibrating = True
    quantizer(x)
    peaks = x.abs().amax(2)[0].sort().values
    expected = peaks[[0, 10, 19, 29]]  # places 0, 9.67, 19.33, 29
    torch.testing.assert_close(quantizer.get_parameter("step").data.flatten() * 7, expected)


def test_a_step_of_zero_is_no_division_by_zero() -> None:
    quantizer = rows(2, 3)
    fill(quantizer, step=0.0)
    out = quantizer(torch.tensor([[[0.0, 1.0, -1.0], [0.0, 0.0, 0.0]]]))
    assert out.isfinite().all()
    assert out.abs().max() < 1e-5
