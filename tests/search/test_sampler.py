from __future__ import annotations

from dataclasses import dataclass, field
from inspect import signature
from typing import TYPE_CHECKING, Any

import optuna
import pytest

from lorap_bench.errors import ConfigError
from lorap_bench.executors.local import run_local
from lorap_bench.executors.stop import Stop
from lorap_bench.record import Status
from lorap_bench.search.loop import Broker
from lorap_bench.search.sampler import SAMPLERS, make_sampler
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
    "Random": optuna.samplers.RandomSampler,
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_is_built_and_takes_the_arguments_it_lists(name: str) -> None:
    assert isinstance(make_sampler(Search(name), 1), CLASSES[name])
    assert set(SAMPLERS[name]) <= set(signature(CLASSES[name].__init__).parameters)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("TPE", {"n_startup_trials": 0, "n_ei_candidates": 8, "multivariate": True, "group": True}),
        ("TPE", {"constant_liar": False}),
        ("NSGAII", {"population_size": 10, "mutation_prob": 0.1, "crossover_prob": 1, "swapping_prob": 0}),
    ],
)
def test_arguments_are_passed_on(name: str, arguments: dict[str, Any]) -> None:
    sampler = make_sampler(Search(name, arguments), 1)
    for key, value in arguments.items():
        if hasattr(sampler, f"_{key}"):
            assert getattr(sampler, f"_{key}") == value


@pytest.mark.parametrize(
    ("name", "arguments", "parts"),
    [
        ("tpe", {}, ["search.sampler: unknown sampler", "'tpe'", "NSGAII, Random, TPE", "did you mean 'TPE'"]),
        ("Random", {"x": 1}, ["search.arguments.x: unknown argument", "allowed: none"]),
        ("TPE", {"n_startup_trial": 1}, ["did you mean 'n_startup_trials'"]),
        ("TPE", {"n_startup_trials": 1.5}, ["n_startup_trials: wrong value; got 1.5", "a whole number >= 0"]),
        ("TPE", {"n_startup_trials": True}, ["got True"]),
        ("TPE", {"multivariate": 1}, ["got 1; allowed: true or false"]),
        ("TPE", {"n_ei_candidates": 0, "group": "yes"}, ["2 faults", "n_ei_candidates", "group"]),
        ("TPE", {"group": True, "multivariate": False}, ["needs multivariate = true"]),
        ("NSGAII", {"population_size": 1}, ["a whole number >= 2"]),
        ("NSGAII", {"mutation_prob": 1.5}, ["a number in [0, 1]"]),
    ],
)
def test_wrong_names_and_values_are_reported_at_once(name: str, arguments: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        make_sampler(Search(name, arguments), 1)
    for part in parts:
        assert part in str(caught.value)


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


def test_nsga_parents_come_in_one_order_whoever_asks(tmp_path: Path) -> None:
    study = optuna.create_study(directions=["maximize", "minimize"])
    sampler = make_sampler(Search("NSGAII", {"population_size": 4}), 3)
    study.sampler = sampler
    for _ in range(4):
        trial = study.ask()
        value = trial.suggest_float("x", 0, 1)
        study.tell(trial, [value, value * value])
    assert isinstance(sampler, optuna.samplers.NSGAIISampler)
    study.tell(first := study.ask(), [first.suggest_float("x", 0, 1), 0.5])
    chosen = [trial.number for trial in sampler.select_parent(study, 1)]
    assert chosen == sorted(chosen)
    assert [trial.number for trial in sampler.get_parent_population(study, 1)] == chosen
