from __future__ import annotations

import pytest

from lorap_bench.cost.shape import TaskShape
from lorap_bench.errors import ConfigError
from lorap_bench.record import Status
from lorap_bench.search.plan import SAMPLE, check
from tests.search.synthetic import SMALL, fail, make_spec, sketch, train


def test_a_small_space_is_looked_at_whole() -> None:
    space = {"quant.bits": {"choices": [2, 4, 8]}, "prompt.rank": {"int": [1, 10]}}
    spec = make_spec(space, trials=20, constraints={"average_bits": "<= 4"}, replicas={"search": 3, "confirm": 10})
    plan = check(spec, None, blueprint=sketch)
    assert (plan.size, plan.exact, plan.looked_at) == (30, True, 30)
    assert plan.infeasible == pytest.approx(1 / 3)
    assert plan.reasons == {"average_bits": 10}
    assert plan.duplicates == pytest.approx(4 / 20)  # ranks 9 and 10 train as rank 8, at two widths
    assert plan.ranges["average_bits"] == (2.0, 8.0)
    assert plan.ranges["overhead"] == (1.0, 8.0)
    assert plan.ranges["model_bytes"] == (4.0, 16.0)
    assert plan.ranges["bit_operations"] == (32.0, 128.0)
    assert (plan.trials, plan.members, plan.member_epochs, plan.confirm_members) == (20, 60, 180, 10)
    assert (plan.seconds, plan.measured) == (None, 0)


def test_an_endless_space_is_sampled_and_says_so() -> None:
    spec = make_spec()
    plan = check(spec, None, blueprint=sketch)
    assert (plan.size, plan.exact, plan.looked_at) == (None, False, SAMPLE)
    assert plan.infeasible == 0
    assert plan.duplicates == 0
    assert plan == check(spec, None, blueprint=sketch)


def test_a_large_finite_space_is_sampled() -> None:
    space = {"model.hidden": {"int": [1, 5000]}, "prompt.rank": {"int": [1, 2]}}
    plan = check(make_spec(space), None, blueprint=sketch)
    assert (plan.size, plan.exact, plan.looked_at) == (10_000, False, SAMPLE)
    assert 0 < plan.duplicates < 0.2


def test_epochs_are_averaged_over_the_space() -> None:
    spec = make_spec({"optim.epochs": {"choices": [10, 30]}}, trials=4, replicas={"search": 5})
    assert check(spec, None, blueprint=sketch).member_epochs == 4 * 5 * 20


def test_seconds_come_from_the_studys_own_trials() -> None:
    spec = make_spec(SMALL, trials=10)
    records = [train(spec.base, (1,)).record, train(spec.base, (2,)).record, fail(spec.base, (3,)).record]
    plan = check(spec, None, records, blueprint=sketch)
    assert plan.measured == 2
    assert plan.seconds == pytest.approx(7 * 1.5)
    assert records[2].status is Status.DIVERGED


def test_points_that_make_no_configuration_count_as_infeasible() -> None:
    spec = make_spec({"model.hidden": {"choices": [8, 12, 16, 20]}}, model={"arch": "GAT", "heads": 8})
    plan = check(spec, None, blueprint=sketch)
    assert plan.infeasible == 0.5
    assert plan.reasons == {"configuration": 2}


@pytest.mark.parametrize("space", [SMALL, None])
def test_a_space_without_a_feasible_point_is_refused_with_what_it_reaches(space: dict[str, object] | None) -> None:
    spec = make_spec(space, constraints={"average_bits": "<= 1.5", "model_bytes": "<= 1000000"})
    with pytest.raises(ConfigError, match="every point of the space is infeasible") as caught:
        check(spec, None, blueprint=sketch)
    text = str(caught.value)
    assert "constraints.average_bits: broken by" in text
    assert "got '<= 1.5'" in text
    assert f"2 to {8 if space else 32} in this space" in text
    assert "model_bytes" not in text


def test_a_space_of_impossible_configurations_shows_one() -> None:
    spec = make_spec({"model.hidden": {"choices": [9, 12]}}, model={"arch": "GAT", "heads": 8})
    with pytest.raises(ConfigError, match=r"no configuration, such as: 1 fault\n.*heads do not divide"):
        check(spec, None, blueprint=sketch)


def test_the_models_own_blueprint_is_the_default() -> None:
    shape = TaskShape(name="Toy", level="node", nodes=100, edges=400, features=32, classes=4, binary=True)
    spec = make_spec({"quant.bits": {"choices": [4, 8]}, "prompt.rank": {"int": [1, 3]}}, model={"hidden": 16})
    plan = check(spec, shape)
    assert (plan.size, plan.infeasible, plan.duplicates) == (6, 0, 0)
    low, high = plan.ranges["average_bits"]
    assert 4 <= low < high <= 32
    assert plan.ranges["overhead"][0] > 0
