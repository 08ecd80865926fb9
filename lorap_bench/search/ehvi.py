"""Our sampler: train the point with the largest expected gain of hypervolume, given that its costs are known.

Average bits and overhead of a configuration follow from shapes, so of the objectives only the metric is uncertain. A
Gaussian process predicts it (``surrogate``), the expected gain has a closed form (``improvement``), and no candidate
breaks a constraint on a cost (``candidates``). Where a scheme learns its widths the costs are predicted too, and the
gain is averaged over them (``forecast``).

* Points still in training count as trained, with the figures expected of them: workers spread out.
* A configuration tried before is not proposed again.
* A failed trial counts as the worst metric seen.
* A trial stopped early is an observation after a share of its epochs: one more column of the process.

Source: ours; expected hypervolume improvement after Emmerich et al. 2006, pending points after Ginsbourger et al. 2010.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, final

import numpy as np

from lorap_bench.search.forecast import Forecaster
from lorap_bench.stats.front import front_mask
from lorap_bench.study.spec import OBJECTIVES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.search.candidates import Candidate, Candidates
    from lorap_bench.search.forecast import Forecast
    from lorap_bench.search.told import Told
    from lorap_bench.study.spec import StudySpec

__all__ = ["RANK", "Chooser"]

RANK = "prompt.rank"

_NEAR_FRONT, _NEAR_BEST = 64, 32
"""Neighbours of the front, and of the best candidates in each round."""
_BEST, _ROUNDS = 5, 3
"""Candidates around which better ones are looked for, and how often."""


@final
class Chooser:
    """Choose the next point. It keeps caches, no state: the choice follows from the arguments.

    Args:
        spec: the study.
        candidates: its candidates.
    """

    def __init__(self, spec: StudySpec, candidates: Candidates) -> None:
        self._words = [OBJECTIVES[name] for name in spec.objectives]
        self._candidates = candidates
        self._forecaster = Forecaster(spec)

    def start(self, number: int, seed: int, ranks: Sequence[tuple[int, float]] | None = None) -> dict[str, Any]:
        """Return one of the first points, before there is anything to choose by: they spread over the space.

        Args:
            number: its place.
            seed: of the rank's draw.
            ranks: the prompts' ranks and their weights, from which the point's own is drawn.
        """
        pool = self._candidates.pool
        params = dict(pool[number % len(pool)].params) if pool else self._candidates.sequence.point(number)
        if ranks and RANK in params:
            rng = random.Random(seed)  # noqa: S311  # a search, not a secret
            values, weights = zip(*ranks, strict=True)
            drawn = {**params, RANK: rng.choices(values, weights)[0]}
            return drawn if self._candidates.of(drawn) is not None else params
        return params

    def choose(self, known: Told, seed: int) -> dict[str, Any] | None:
        """Return the point to train next; None where nothing is known yet or no candidate is left.

        Args:
            known: what the study's trials tell.
            seed: of the draws among neighbours.
        """
        forecast = self._forecaster.forecast(known, [self._candidates.taken(params) for params in known.pending])
        if forecast is None:
            return None
        rng = random.Random(seed)  # noqa: S311  # a search, not a secret
        near = self._candidates.near(self._front(known), _NEAR_FRONT, rng)
        ranked = _ranked(forecast, [*self._candidates.pool, *near])
        for _ in range(_ROUNDS):
            near = self._candidates.near([one.params for _, one in ranked[:_BEST]], _NEAR_BEST, rng)
            ranked = sorted([*ranked, *_ranked(forecast, near)], key=lambda pair: -pair[0])
        tried = {self._candidates.identity(params) for params in known.tried}
        return next((one.params for _, one in ranked if self._candidates.identity(one.params) not in tried), None)

    def _front(self, known: Told) -> list[dict[str, Any]]:
        """Return the points that nothing dominates."""
        done = [one for one in known.observations if one.values is not None and one.feasible]
        mask = front_mask([one.values for one in done], self._words)
        return [one.params for one, on_front in zip(done, mask, strict=True) if on_front]


def _ranked(forecast: Forecast, candidates: Sequence[Candidate]) -> list[tuple[float, Candidate]]:
    """Return candidates with their expected improvements, the largest first, equal ones in their order."""
    gains = forecast.improvements(candidates)
    return [(float(gains[index]), candidates[index]) for index in np.argsort(-gains, kind="stable")]
