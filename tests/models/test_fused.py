"""What is fused across hook points gives what the separate operations give, and only where it may."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from lorap_bench.config import ModelConfig, PromptConfig, QuantConfig, TrialConfig
from lorap_bench.kernels import kernels
from lorap_bench.models import shape_of
from lorap_bench.testing import sparse_task
from lorap_bench.train import Cohort, Member
from lorap_bench.train.feed import make_feed
from lorap_bench.train.loop import Passes

if TYPE_CHECKING:
    from lorap_bench.kernels import Kernels
    from lorap_bench.kernels.interface import KnownRange

TASK = sparse_task()


def trained(arch: str, kind: str, *, inject: str = "pre_requant", **quant: object) -> Passes:
    """Return a cohort of two members after two steps."""
    config = TrialConfig(
        model=ModelConfig(arch=arch, hidden=4, heads=2),
        quant=QuantConfig(scheme="DegreeQuant", bits=4, **quant),  # type: ignore[arg-type]  # keyword arguments of mixed types
        prompt=PromptConfig(kind=kind, count=3, rank=2, inject=inject),  # type: ignore[arg-type]  # one of the allowed
    )
    cohort = Cohort([Member(config, seed) for seed in (3, 7)], shape_of(TASK))
    passes = Passes(cohort, make_feed(TASK, cohort.plan))
    passes.begin(cohort.plan.stages[0][0], 0)
    for epoch in range(2):
        passes.train(epoch)
    return passes


@pytest.mark.parametrize("arch", ["GCN", "GIN", "GAT", "SAGE", "RGCN"])
@pytest.mark.parametrize("kind", ["None", "LoRAP", "GPFLoRAP"])
@pytest.mark.parametrize("messages", [False, True])
def test_who_watches_sees_the_same(arch: str, kind: str, messages: bool) -> None:
    passes = trained(arch, kind, messages=messages)
    network, batch = passes.cohort.network.eval(), passes.feed.calibration()
    with torch.no_grad():
        fused = network(network.prepare(batch))
        for part in network.parts:
            for quantizer in part.quantizers.values():
                quantizer.register_forward_hook(lambda *_: None)
        formed = network(network.prepare(batch))
    if messages:  # a sum in another order may round to another code further on
        assert torch.isclose(fused, formed, rtol=1e-4, atol=1e-4).float().mean() > 0.9
    else:
        assert torch.equal(fused, formed)


@pytest.mark.parametrize("inject", ["pre_requant", "post_requant"])
def test_the_quantizer_behind_a_prompt_is_fused_where_its_range_is_known(
    inject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = trained("GCN", "LoRAP", inject=inject)
    kind = type(kernels())
    plain, seen = kind.inject, []

    def noted(self: Kernels, x: torch.Tensor, prompt: object, then: KnownRange | None = None) -> torch.Tensor:
        seen.append(then is not None)
        return plain(self, x, prompt, then)  # type: ignore[arg-type]  # passed on as it is

    monkeypatch.setattr(kind, "inject", noted)
    passes.train(2)
    assert seen == [False, False]  # the range is observed on what is injected
    passes.evaluate("val")
    assert seen[2:] == [inject == "pre_requant"] * 2
