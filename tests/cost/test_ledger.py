"""Costs against hand counts and the published figure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.config import ModelConfig, PromptConfig, QuantConfig, TrialConfig
from lorap_bench.cost import Ledger, Operation, Role, Site, TaskShape
from lorap_bench.cost.ledger import FIXED_COSTS
from lorap_bench.models.blueprint import blueprint

if TYPE_CHECKING:
    from collections.abc import Mapping

CORA = TaskShape(name="Cora", level="node", nodes=2708, edges=10556, features=1433, classes=7, binary=True)


def trial(hidden: int = 16, *, prompt: PromptConfig | None = None, **quant: object) -> TrialConfig:
    return TrialConfig(
        model=ModelConfig(hidden=hidden),
        quant=QuantConfig(**quant),  # type: ignore[arg-type]  # keyword arguments of mixed types
        prompt=prompt or PromptConfig(),
    )


def site(name: str, role: Role, elements: float, **more: Any) -> Site:
    return Site(name=name, layer="0", component="feature", role=role, elements=elements, **more)


def test_mixq_counts_the_operations_of_a_full_precision_gcn_on_cora() -> None:
    # the figure in MixQ-GNN's own experiment log
    costs = blueprint(trial(128, scheme="FP32"), CORA).costs
    assert costs["operations"] == 503_439_616
    assert costs["bit_operations"] == 16_110_067_712


def test_averages_weigh_by_elements_and_leave_constants_out() -> None:
    ledger = Ledger(
        sites=(
            site("weight", Role.WEIGHT, 10),
            site("hidden", Role.ACTIVATION, 30, feeds_linear=True),
            site("prompt", Role.PROMPT, 10, quantized=False),
            site("raw", Role.CONSTANT, 50, binary=True),
        ),
        operations=(Operation(name="linear", count=100, sites=("weight", "hidden")),),
        bits={"weight": 8, "hidden": 4, "raw": 4},
    )
    costs = ledger.costs()
    assert costs["average_bits"] == pytest.approx((10 * 8 + 30 * 4 + 10 * 32) / 50)
    assert costs["average_bits_with_input"] == pytest.approx((10 * 8 + 30 * 4 + 10 * 32 + 50 * 1) / 100)
    assert costs["bits_a2q"] == 4
    assert costs["bits_mixq"] == pytest.approx((8 + 4 + 4) / 3)
    assert costs["bit_operations"] == 100 * 6
    assert costs["model_bytes"] == 10 * 8 / 8 + 10 * 32 / 8
    assert costs["feature_bytes"] == 30 * 4 / 8
    assert costs["parameters"] == 20
    assert costs["extra_parameters"] == 100


def test_full_precision_averages_32_by_every_definition() -> None:
    costs = blueprint(trial(scheme="FP32"), CORA).costs
    assert costs["average_bits"] == costs["bits_a2q"] == costs["bits_mixq"] == 32
    raw, edges, rest = 2708 * 1433, 2 * 13264, 2708 * (3 * 16 + 16 + 3 * 7) + 1433 * 16 + 16 * 7 + 23
    assert costs["average_bits_with_input"] == pytest.approx((raw + 32 * (edges + rest)) / (raw + edges + rest))


def test_uniform_bits_average_to_themselves_but_for_the_biases() -> None:
    costs = blueprint(trial(bits=4), CORA).costs
    elements = 2708 * (3 * 16 + 16 + 3 * 7) + 1433 * 16 + 16 * 7
    assert costs["average_bits"] == pytest.approx((4 * elements + 32 * 23) / (elements + 23))
    assert costs["bits_a2q"] == costs["bits_mixq"] == 4


def test_overhead_is_the_prompts_share_of_the_unprompted_bit_operations() -> None:
    prompt = PromptConfig(kind="LoRAP", count=8, rank=4)
    plain, prompted = blueprint(trial(bits=4), CORA), blueprint(trial(bits=4, prompt=prompt), CORA)
    extra = sum(2708 * (2 * d * 4 + 2 * 4 * 8 + 3 * 8 + d) for d in (16, 7)) * 32
    assert plain.costs["overhead"] == 0
    assert prompted.costs["overhead"] == pytest.approx(100 * extra / plain.costs["bit_operations"])
    assert prompted.costs["bit_operations"] == plain.costs["bit_operations"] + extra
    parameters = sum(2 * d * 4 + 2 * 4 * 8 + 8 for d in (16, 7))
    backbone = 1433 * 16 + 16 * 7 + 23
    assert prompted.costs["extra_parameters"] == pytest.approx(100 * parameters / backbone)
    assert prompted.costs["average_bits"] > plain.costs["average_bits"]


def test_gpf_plus_with_ten_prompts_more_than_doubles_the_parameters() -> None:
    prompt = PromptConfig(kind="GPFPlus", node_count=10)
    assert blueprint(trial(prompt=prompt), CORA).costs["extra_parameters"] == pytest.approx(124, abs=1)


def test_a_node_prompt_makes_the_input_count() -> None:
    costs = blueprint(trial(bits=8, prompt=PromptConfig(kind="GPF")), CORA).costs
    plain = blueprint(trial(bits=8), CORA).costs
    assert costs["feature_bytes"] == plain["feature_bytes"] + 2708 * 1433
    assert costs["average_bits_with_input"] > plain["average_bits_with_input"]


def linear_input(layer: str, elements: float, **more: Any) -> Site:
    role = Role.CONSTANT if more.get("two_valued") or more.get("binary") else Role.ACTIVATION
    name = f"layers.{layer}.input.{elements:g}"
    return Site(name=name, layer=layer, component="input", role=role, elements=elements, feeds_linear=True, **more)


def costs_of(sites: tuple[Site, ...], bits: Mapping[str, float]) -> dict[str, float]:
    parameters = site("weight", Role.WEIGHT, 1, quantized=False)
    operation = Operation(name="linear", count=1)
    return Ledger(sites=(*sites, parameters), operations=(operation,), bits=bits).costs()


def test_bits_a2q_is_a_mean_of_layers_of_a_mean_of_their_linear_inputs_whatever_their_size() -> None:
    sites = (linear_input("0", 10), linear_input("0", 9000), linear_input("1", 5), site("other", Role.ACTIVATION, 50))
    bits = {"layers.0.input.10": 2.0, "layers.0.input.9000": 4.0, "layers.1.input.5": 7.5, "other": 8.0}
    assert costs_of(sites, bits)["bits_a2q"] == pytest.approx(((2 + 4) / 2 + 7.5) / 2)


def test_bits_a2q_leaves_an_exact_input_out_and_counts_a_quantized_one() -> None:
    hidden = linear_input("1", 5)
    for marks in ({"two_valued": True}, {"binary": True, "two_valued": True}):
        found = costs_of((linear_input("0", 10, **marks), hidden), {"layers.0.input.10": 1, hidden.name: 1.7})
        assert found["bits_a2q"] == 1.7
    quantized = {"layers.0.input.10": 8, hidden.name: 2}
    assert costs_of((linear_input("0", 10, two_valued=True), hidden), quantized)["bits_a2q"] == 5
    # zeros and ones pass any quantizer unchanged
    assert costs_of((linear_input("0", 10, binary=True, two_valued=True), hidden), quantized)["bits_a2q"] == 2
    # an input that is left in full precision is no quantizer's
    assert costs_of((linear_input("0", 10), hidden), {hidden.name: 2})["bits_a2q"] == 2


def test_bits_mixq_counts_every_quantizer_once_whatever_its_size() -> None:
    sites = tuple(site(name, Role.ACTIVATION, size) for name, size in (("a", 1), ("b", 10_000), ("c", 3), ("d", 7)))
    assert costs_of(sites, {"a": 2, "b": 8, "c": 2})["bits_mixq"] == 4
    assert costs_of(sites, {})["bits_mixq"] == 32


def test_a_site_without_a_width_counts_32() -> None:
    sites = (site("a", Role.ACTIVATION, 30), site("b", Role.ACTIVATION, 69))
    assert costs_of(sites, {"a": 2})["average_bits"] == pytest.approx((30 * 2 + 70 * 32) / 100)


@pytest.mark.parametrize("scheme", ["A2Q", "MixQ"])
def test_learned_widths_enter_all_costs_but_the_fixed_ones(scheme: str) -> None:
    plan = blueprint(trial(bits=4, scheme=scheme), CORA)
    assert set(plan.costs) == set(FIXED_COSTS)
    costs = {bits: plan.costs_at({"layers.0.feature": bits, "layers.1.input": bits}) for bits in (2.0, 3.25, 8.0)}
    names = {"average_bits", "average_bits_with_input", "bit_operations", "feature_bytes"}
    for name in names:
        assert costs[2.0][name] < costs[3.25][name] < costs[8.0][name], name
    for name, value in plan.costs.items():
        assert all(found[name] == value for found in costs.values())
    assert {name for name in costs[2.0] if costs[2.0][name] == costs[8.0][name]} >= set(FIXED_COSTS)


def test_a2q_on_cora_reports_the_second_layers_input_alone() -> None:
    # what "1.70 bits" of the paper measures: the raw features are zeros and one value a row
    shape = replace(CORA, binary=False, two_valued=True, nonnegative=True)
    plan = blueprint(trial(bits=4, scheme="A2Q"), shape)
    assert plan.costs_at({"layers.1.input": 1.7})["bits_a2q"] == 1.7


def test_mixq_on_cora_reports_the_mean_of_nine_quantizers() -> None:
    plan = blueprint(trial(scheme="MixQ"), CORA)
    learned = dict.fromkeys(plan.ledger.bits, 4.0) | {"layers.0.input": 8.0}
    assert len(learned) == 9
    assert plan.costs_at(learned)["bits_mixq"] == pytest.approx(40 / 9)
