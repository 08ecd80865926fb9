"""The points that a model-based sampler chooses among: fit for training by all that is known before it.

What a configuration costs is worked out once a point and remembered. A point that makes no configuration, or breaks
a constraint on a cost known before training, is no candidate.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, final

from lorap_bench.errors import ConfigError
from lorap_bench.search.encoding import Encoding, place, value_at
from lorap_bench.search.objective import violations
from lorap_bench.search.sequence import Grid, Sobol
from lorap_bench.study.distributions import Choices
from lorap_bench.study.space import overlay

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lorap_bench.search.objective import Planner
    from lorap_bench.study.space import Parameter
    from lorap_bench.study.spec import StudySpec

__all__ = ["Candidate", "Candidates", "point_name"]

_POOL = 1024
_DRAWS = 4096
"""Points drawn at most to fill the pool: where constraints leave little of the space, the pool stays smaller."""
_STEP = 0.1
"""How far a nearby value lies, as a share of the range (standard deviation)."""
_REMEMBERED = 20_000
"""Points whose costs are kept; they can always be worked out again."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A point that may be trained.

    Attributes:
        params: the point.
        costs: the costs known by now.
        row: the point as a regressor reads it.
    """

    params: dict[str, Any]
    costs: Mapping[str, float]
    row: NDArray[np.float64]


def point_name(params: Mapping[str, Any]) -> str:
    """Return a point as text: equal points have equal names."""
    return json.dumps(params, sort_keys=True)


@final
class Candidates:
    """The candidates of a study.

    Args:
        spec: the study.
        planner: what works out a configuration; without it no cost is known and every point is a candidate.
        seed: of the pool.

    Attributes:
        sequence: all points of the space, candidates or not, evenly spread.
    """

    def __init__(self, spec: StudySpec, planner: Planner | None, seed: int) -> None:
        self._spec, self._planner, self._seed = spec, planner, seed
        self.sequence = Sobol(spec.parameters, spec.base.to_mapping(), seed)
        self._space, self._base = spec.parameters, spec.base.to_mapping()
        self._encoding = Encoding(self._space)
        self._known: dict[str, Candidate | None] = {}
        self._identities: dict[str, str] = {}
        self._pool: list[Candidate] | None = None

    @property
    def pool(self) -> Sequence[Candidate]:
        """Return the same points for the whole study, evenly spread from the first on: all of a small space."""
        if self._pool is None:
            fit = (self.of(params) for params in self._drawn())
            self._pool = list(islice((candidate for candidate in fit if candidate is not None), _POOL))
        return self._pool

    def taken(self, params: dict[str, Any]) -> Candidate:
        """Return a point that is out or was tried, whether or not it is a candidate."""
        return self.of(params) or Candidate(params, {}, self._encoding.row(params))

    def of(self, params: dict[str, Any]) -> Candidate | None:
        """Return a point as a candidate; None if it is none."""
        name = point_name(params)
        if name not in self._known:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            self._known[name] = self._plan(params)
        return self._known[name]

    def identity(self, params: dict[str, Any]) -> str:
        """Return what a point's training has equal with others, also where it is no candidate."""
        name = point_name(params)
        if name not in self._identities:
            try:
                plan = None if self._planner is None else self._planner(overlay(self._spec.base, params))
            except ConfigError:
                plan = None
            self._identities[name] = name if plan is None else plan.digest
        return self._identities[name]

    def near(self, points: Sequence[Mapping[str, Any]], count: int, rng: random.Random) -> list[Candidate]:
        """Return candidates that differ from one of the points in one parameter (and in what it switches on).

        Args:
            points: the points.
            count: how many neighbours are drawn; some may be no candidates, or alike.
            rng: draws them.
        """
        found: dict[str, Candidate] = {}
        for _ in range(count if points else 0):
            params = self._neighbour(rng.choice(points), rng)
            candidate = self.of(params)
            if candidate is not None:
                found.setdefault(point_name(params), candidate)
        return list(found.values())

    def _drawn(self) -> Iterator[dict[str, Any]]:
        size = self._space.size(self._base)
        if size is not None and size <= _POOL:
            grid = Grid(self._space, self._base, self._seed)
            yield from (grid.point(number) for number in range(size))
            return
        seen: set[str] = set()
        for params in islice(self.sequence.points(), _DRAWS):
            name = point_name(params)
            if name not in seen:
                seen.add(name)
                yield params

    def _neighbour(self, point: Mapping[str, Any], rng: random.Random) -> dict[str, Any]:
        changed = rng.choice([one for one in self._space.parameters if one.path in point])
        return self._with(point, changed.path, _other(changed, point[changed.path], rng), rng)

    def _with(self, point: Mapping[str, Any], path: str, value: Any, rng: random.Random) -> dict[str, Any]:
        """Return the point with one value changed; what that switches on is drawn, what it switches off is gone."""
        params: dict[str, Any] = {}
        for parameter in self._space.parameters:
            if self._space.active(parameter, self._base, params):
                old = point.get(parameter.path, _MISSING)
                kept = parameter.distribution.sample(rng) if old is _MISSING else old
                params[parameter.path] = value if parameter.path == path else kept
        return params

    def _plan(self, params: dict[str, Any]) -> Candidate | None:
        if self._planner is None:
            return Candidate(params, {}, self._encoding.row(params))
        try:
            costs = self._planner(overlay(self._spec.base, params)).costs
        except ConfigError:
            return None
        broken = any(value > 0 for value in violations(self._spec, costs).values())
        return None if broken else Candidate(params, costs, self._encoding.row(params))


_MISSING = object()


def _other(parameter: Parameter, value: Any, rng: random.Random) -> Any:
    """Return another value of a parameter (of ranges also the same): of ranges by halves from anywhere and nearby."""
    distribution = parameter.distribution
    if isinstance(distribution, Choices):
        return rng.choice([other for other in distribution if other != value] or [value])
    if rng.random() < 0.5:
        return distribution.sample(rng)
    return value_at(distribution, min(max(rng.gauss(place(distribution, value), _STEP), 0.0), 1.0))
