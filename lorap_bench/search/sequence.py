"""Points by their number alone: a low-discrepancy sequence over any space, and all points of a finite one in an order.

Neither has a memory, so a study that was interrupted goes on as if it had not been.
"""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any, final

from lorap_bench.errors import ConfigError, Fault
from lorap_bench.search.encoding import point_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorap_bench.study.space import Base, Space

__all__ = ["GRID_LIMIT", "Grid", "Sobol"]

_BLOCK = 256
GRID_LIMIT = 100_000
"""Points of a space at most that a grid goes through."""


@final
class Sobol:
    """A Sobol sequence over a space: every block of 2^k points spreads over it evenly.

    Each parameter is one coordinate, which gives its quantile; an inactive one's coordinate is not used.

    Args:
        space: the space.
        base: what holds where a parameter is not searched.
        seed: of the scrambling (Owen).
        scramble: whether to scramble.

    Source: Sobol' 1967, with the direction numbers of Joe and Kuo 2008 (SciPy).
    """

    def __init__(self, space: Space, base: Base, seed: int, *, scramble: bool = True) -> None:
        from scipy.stats.qmc import Sobol as Engine  # late: it is slow to import

        self._space, self._base = space, base
        self._engine = Engine(max(len(space.parameters), 1), scramble=scramble, rng=seed)

    def point(self, number: int) -> dict[str, Any]:
        """Return the point of a number."""
        self._engine.reset()
        if number:
            self._engine.fast_forward(number)
        return self._at(self._engine.random(1)[0].tolist())

    def points(self) -> Iterator[dict[str, Any]]:
        """Yield all points in order, without end."""
        for start in itertools.count(0, _BLOCK):
            self._engine.reset()
            if start:
                self._engine.fast_forward(start)
            for shares in self._engine.random(_BLOCK).tolist():
                yield self._at(shares)

    def _at(self, shares: Sequence[float]) -> dict[str, Any]:
        return point_at(self._space, self._base, shares[: len(self._space.parameters)])


@final
class Grid:
    """All points of a finite space in an order that a seed decides.

    Raises:
        ConfigError: the space has a range of floats, or more points than anyone would train.
    """

    def __init__(self, space: Space, base: Base, seed: int) -> None:
        size = space.size(base)
        if size is None or size > GRID_LIMIT:
            message = "a grid needs a space of choices and whole numbers, of a size that can be trained"
            got = "a range of floats" if size is None else f"{size} points"
            raise ConfigError([Fault(path="space", message=message, got=got, allowed=f"at most {GRID_LIMIT} points")])
        self._points = list(space.points(base))
        random.Random(seed).shuffle(self._points)  # noqa: S311  # an order, not a secret

    def point(self, number: int) -> dict[str, Any]:
        """Return the point of a number; after the last one the first."""
        return dict(self._points[number % len(self._points)])
