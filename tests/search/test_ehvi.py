"""Our sampler's choice: by what is known, never what was tried, never what costs too much."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lorap_bench.search.candidates import Candidates
from lorap_bench.search.ehvi import Chooser
from lorap_bench.search.encoding import Encoding
from lorap_bench.search.forecast import Forecaster
from lorap_bench.search.told import Observation, Told
from lorap_bench.stats.front import box_hypervolume
from lorap_bench.study.space import overlay
from lorap_bench.study.spec import objectives_of
from tests.search.synthetic import SMALL, WIDE, accuracy_of, make_spec, sketch

if TYPE_CHECKING:
    from lorap_bench.study.spec import StudySpec


def figures(spec: StudySpec, params: dict[str, Any]) -> tuple[float, ...]:
    config = overlay(spec.base, params)
    found = {"accuracy": accuracy_of(config, 0), **sketch(config).costs}
    return tuple(found[name] for name in spec.objectives)


def observe(spec: StudySpec, points: list[dict[str, Any]], **more: Any) -> list[Observation]:
    encoding = Encoding(spec.parameters)
    return [Observation(point, encoding.row(point), figures(spec, point), True, **more) for point in points]


def known(observations: list[Observation], pending: list[dict[str, Any]] | None = None) -> Told:
    out = pending or []
    return Told(observations, observations, out, [*(one.params for one in observations), *out])


def sampled(spec: StudySpec, count: int, seed: int = 0) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    return [spec.parameters.sample(spec.base, rng) for _ in range(count)]


def chooser(spec: StudySpec) -> Chooser:
    return Chooser(spec, Candidates(spec, sketch, 0))


def test_known_costs_are_exact_and_unknown_ones_are_learned() -> None:
    spec = make_spec(SMALL)
    observations = observe(spec, sampled(spec, 10))
    plain, exact = Candidates(spec, None, 0), Candidates(spec, sketch, 0)
    forecast = Forecaster(spec).forecast(known(observations), [])
    assert forecast is not None
    means, deviations = forecast.predict([exact.taken(one.params) for one in observations])
    assert means[:, 1:] == pytest.approx(
        np.array([[(32 - one.values[1]) / 32, (100 - one.values[2]) / 100] for one in observations if one.values])
    )
    assert (deviations[:, 1:] == 0).all()
    assert (deviations[:, 0] > 0).all()
    guessed, unsure = forecast.predict([plain.taken(one.params) for one in observations])
    assert guessed[:, 1:] == pytest.approx(means[:, 1:], abs=0.02)
    assert (unsure[:, 1:] > 0).all()


@pytest.mark.parametrize("planner", [sketch, None], ids=["known costs", "learned costs"])
def test_it_beats_chance_on_every_kind_of_space(planner: Any) -> None:
    """With as many trials, the hypervolume is larger than the best of five random searches'."""
    spec = make_spec(WIDE)
    choose = Chooser(spec, Candidates(spec, planner, 0))
    observations = observe(spec, sampled(spec, 8))
    for turn in range(22):
        point = choose.choose(known(observations), turn)
        assert point is not None
        observations += observe(spec, [point])
    ways = objectives_of(spec.metric)
    reached = box_hypervolume([one.values for one in observations], ways)
    chance = [box_hypervolume([figures(spec, point) for point in sampled(spec, 30, seed)], ways) for seed in range(5)]
    assert reached > max(chance)


def test_the_choice_follows_from_what_is_known_not_from_who_asks() -> None:
    spec = make_spec(WIDE)
    observations = observe(spec, sampled(spec, 20))
    grown = chooser(spec)
    choices = [grown.choose(known(observations[:count]), count) for count in range(1, 21)]
    assert chooser(spec).choose(known(observations), 20) == choices[-1]


def test_a_constraint_on_a_known_cost_is_never_broken() -> None:
    spec = make_spec(WIDE, constraints={"average_bits": "<= 4", "overhead": "<= 3"})
    choose, observations = chooser(spec), observe(spec, [{**sampled(spec, 1)[0], "quant.bits": 2}])
    for turn in range(10):
        point = choose.choose(known(observations), turn)
        assert point is not None
        costs = sketch(overlay(spec.base, point)).costs
        assert costs["average_bits"] <= 4
        assert costs["overhead"] <= 3
        observations += observe(spec, [point])


def test_an_accuracy_that_must_be_reached_draws_the_choice_there() -> None:
    spec = make_spec(SMALL, objectives=["accuracy", "average_bits"], constraints={"accuracy": ">= 0.9"})
    forecaster, candidates = Forecaster(spec), Candidates(spec, sketch, 0)
    forecast = forecaster.forecast(known(observe(spec, sampled(spec, 8))), [])
    free = Forecaster(make_spec(SMALL, objectives=["accuracy", "average_bits"])).forecast(
        known(observe(spec, sampled(spec, 8))), []
    )
    assert forecast is not None
    assert free is not None
    assert forecast.improvements(candidates.pool).max() < 0.01 * free.improvements(candidates.pool).max()


def test_what_was_tried_or_trains_alike_is_not_proposed_until_nothing_is_left() -> None:
    spec = make_spec({"quant.bits": {"choices": [2, 4]}, "prompt.rank": {"choices": [4, 8, 16]}})
    choose, observations = chooser(spec), observe(spec, [{"quant.bits": 2, "prompt.rank": 8}])
    digests = {sketch(overlay(spec.base, observations[0].params)).digest}
    for turn in range(3):  # ranks above 8 train as 8 does: four trainings in all
        point = choose.choose(known(observations), turn)
        assert point is not None
        digests.add(sketch(overlay(spec.base, point)).digest)
        observations += observe(spec, [point])
    assert len(digests) == 4
    assert choose.choose(known(observations), 9) is None


def test_points_still_out_move_the_next_one_elsewhere() -> None:
    spec = make_spec(WIDE)
    observations, choose = observe(spec, sampled(spec, 15)), chooser(spec)
    pending: list[dict[str, Any]] = []
    for _ in range(6):
        point = choose.choose(known(observations, pending), 0)
        assert point is not None
        assert point not in pending
        pending.append(point)
    bits = {(point["quant.bits"], point["prompt.kind"]) for point in pending}
    assert len(bits) > 1


@pytest.mark.parametrize(
    "objectives", [["accuracy"], ["average_bits"], ["overhead", "accuracy"], ["average_bits", "overhead"]]
)
def test_any_objectives_will_do(objectives: list[str]) -> None:
    spec = make_spec(SMALL, objectives=objectives)
    choose, observations = (
        chooser(spec),
        observe(spec, [{"quant.bits": 8, "prompt.rank": 4}, {"quant.bits": 4, "prompt.rank": 3}]),
    )
    for turn in range(4):
        point = choose.choose(known(observations), turn)
        assert point is not None
        observations += observe(spec, [point])
    found = {(one.params["quant.bits"], one.params["prompt.rank"]) for one in observations}
    if objectives[0] == "average_bits":
        assert 2 in {bits for bits, _ in found}
    if objectives == ["accuracy"]:
        assert (8, 3) in found  # next to the best so far


def test_failures_alone_leave_nothing_to_choose_by_and_later_warn_of_their_neighbourhood() -> None:
    spec = make_spec({"optim.lr": {"float": [0.0, 1.0]}}, objectives=["accuracy"])
    encoding = Encoding(spec.parameters)
    bad = [{"optim.lr": 0.5 + index / 20} for index in range(10)]
    failed = [Observation(point, encoding.row(point), None, True) for point in bad]
    choose = chooser(spec)
    assert choose.choose(known(failed), 0) is None
    good = [
        Observation(p, encoding.row(p), (0.8 - p["optim.lr"],), True) for p in ({"optim.lr": 0.1}, {"optim.lr": 0.4})
    ]
    point = choose.choose(known([*failed, *good]), 0)
    assert point is not None
    assert point["optim.lr"] < 0.5


def test_a_trial_stopped_early_tells_of_its_share_of_the_epochs() -> None:
    """Accuracies after a tenth of the epochs are lower by the same amount everywhere: the process finds that out."""
    spec = make_spec({"optim.lr": {"float": [0.0, 1.0]}}, objectives=["accuracy"])
    encoding, candidates = Encoding(spec.parameters), Candidates(spec, sketch, 0)
    points = [{"optim.lr": index / 20} for index in range(21)]
    truth = [0.5 + 0.3 * np.sin(3 * point["optim.lr"]) for point in points]
    observations = [
        Observation(point, encoding.row(point), None, True, (value - 0.1, 0.1))
        if index % 2
        else Observation(point, encoding.row(point), (value,), True)
        for index, (point, value) in enumerate(zip(points, truth, strict=True))
    ]
    forecast = Forecaster(spec).forecast(known(observations), [])
    assert forecast is not None
    means, _ = forecast.predict([candidates.taken(point) for point in points])
    assert means[:, 0] == pytest.approx(truth, abs=0.03)


def test_first_points_spread_over_the_candidates_and_follow_the_weights_of_ranks() -> None:
    spec = make_spec(SMALL, constraints={"average_bits": "<= 4"})
    choose = chooser(spec)
    first = [choose.start(number, number) for number in range(8)]
    assert len({tuple(sorted(point.items())) for point in first}) == 8
    assert all(point["quant.bits"] <= 4 for point in first)
    assert {choose.start(number, number, [(2, 1.0), (3, 0.0)])["prompt.rank"] for number in range(8)} == {2}
    impossible = chooser(make_spec(SMALL, constraints={"average_bits": "<= 1"}))
    assert impossible.start(0, 0).keys() == {"quant.bits", "prompt.rank"}


def test_a_gain_of_an_error_is_how_far_it_is_from_the_worst_corner() -> None:
    spec = make_spec(SMALL, objectives=["mae", "average_bits", "overhead"])
    encoding = Encoding(spec.parameters)
    points = sampled(spec, 3)
    errors = [0.5, 1.0, 9.0]
    seen = [
        Observation(point, encoding.row(point), (error, 4.0, 1.0), True)
        for point, error in zip(points, errors, strict=True)
    ]
    forecaster = Forecaster(spec)
    assert [forecaster.gains(one)[0] for one in seen] == [0.75, 0.5, -3.5]
    early = Observation(points[0], encoding.row(points[0]), None, True, (1.5, 0.25))
    assert [forecaster._metric(one) for one in (*seen, early)] == [0.75, 0.5, 0.0, 0.25]


def test_it_seeks_small_errors() -> None:
    """Told in errors, the sampler proposes what it would if it were told in accuracies of the same worth."""
    proposed = []
    for metric, start, slope in (("accuracy", 0.0, 1.0), ("mae", 2.0, -2.0)):
        spec = make_spec(SMALL, objectives=[metric, "average_bits", "overhead"])
        encoding = Encoding(spec.parameters)
        seen = []
        for point in sampled(spec, 12):
            config = overlay(spec.base, point)
            costs = sketch(config).costs
            values = (start + slope * accuracy_of(config, 0), costs["average_bits"], costs["overhead"])
            seen.append(Observation(point, encoding.row(point), values, True))
        proposed.append(chooser(spec).choose(known(seen), 0))
    assert proposed[0] is not None
    assert proposed[0] == proposed[1]
