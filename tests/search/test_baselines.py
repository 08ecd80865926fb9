from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lorap_bench.config import PromptConfig, TrialConfig
from lorap_bench.cost.shape import TaskShape
from lorap_bench.errors import ConfigError, Fault
from lorap_bench.models.blueprint import blueprint
from lorap_bench.search.baselines import baselines, rungs, subject
from lorap_bench.store.look import Baseline
from tests.search.synthetic import sketch

PLAIN, FP32, GPF, LORAP = Baseline
PROMPT = PromptConfig(kind="GPFLoRAP", count=3, rank=2, node_count=7, gate="linear", lr=0.02, weight_decay=0.1)
SHAPE = TaskShape(name="made-up", level="node", nodes=30, edges=90, features=12, classes=4, binary=False)


def config(kind: str) -> TrialConfig:
    return TrialConfig(prompt=replace(PROMPT, kind=kind))


def plan(one: TrialConfig) -> Any:
    return blueprint(one, SHAPE)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("None", []), ("GPF", []), ("GPFPlus", []), ("LoRAP", [GPF]), ("GPFLoRAP", [GPF, LORAP]), ("theirs:Prompt", [])],
)
def test_rungs_are_the_simpler_prompts_below_a_trials_own(kind: str, expected: list[Baseline]) -> None:
    assert list(rungs(config(kind))) == expected
    assert list(baselines(config(kind))) == [PLAIN, FP32]


def test_a_rung_differs_from_its_trial_in_the_kind_of_prompt_alone() -> None:
    trial = config("GPFLoRAP")
    found = rungs(trial)
    assert found[GPF] == replace(trial, prompt=replace(PROMPT, kind="GPFPlus"))
    assert found[LORAP] == replace(trial, prompt=replace(PROMPT, kind="LoRAP"))


def test_rungs_are_asked_for() -> None:
    assert set(subject(4, config("GPFLoRAP"), plan).baselines) == {PLAIN, FP32}
    one = subject(4, config("GPFLoRAP"), plan, ladder=True)
    assert list(one.baselines) == [PLAIN, FP32, GPF, LORAP]
    assert {role: one.baselines[role] for role in (GPF, LORAP)} == {
        role: plan(derived).digest for role, derived in rungs(config("GPFLoRAP")).items()
    }
    assert len({one.digest, *one.baselines.values()}) == 5


@pytest.mark.parametrize("kind", ["None", "GPF", "GPFPlus"])
def test_the_simplest_prompts_have_no_rungs(kind: str) -> None:
    one = config(kind)
    assert subject(4, one, plan, ladder=True) == subject(4, one, plan)


def test_trials_share_a_rung_and_a_trial_may_be_anothers() -> None:
    few, many = (replace(config("LoRAP"), prompt=replace(PROMPT, kind="LoRAP", count=count)) for count in (2, 5))
    first, second = (subject(number, one, plan, ladder=True) for number, one in enumerate((few, many)))
    assert first.digest != second.digest
    assert first.baselines[GPF] == second.baselines[GPF] == plan(config("GPFPlus")).digest
    assert subject(3, config("GPFLoRAP"), plan, ladder=True).baselines[LORAP] == plan(config("LoRAP")).digest


def test_a_rung_that_is_no_configuration_is_noted() -> None:
    def picky(one: TrialConfig) -> Any:
        if one.prompt.kind == "LoRAP":
            raise ConfigError([Fault(path="quant.site_bits.x", message="this model has no such entry")])
        return sketch(one)

    found = subject(4, config("GPFLoRAP"), picky, ladder=True)
    assert set(found.baselines) == {PLAIN, FP32, GPF}
    assert list(found.impossible) == [LORAP]
    assert "no such entry" in found.impossible[LORAP]
