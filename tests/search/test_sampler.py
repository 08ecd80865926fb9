from __future__ import annotations

from dataclasses import dataclass, field
from inspect import signature
from typing import TYPE_CHECKING, Any

import optuna
import pytest

from lorap_bench.executors.local import run_local
from lorap_bench.executors.stop import Stop
from lorap_bench.record import Status
from lorap_bench.search.loop import Broker
from lorap_bench.search.sampler import OPTUNAS, SAMPLERS, Progress, blind, make_sampler
from lorap_bench.store.folder import StudyFolder
from tests.search.synthetic import each, make_spec, sketch, train

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Search:
    sampler: str
    arguments: dict[str, Any] = field(default_factory=dict)


CLASSES: dict[str, type[optuna.samplers.BaseSampler]] = {
    "TPE": optuna.samplers.TPESampler,
    "NSGAII": optuna.samplers.NSGAIISampler,
    "NSGAIII": optuna.samplers.NSGAIIISampler,
    "GP": optuna.samplers.GPSampler,
    "Random": optuna.samplers.RandomSampler,
}
EVERYWHERE = {"x": optuna.distributions.FloatDistribution(0, 1)}


@pytest.mark.parametrize("name", OPTUNAS)
def test_every_sampler_is_built_and_takes_the_arguments_it_lists(name: str) -> None:
    assert isinstance(make_sampler(Search(name), 1, EVERYWHERE), CLASSES[name])
    assert set(SAMPLERS[name]) - {"history_cap"} <= set(signature(CLASSES[name].__init__).parameters)
    assert set(CLASSES) == set(OPTUNAS)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("TPE", {"n_startup_trials": 0, "n_ei_candidates": 8, "multivariate": True, "group": True}),
        ("TPE", {"constant_liar": False, "history_cap": 20}),
        ("NSGAII", {"population_size": 10, "mutation_prob": 0.1, "crossover_prob": 1, "swapping_prob": 0}),
        ("NSGAIII", {"population_size": 10, "dividing_parameter": 2}),
        ("GP", {"n_startup_trials": 3, "deterministic_objective": True}),
    ],
)
def test_arguments_are_passed_on(name: str, arguments: dict[str, Any]) -> None:
    sampler = make_sampler(Search(name, arguments), 1, EVERYWHERE)
    for key, value in arguments.items():
        if hasattr(sampler, f"_{key}"):
            assert getattr(sampler, f"_{key}") == value


@pytest.mark.parametrize(
    ("name", "arguments", "waits"),
    [
        # asked 0 … 9, all before out, nothing told: the first that must wait
        ("Random", {}, None),
        ("QMC", {}, None),
        ("Grid", {}, None),
        ("TPE", {"n_startup_trials": 4}, 4),
        ("EHVI", {"n_startup_trials": 4}, 4),
        ("GP", {"n_startup_trials": 4}, 4),
        ("NSGAII", {"population_size": 6}, 6),
        ("NSGAIII", {"population_size": 3}, 3),
    ],
)
def test_a_point_waits_where_results_decide_it(name: str, arguments: dict[str, Any], waits: int | None) -> None:
    search = Search(name, arguments)
    found = [blind(search, Progress(asked=out, told=0, ended=0, out=out)) for out in range(10)]
    assert found == [waits is None or out < waits for out in range(10)]


def test_children_of_a_generation_wait_for_no_siblings() -> None:
    search = Search("NSGAII", {"population_size": 4})
    told = {out: blind(search, Progress(asked=5 + out, told=5, ended=5, out=out)) for out in range(4)}
    assert told == {0: True, 1: True, 2: True, 3: False}


def _invalid(tmp_path: Path, sampler: str, arguments: dict[str, Any]) -> int:
    space = {"quant.bits": {"choices": [2, 3, 4, 5, 6, 7, 8, 32]}, "optim.lr": {"float": [0.001, 0.1]}}
    spec = make_spec(space, trials=25, sampler=sampler, arguments=arguments, constraints={"average_bits": "<= 2"})
    folder = StudyFolder.create(tmp_path / sampler, spec.to_mapping(), spec.identity)
    with Broker(spec, folder, None, blueprint=sketch) as broker:
        run_local(broker, each(train), Stop())
    return sum(record.status is Status.INVALID for record in folder.records())


def test_tpe_learns_from_points_that_were_never_trained(tmp_path: Path, fast_disk: None) -> None:
    """One point in eight is feasible: chance alone pays seven refusals for each."""
    by_chance = _invalid(tmp_path, "Random", {})
    assert by_chance > 100
    assert _invalid(tmp_path, "TPE", {"n_startup_trials": 5}) < by_chance / 2


@pytest.mark.parametrize("name", ["NSGAII", "NSGAIII"])
def test_nsga_parents_come_in_one_order_whoever_asks(name: str) -> None:
    study = optuna.create_study(directions=["maximize", "minimize"])
    sampler = make_sampler(Search(name, {"population_size": 4}), 3, EVERYWHERE)
    study.sampler = sampler
    for _ in range(4):
        trial = study.ask()
        value = trial.suggest_float("x", 0, 1)
        study.tell(trial, [value, value * value])
    assert isinstance(sampler, optuna.samplers.NSGAIISampler | optuna.samplers.NSGAIIISampler)
    study.tell(first := study.ask(), [first.suggest_float("x", 0, 1), 0.5])
    chosen = [trial.number for trial in sampler.select_parent(study, 1)]
    assert chosen == sorted(chosen)
    assert [trial.number for trial in sampler.get_parent_population(study, 1)] == chosen
