"""Where a parameter's values come from: a list of choices, whole numbers or real numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

__all__ = ["Choices", "Distribution", "FloatRange", "IntRange", "range_problems"]


@dataclass(frozen=True, slots=True)
class Choices:
    """One of the listed values, in their order."""

    values: tuple[Any, ...]

    @property
    def size(self) -> int:
        """Return how many values there are."""
        return len(self.values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    def __contains__(self, value: object) -> bool:
        return any(value == other and isinstance(value, bool) == isinstance(other, bool) for other in self.values)

    def sample(self, rng: random.Random) -> Any:
        """Draw one value, all equally likely."""
        return rng.choice(self.values)


@dataclass(frozen=True, slots=True)
class IntRange:
    """A whole number from ``low`` to ``high``, both included, by ``step``; drawn in log space if ``log``."""

    low: int
    high: int
    step: int = 1
    log: bool = False

    @property
    def size(self) -> int:
        """Return how many values there are."""
        return len(self._range)

    def __iter__(self) -> Iterator[int]:
        return iter(self._range)

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and value in self._range

    def sample(self, rng: random.Random) -> int:
        """Draw one value; in log space each gets the length of its interval [n - 1/2, n + 1/2]."""
        if not self.log:
            return rng.choice(self._range)
        drawn = math.exp(rng.uniform(math.log(self.low - 0.5), math.log(self.high + 0.5)))
        return min(max(round(drawn), self.low), self.high)

    @property
    def _range(self) -> range:
        return range(self.low, self.high + 1, self.step)


@dataclass(frozen=True, slots=True)
class FloatRange:
    """A real number from ``low`` to ``high``; drawn in log space if ``log``."""

    low: float
    high: float
    log: bool = False

    @property
    def size(self) -> None:
        """Return None: not countable."""
        return None

    def __iter__(self) -> Iterator[float]:
        raise ValueError("a range of floats has no list of values")

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high

    def sample(self, rng: random.Random) -> float:
        """Draw one value, evenly or evenly in the logarithm."""
        if not self.log:
            return rng.uniform(self.low, self.high)
        drawn = math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        return min(max(drawn, self.low), self.high)


Distribution: TypeAlias = Choices | IntRange | FloatRange


def range_problems(low: float, high: float, *, step: float = 1, log: bool = False) -> list[str]:
    """Say what is impossible about a range; empty when nothing is."""
    problems = []
    if low > high:
        problems.append(f"the lower end {low} is above the upper end {high}")
    if log and low <= 0:
        problems.append(f"a logarithmic range must start above 0, not at {low}")
    if step < 1:
        problems.append(f"the step must be at least 1, not {step}")
    elif step > 1 and log:
        problems.append("a logarithmic range takes no step")
    elif step > 1 and low <= high and (high - low) % step:
        problems.append(f"steps of {step} from {low} do not reach {high}")
    return problems
