from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from lorap_bench.metric import Metric
from lorap_bench.study.schema import study_schema
from lorap_bench.study.spec import COSTS, OBJECTIVES, Constraint, StudySpec

STUDY: dict[str, Any] = {
    "version": 1,
    "name": "tiny",
    "objectives": ["accuracy"],
    "budget": {"trials": 3},
    "space": {
        "prompt.count": {"int": [1, 4], "log": True},
        "optim.lr": {"float": [0.1, 1.0]},
        "prompt.rank": {"choices": [1, 2], "when": {"prompt.count": 2}},
    },
}


def spec(**changes: Any) -> StudySpec:
    return StudySpec.from_mapping({**STUDY, **changes})


def test_a_study_survives_its_mapping() -> None:
    one = spec()
    assert StudySpec.from_mapping(json.loads(json.dumps(one.to_mapping()))) == one
    assert one.to_mapping()["space"]["prompt.count"]["int"] == [1, 4]
    assert StudySpec.from_mapping(one.to_mapping()).identity == one.identity


def test_a_study_is_frozen_and_strict() -> None:
    with pytest.raises(ValidationError):
        spec().seed = 3
    with pytest.raises(ValidationError):
        spec(seed="3")
    with pytest.raises(ValidationError):
        spec(objectives=["accuracy", "accuracy"])


@pytest.mark.parametrize(
    "change",
    [
        {"budget": {"trials": 99}},
        {"description": "why"},
        {"replicas": {"search": 1, "confirm": 9}},
        {"search": {"together": "auto"}},
        {"model": {"head": "linear", "head_dropout": 0.0}},
        {"prompt": {}},
    ],
)
def test_growing_a_study_or_naming_a_default_keeps_its_identity(change: dict[str, Any]) -> None:
    assert spec(**change).identity == spec().identity


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"name": "other"},
        {"objectives": ["overhead"]},
        {"replicas": {"search": 2}},
        {"optim": {"epochs": 3}},
        {"space": {"prompt.count": {"int": [1, 5]}}},
        {"constraints": {"average_bits": "<= 4"}},
        {"search": {"sampler": "Random"}},
        {"search": {"together": 1}},
        {"search": {"together": 4}},
    ],
)
def test_anything_else_is_another_study(change: dict[str, Any]) -> None:
    assert spec(**change).identity != spec().identity


@pytest.mark.parametrize("together", [0, -1, True, 2.0, "many", None, [4]])
def test_trials_train_together_by_number_or_by_rule(together: Any) -> None:
    with pytest.raises(ValidationError, match='must be "auto" or a whole number of at least 1'):
        spec(search={"together": together})


def test_a_violation_is_positive_when_the_bound_is_broken() -> None:
    assert Constraint("average_bits", "<=", 4.0).violation(5.0) == 1.0
    assert Constraint("average_bits", "<=", 4.0).violation(3.0) == -1.0
    assert Constraint("accuracy", ">=", 0.5).violation(0.25) == 0.25
    assert spec(constraints={"overhead": ">= -1e-1"}).constraint_rules == (Constraint("overhead", ">=", -0.1),)


def test_static_objectives_are_costs() -> None:
    assert set(OBJECTIVES) - set(Metric) <= set(COSTS)


def test_the_schema_is_plain_json_and_knows_the_space() -> None:
    schema = json.loads(json.dumps(study_schema()))
    assert schema["required"] == ["version", "name", "objectives", "budget"]
    assert schema["additionalProperties"] is False
    line = schema["$defs"]["ParameterSpec"]
    assert set(line["properties"]) == {"choices", "int", "float", "step", "log", "when"}
    assert {"$ref": "#/$defs/SpaceTable"} in schema["properties"]["space"]["additionalProperties"]["anyOf"]
    assert schema["$defs"]["QuantConfig"]["properties"]["bits"]["enum"] == [2, 3, 4, 5, 6, 7, 8, 32]
    assert schema["$defs"]["QuantConfig"]["additionalProperties"] is False
