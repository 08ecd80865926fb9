"""What becomes of a data set's constants is made once a range and width, with the bits of each member's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lorap_bench.config import QuantConfig, TrialConfig
from lorap_bench.kernels import CodeRange, kernels
from lorap_bench.kernels.interface import KnownRange
from lorap_bench.models import build_store, shape_of
from lorap_bench.quant.constants import quantized_constant
from lorap_bench.testing import node_task, sparse_task
from lorap_bench.train import Cohort, Member


def known(*widths: int, low: float = -1.0, symmetric: bool = False) -> KnownRange:
    bits = torch.tensor(widths, dtype=torch.float32)
    codes = CodeRange(torch.zeros_like(bits), torch.exp2(bits).round() - 1, symmetric)
    return KnownRange((torch.full_like(bits, low), torch.full_like(bits, 2.0)), codes, clipped=False)


def draw(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("widths", [(4, 4, 4), (2, 4, 8, 4)], ids=str)
def test_each_member_has_the_bits_of_its_own_quantizer(widths: tuple[int, ...]) -> None:
    values, range_ = draw(1, 30, 5), known(*widths)
    found = quantized_constant(values, range_)
    own = values.expand(len(widths), 30, 5)
    expected = kernels().fake_quantize(own, range_.limits, range_.codes, clipped=False)
    assert found.shape[0] == (1 if len(set(widths)) == 1 else len(widths))
    assert torch.equal(found.expand_as(expected), expected)


def test_those_who_agree_share_one_tensor_and_the_others_do_not() -> None:
    values = draw(1, 30)
    four = quantized_constant(values, known(4, 4))
    assert quantized_constant(values, known(8)) is not four
    assert quantized_constant(values, known(4)) is four
    assert quantized_constant(values, known(4, low=-2.0)) is not four
    assert quantized_constant(values, known(4, symmetric=True)) is not four


@pytest.mark.parametrize("sparse", [False, True])
def test_the_next_trial_finds_what_the_last_one_made(sparse: bool) -> None:
    task = sparse_task() if sparse else node_task()
    batch = build_store(task, self_loops=True, normalized=True).whole
    made = []
    for members in (1, 3):
        trial = TrialConfig(quant=QuantConfig(scheme="QAT", bits=4))
        cohort = Cohort([Member(trial, seed) for seed in range(members)], shape_of(task))
        cohort.network.calibrate(batch)
        made.append(cohort.network.prepare(batch))
    for first, second in zip(*made, strict=True):
        assert first.features.values is second.features.values
        assert first.graph.norm is second.graph.norm
