"""Blueprints: what is declared is what is built; equal training, equal digest; impossible configurations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lorap_bench.config import ModelConfig, PromptConfig, QuantConfig, TrialConfig
from lorap_bench.errors import ConfigError
from lorap_bench.models import blueprint, shape_of
from lorap_bench.quant import SCHEMES
from lorap_bench.testing import graph_task, node_task

NODE, GRAPH = shape_of(node_task()), shape_of(graph_task())
BASE = TrialConfig(
    model=ModelConfig(hidden=8, heads=4), quant=QuantConfig(bits=4), prompt=PromptConfig(kind="LoRAP", count=4, rank=2)
)


def changed(section: str, **fields: Any) -> TrialConfig:
    return replace(BASE, **{section: replace(getattr(BASE, section), **fields)})


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_every_scheme_gives_every_site_a_width(scheme: str) -> None:
    plan = blueprint(changed("quant", scheme=scheme), NODE)
    sites = {site.name for site in plan.ledger.sites if site.quantized}
    published = {"A2Q", "MixQ"}  # they leave some sites in full precision unless all are asked for
    assert set(plan.ledger.bits) <= sites
    assert (set(plan.ledger.bits) == sites) == (scheme not in published)
    assert set(blueprint(changed("quant", scheme=scheme, sites="all"), NODE).ledger.bits) == sites


@pytest.mark.parametrize(
    "other",
    [
        changed("prompt", rank=4, count=4, kind="None"),
        changed("prompt", kind="None", lr=0.5, gate="linear"),
    ],
)
def test_what_an_absent_prompt_would_use_leaves_no_trace(other: TrialConfig) -> None:
    assert blueprint(other, NODE).digest == blueprint(changed("prompt", kind="None"), NODE).digest


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (changed("prompt", rank=4), changed("prompt", rank=16)),  # both clamped to the count
        (changed("quant", bits=4), changed("quant", bits=8, layer_bits={"0": 4, "1": 4})),
        (changed("quant", percentile=0.01), BASE),  # the observer is no percentile
        (changed("model", heads=2), BASE),  # GCN has no heads
        (changed("task", batch_size=7), BASE),  # node level has no batches
        (changed("quant", scheme="FP32", bits=2), changed("quant", scheme="FP32", observer="MinMax")),
        (changed("quant", scheme="FP32"), changed("quant", scheme="FP32", messages=True)),
        (changed("quant", scheme="QAT"), changed("quant", scheme="lorap_bench.quant.qat:QAT")),
        (changed("model", arch="GIN"), changed("model", arch="lorap_bench.models.gin:GIN")),
        (changed("prompt", node_count=9), BASE),  # LoRAP has no node prompts
    ],
)
def test_configurations_that_train_alike_have_one_digest(one: TrialConfig, two: TrialConfig) -> None:
    assert blueprint(one, NODE).digest == blueprint(two, NODE).digest


@pytest.mark.parametrize(
    "other",
    [
        changed("prompt", rank=1),
        changed("prompt", count=5),
        changed("prompt", gate="linear"),
        changed("prompt", kind="None"),
        changed("quant", site_bits={"layers.0.weight": 3}),
        changed("quant", momentum=0.2),
        changed("model", dropout=0.1),
        changed("optim", lr=0.02),
    ],
)
def test_configurations_that_differ_have_different_digests(other: TrialConfig) -> None:
    assert blueprint(other, NODE).digest != blueprint(BASE, NODE).digest


def test_a_clamped_rank_is_recorded_and_not_refused() -> None:
    plan = blueprint(changed("prompt", count=32, rank=32), NODE)
    assert plan.effective["ranks"] == [8, 3]
    assert plan.effective["clamped"] is True
    assert blueprint(BASE, NODE).effective["clamped"] is False


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ConfigError, match=r"model\.heads.*allowed: 1, 2, 4, 8"):
        blueprint(changed("model", arch="GAT", heads=3), NODE)


@pytest.mark.parametrize(
    ("section", "field", "wrong", "right"),
    [("model", "arch", "GCNN", "GCN"), ("quant", "scheme", "QTA", "QAT"), ("prompt", "kind", "LoRaPP", "LoRAP")],
)
def test_unknown_names_come_with_the_nearest(section: str, field: str, wrong: str, right: str) -> None:
    with pytest.raises(ConfigError, match=f"did you mean '{right}'"):
        blueprint(changed(section, **{field: wrong}), NODE)


def test_a_strangers_class_is_reached_by_its_path() -> None:
    config = changed("model", arch="lorap_bench.models.gin:GIN")
    assert blueprint(config, NODE).costs == blueprint(changed("model", arch="GIN"), NODE).costs


def test_graph_level_costs_are_those_of_the_mean_graph() -> None:
    task = graph_task()
    assert GRAPH.nodes == task.x.shape[0] / 48
    assert GRAPH.edges == task.edge_index.shape[1] / 48
    assert (NODE.nodes, NODE.level, NODE.binary) == (60, "node", False)
    assert shape_of(node_task(binary=True)).binary


def test_full_precision_materialises_no_messages() -> None:
    plain, messages = (blueprint(changed("quant", scheme="FP32", messages=flag), NODE) for flag in (False, True))
    assert plain.costs == messages.costs


def test_a_late_injection_pays_for_the_float_tensor_it_leaves() -> None:
    early, late = (blueprint(changed("prompt", inject=place), NODE) for place in ("pre_requant", "post_requant"))
    floats = 60 * (8 + 3)
    assert late.costs["feature_bytes"] == early.costs["feature_bytes"] + 4 * floats
    assert late.costs["average_bits"] > early.costs["average_bits"]


def test_batch_norm_leaves_a_float_tensor_to_the_activation() -> None:
    plain, normed = (blueprint(changed("model", batch_norm=flag), GRAPH) for flag in (False, True))
    rows = 2 * GRAPH.nodes * 8
    pooling = GRAPH.nodes * 8
    extra = 2 * rows * 32 + 2 * rows * (32 - 4) + pooling * (32 - 4)
    assert normed.costs["bit_operations"] == pytest.approx(plain.costs["bit_operations"] + extra)


def test_full_precision_still_refuses_names_that_are_not_there() -> None:
    with pytest.raises(ConfigError, match="did you mean 'weight'"):
        blueprint(changed("quant", scheme="FP32", component_bits={"wieght": 4}), NODE)
