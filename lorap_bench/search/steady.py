"""NSGA-II and NSGA-III whose children follow from their generation and their seed alone.

Optuna hands the first child of a generation its parents in the order of selection and, from its cache, every later
one in the order of trials. A child asked for again after a crash would meet the other order and come out different:
here they always come in the order of their trials.

Optuna crosses the parameters that all trials so far have, which it finds by looking at them all. Here they are those
that no condition can switch off, which are known from the start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import optuna

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

__all__ = ["SteadyNSGAII", "SteadyNSGAIII"]


@final
class SteadyNSGAII(optuna.samplers.NSGAIISampler):
    """NSGA-II; ``everywhere`` are the parameters that every point has."""

    def __init__(self, *, everywhere: Mapping[str, BaseDistribution], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._everywhere = _crossed(everywhere)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that are crossed."""
        return self._everywhere

    def select_parent(self, study: optuna.Study, generation: int) -> list[FrozenTrial]:
        """Return the parents of a generation."""
        return sorted(super().select_parent(study, generation), key=lambda trial: trial.number)


@final
class SteadyNSGAIII(optuna.samplers.NSGAIIISampler):
    """NSGA-III; ``everywhere`` are the parameters that every point has."""

    def __init__(self, *, everywhere: Mapping[str, BaseDistribution], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._everywhere = _crossed(everywhere)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that are crossed."""
        return self._everywhere

    def select_parent(self, study: optuna.Study, generation: int) -> list[FrozenTrial]:
        """Return the parents of a generation."""
        return sorted(super().select_parent(study, generation), key=lambda trial: trial.number)


def _crossed(everywhere: Mapping[str, BaseDistribution]) -> dict[str, BaseDistribution]:
    """Return the parameters that can be crossed, by name: one of a single value is none of them."""
    return {name: everywhere[name] for name in sorted(everywhere) if not everywhere[name].single()}
