"""What a study may say of its sampler."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from lorap_bench.errors import ConfigError
from lorap_bench.search.arguments import SAMPLERS, check_search


@dataclass
class Search:
    sampler: str
    arguments: dict[str, Any] = field(default_factory=dict)


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_may_be_named_and_takes_its_arguments_at_their_lowest(name: str) -> None:
    check_search(Search(name))
    lowest = {key: True if one.kind is bool else one.kind(one.low) for key, one in SAMPLERS[name].items()}
    check_search(Search(name, lowest))


@pytest.mark.parametrize(
    ("name", "arguments", "parts"),
    [
        (
            "tpe",
            {},
            ["search.sampler: unknown sampler", "'tpe'", "NSGAII, NSGAIII, QMC, Random, TPE", "did you mean 'TPE'"],
        ),
        ("Random", {"x": 1}, ["search.arguments.x: unknown argument", "allowed: none"]),
        ("TPE", {"n_startup_trial": 1}, ["did you mean 'n_startup_trials'"]),
        ("TPE", {"n_startup_trials": 1.5}, ["n_startup_trials: wrong value; got 1.5", "a whole number >= 0"]),
        ("TPE", {"n_startup_trials": True}, ["got True"]),
        ("TPE", {"multivariate": 1}, ["got 1; allowed: true or false"]),
        ("TPE", {"n_ei_candidates": 0, "group": "yes"}, ["2 faults", "n_ei_candidates", "group"]),
        ("TPE", {"group": True, "multivariate": False}, ["needs multivariate = true"]),
        ("EHVI", {"history_cap": 5}, ["a whole number >= 20"]),
        ("NSGAII", {"population_size": 1}, ["a whole number >= 2"]),
        ("NSGAIII", {"dividing_parameter": 0}, ["a whole number >= 1"]),
        ("NSGAII", {"mutation_prob": 1.5}, ["a number in [0, 1]"]),
        ("QMC", {"scramble": 0}, ["true or false"]),
    ],
)
def test_wrong_names_and_values_are_reported_at_once(name: str, arguments: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        check_search(Search(name, arguments))
    for part in parts:
        assert part in str(caught.value)
