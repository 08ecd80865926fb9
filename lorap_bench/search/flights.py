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

__all__ = ["Abroad", "Flight", "Flights"]


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


@dataclass(frozen=True, slots=True)
class Abroad:
    """A point that another driver has out: what equal trainings have equal, and the epochs that it may take."""

    digest: str
    epochs: int


@final
class Flights:
    """Who is out, who waits for whom, who is to go out again, and whom other drivers have out."""

    def __init__(self) -> None:
        self.out: dict[int, Flight] = {}
        self.abroad: dict[int, Abroad] = {}
        self._held: dict[str, list[Flight]] = {}
        self._promoted: deque[int] = deque()

    @property
    def held(self) -> int:
        """Return how many repeats wait for the trial they repeat."""
        return sum(len(held) for held in self._held.values())

    @property
    def epochs(self) -> int:
        """Return how many epochs have been promised to those that are out, here or abroad."""
        return sum(one.epochs for one in self.out.values()) + sum(one.epochs for one in self.abroad.values())

    @property
    def many(self) -> int:
        """Return how many are out, here or abroad."""
        return len(self.out) + len(self.abroad)

    @property
    def all(self) -> list[Flight]:
        """Return everyone on the way."""
        return [*self.out.values(), *(flight for held in self._held.values() for flight in held)]

    def repeats(self, flight: Flight) -> bool:
        """Return whether a trial that is out, here or abroad, trains like this one."""
        digests = {one.digest for one in self.out.values()} | {one.digest for one in self.abroad.values()}
        return flight.digest in digests

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
        return self.out[self._promoted.popleft()] if self._promoted else None

    def drop(self, flight: Flight) -> None:
        """Forget a flight, wherever it is: it has become another driver's."""
        self.land(flight.key)
        for held in self._held.values():
            held[:] = [one for one in held if one is not flight]

    def land(self, key: int) -> None:
        """Note that a trial is out no more."""
        self.out.pop(key, None)
        if key in self._promoted:
            self._promoted.remove(key)

    def freed(self, digest: str) -> list[Flight]:
        """Return the repeats that waited for a trial."""
        return self._held.pop(digest, [])

    def clear(self) -> None:
        """Forget everyone."""
        self.out.clear()
        self._held.clear()
        self._promoted.clear()
