"""Residual connections: plain torch, counted costs, digests, every scheme."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch

from lorap_bench.config import ModelConfig, OptimConfig, PromptConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.models import blueprint, shape_of
from lorap_bench.models.digest import canonical
from lorap_bench.quant.context import Stage
from lorap_bench.testing import graph_task, node_task
from lorap_bench.testing.watch import quantizers, watched
from lorap_bench.train import Cohort, Member
from lorap_bench.train.feed import make_feed

TASKS = {"node": node_task(), "graph": graph_task()}
BASE = TrialConfig(
    task=TaskConfig(batch_size=16),
    model=ModelConfig(hidden=8, layers=4, heads=4, dropout=0.0, residual=True),
    quant=QuantConfig(bits=4, search_epochs=1, pretrain_epochs=1, groups=9),
    prompt=PromptConfig(count=4, rank=2),
    optim=OptimConfig(epochs=2),
)


def configured(**sections: dict[str, Any]) -> TrialConfig:
    return replace(BASE, **{name: replace(getattr(BASE, name), **fields) for name, fields in sections.items()})


@pytest.mark.parametrize("level", sorted(TASKS))
@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("arch", ["GCN", "GIN", "GAT", "SAGE"])
def test_in_full_precision_hidden_layers_but_the_first_add_what_they_were_given(
    arch: str, norm: bool, level: str
) -> None:
    task = TASKS[level]
    config = configured(model={"arch": arch, "batch_norm": norm}, quant={"scheme": "FP32"})
    cohort = Cohort([Member(config, seed) for seed in (0, 1)], shape_of(task))
    batch = make_feed(task, cohort.plan).store.whole
    network = cohort.network.eval()
    layers: list[tuple[torch.Tensor, torch.Tensor]] = []
    for index, conv in enumerate(network.convs):
        made = network.norms[index] if index < len(network.norms) and norm else conv
        conv.register_forward_hook(lambda _module, given, _made: layers.append((given[0], torch.empty(0))))
        made.register_forward_hook(lambda _module, _given, out: layers.append((layers.pop()[0], out)))
    with torch.no_grad():
        network(network.prepare(batch))
    added = 3 if level == "graph" else 2
    assert sorted(network.residuals) == [str(index) for index in range(1, added + 1)]
    assert torch.equal(layers[1][0], layers[0][1].relu())
    for before, after in pairwise(layers[1:]):
        assert torch.equal(after[0], before[1].relu() + before[0])


def test_the_sum_has_a_site_of_its_own_and_passes_its_quantizer_once() -> None:
    task = TASKS["graph"]
    cohort = Cohort([Member(BASE, 0)], shape_of(task))
    batch = make_feed(task, cohort.plan).store.whole
    cohort.network.calibrate(batch)
    network = cohort.network.train()
    with torch.no_grad(), watched(network) as seen:
        network(network.prepare(batch))
    sites = {site.name: site for site in cohort.plan.ledger.sites}
    for name in ("layers.1.residual.sum", "layers.2.residual.sum", "layers.3.residual.sum"):
        (passed,) = seen[name]
        assert passed.given.min() >= 0
        assert len(passed.made.unique()) <= 2**4
        assert passed.given[0].numel() == round(sites[name].elements * batch.sizes.numel())
    assert "layers.0.residual.sum" not in sites
    assert set(quantizers(network)) == {name for name, site in sites.items() if site.quantized}


@pytest.mark.parametrize("norm", [False, True])
def test_costs_count_an_addition_and_a_tensor_a_layer(norm: bool) -> None:
    shape = shape_of(TASKS["graph"])
    with_sum, without = (
        blueprint(configured(model={"residual": residual, "batch_norm": norm}), shape) for residual in (True, False)
    )
    rows = 3 * shape.nodes * 8
    assert with_sum.costs["operations"] - without.costs["operations"] == pytest.approx(rows)
    assert with_sum.costs["feature_bytes"] - without.costs["feature_bytes"] == pytest.approx(rows * 4 / 8)
    # Between codes an addition is one of 4 bits; with batch norm its terms are floats. The pooled rows have codes then.
    added = rows * (32 if norm else 4)
    saved = shape.nodes * 8 * (32 - 4) if norm else 0
    gap = with_sum.costs["bit_operations"] - without.costs["bit_operations"]
    assert gap == pytest.approx(added - saved)
    assert with_sum.costs["parameters"] == without.costs["parameters"]


def test_what_a_scheme_does_not_quantize_counts_in_full() -> None:
    shape = shape_of(TASKS["graph"])
    for scheme in ("A2Q", "MixQ"):
        published, every = (
            blueprint(configured(quant={"scheme": scheme, "sites": sites}), shape).ledger
            for sites in ("published", "all")
        )
        (site,) = [site for site in published.sites if site.name == "layers.1.residual.sum"]
        assert published.width(site) == 32
        assert every.width(site) in {4, 8}


def test_a_residual_that_no_layer_has_leaves_no_trace() -> None:
    shape = shape_of(TASKS["node"])
    plain, asked = (
        blueprint(configured(model={"layers": 2, "residual": residual}), shape) for residual in (False, True)
    )
    assert plain.digest == asked.digest
    assert "residual" not in canonical(plain)["model"]
    deeper = blueprint(BASE, shape)
    assert canonical(deeper)["model"]["residual"] is True
    assert deeper.digest != blueprint(configured(model={"residual": False}), shape).digest


@pytest.mark.parametrize("level", sorted(TASKS))
@pytest.mark.parametrize("scheme", ["QAT", "DegreeQuant", "A2Q", "MixQ"])
def test_dropout_follows_the_sum_under_every_scheme(scheme: str, level: str) -> None:
    task = TASKS[level]
    config = configured(model={"dropout": 0.5}, quant={"scheme": scheme, "sites": "all"}, prompt={"kind": "LoRAP"})
    cohort = Cohort([Member(config, seed) for seed in (0, 1)], shape_of(task))
    batch = make_feed(task, cohort.plan).store.whole
    cohort.network.calibrate(batch)
    cohort.network.begin(Stage.QUANTIZED, batch)
    seen: list[torch.Tensor] = []
    network = cohort.network.train()
    network.residuals["1"].register_forward_hook(lambda _module, _given, made: seen.append(made))
    network.drops[1].register_forward_hook(lambda _module, _given, made: seen.append(made))
    network(network.prepare(batch))
    added, dropped = seen
    kept = dropped != 0
    torch.testing.assert_close(dropped[kept], 2 * added[kept])
    assert 0.2 < float((added[added != 0].numel() - int(kept.sum())) / added[added != 0].numel()) < 0.8
