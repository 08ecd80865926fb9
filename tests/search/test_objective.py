from __future__ import annotations

import pytest

from lorap_bench.errors import ConfigError
from lorap_bench.search.objective import directions, values, violations
from tests.search.synthetic import make_spec, sketch, train


def test_directions_and_values_follow_the_studys_order() -> None:
    spec = make_spec(objectives=["overhead", "accuracy"])
    record = train(spec.base, (1, 2)).record
    assert directions(spec) == ["minimize", "maximize"]
    assert values(spec, record) == [record.objectives["overhead"], record.objectives["accuracy"]]


def test_violations_are_positive_where_a_bound_is_broken_and_silent_where_nothing_is_known() -> None:
    spec = make_spec(constraints={"average_bits": "<= 4.5", "accuracy": ">= 0.8", "model_bytes": "<= 100"})
    assert violations(spec, {"average_bits": 5.0, "accuracy": 0.9}) == {
        "average_bits": 0.5,
        "accuracy": pytest.approx(-0.1),
    }


def test_the_stand_in_refuses_as_a_model_would() -> None:
    spec = make_spec(model={"arch": "GAT", "hidden": 12, "heads": 8})
    with pytest.raises(ConfigError, match="heads do not divide"):
        sketch(spec.base)
