"""Messages that are never all formed: their range, and the sum of the quantized ones, on the native backend."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from lorap_bench.config import QuantConfig
from lorap_bench.cost.site import Role, Site
from lorap_bench.kernels import CodeRange, Csr, Kernels, csr_from_coo
from lorap_bench.kernels.interface import KnownRange, Messages
from lorap_bench.kernels.reference import Reference
from lorap_bench.quant.affine import ActivationQuantizer
from lorap_bench.quant.context import Context

pytest.importorskip("numba", reason="the native backend needs numba")

from lorap_bench.kernels.native import Native

REFERENCE, NATIVE = Reference(), Native()
NODES = 60


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def graph(edges: int = 900, nodes: int = NODES) -> Csr:
    ends = torch.randint(nodes, (2, edges), generator=torch.Generator().manual_seed(7))
    row, col = torch.unique(ends, dim=1)
    return csr_from_coo(row, col, (nodes, nodes))[0]


def made(weights: str, members: int, width: int, pattern: Csr) -> Messages:
    x = draw(members, pattern.shape[1], width).relu_().requires_grad_()  # half of it ties at zero
    count = {"none": 0, "shared": 1, "own": members}[weights]
    return Messages(pattern, draw(count, pattern.entries, seed=1) if count else None, x)


def known(members: int, *, clipped: bool, symmetric: bool = False) -> KnownRange:
    least = torch.linspace(-0.7, -0.2, members), torch.linspace(0.4, 1.5, members)
    top = torch.tensor([15.0, 3.0, 255.0])[:members]
    return KnownRange(least, CodeRange(-top if symmetric else torch.zeros(members), top, symmetric), clipped)


def sums(backend: Kernels, messages: Messages, range_: KnownRange, protected: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return the sums and the gradient to x."""
    out = backend.sum_quantized(messages, range_, protected=protected)
    incoming = torch.stack([draw(*out.shape[1:], seed=seed) for seed in range(out.shape[0])])
    return out, torch.autograd.grad(out, messages.x, incoming)[0]


@pytest.mark.parametrize("weights", ["none", "shared", "own"])
@pytest.mark.parametrize("width", [1, 7, 64])
@pytest.mark.parametrize("hides", [False, True])
@pytest.mark.parametrize("clipped", [False, True])
def test_sums_agree_with_the_materialised_ones(weights: str, width: int, hides: bool, clipped: bool) -> None:
    messages = made(weights, 3, width, graph())
    protected = draw(3, NODES, seed=2) > 0.5 if hides else None
    for symmetric in (False, True):
        range_ = known(3, clipped=clipped, symmetric=symmetric)
        found = zip(*(sums(each, messages, range_, protected) for each in (NATIVE, REFERENCE)), strict=True)
        for ours, theirs in found:
            torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("weights", ["none", "shared", "own"])
@pytest.mark.parametrize("hides", [False, True])
def test_ranges_are_the_materialised_ones_bit_for_bit(weights: str, hides: bool) -> None:
    protected = draw(3, NODES, seed=2) > 0.5 if hides else None
    fractions = torch.tensor([0.001, 0.01, 0.2], dtype=torch.float64)
    for width in (1, 5, 64):
        messages = made(weights, 3, width, graph())
        for options in ({}, {"fractions": fractions, "largest": 0.2}):
            ours, theirs = (
                each.message_range(messages, protected=protected, **options)  # type: ignore[arg-type]  # keyword arguments of mixed types
                for each in (NATIVE, REFERENCE)
            )
            assert torch.equal(torch.stack(ours), torch.stack(theirs))


def test_a_tail_that_no_sample_suggests_is_found() -> None:
    pattern = graph()
    x = torch.zeros(1, NODES, 64)
    x[0, 3, :40] = torch.arange(40.0) + 1  # some of few values, far out
    messages = Messages(pattern, torch.ones(1, pattern.entries), x)
    for fraction in (0.0001, 0.003, 0.3):
        fractions = torch.tensor([fraction], dtype=torch.float64)
        ours, theirs = (each.message_range(messages, fractions=fractions, largest=0.3) for each in (NATIVE, REFERENCE))
        assert torch.equal(torch.stack(ours), torch.stack(theirs))


def test_what_is_no_number_stays_none() -> None:
    pattern = graph()
    x = draw(2, NODES, 64)
    x[0, 5, 3] = math.nan
    assert (pattern.col == 5).any()
    messages = Messages(pattern, torch.ones(1, pattern.entries), x)
    fractions = torch.full((2,), 0.01, dtype=torch.float64)
    assert torch.stack(NATIVE.message_range(messages)).isnan().tolist() == [[True, False]] * 2
    ours, theirs = (
        torch.stack(each.message_range(messages, fractions=fractions, largest=0.01)) for each in (NATIVE, REFERENCE)
    )
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0, equal_nan=True)
    broken = NATIVE.sum_quantized(messages, known(2, clipped=True)).isnan()
    reached = pattern.row[pattern.col == 5]
    assert broken[0, reached, 3].all()
    assert broken.sum() == reached.numel()


@pytest.mark.parametrize("weights", ["none", "shared"])
def test_nothing_in_sight_is_an_empty_range(weights: str) -> None:
    messages = made(weights, 2, 4, graph())
    every = torch.ones(2, NODES, dtype=torch.bool)
    fractions = torch.full((2,), 0.01, dtype=torch.float64)
    for low, high in (
        NATIVE.message_range(messages, protected=every),
        NATIVE.message_range(messages, fractions=fractions, largest=0.01, protected=every),
    ):
        assert (low == math.inf).all()
        assert (high == -math.inf).all()
    ours = NATIVE.sum_quantized(messages, known(2, clipped=True), protected=every)
    torch.testing.assert_close(ours, NATIVE.propagate(messages.pattern, messages.weight, messages.x))


@pytest.mark.parametrize("weights", ["none", "shared", "own"])
def test_a_member_does_not_depend_on_the_others(weights: str) -> None:
    together = made(weights, 3, 7, graph())
    protected, range_ = draw(3, NODES, seed=2) > 0.5, known(3, clipped=True)
    fractions = torch.full((3,), 0.01, dtype=torch.float64)
    both = [*sums(NATIVE, together, range_, protected), *NATIVE.message_range(together, protected=protected)]
    both += NATIVE.message_range(together, fractions=fractions, largest=0.01, protected=protected)
    x = together.x.detach()[:1].clone().requires_grad_()
    weight = together.weight[:1] if weights == "own" and together.weight is not None else together.weight
    single, mask = Messages(together.pattern, weight, x), protected[:1]
    codes = CodeRange(range_.codes.low[:1], range_.codes.high[:1], symmetric=False)
    own = KnownRange((range_.limits[0][:1], range_.limits[1][:1]), codes, clipped=True)
    alone = [*sums(NATIVE, single, own, mask), *NATIVE.message_range(single, protected=mask)]
    alone += NATIVE.message_range(single, fractions=fractions[:1], largest=0.01, protected=mask)
    assert all(torch.equal(one[0], all_[0]) for one, all_ in zip(alone, both, strict=True))


def test_weights_that_learn_are_left_to_the_reference() -> None:
    pattern = graph()
    weight = draw(2, pattern.entries, 2, seed=1).requires_grad_()
    messages = Messages(pattern, weight, draw(2, NODES, 6).requires_grad_())
    found = []
    for backend in (NATIVE, REFERENCE):
        out = backend.sum_quantized(messages, known(2, clipped=True))
        found.append(torch.autograd.grad(out.sum(), [weight, messages.x]))
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("observer", ["MinMax", "MovingAverage", "Percentile", "MovingPercentile"])
@pytest.mark.parametrize("sample", [1.0, 0.2])
def test_a_quantizer_sums_what_it_would_have_quantized(observer: str, sample: float) -> None:
    site = Site(name="m", layer="0", component="message", role=Role.ACTIVATION, elements=1, columns=7, rows="edge")
    config = QuantConfig(bits=4, observer=observer, percentile=0.01, sample=sample, gradient="clipped")  # type: ignore[arg-type]  # one of the allowed
    messages = made("shared", 2, 7, graph())
    context = Context(protected=draw(2, NODES, seed=2) > 0.5, source=messages.pattern.col)
    fused, formed = (ActivationQuantizer([4, 8], [config, config], site, context) for _ in range(2))
    context.draws.seeds = [1, 2]
    formed.register_forward_hook(lambda *_: None)
    assert formed.watched
    assert not fused.watched
    for training in (True, False):
        pair = [each.train(training).sum_messages(messages) for each in (fused, formed)]
        torch.testing.assert_close(*pair, rtol=1e-5, atol=1e-5)
        assert torch.equal(torch.stack(fused.limits), torch.stack(formed.limits))
