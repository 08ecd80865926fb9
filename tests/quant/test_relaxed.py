"""The quantizer that searches its width: the mixture, the choice, zero points, one bit, sparse features."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from lorap_bench.kernels import csr_from_coo
from lorap_bench.quant import Context, Stage
from lorap_bench.quant.relaxed import RelaxedQuantizer
from tests.quant.sites import activation, context, normal, weight

if TYPE_CHECKING:
    from lorap_bench.cost import Site


def make(candidates: list[int], site: Site, x: Tensor, *, stage: Stage = Stage.SEARCH) -> RelaxedQuantizer:
    """Return a quantizer whose scales have come from x, at the beginning of a stage."""
    at = context(*range(x.shape[0]))
    at.stage, at.calibrating = stage, True
    quantizer = RelaxedQuantizer(candidates, x.shape[0], site, at)
    for name, init in quantizer.initial.items():
        parameter = quantizer.get_parameter(name)
        parameter.data.copy_(init(tuple(parameter.shape[1:]), torch.Generator()))
    quantizer.begin(stage)
    quantizer(x)
    at.calibrating = False
    return quantizer


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_activations_have_unsigned_codes_per_column_over_the_range_seen(bits: int) -> None:
    x = normal(2, 40, 3) * torch.tensor([0.1, 1.0, 30.0]) + torch.tensor([0.0, 2.0, -9.0])
    out = make([bits], activation(40, 3), x)(x)
    low, high = x.amin(1, keepdim=True).clamp(max=0), x.amax(1, keepdim=True).clamp(min=0)
    scale = (high - low) / (2**bits - 1)
    zero = (-low / scale).round()
    torch.testing.assert_close(out, ((x / scale + zero).round().clamp(0, 2**bits - 1) - zero) * scale)
    for member in range(2):
        assert all(out[member, :, column].unique().numel() <= 2**bits for column in range(3))


@pytest.mark.parametrize("bits", [2, 3, 8])
def test_weights_have_signed_codes_per_tensor(bits: int) -> None:
    x = normal(2, 40, 3)
    out = make([bits], weight(40, 3), x)(x)
    scale = x.abs().amax((1, 2), keepdim=True) / (2 ** (bits - 1) - 1)
    torch.testing.assert_close(out, (x / scale).round().clamp(-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) * scale)


def test_one_bit_weights_are_one_magnitude_with_a_sign() -> None:
    x = normal(1, 40, 3)
    out = make([1], weight(40, 3), x)(x)
    largest = x.abs().max()
    torch.testing.assert_close(out, torch.where(x > 0, largest, -largest))


def test_the_search_mixes_the_candidates_by_softmax() -> None:
    x, candidates = normal(2, 40, 3), [2, 4, 8]
    mixture = make(candidates, activation(40, 3), x)
    choice = mixture.get_parameter("choice")
    torch.testing.assert_close(choice.data, torch.tensor([2.0, 4.0, 8.0]).softmax(0).expand(2, 3))
    choice.data.copy_(torch.tensor([[0.3, -1.0, 2.0], [5.0, 0.0, 0.0]]))
    share = choice.data.softmax(1)
    alone = torch.stack([make([bits], activation(40, 3), x)(x) for bits in candidates])
    torch.testing.assert_close(mixture(x), (share.T.reshape(3, 2, 1, 1) * alone).sum(0))
    torch.testing.assert_close(mixture.bits(), (share * torch.tensor([2.0, 4.0, 8.0])).sum(1))
    (gradient,) = torch.autograd.grad((mixture(x) * normal(2, 40, 3, seed=1)).sum(), choice)
    parts = (alone * normal(2, 40, 3, seed=1)).sum((2, 3)).T
    expected = share * (parts - (share * parts).sum(1, keepdim=True))
    torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-4)


def test_after_the_search_each_member_keeps_its_likeliest_candidate() -> None:
    x, candidates = normal(3, 40, 3), [2, 4, 8]
    quantizer = make(candidates, activation(40, 3), x)
    quantizer.get_parameter("choice").data.copy_(torch.tensor([[3.0, 0, 0], [0, 0, 3.0], [0, 0.1, 0]]))
    quantizer.context.stage = Stage.QUANTIZED
    quantizer.begin(Stage.QUANTIZED)
    assert quantizer.bits().tolist() == [2, 8, 4]
    out = quantizer(x)
    for member, bits in enumerate((2, 8, 4)):
        alone = make([bits], activation(40, 3), x[member : member + 1])(x[member : member + 1])
        torch.testing.assert_close(out[member : member + 1], alone)
    # later changes of alpha move nothing
    quantizer.get_parameter("choice").data.zero_()
    assert torch.equal(quantizer(x), out)


def test_zero_points_are_whole_and_within_the_codes_whatever_is_learned() -> None:
    x = normal(1, 40, 3)
    quantizer = make([4], activation(40, 3), x)
    for value in (-7.3, 3.4, 99.0):
        quantizer.get_parameter("zero").data.fill_(value)
        scale = quantizer.get_parameter("log_scale").data.exp().view(1, 1, 3)
        codes = quantizer(x) / scale + min(max(round(value), 0), 15)
        torch.testing.assert_close(codes, codes.round().clamp(0, 15), rtol=0, atol=1e-4)
        assert torch.equal(quantizer(torch.zeros(1, 40, 3)), torch.zeros(1, 40, 3))


@pytest.mark.parametrize("stage", [Stage.SEARCH, Stage.QUANTIZED])
def test_stored_entries_are_quantized_as_the_dense_tensor_and_zeros_stay(stage: Stage) -> None:
    generator = torch.Generator().manual_seed(0)
    filled = torch.rand(20, 6, generator=generator) < 0.3
    row, col = filled.nonzero(as_tuple=True)
    pattern, _ = csr_from_coo(row, col, (20, 6))
    dense = torch.where(filled, normal(2, 20, 6), 0.0)
    values = dense[:, pattern.row, pattern.col.long()]
    site = activation(20, 6)
    whole = make([2, 8], site, dense, stage=stage)
    quantizer = make([2, 8], site, dense, stage=stage)
    quantizer.get_parameter("log_scale").data.zero_()
    quantizer.context.calibrating = True
    quantizer.sparse(values, pattern)
    quantizer.context.calibrating = False
    for name in ("log_scale", "zero"):
        torch.testing.assert_close(quantizer.get_parameter(name).data, whole.get_parameter(name).data)
    expected = whole(dense)
    assert (expected[:, ~filled] == 0).all()
    torch.testing.assert_close(quantizer.sparse(values, pattern), expected[:, pattern.row, pattern.col.long()])


def test_edge_weights_have_one_scale() -> None:
    values = normal(1, 50).abs().expand(2, 50).contiguous()
    site = replace(weight(1, 1), component="norm", name="layers.0.norm")
    quantizer = make([4], site, values)
    assert quantizer.get_parameter("log_scale").shape == (2, 1, 1)
    scale = values.max() / 15
    torch.testing.assert_close(quantizer(values), (values / scale).round() * scale)


@pytest.mark.parametrize("edges", [False, True])
def test_protected_rows_pass_bit_by_bit(edges: bool) -> None:
    x = normal(1, 5, 3)
    quantizer = make([2], activation(5, 3, edges=edges), x, stage=Stage.QUANTIZED)
    plain = quantizer(x)
    at: Context = quantizer.context
    if edges:
        at.protected, at.source = torch.tensor([[True, False]]), torch.tensor([0, 1, 1, 0, 1])
    else:
        at.protected = torch.tensor([[True, False, False, True, False]])
    out = quantizer(x)
    assert torch.equal(out[0, [0, 3]], x[0, [0, 3]])
    assert torch.equal(out[0, [1, 2, 4]], plain[0, [1, 2, 4]])


def test_a_constant_column_is_no_division_by_zero() -> None:
    x = torch.zeros(1, 5, 3)
    for site in (activation(5, 3), weight(5, 3)):
        assert torch.equal(make([2, 8], site, x)(x), x)
    level = torch.full((1, 5, 3), 2.5)
    torch.testing.assert_close(make([2, 8], activation(5, 3), level)(level), level)
