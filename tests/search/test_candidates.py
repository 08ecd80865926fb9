"""The points that a model-based sampler chooses among."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.search.candidates import Candidates, point_name
from tests.search.synthetic import SMALL, WIDE, make_spec, sketch

if TYPE_CHECKING:
    from lorap_bench.config import TrialConfig
    from tests.search.synthetic import Sketch

TIGHT = {"average_bits": "<= 4", "overhead": "<= 6"}


def names(candidates: Any) -> list[str]:
    return [point_name(one.params) for one in candidates]


def test_the_pool_of_a_small_space_is_all_that_is_feasible() -> None:
    spec = make_spec(SMALL, constraints={"average_bits": "<= 4"})
    found = Candidates(spec, sketch, 0)
    assert sorted(names(found.pool)) == sorted(
        json.dumps({"prompt.rank": rank, "quant.bits": bits}) for bits in (2, 4) for rank in (1, 2, 3, 4)
    )
    assert all(one.costs["average_bits"] <= 4 for one in found.pool)


def test_the_pool_of_a_large_space_is_distinct_feasible_and_of_its_seed() -> None:
    spec = make_spec(WIDE, constraints=TIGHT)
    pool = Candidates(spec, sketch, 1).pool
    assert len(pool) == 1024
    assert len(set(names(pool))) == 1024
    for one in pool:
        assert one.costs["average_bits"] <= 4
        assert one.costs["overhead"] <= 6
        assert ("prompt.rank" in one.params) == (one.params["prompt.kind"] == "LoRAP")
    assert names(Candidates(spec, sketch, 1).pool) == names(pool)
    assert names(Candidates(spec, sketch, 2).pool) != names(pool)


def test_a_space_with_nothing_feasible_ends_with_an_empty_pool() -> None:
    assert Candidates(make_spec(WIDE, constraints={"average_bits": "<= 1"}), sketch, 0).pool == []


def test_neighbours_differ_in_one_parameter_and_what_it_switches_on() -> None:
    found, rng = Candidates(make_spec(WIDE, constraints=TIGHT), sketch, 0), random.Random(0)
    point = {"prompt.kind": "None", "quant.bits": 4, "model.hidden": 8, "optim.lr": 0.01}
    near = found.near([point], 300, rng)
    assert len(near) > 50
    for one in near:
        changed = {path for path in point if one.params[path] != point[path]}
        assert len(changed) <= 1
        if changed != {"prompt.kind"}:
            assert one.params.keys() == point.keys()
        assert one.costs["average_bits"] <= 4
    assert {"prompt.rank", "prompt.gate"} <= {path for one in near for path in one.params}
    assert any(0.009 < one.params["optim.lr"] < 0.012 for one in near if one.params["optim.lr"] != 0.01)
    assert found.near([], 5, rng) == []


def test_costs_are_worked_out_once_and_equal_trainings_are_one() -> None:
    asked: list[TrialConfig] = []

    def counting(config: TrialConfig) -> Sketch:
        asked.append(config)
        return sketch(config)

    found = Candidates(make_spec(WIDE), counting, 0)
    point = {"prompt.kind": "LoRAP", "prompt.rank": 9, "prompt.gate": "linear", "quant.bits": 4}
    whole = {**point, "model.hidden": 8, "optim.lr": 0.01}
    assert found.of(whole) is found.of(dict(reversed(whole.items())))
    assert len(asked) == 1
    assert found.identity(whole) == found.identity({**whole, "prompt.rank": 16})
    assert found.identity(whole) != found.identity({**whole, "prompt.rank": 8, "quant.bits": 8})


def test_an_impossible_point_is_no_candidate_but_may_have_been_tried() -> None:
    spec = make_spec({"model.hidden": {"int": [4, 64]}}, model={"arch": "GAT", "heads": 8})
    found = Candidates(spec, sketch, 0)
    assert all(one.params["model.hidden"] % 8 == 0 for one in found.pool)
    assert found.of({"model.hidden": 9}) is None
    assert found.taken({"model.hidden": 9}).costs == {}
    assert found.identity({"model.hidden": 9}) == '{"model.hidden": 9}'


def test_without_a_planner_every_point_is_a_candidate_of_unknown_cost() -> None:
    found = Candidates(make_spec(SMALL, constraints={"average_bits": "<= 2"}), None, 0)
    assert len(found.pool) == 12
    assert [dict(one.costs) for one in found.pool] == [{}] * 12
    assert found.identity({"quant.bits": 2}) == '{"quant.bits": 2}'


@pytest.mark.parametrize("seed", range(3))
def test_a_parameter_of_one_value_has_itself_as_neighbour(seed: int) -> None:
    found = Candidates(make_spec({"quant.bits": {"choices": [4]}}), sketch, 0)
    assert names(found.near([{"quant.bits": 4}], 3, random.Random(seed))) == ['{"quant.bits": 4}']
