"""Who proposes the point of each key: the same point whatever happened in between."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState, create_trial

from lorap_bench.search.arguments import SAMPLERS
from lorap_bench.search.keyed import KeyedStudy
from lorap_bench.search.objective import directions
from lorap_bench.search.samplers import Samplers
from lorap_bench.search.suggest import as_optuna, suggest
from lorap_bench.search.told import PARTIAL
from lorap_bench.study.space import overlay
from lorap_bench.study.spec import StudySpec
from tests.search.synthetic import SMALL, WIDE, accuracy_of, make_spec, sketch

if TYPE_CHECKING:
    from collections.abc import Sequence

ARGUMENTS: dict[str, dict[str, Any]] = {
    "EHVI": {"n_startup_trials": 4},
    "TPE": {"n_startup_trials": 4},
    "NSGAII": {"population_size": 5},
    "NSGAIII": {"population_size": 5},
    "GP": {"n_startup_trials": 12},
}


class Memory:
    """A study in memory, asked and told by key."""

    def __init__(self, spec: StudySpec, ranks: Sequence[tuple[int, float]] | None = None) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.spec, self._ranks = spec, ranks
        storage = InMemoryStorage()
        optuna.create_study(storage=storage, study_name="study", directions=directions(spec))
        self.study = KeyedStudy(study_name="study", storage=storage)
        self.resume()

    def resume(self) -> None:
        """Forget all that a process remembers."""
        self.samplers = Samplers(self.spec, sketch, self._ranks)

    def ask(self, key: int) -> tuple[optuna.Trial, dict[str, Any]]:
        self.samplers.set_for(self.study, key)
        trial = self.study.ask()
        params: dict[str, Any] = {}
        space = self.spec.parameters
        for one in space.parameters:
            if space.active(one, self.spec.base, params):
                params[one.path] = suggest(trial, one.path, as_optuna(one.distribution))
        trial.set_user_attr("key", key)
        return trial, params

    def tell(self, trial: optuna.Trial, params: dict[str, Any]) -> None:
        config = overlay(self.spec.base, params)
        figures = {"accuracy": accuracy_of(config, trial.number), **sketch(config).costs}
        self.study.tell(trial, [figures[name] for name in self.spec.objectives])

    def run(self, keys: range, *, resume: bool = False) -> list[dict[str, Any]]:
        points = []
        for key in keys:
            if resume:
                self.resume()
            trial, params = self.ask(key)
            self.tell(trial, params)
            points.append(params)
        return points


def study(
    sampler: str, space: dict[str, Any] = WIDE, *, search: dict[str, Any] | None = None, **more: Any
) -> StudySpec:
    mapping = make_spec(space, **more).to_mapping()
    mapping["search"] = {"sampler": sampler, "arguments": ARGUMENTS.get(sampler, {}), **(search or {})}
    return StudySpec.from_mapping(mapping)


def on(sampler: str) -> dict[str, Any]:
    return {**SMALL, "model.hidden": {"choices": [4, 8]}} if sampler == "Grid" else WIDE


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_process_that_begins_anew_at_every_key_proposes_the_same_points(sampler: str) -> None:
    spec = study(sampler, on(sampler))
    assert Memory(spec).run(range(16), resume=True) == Memory(spec).run(range(16))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_point_of_which_nothing_came_is_proposed_again_under_its_key(sampler: str) -> None:
    spec = study(sampler, on(sampler))
    whole, broken = Memory(spec), Memory(spec)
    expected = whole.run(range(14))
    assert broken.run(range(9)) == expected[:9]
    lost, params = broken.ask(9)
    assert params == expected[9]
    broken.study.moved = True
    broken.study.add_trial(
        create_trial(state=TrialState.WAITING, system_attrs={"fixed_params": {}}, user_attrs={"key": 9})
    )
    broken.study.tell(lost, state=TrialState.FAIL)
    broken.resume()
    broken.samplers.set_for(broken.study, 9)
    [waiting] = broken.study.stored((TrialState.WAITING,))
    trial = broken.study.take(waiting._trial_id)
    again: dict[str, Any] = {}
    for one in spec.parameters.parameters:
        if spec.parameters.active(one, spec.base, again):
            again[one.path] = suggest(trial, one.path, as_optuna(one.distribution))
    assert again == expected[9]
    # The trial of the same key counts; what was lost does not: told as if nothing had happened, all goes on alike.
    config = overlay(spec.base, again)
    figures = {"accuracy": accuracy_of(config, 9), **sketch(config).costs}
    broken.study.tell(trial, [figures[name] for name in spec.objectives])
    for key in range(10, 14):
        trial, params = broken.ask(key)
        assert params == expected[key]
        config = overlay(spec.base, params)
        figures = {"accuracy": accuracy_of(config, key), **sketch(config).costs}
        broken.study.tell(trial, [figures[name] for name in spec.objectives])


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_study_seeds_give_different_studies_of_admissible_points(sampler: str) -> None:
    points = Memory(study(sampler, on(sampler), seed=1)).run(range(8))
    assert points != Memory(study(sampler, on(sampler), seed=2)).run(range(8))
    kinds = {one.path: one.distribution for one in study(sampler, on(sampler)).parameters.parameters}
    assert all(value in kinds[path] for point in points for path, value in point.items())


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("objectives", [["accuracy"], ["accuracy", "overhead"]])
def test_one_and_two_objectives(sampler: str, objectives: list[str]) -> None:
    points = Memory(study(sampler, on(sampler), objectives=objectives)).run(range(12))
    assert len({json.dumps(point, sort_keys=True) for point in points}) > 4


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_spaces_of_one_point(sampler: str) -> None:
    one = {"quant.bits": {"choices": [4]}, "prompt.rank": {"int": [2, 2]}}
    assert Memory(study(sampler, one)).run(range(7)) == [{"quant.bits": 4, "prompt.rank": 2}] * 7


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_history_of_failures_alone(sampler: str) -> None:
    memory = Memory(study(sampler, on(sampler)))
    points = []
    for key in range(14):
        trial, params = memory.ask(key)
        memory.study.tell(trial, state=TrialState.FAIL)
        points.append(json.dumps(params, sort_keys=True))
    assert len(set(points)) > 4


def test_a_grid_gives_every_point_once_and_qmc_the_point_of_the_key() -> None:
    spec = study("Grid", SMALL)
    points = Memory(spec).run(range(12))
    assert len({json.dumps(point, sort_keys=True) for point in points}) == 12
    spec = study("QMC", WIDE)
    assert Memory(spec).ask(11)[1] == Memory(spec).run(range(12))[11]


def test_the_warm_start_comes_first_and_does_not_move_what_follows_by_number() -> None:
    cold, warm = study("QMC", trials=40), study("QMC", trials=40, search={"warm_start": True})
    memory = Memory(warm)
    given = memory.samplers.given
    points = memory.run(range(given + 3))
    assert given >= 5
    assert points[0] == {"prompt.kind": "None", "quant.bits": 8, "model.hidden": 16, "optim.lr": pytest.approx(0.01)}
    assert points[given:] == Memory(cold).run(range(3))


@pytest.mark.parametrize("sampler", ["TPE", "EHVI", "NSGAII", "GP"])
def test_a_warm_start_is_learned_from_like_any_trial(sampler: str) -> None:
    spec = study(sampler, trials=40, search={"warm_start": True})
    memory = Memory(spec)
    assert memory.run(range(14)) == Memory(spec).run(range(14), resume=True)


@pytest.mark.parametrize("sampler", ["TPE", "EHVI", "NSGAII", "NSGAIII", "GP"])
def test_the_first_ranks_follow_their_weights(sampler: str) -> None:
    space = {"prompt.rank": {"int": [1, 8]}, "optim.lr": {"float": [0.001, 0.1]}}
    spec = study(sampler, space, search={"arguments": {}})
    certain = [(rank, float(rank == 3)) for rank in range(1, 9)]
    assert {point["prompt.rank"] for point in Memory(spec, certain).run(range(8))} == {3}
    assert len({point["prompt.rank"] for point in Memory(spec).run(range(8))}) > 1


def test_tpe_is_shown_no_more_than_its_cap_and_proposes_the_same_while_below_it() -> None:
    loose, tight = (study("TPE", search={"arguments": {"n_startup_trials": 4, "history_cap": cap}}) for cap in (30, 20))
    one, other = Memory(loose), Memory(tight)
    assert one.run(range(20)) == other.run(range(20))
    one.run(range(20, 28))
    other.run(range(20, 28))
    other.samplers.set_for(other.study, 28)
    assert len(other.study.shown()) == 20
    assert len(other.study._get_trials(deepcopy=False, states=(TrialState.COMPLETE,))) == 20
    assert len(other.study.keyed()) == 28


def test_what_was_stopped_early_is_learned_from() -> None:
    """EHVI leaves alone where trials were stopped with little accuracy."""
    spec = study("EHVI", {"optim.lr": {"float": [0.0, 1.0]}}, objectives=["accuracy"])
    memory = Memory(spec)
    for key in range(4):
        trial, params = memory.ask(key)
        if params["optim.lr"] > 0.5:
            trial.set_user_attr(PARTIAL, {"accuracy": 0.1, "share": 0.5})
            memory.study.tell(trial, state=TrialState.PRUNED)
        else:
            memory.study.tell(trial, [0.6])
    assert memory.ask(4)[1]["optim.lr"] < 0.5
