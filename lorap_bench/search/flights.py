"""The points of a study that are on their way: out to be trained, or waiting for the trial that they repeat."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from lorap_bench.config import TrialConfig
    from lorap_bench.record import Outcome
    from lorap_bench.search.objective import BlueprintLike
    from lorap_bench.search.trials import Asked

__all__ = ["Flight", "Flights"]


@dataclass(frozen=True, slots=True)
class Flight:
    """A point on its way, with what its configuration comes to.

    ``epochs`` are those that it has been promised, ``screened`` what came of its screening once it has been promoted.
    """

    asked: Asked
    config: TrialConfig
    blueprint: BlueprintLike
    epochs: int = 0
    screened: Outcome | None = None

    @property
    def key(self) -> int:
        """Return its place in the study."""
        return self.asked.key

    @property
    def digest(self) -> str:
        """Return what equal trainings have equal."""
        return self.blueprint.digest


@final
class Flights:
    """Who is out, who waits for whom, and who is to go out again."""

    def __init__(self) -> None:
        self.out: dict[int, Flight] = {}
        self._held: dict[str, list[Flight]] = {}
        self._promoted: deque[int] = deque()

    @property
    def held(self) -> int:
        """Return how many repeats wait for the trial they repeat."""
        return sum(len(held) for held in self._held.values())

    @property
    def epochs(self) -> int:
        """Return how many epochs have been promised to those that are out."""
        return sum(flight.epochs for flight in self.out.values())

    @property
    def all(self) -> list[Flight]:
        """Return everyone on the way."""
        return [*self.out.values(), *(flight for held in self._held.values() for flight in held)]

    def repeats(self, flight: Flight) -> bool:
        """Return whether a trial that is out trains like this one."""
        return any(other.digest == flight.digest for other in self.out.values())

    def send(self, flight: Flight) -> None:
        """Note that a trial is out."""
        self.out[flight.key] = flight

    def hold(self, flight: Flight) -> None:
        """Keep a repeat until the trial that it repeats has ended."""
        self._held.setdefault(flight.digest, []).append(flight)

    def promote(self, flight: Flight) -> None:
        """Note that a screened trial, which stays out, is to train the rest of its seeds."""
        self.out[flight.key] = flight
        self._promoted.append(flight.key)

    def next_promoted(self) -> Flight | None:
        """Return the trial promoted longest ago; None if there is none."""
        while self._promoted:
            key = self._promoted.popleft()
            if key in self.out:
                return self.out[key]
        return None

    def land(self, key: int) -> None:
        """Note that a trial is out no more."""
        self.out.pop(key, None)

    def freed(self, digest: str) -> list[Flight]:
        """Return the repeats that waited for a trial."""
        return self._held.pop(digest, [])

    def clear(self) -> None:
        """Forget everyone."""
        self.out.clear()
        self._held.clear()
        self._promoted.clear()
