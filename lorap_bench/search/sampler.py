"""Which samplers a study may name, the arguments they take, and how one is built."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import optuna
from optuna.exceptions import ExperimentalWarning

from lorap_bench.errors import ConfigError, Fault, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from optuna.samplers import BaseSampler

    class SearchSection(Protocol):
        """What a study's ``search`` section tells."""

        @property
        def sampler(self) -> str: ...
        @property
        def arguments(self) -> Mapping[str, Any]: ...


__all__ = ["SAMPLERS", "Argument", "blind", "make_sampler"]


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a sampler: its type and, for numbers, the closed interval it lies in."""

    kind: type[bool | int | float]
    low: float = 0
    high: float | None = None

    def __str__(self) -> str:
        if self.kind is bool:
            return "true or false"
        noun = "a whole number" if self.kind is int else "a number"
        return f"{noun} >= {self.low}" if self.high is None else f"{noun} in [{self.low}, {self.high}]"

    def takes(self, value: object) -> bool:
        """Return whether ``value`` is of the type and in the interval."""
        if self.kind is bool or isinstance(value, bool):
            return self.kind is bool and isinstance(value, bool)
        if not isinstance(value, int if self.kind is int else int | float):
            return False
        assert isinstance(value, int | float)
        return value >= self.low and (self.high is None or value <= self.high)


SAMPLERS: dict[str, dict[str, Argument]] = {
    "TPE": {
        "n_startup_trials": Argument(int),
        "n_ei_candidates": Argument(int, low=1),
        "multivariate": Argument(bool),
        "group": Argument(bool),
        "constant_liar": Argument(bool),
    },
    "NSGAII": {
        "population_size": Argument(int, low=2),
        "mutation_prob": Argument(float, high=1),
        "crossover_prob": Argument(float, high=1),
        "swapping_prob": Argument(float, high=1),
    },
    "Random": {},
}
"""Sampler name → argument name → what it takes. Defaults are Optuna's."""


@final
class SteadyNSGAII(optuna.samplers.NSGAIISampler):
    """NSGA-II whose parents always come in the order of their trials.

    Optuna hands the first child of a generation its parents in the order of selection and, from
    its cache, every later one in the order of trials. A child asked for again after a crash would
    meet the other order and come out different.
    """

    def select_parent(self, study: optuna.Study, generation: int) -> list[optuna.trial.FrozenTrial]:
        """Return the parents of a generation."""
        return sorted(super().select_parent(study, generation), key=lambda trial: trial.number)


_STARTUP, _POPULATION = 10, 50  # Optuna's defaults

_CLASSES: dict[str, type[BaseSampler]] = {
    "TPE": optuna.samplers.TPESampler,
    "NSGAII": SteadyNSGAII,
    "Random": optuna.samplers.RandomSampler,
}


def make_sampler(search: SearchSection, seed: int) -> BaseSampler:
    """Return the sampler that ``search`` names, seeded.

    Raises:
        ConfigError: unknown sampler, or an argument it does not take; all faults at once.
    """
    faults = _faults(search.sampler, search.arguments)
    if faults:
        raise ConfigError(faults)
    arguments: dict[str, Any] = {**search.arguments, "seed": seed}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # the study file chose the argument knowingly
        return _CLASSES[search.sampler](**arguments)


def blind(search: SearchSection, *, conditional: bool, told: int, ended: int, out: int) -> bool:
    """Return whether the next point is proposed alike whatever becomes of the trials that are out.

    Random draws each point by itself; so does TPE for its first ``n_startup_trials``. The children of one
    generation of NSGA-II have the same parents, and the same parameters where none is conditional.

    Args:
        search: sampler and arguments.
        conditional: whether any parameter is.
        told: complete trials that the sampler knows.
        ended: these, and the ones that broke a constraint.
        out: trials asked for and not told.
    """
    if search.sampler == "TPE":
        return ended + out < int(search.arguments.get("n_startup_trials", _STARTUP))
    if search.sampler == "NSGAII":
        population = int(search.arguments.get("population_size", _POPULATION))
        return not conditional and told // population == (told + out) // population
    return search.sampler == "Random"


def _faults(name: str, arguments: Mapping[str, Any]) -> list[Fault]:
    known = SAMPLERS.get(name)
    if known is None:
        allowed = ", ".join(sorted(SAMPLERS))
        return [
            Fault(
                path="search.sampler",
                message="unknown sampler",
                got=name,
                allowed=allowed,
                suggestion=nearest(name, SAMPLERS),
            )
        ]
    faults = [_argument_fault(known, key, value) for key, value in arguments.items()]
    if arguments.get("group") is True and arguments.get("multivariate") is False:
        message = "needs multivariate = true"
        faults.append(Fault(path="search.arguments.group", message=message, got=True))
    return [fault for fault in faults if fault is not None]


def _argument_fault(known: Mapping[str, Argument], key: str, value: object) -> Fault | None:
    path = f"search.arguments.{key}"
    if key not in known:
        allowed = ", ".join(sorted(known)) or "none"
        return Fault(path=path, message="unknown argument", got=key, allowed=allowed, suggestion=nearest(key, known))
    if not known[key].takes(value):
        return Fault(path=path, message="wrong value", got=value, allowed=str(known[key]))
    return None
