"""The reference operations against torch's own and against plain formulas."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from lorap_bench.kernels import AdamState, CodeRange, Csr, counter_keys, csr_from_coo, drop_threshold
from lorap_bench.kernels.interface import ADAM_BETAS
from lorap_bench.kernels.reference import Reference

KERNELS = Reference()


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def codes(bits: list[int], *, symmetric: bool) -> CodeRange:
    low = [-(2.0 ** (b - 1)) if symmetric else 0.0 for b in bits]
    high = [2.0 ** (b - 1) - 1 if symmetric else 2.0**b - 1 for b in bits]
    return CodeRange(torch.tensor(low), torch.tensor(high), symmetric)


def random_pattern(rows: int = 30, columns: int = 20, entries: int = 90) -> tuple[Csr, Tensor]:
    generator = torch.Generator().manual_seed(1)
    flat = torch.randperm(rows * columns, generator=generator)[:entries]
    pattern, _ = csr_from_coo(flat // columns, flat % columns, (rows, columns))
    dense = torch.zeros(rows, columns)
    dense[pattern.row, pattern.col.long()] = 1.0
    return pattern, dense


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_symmetric_per_tensor_agrees_with_torch(bits: int) -> None:
    x = draw(1, 50, 7)
    limits = KERNELS.value_range(x, channels=False)
    ours = KERNELS.fake_quantize(x, limits, codes([bits], symmetric=True), clipped=False)
    scale = float(x.abs().max()) / (2 ** (bits - 1) - 1)
    theirs = torch.fake_quantize_per_tensor_affine(x, scale, 0, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_asymmetric_agrees_with_torch_off_the_ties(bits: int) -> None:
    x = draw(1, 200, 5, seed=3).abs() - 0.3
    low, high = float(x.min()), float(x.max())
    scale = (high - low) / (2**bits - 1)
    zero_point = int(min(max(round(-low / scale), 0), 2**bits - 1))
    limits = torch.tensor([low]), torch.tensor([high])
    ours = KERNELS.fake_quantize(x, limits, codes([bits], symmetric=False), clipped=False)
    theirs = torch.fake_quantize_per_tensor_affine(x, scale, zero_point, 0, 2**bits - 1)
    off_ties = ((x / scale) % 1 - 0.5).abs() > 1e-3
    torch.testing.assert_close(ours[off_ties], theirs[off_ties], rtol=1e-5, atol=1e-5)


def test_per_channel_symmetric_agrees_with_torch() -> None:
    x = draw(1, 40, 6, seed=5)
    limits = KERNELS.value_range(x, channels=True)
    ours = KERNELS.fake_quantize(x, limits, codes([4], symmetric=True), clipped=False)
    scales = x[0].abs().amax(0) / 7
    theirs = torch.fake_quantize_per_channel_affine(x[0], scales, torch.zeros(6, dtype=torch.int32), 1, -8, 7)
    torch.testing.assert_close(ours[0], theirs, rtol=1e-6, atol=1e-6)


def test_members_have_their_own_range_and_bits() -> None:
    x = torch.stack([draw(20, 4), 10 * draw(20, 4, seed=1)])
    limits = KERNELS.value_range(x, channels=False)
    together = KERNELS.fake_quantize(x, limits, codes([2, 8], symmetric=False), clipped=False)
    for member, bits in enumerate((2, 8)):
        one = (slice(member, member + 1),)
        alone = KERNELS.fake_quantize(
            x[one], (limits[0][one], limits[1][one]), codes([bits], symmetric=False), clipped=False
        )
        assert torch.equal(together[one], alone)
    assert together[0].unique().numel() <= 4


def test_zero_is_exact_and_rounding_is_half_to_even() -> None:
    x = torch.tensor([[[0.0, 0.5, 1.5, 2.5, 15.0]]])
    limits = torch.tensor([0.0]), torch.tensor([15.0])
    out = KERNELS.fake_quantize(x, limits, codes([4], symmetric=False), clipped=False)
    assert out.tolist() == [[[0.0, 0.0, 2.0, 2.0, 15.0]]]


def test_an_all_zero_tensor_stays_zero() -> None:
    x = torch.zeros(2, 3, 3)
    for symmetric in (True, False):
        limits = KERNELS.value_range(x, channels=False)
        assert torch.equal(KERNELS.fake_quantize(x, limits, codes([4, 8], symmetric=symmetric), clipped=False), x)


def test_straight_through_gradient_is_the_identity_even_outside() -> None:
    x = torch.tensor([[[-9.0, 0.3, 99.0]]], requires_grad=True)
    limits = torch.tensor([-1.0]), torch.tensor([2.0])
    KERNELS.fake_quantize(x, limits, codes([2], symmetric=False), clipped=False).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[[1.0, 1.0, 1.0]]]


def test_clipped_gradient_is_zero_on_the_end_codes_and_beyond() -> None:
    # scale 1, zero point 1: unclamped codes -8, 0, 1, 2, 3, 100 against the range 0 … 3
    x = torch.tensor([[[-9.0, -1.0, 0.0, 1.0, 2.0, 99.0]]], requires_grad=True)
    limits = torch.tensor([-1.0]), torch.tensor([2.0])
    KERNELS.fake_quantize(x, limits, codes([2], symmetric=False), clipped=True).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[[0.0, 0.0, 1.0, 1.0, 0.0, 0.0]]]


def test_percentile_range_is_the_order_statistic() -> None:
    x = torch.arange(1000.0).flip(0).reshape(1, 100, 10)
    low, high = KERNELS.percentile_range(x, torch.tensor([0.01], dtype=torch.float64), largest=0.01)
    assert (low.item(), high.item()) == (9.0, 990.0)
    tiny = torch.tensor([[[3.0, 1.0, 2.0]]])
    low, high = KERNELS.percentile_range(tiny, torch.tensor([0.001], dtype=torch.float64), largest=0.001)
    assert (low.item(), high.item()) == (1.0, 3.0)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("hides", [False, True])
def test_percentiles_agree_with_sorting(ties: bool, hides: bool) -> None:
    fractions = [0.001, 0.01, 0.1, 0.29, 0.49]
    x = draw(len(fractions), 137, 3, seed=4)
    x = x.round() if ties else x
    protected = draw(len(fractions), 137, seed=5) > 0.3 if hides else None
    low, high = KERNELS.percentile_range(
        x, torch.tensor(fractions, dtype=torch.float64), largest=0.49, protected=protected
    )
    for member, fraction in enumerate(fractions):
        rows = x[member] if protected is None else x[member, ~protected[member]]
        ordered = sorted(rows.flatten().tolist())
        k = max(1, math.floor(fraction * len(ordered)))
        assert (low[member].item(), high[member].item()) == (ordered[k - 1], ordered[-k])


def test_ranges_of_nothing_are_empty() -> None:
    x, protected = draw(2, 5, 3), torch.tensor([[True] * 5, [True] * 4 + [False]])
    fractions = torch.tensor([0.1, 0.1], dtype=torch.float64)
    found = [
        KERNELS.value_range(x, protected=protected),
        KERNELS.percentile_range(x, fractions, largest=0.1, protected=protected),
    ]
    for low, high in found:
        assert (low[0].item(), high[0].item()) == (math.inf, -math.inf)
        assert (low[1], high[1]) == (x[1, 4].min(), x[1, 4].max())


@pytest.mark.parametrize("weights", ["none", "shared", "member", "heads"])
def test_propagate_equals_the_dense_product(weights: str) -> None:
    pattern, ones = random_pattern()
    members, width = 3, 4
    x = draw(members, 20, width).double().requires_grad_()
    shape = {"none": None, "shared": (1, 90), "member": (members, 90), "heads": (members, 90, 2)}[weights]
    weight = None if shape is None else draw(*shape, seed=2).double().requires_grad_(weights != "shared")
    out = KERNELS.propagate(pattern, weight, x)

    def dense(member: int, head: int) -> Tensor:
        if weight is None:
            return ones.double()
        values = weight[member if weight.shape[0] > 1 else 0]
        values = values[:, head] if values.dim() == 2 else values
        return torch.zeros(30, 20, dtype=torch.double).index_put((pattern.row, pattern.col.long()), values)

    halves = [
        torch.cat([dense(member, head) @ x[member, :, 2 * head : 2 * head + 2] for head in (0, 1)], 1)
        for member in range(members)
    ]
    expected = torch.stack(halves)
    torch.testing.assert_close(out, expected)
    probe = draw(*out.shape, seed=9).double()
    wanted = [x] + ([weight] if weight is not None and weight.requires_grad else [])
    for ours, theirs in zip(
        torch.autograd.grad(out, wanted, probe), torch.autograd.grad(expected, wanted, probe), strict=True
    ):
        torch.testing.assert_close(ours, theirs)


def test_sparse_and_shared_linear_equal_the_dense_product() -> None:
    pattern, _ = random_pattern()
    values = draw(2, 90)
    weight = draw(2, 20, 5, seed=4).requires_grad_()
    dense = torch.zeros(2, 30, 20)
    dense[:, pattern.row, pattern.col.long()] = values
    out, expected = KERNELS.sparse_linear(pattern, values, weight), torch.bmm(dense, weight)
    torch.testing.assert_close(out, expected)
    probe = draw(2, 30, 5, seed=8)
    torch.testing.assert_close(
        torch.autograd.grad(out, weight, probe)[0], torch.autograd.grad(expected, weight, probe)[0]
    )
    torch.testing.assert_close(KERNELS.matmul(dense[:1], weight), dense[0] @ weight)


def test_segment_softmax_sums_to_one_over_each_row() -> None:
    pattern, dense = random_pattern()
    logits = (100 * draw(2, 90, 3)).requires_grad_()
    alpha = KERNELS.segment_softmax(pattern, logits)
    sums = torch.zeros(2, 30, 3).index_add(1, pattern.row, alpha)
    filled = dense.sum(1) > 0
    torch.testing.assert_close(sums[:, filled], torch.ones_like(sums[:, filled]))
    row = int(pattern.row[0])
    inside = pattern.row == row
    torch.testing.assert_close(alpha[0, inside], torch.softmax(logits[0, inside], 0))
    (gradient,) = torch.autograd.grad(alpha.square().sum(), logits)
    (expected,) = torch.autograd.grad(torch.softmax(logits[:, inside], 1).square().sum(), logits)
    torch.testing.assert_close(gradient[:, inside], expected[:, inside])


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_drop_keeps_the_mean_and_the_rate(rate: float) -> None:
    keys = counter_keys([7], "place", 0)
    out = KERNELS.drop(torch.ones(1, 400, 500), drop_threshold([rate]), keys, relu=False)
    dropped = (out == 0).float().mean().item()
    assert abs(dropped - rate) < 4 * math.sqrt(rate * (1 - rate) / 200_000)
    torch.testing.assert_close(out.max().item(), 1 / (1 - rate), rtol=1e-6, atol=0)


def test_drop_with_relu_masks_values_and_gradients() -> None:
    x = draw(2, 40, 5).requires_grad_()
    keys = counter_keys([1, 2], "place", 5)
    out = KERNELS.drop(x, drop_threshold([0.5, 0.0]), keys, relu=True)
    assert torch.equal(out[1], x[1].relu())
    (gradient,) = torch.autograd.grad(out.sum(), x)
    assert torch.equal(gradient[0] != 0, out[0] != 0)
    assert torch.equal(gradient[1], (x[1] > 0).float())


def test_adam_equals_torch_for_each_member() -> None:
    start, rates, decays = draw(3, 8), [0.1, 0.01, 0.5], [0.0, 0.1, 0.01]
    flat = start.clone()
    state = AdamState(torch.zeros_like(flat), torch.zeros_like(flat))
    theirs = [torch.nn.Parameter(start[s].clone()) for s in range(3)]
    optimizers = [
        torch.optim.Adam([p], lr=lr, weight_decay=wd) for p, lr, wd in zip(theirs, rates, decays, strict=True)
    ]
    scalars = torch.tensor(rates).view(3, 1), torch.tensor(decays).view(3, 1)
    for step in range(20):
        gradient = draw(3, 8, seed=step + 10)
        KERNELS.adam(flat, gradient, state, scalars)
        for s, (parameter, optimizer) in enumerate(zip(theirs, optimizers, strict=True)):
            parameter.grad = gradient[s].clone()
            optimizer.step()
    torch.testing.assert_close(flat, torch.stack([p.detach() for p in theirs]), rtol=1e-5, atol=1e-6)


def test_adam_takes_its_corrections_from_where_the_caller_counts() -> None:
    counting, held = draw(2, 8), draw(2, 8)
    states = [AdamState(torch.zeros(2, 8), torch.zeros(2, 8)) for _ in range(2)]
    corrections = states[1].corrections = torch.zeros(2)
    scalars = torch.tensor([[0.1], [0.01]]), torch.tensor([[0.0], [0.1]])
    for step in range(1, 6):
        corrections.copy_(torch.tensor([1 - beta**step for beta in ADAM_BETAS]))
        for flat, state in zip((counting, held), states, strict=True):
            KERNELS.adam(flat, draw(2, 8, seed=step), state, scalars)
    assert torch.equal(held, counting)
    assert [state.steps for state in states] == [5, 0]
