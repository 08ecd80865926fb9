"""The native operations against the reference's: the same numbers, values and gradients."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lorap_bench.kernels import AdamState, CodeRange, Dither, Kernels, counter_keys, drop_threshold
from lorap_bench.kernels.interface import Gate, Injection, Mixture, RangeState
from lorap_bench.kernels.reference import Reference

pytest.importorskip("numba", reason="the native backend needs numba")

from lorap_bench.kernels.native import Native

if TYPE_CHECKING:
    from collections.abc import Callable

    Operation = Callable[..., Tensor]

REFERENCE, NATIVE = Reference(), Native()

# Extents of 1, odd ones, rows longer than a block, no middle axis, two middle axes.
MIDDLES = [(1, 1), (37, 1), (1, 5), (300, 65), (3, 2100), (11,), (5, 3, 7)]
SHAPES = [(members, *middle) for members in (1, 2, 5) for middle in MIDDLES]


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def values(shape: tuple[int, ...]) -> Tensor:
    """Return normal values with zeros, ties, infinities and NaNs among them."""
    x = 3 * draw(*shape)
    flat = x.view(-1)
    flat[::7] = 0
    flat[3::50] = 1.5
    flat[20::400], flat[21::400], flat[22::400] = math.nan, math.inf, -math.inf
    return x


def codes(members: int, *, symmetric: bool) -> CodeRange:
    bits = [2, 8, 4, 3, 6][:members]
    low = [-(2.0 ** (b - 1)) if symmetric else 0.0 for b in bits]
    high = [2.0 ** (b - 1) - 1 if symmetric else 2.0**b - 1 for b in bits]
    return CodeRange(torch.tensor(low), torch.tensor(high), symmetric)


def protected_rows(x: Tensor) -> Tensor:
    return torch.rand(x.shape[:2], generator=torch.Generator().manual_seed(2)) < 0.3


def same(ours: Tensor | None, theirs: Tensor | None) -> bool:
    """Whether two tensors hold the same numbers; NaNs are equal, and so are the two zeros."""
    if ours is None or theirs is None:
        return ours is theirs
    return torch.allclose(ours, theirs, rtol=0, atol=0, equal_nan=True) and ours.shape == theirs.shape


def agree(operation: Callable[..., Tensor], *inputs: Tensor) -> None:
    """Check that both backends give the same values and gradients: sums over many to rounding, the rest to the bit."""
    found = []
    for backend in (REFERENCE, NATIVE):
        leaves = [each.detach().clone().requires_grad_() for each in inputs]
        out = operation(backend, *leaves)
        gradients = torch.autograd.grad(out, leaves, draw(*out.shape, seed=3), allow_unused=True)
        found.append((out, *gradients))
    for number, (theirs, ours) in enumerate(zip(*found, strict=True)):
        if number > 1:
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4, equal_nan=True)
        else:
            assert same(ours, theirs), f"result {number} differs"


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("symmetric", [True, False])
def test_fake_quantize(shape: tuple[int, ...], symmetric: bool) -> None:
    x, members = values(shape), shape[0]
    keys = counter_keys(range(members), "quantizer", 4)
    channels = (False, True) if len(shape) > 2 else (False,)
    dithers = (None, Dither(keys, rounds=True), Dither(keys, rounds=False))
    for clipped, dither, hidden, by_channel in itertools.product(
        (False, True), dithers, (None, protected_rows(x)), channels
    ):
        low, high = REFERENCE.value_range(x.nan_to_num(0, 4, -4), channels=by_channel)

        def operation(backend: Kernels, x: Tensor) -> Tensor:
            return backend.fake_quantize(
                x,
                (0.7 * low, 0.7 * high),  # noqa: B023  # called within the turn
                codes(members, symmetric=symmetric),
                clipped=clipped,  # noqa: B023  # as above
                dither=dither,  # noqa: B023  # as above
                protected=hidden,  # noqa: B023  # as above
            )

        agree(operation, x)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_learned_quantizers(shape: tuple[int, ...]) -> None:
    x, members = values(shape), shape[0]
    single = (members, *(1,) * (len(shape) - 1))
    kinds = {single, (*single[:-1], shape[-1]), (*shape[:-1], 1), shape}
    generator = torch.Generator().manual_seed(5)
    for first, second in itertools.product(sorted(kinds), repeat=2):
        step = torch.rand(first, generator=generator) + 0.2
        whole = torch.randint(1, 9, second, generator=generator).float()
        for local in (False, True):
            agree(lambda backend, *inputs: backend.step_quantize(*inputs, local=local), x, step, whole)  # noqa: B023  # called within the turn
        agree(
            lambda backend, *inputs: backend.affine_quantize(*inputs, codes(members, symmetric=False)), x, step, whole
        )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("relu", [True, False])
def test_drop(shape: tuple[int, ...], relu: bool) -> None:
    thresholds = drop_threshold([0.5, 0.1, 0.9, 0.0, 0.3][: shape[0]])
    keys = counter_keys(range(shape[0]), "drop", 2)
    agree(lambda backend, x: backend.drop(x, thresholds, keys, relu=relu), values(shape))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_ranges(shape: tuple[int, ...]) -> None:
    x = values(shape)
    tame = x.nan_to_num(0)
    some = protected_rows(x)
    for hidden in (None, some, torch.ones_like(some)):
        for y in (x, tame):
            for ours, theirs in zip(
                NATIVE.value_range(y, protected=hidden), REFERENCE.value_range(y, protected=hidden), strict=True
            ):
                assert same(ours, theirs)
        for y, largest in itertools.product((x, tame, tame.relu(), tame.round(), 0 * tame + 1), (0.001, 0.05, 0.9)):
            fractions = largest * torch.linspace(0.5, 1, shape[0], dtype=torch.float64)
            both = [
                backend.percentile_range(y, fractions, largest=largest, protected=hidden)
                for backend in (NATIVE, REFERENCE)
            ]
            assert all(same(ours, theirs) for ours, theirs in zip(*both, strict=True))
    if len(shape) > 2:
        for y in (x, tame):
            for ours, theirs in zip(
                NATIVE.value_range(y, channels=True), REFERENCE.value_range(y, channels=True), strict=True
            ):
                assert same(ours, theirs)


def test_percentiles_where_the_sample_misleads() -> None:
    # The values the sample looks at are the extreme ones: its bounds lie too far out, and all values are selected from.
    count, stride = 100_000, 0x9E3779B97F4A7C15
    sampled = [((i * stride % 2**64 >> 32) * count) >> 32 for i in range(count // 32)]
    x = torch.linspace(-1, 1, count)
    x[sampled] = torch.linspace(-9, 9, len(sampled))
    fractions = torch.tensor([0.04], dtype=torch.float64)
    low, high = NATIVE.percentile_range(x.view(1, 1000, 100), fractions, largest=0.04)
    ordered = x.sort().values
    assert (low.item(), high.item()) == (ordered[3999].item(), ordered[-4000].item())


@pytest.mark.property
@given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=400),
    st.integers(1, 40),
    st.floats(0.0001, 1.0),
)
def test_percentiles_are_order_statistics(numbers: list[float], repeats: int, fraction: float) -> None:
    x = torch.tensor(numbers).repeat(repeats).view(1, -1, 1)
    rank = max(1, math.floor(fraction * x.numel()))
    low, high = NATIVE.percentile_range(x, torch.tensor([fraction], dtype=torch.float64), largest=fraction)
    ordered = sorted(numbers * repeats)
    assert low.item() == torch.tensor(ordered[rank - 1]).item()
    assert high.item() == torch.tensor(ordered[-rank]).item()


@pytest.mark.property
@given(st.integers(1, 5), st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**31), st.booleans())
def test_any_shape_agrees(members: int, rows: int, columns: int, seed: int, symmetric: bool) -> None:
    x = draw(members, rows, columns, seed=seed)
    limits = NATIVE.value_range(x)
    assert all(same(a, b) for a, b in zip(limits, REFERENCE.value_range(x), strict=True))
    integers = codes(members, symmetric=symmetric)
    agree(lambda backend, x: backend.fake_quantize(x, limits, integers, clipped=True), x)
    keys = counter_keys(range(members), "drop", seed)
    agree(lambda backend, x: backend.drop(x, drop_threshold([0.3] * members), keys, relu=True), x)


def test_a_member_does_not_depend_on_the_others() -> None:
    x, seeds = draw(5, 40, 33), range(5)
    fractions = torch.full((5,), 0.01, dtype=torch.float64)
    integers = codes(5, symmetric=False)
    hidden = protected_rows(x)

    def run(which: slice) -> tuple[Tensor, ...]:
        keys = counter_keys(seeds[which], "place", 1)
        limits = NATIVE.percentile_range(x[which], fractions[which], largest=0.01, protected=hidden[which])
        grid = CodeRange(integers.low[which], integers.high[which], symmetric=False)
        quantized = NATIVE.fake_quantize(
            x[which], limits, grid, clipped=True, dither=Dither(keys, rounds=True), protected=hidden[which]
        )
        return *limits, quantized, NATIVE.drop(quantized, drop_threshold([0.5] * len(keys[0])), keys, relu=True)

    together = run(slice(0, 5))
    for member in seeds:
        alone = run(slice(member, member + 1))
        assert all(torch.equal(a[0], b[member]) for a, b in zip(alone, together, strict=True))


@pytest.mark.parametrize("kind", ["double", "empty"])
def test_other_tensors_are_left_to_the_reference(kind: str) -> None:
    x = {"double": draw(2, 6, 4).double(), "empty": torch.empty(2, 0, 4)}[kind]
    thresholds, keys = drop_threshold([0.5, 0.2]), counter_keys([1, 2], "drop", 0)
    agree(lambda backend, x: backend.drop(x, thresholds, keys, relu=True), x)
    limits = torch.tensor([-1.0, -2.0]), torch.tensor([1.0, 2.0])
    agree(lambda backend, x: backend.fake_quantize(x, limits, codes(2, symmetric=False), clipped=True), x)
    step, whole = torch.full((2, 1, 1), 0.3), torch.full((2, 1, 1), 3.0)
    agree(lambda backend, *inputs: backend.step_quantize(*inputs, local=False), x, step, whole)
    agree(lambda backend, *inputs: backend.affine_quantize(*inputs, codes(2, symmetric=False)), x, step, whole)
    if kind != "empty":
        fractions = torch.full((2,), 0.3, dtype=torch.float64)
        for ours, theirs in zip(
            (*NATIVE.value_range(x), *NATIVE.percentile_range(x, fractions, largest=0.3)),
            (*REFERENCE.value_range(x), *REFERENCE.percentile_range(x, fractions, largest=0.3)),
            strict=True,
        ):
            assert same(ours, theirs)


def test_a_tensor_with_gaps_is_quantized_too() -> None:
    x = draw(2, 70)[:, 10:34].view(2, 6, 4)  # how a parameter lies in the flat buffer
    limits = NATIVE.value_range(x)
    assert all(same(ours, theirs) for ours, theirs in zip(limits, REFERENCE.value_range(x), strict=True))
    agree(lambda backend, x: backend.fake_quantize(x, limits, codes(2, symmetric=True), clipped=True), x)
    turned = draw(2, 4, 6).mT
    agree(lambda backend, x: backend.fake_quantize(x, limits, codes(2, symmetric=True), clipped=True), turned)


def test_without_a_gradient_nothing_is_kept_for_one() -> None:
    x = draw(2, 6, 4)
    out = NATIVE.fake_quantize(x, NATIVE.value_range(x), codes(2, symmetric=False), clipped=True)
    dropped = NATIVE.drop(x, drop_threshold([0.5, 0.2]), counter_keys([1, 2], "drop", 0), relu=False)
    assert not out.requires_grad
    assert not dropped.requires_grad


@pytest.mark.parametrize("shape", [(2, 37, 5), (1, 300, 65), (3, 2100, 7), (2, 1, 1), (2, 11, 1)], ids=str)
@pytest.mark.parametrize("per_column", [True, False])
def test_a_mixture_agrees_with_the_reference(shape: tuple[int, ...], per_column: bool) -> None:
    members, columns = shape[0], shape[2] if per_column else 1
    x = 2 * draw(*shape)
    scale, zero = draw(members, 3, columns, seed=1).abs() / 4 + 0.01, draw(members, 3, columns, seed=2).round() * 3
    mixed_together(x, draw(members, 3, seed=4).softmax(1), scale, zero)


def test_a_mixture_of_sparse_entries_agrees_with_the_reference() -> None:
    column = torch.randint(0, 9, (700,), generator=torch.Generator().manual_seed(5))
    scale, zero = draw(2, 3, 9, seed=1).abs() / 4 + 0.01, draw(2, 3, 9, seed=2).round() * 3
    mixed_together(draw(2, 700), draw(2, 3, seed=4).softmax(1), scale, zero, column)


def mixed_together(x: Tensor, share: Tensor, scale: Tensor, zero: Tensor, column: Tensor | None = None) -> None:
    """Check that both backends mix alike: values to the bit, sums of gradients to rounding."""
    low, high = torch.zeros_like(share), torch.tensor([3.0, 15.0, 255.0]).expand_as(share)
    found = []
    for backend in (REFERENCE, NATIVE):
        leaves = [each.clone().requires_grad_() for each in (x, share, scale, zero)]
        mixture = Mixture(share=leaves[1], scale=leaves[2], zero=leaves[3], low=low, high=high)
        out = backend.mix_quantize(leaves[0], mixture, column)
        found.append((out, *torch.autograd.grad(out, leaves, draw(*out.shape, seed=3))))
    for theirs, ours in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5 * theirs.detach().abs().max().item())
    assert same(found[0][0], found[1][0])


@pytest.mark.parametrize("gate", ["softmax", "linear", "sigmoid"])
@pytest.mark.parametrize("factors", [1, 2])
def test_an_injection_agrees_with_the_reference(gate: str, factors: int) -> None:
    x, widths = draw(3, 37, 5), [5, 2, 4] if factors == 2 else [5, 4]
    score = [draw(3, *pair, seed=n) for n, pair in enumerate(itertools.pairwise(widths), start=1)]
    basis = [draw(3, *pair, seed=n) for n, pair in enumerate(itertools.pairwise(widths[::-1]), start=3)]
    bias, temperature = draw(3, 4, 1, seed=7), torch.tensor([0.5, 1.0, 2.0]).view(3, 1, 1)
    found = []
    for backend in (REFERENCE, NATIVE):
        leaves = [each.clone().requires_grad_() for each in (x, bias, *score, *basis)]
        prompt = Injection(
            tuple(leaves[2 : 2 + factors]), tuple(leaves[2 + factors :]), leaves[1], temperature, Gate(gate)
        )
        out = backend.inject(leaves[0], prompt)
        found.append((out, *torch.autograd.grad(out, leaves, draw(*out.shape, seed=9))))
    for theirs, ours in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 37, 5, 130), (1, 1, 1, 1), (2, 9, 16, 33), (2, 9, 17, 33)], ids=str)
@pytest.mark.parametrize("shared", [True, False])
def test_a_thin_product_is_added_as_by_the_reference(shape: tuple[int, ...], shared: bool) -> None:
    members, rows, inner, columns = shape
    base = draw(1 if shared else members, rows, columns)
    factors = draw(members, rows, inner, seed=1), draw(members, inner, columns, seed=2)
    found = []
    for backend in (REFERENCE, NATIVE):
        a, b = (each.clone().requires_grad_() for each in factors)
        out = backend.add_product(base, a, b)
        found.append((out, *torch.autograd.grad(out, (a, b), draw(*out.shape, seed=3))))
    for theirs, ours in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    alone = NATIVE.add_product(base[:1], factors[0][:1], factors[1][:1])
    assert torch.equal(alone[0], found[1][0][0])


def test_an_injection_keeps_members_apart() -> None:
    x, score, basis = draw(3, 37, 5), draw(3, 5, 4, seed=1), draw(3, 4, 5, seed=2)
    bias, temperature = draw(3, 4, 1, seed=7), torch.ones(3, 1, 1)

    def run(which: slice) -> Tensor:
        prompt = Injection((score[which],), (basis[which],), bias[which], temperature[which], Gate.SOFTMAX)
        return NATIVE.inject(x[which], prompt)

    together = run(slice(0, 3))
    assert all(torch.equal(run(slice(m, m + 1))[0], together[m]) for m in range(3))


@pytest.mark.parametrize("momentum", [None, 0.25])
def test_a_range_is_remembered_alike(momentum: float | None) -> None:
    current = torch.tensor([-1.0, 2.0, math.nan, -3.0]), torch.tensor([2.0, 1.0, 1.0, 5.0])
    for state in itertools.product([False, True], repeat=4):
        kept = []
        for backend in (REFERENCE, NATIVE):
            seen = RangeState(
                torch.tensor([-2.0, 0.0, -1.0, -2.0]), torch.tensor([1.0, 0.5, 2.0, 9.0]), torch.tensor(state)
            )
            backend.remember(seen, current, None if momentum is None else torch.full((4,), momentum))
            kept.append(seen)
        assert torch.equal(kept[0].low, kept[1].low)
        assert torch.equal(kept[0].high, kept[1].high)
        assert torch.equal(kept[0].seen, kept[1].seen)


def test_adam_agrees_with_the_reference_for_the_first_steps() -> None:
    start, rate, decay = draw(3, 50), torch.tensor([[0.1], [0.01], [0.001]]), torch.tensor([[0.0], [0.1], [0.01]])
    found = []
    for backend in (REFERENCE, NATIVE):
        flat, state = start.clone(), AdamState(torch.zeros(3, 50), torch.zeros(3, 50))
        for step in range(5):
            backend.adam(flat, draw(3, 50, seed=step + 1), state, (rate, decay))
        found.append((flat, state.first, state.second))
    for theirs, ours in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7)
