"""Costs against hand counts and the published figure."""

from __future__ import annotations

import pytest

from lorap_bench.config import ModelConfig, PromptConfig, QuantConfig, TrialConfig
from lorap_bench.cost import Ledger, Operation, Role, Site, TaskShape
from lorap_bench.models.blueprint import blueprint

CORA = TaskShape(name="Cora", level="node", nodes=2708, edges=10556, features=1433, classes=7, binary=True)


def trial(hidden: int = 16, *, prompt: PromptConfig | None = None, **quant: object) -> TrialConfig:
    return TrialConfig(
        model=ModelConfig(hidden=hidden),
        quant=QuantConfig(**quant),  # type: ignore[arg-type]  # keyword arguments of mixed types
        prompt=prompt or PromptConfig(),
    )


def site(name: str, role: Role, elements: float, **more: bool) -> Site:
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
