"""An Optuna sampler that proposes whole points, and one that draws a single parameter by weights of ours."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, final

from optuna.samplers import BaseSampler, RandomSampler

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial, TrialState

__all__ = ["WeightedDraw", "WholePoint"]


@final
class WholePoint(BaseSampler):
    """Propose the point that ``choose`` returns: the active parameters and their values."""

    def __init__(
        self, distributions: Mapping[str, BaseDistribution], choose: Callable[[], dict[str, Any]], seed: int
    ) -> None:
        self._distributions, self._choose = dict(distributions), choose
        self._random = RandomSampler(seed=seed)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return all parameters."""
        return self._distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the point."""
        return self._choose()

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draw what the point leaves out, which is nothing."""
        return self._random.sample_independent(study, trial, param_name, param_distribution)


@final
class WeightedDraw(BaseSampler):
    """Let another sampler draw, but one parameter's independent draws by weights.

    Args:
        inner: who draws the rest.
        path: the parameter.
        weights: its values and their weights.
        seed: of the draw.
    """

    def __init__(self, inner: BaseSampler, path: str, weights: Sequence[tuple[Any, float]], seed: int) -> None:
        self._inner, self._path, self._weights = inner, path, weights
        self._rng = random.Random(seed)  # noqa: S311  # a search, not a secret

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the inner sampler's."""
        return self._inner.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the inner sampler's."""
        return self._inner.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draw the parameter by its weights, any other as the inner sampler does."""
        if param_name != self._path:
            return self._inner.sample_independent(study, trial, param_name, param_distribution)
        values, weights = zip(*self._weights, strict=True)
        return self._rng.choices(values, weights)[0]

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Tell the inner sampler."""
        self._inner.before_trial(study, trial)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """Tell the inner sampler."""
        self._inner.after_trial(study, trial, state, values)
