"""How the samplers that Optuna has are built, and which proposals of any sampler wait for nobody's result."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import optuna
from optuna.exceptions import ExperimentalWarning

from lorap_bench.search.arguments import POPULATION, SAMPLERS, STARTUP, Argument, check_search
from lorap_bench.search.steady import SteadyNSGAII, SteadyNSGAIII

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

    from lorap_bench.search.arguments import SearchSection

__all__ = ["OPTUNAS", "SAMPLERS", "Argument", "Progress", "blind", "make_sampler"]

OPTUNAS: dict[str, type[BaseSampler]] = {
    "TPE": optuna.samplers.TPESampler,
    "NSGAII": SteadyNSGAII,
    "NSGAIII": SteadyNSGAIII,
    "GP": optuna.samplers.GPSampler,
    "Random": optuna.samplers.RandomSampler,
}
_OURS = {"history_cap"}
"""Arguments that Optuna's samplers do not have."""


def make_sampler(search: SearchSection, seed: int, everywhere: Mapping[str, BaseDistribution]) -> BaseSampler:
    """Return the sampler of Optuna's that ``search`` names, seeded.

    Args:
        search: sampler and arguments.
        seed: of its draws.
        everywhere: the parameters that every point has.

    Raises:
        ConfigError: unknown sampler, or an argument it does not take; all faults at once.
        KeyError: the sampler is one of ours.
    """
    check_search(search)
    arguments: dict[str, Any] = {name: value for name, value in search.arguments.items() if name not in _OURS}
    arguments["seed"] = seed
    if search.sampler in {"NSGAII", "NSGAIII"}:
        arguments["everywhere"] = everywhere
    if search.sampler == "GP":
        arguments["warn_independent_sampling"] = False  # a conditional space is a study's good right
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # the study file chose the argument knowingly
        warnings.simplefilter("ignore", FutureWarning)  # the argument above goes with Optuna 6
        return OPTUNAS[search.sampler](**arguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a study is.

    Attributes:
        asked: trials asked for: the next one's key.
        told: complete trials that the sampler knows.
        ended: these, and the ones that broke a constraint.
        out: trials asked for and not told.
    """

    asked: int
    told: int
    ended: int
    out: int


def blind(search: SearchSection, progress: Progress) -> bool:
    """Return whether the next point is proposed alike whatever becomes of the trials that are out.

    Random, QMC and Grid give each point by itself; so do TPE, GP and EHVI for the first ``n_startup_trials``. The
    children of one generation of NSGA-II or NSGA-III have the same parents.

    Args:
        search: sampler and arguments.
        progress: how far the study is.
    """
    told, out = progress.told, progress.out
    match search.sampler:
        case "EHVI":
            return progress.asked < int(search.arguments.get("n_startup_trials", STARTUP))
        case "TPE":
            return progress.ended + out < int(search.arguments.get("n_startup_trials", STARTUP))
        case "GP":
            return told + out < int(search.arguments.get("n_startup_trials", STARTUP))
        case "NSGAII" | "NSGAIII":
            population = int(search.arguments.get("population_size", POPULATION))
            return told // population == (told + out) // population
        case name:
            return name in {"Random", "QMC", "Grid"}
