"""Which samplers a study may name and the arguments they take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lorap_bench.errors import ConfigError, Fault, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    class SearchSection(Protocol):
        """What a study's ``search`` section tells of its sampler."""

        @property
        def sampler(self) -> str: ...
        @property
        def arguments(self) -> Mapping[str, Any]: ...


__all__ = ["HISTORY_CAP", "POPULATION", "SAMPLERS", "STARTUP", "Argument", "check_search"]

STARTUP, POPULATION = 10, 50  # Optuna's defaults
HISTORY_CAP = 250
"""Finished trials that TPE and EHVI learn from: more make each suggestion slower."""


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


_STARTUP = Argument(int)
_CAP = Argument(int, low=20)
_GENETIC = {
    "population_size": Argument(int, low=2),
    "mutation_prob": Argument(float, high=1),
    "crossover_prob": Argument(float, high=1),
    "swapping_prob": Argument(float, high=1),
}

SAMPLERS: dict[str, dict[str, Argument]] = {
    "EHVI": {"n_startup_trials": _STARTUP, "history_cap": _CAP},
    "TPE": {
        "n_startup_trials": _STARTUP,
        "n_ei_candidates": Argument(int, low=1),
        "multivariate": Argument(bool),
        "group": Argument(bool),
        "constant_liar": Argument(bool),
        "history_cap": _CAP,
    },
    "NSGAII": _GENETIC,
    "NSGAIII": {**_GENETIC, "dividing_parameter": Argument(int, low=1)},
    "GP": {"n_startup_trials": _STARTUP, "deterministic_objective": Argument(bool)},
    "QMC": {"scramble": Argument(bool)},
    "Random": {},
    "Grid": {},
}
"""Sampler name → argument name → what it takes. Defaults are Optuna's, where Optuna has the sampler."""


def check_search(search: SearchSection) -> None:
    """Refuse an unknown sampler, or an argument that it does not take.

    Raises:
        ConfigError: all faults at once.
    """
    faults = _faults(search.sampler, search.arguments)
    if faults:
        raise ConfigError(faults)


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
