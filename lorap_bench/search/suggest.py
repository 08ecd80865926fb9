"""Our distributions in Optuna's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from lorap_bench.study.distributions import Choices, IntRange

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

    from lorap_bench.study.distributions import Distribution

__all__ = ["as_optuna", "suggest"]


def as_optuna(distribution: Distribution) -> BaseDistribution:
    """Return Optuna's form of a distribution."""
    if isinstance(distribution, Choices):
        return CategoricalDistribution(distribution.values)
    if isinstance(distribution, IntRange):
        return IntDistribution(distribution.low, distribution.high, log=distribution.log, step=distribution.step)
    return FloatDistribution(distribution.low, distribution.high, log=distribution.log)


def suggest(trial: optuna.Trial, path: str, distribution: BaseDistribution) -> Any:
    """Return the value that the sampler proposes for one parameter."""
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(path, distribution.choices)
    if isinstance(distribution, IntDistribution):
        step = 1 if distribution.log else distribution.step
        return trial.suggest_int(path, distribution.low, distribution.high, step=step, log=distribution.log)
    assert isinstance(distribution, FloatDistribution)
    return trial.suggest_float(path, distribution.low, distribution.high, log=distribution.log)
