from __future__ import annotations

from dataclasses import replace

import torch

from lorap_bench.config import ModelConfig, QuantConfig, TrialConfig
from lorap_bench.models.blueprint import blueprint, shape_of
from lorap_bench.testing import node_task
from lorap_bench.train.cohort import Cohort, Member
from lorap_bench.train.feed import make_feed


def test_degree_quant_spares_no_node_inside_the_linear_maps() -> None:
    task = node_task()
    trial = replace(
        TrialConfig(),
        model=ModelConfig(arch="GIN", hidden=8, dropout=0.0),
        quant=QuantConfig(scheme="DegreeQuant", bits=2, p_min=1.0, p_max=1.0),  # every node is protected
    )
    spared = {
        site.name for site in blueprint(trial, shape_of(task)).ledger.sites if site.spared and site.rows == "node"
    }
    assert spared == {f"layers.{layer}.{name}" for layer in (0, 1) for name in ("input", "aggregate", "update")}
    cohort = Cohort([Member(trial, 0)], shape_of(task))
    seen: dict[str, int] = {}
    for name, module in cohort.network.named_modules():
        if "at_mlp" in name and "observer" not in name:
            module.register_forward_hook(
                lambda _, __, out, name=name: (
                    seen.__setitem__(name, len(out.unique())) if torch.is_tensor(out) else None
                )
            )
    feed = make_feed(task, cohort.plan)
    cohort.network.train()(cohort.network.prepare(feed.calibration()))
    assert len(seen) == 2 * 5  # of two layers: input, weight and output, input and weight
    assert all(codes <= 4 for codes in seen.values())  # 2 bits, although every node is protected
