"""What holds for every quantizer: idempotent, at most half a step off inside the range, costs that rise with bits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lorap_bench.config import QuantConfig
from lorap_bench.kernels import CodeRange
from lorap_bench.kernels.reference import Reference
from lorap_bench.models.blueprint import blueprint, shape_of
from lorap_bench.quant import Stage
from lorap_bench.quant.quantizer import code_range
from lorap_bench.testing import graph_task, node_task
from tests.quant.networks import trial
from tests.quant.sites import activation, weight
from tests.quant.test_relaxed import make

if TYPE_CHECKING:
    from lorap_bench.cost import Ledger

pytestmark = pytest.mark.property
KERNELS = Reference()

numbers = st.floats(-1e4, 1e4, width=32)
tensors = st.lists(numbers, min_size=6, max_size=24).map(lambda values: torch.tensor([values]).unsqueeze(2))
widths = st.integers(1, 8)


def affine_codes(bits: int, *, symmetric: bool) -> CodeRange:
    return CodeRange(*code_range([bits], symmetric=symmetric), symmetric)


@given(tensors, st.integers(2, 8), st.booleans())
def test_the_affine_quantizer(x: Tensor, bits: int, symmetric: bool) -> None:
    limits, codes = KERNELS.value_range(x), affine_codes(bits, symmetric=symmetric)
    once = KERNELS.fake_quantize(x, limits, codes, clipped=False)
    assert torch.equal(KERNELS.fake_quantize(once, limits, codes, clipped=False), once)
    low, high = limits[0].clamp(max=0), limits[1].clamp(min=0)
    scale = torch.maximum(-low, high) / codes.high if symmetric else (high - low) / (codes.high - codes.low)
    # rounding the zero point moves the ends of the range by half a step: no value in it is further off
    assert ((once - x).abs() <= 0.5001 * scale + 1e-6).all()
    assert once.unique().numel() <= 2**bits
    assert torch.equal(KERNELS.fake_quantize(torch.zeros_like(x), limits, codes, clipped=False), torch.zeros_like(x))


@given(tensors, st.floats(2.0**-10, 2.0**10, width=32), widths, st.booleans())
def test_the_step_quantizer(x: Tensor, size: float, bits: int, signed: bool) -> None:
    step = torch.full((1, 1, 1), size)
    top = torch.full((1, 1, 1), 2.0 ** (max(bits, 1 + signed) - signed) - 1)
    once = KERNELS.step_quantize(x, step, top, local=False)
    assert torch.equal(KERNELS.step_quantize(once, step, top, local=False), once)
    inside = x.abs() <= step * top
    assert ((once - x).abs() <= 0.5001 * step)[inside].all()
    torch.testing.assert_close(once[~inside], (x.sign() * step * top)[~inside])


@given(tensors, widths, st.booleans())
def test_the_relaxed_quantizer(x: Tensor, bits: int, is_weight: bool) -> None:
    site = weight(x.shape[1], 1) if is_weight else activation(x.shape[1], 1)
    quantizer = make([bits], site, x, stage=Stage.QUANTIZED)
    with torch.no_grad():
        once = quantizer(x)
        torch.testing.assert_close(quantizer(once), once, rtol=1e-6, atol=0)
    scale = quantizer.get_parameter("log_scale").exp()
    assert ((once - x).abs() <= 0.501 * scale + 1e-6).all()
    assert once.unique().numel() <= 2**bits


def ledgers() -> st.SearchStrategy[Ledger]:
    """Return ledgers of every architecture, level and scheme."""

    def ledger(arch: str, scheme: str, prompt: str, graph: bool) -> Ledger:
        config = trial(QuantConfig(scheme=scheme, bits=4), arch=arch, prompt=prompt)
        return blueprint(config, shape_of(graph_task() if graph else node_task())).ledger

    archs, schemes = st.sampled_from(["GCN", "GIN", "GAT", "SAGE", "RGCN"]), st.sampled_from(["QAT", "A2Q", "MixQ"])
    return st.builds(ledger, archs, schemes, st.sampled_from(["None", "GPFLoRAP"]), st.booleans())


@given(ledgers(), st.data())
def test_costs_rise_with_the_bits_of_any_site(ledger: Ledger, data: st.DataObject) -> None:
    bits = {name: data.draw(st.floats(1, 8)) for name in sorted(ledger.bits)}
    name = data.draw(st.sampled_from(sorted(bits)))
    lower = replace(ledger, bits=bits).costs()
    higher = replace(ledger, bits={**bits, name: data.draw(st.floats(bits[name], 32))}).costs()
    slack = 1 + 1e-12
    for cost in ("average_bits", "average_bits_with_input", "bits_a2q", "bits_mixq", "bit_operations", "feature_bytes"):
        assert higher[cost] * slack >= lower[cost], cost
    assert higher["model_bytes"] * slack >= lower["model_bytes"]
    assert lower["overhead"] * slack >= higher["overhead"]  # a share of a larger model
    for cost in ("operations", "parameters", "extra_parameters"):
        assert higher[cost] == lower[cost]
