"""What other drivers of a study do, as one of them takes it in at the beginning of its turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from lorap_bench.errors import ConfigError
from lorap_bench.search.flights import Abroad
from lorap_bench.search.seat import visible_record
from lorap_bench.study.space import overlay

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    from lorap_bench.record import Curves, TrialRecord
    from lorap_bench.search.flights import Flights
    from lorap_bench.search.objective import Planner
    from lorap_bench.search.trials import Trials
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.spec import StudySpec

__all__ = ["Others"]


@final
class Others:
    """The other drivers of a study.

    Args:
        spec: the study.
        folder: its folder.
        trials: what the sampler knows.
        flights: what this driver has out; what the others have out is noted there.

    Attributes:
        on_note: called with what the user may want to know.
    """

    def __init__(self, spec: StudySpec, folder: StudyFolder, trials: Trials, flights: Flights) -> None:
        self.on_note: Callable[[str], None] | None = None
        self._spec = spec
        self._folder = folder
        self._trials = trials
        self._flights = flights

    def take_in(
        self, known: AbstractSet[int], know: Callable[[TrialRecord, Curves], None], planner: Planner
    ) -> list[TrialRecord]:
        """Take in what others ended, gave up, or have out, and queue again what dead ones have left.

        Args:
            known: the trials that this driver knows to have ended.
            know: takes one more of them into account.
            planner: what works out a configuration.

        Returns:
            The records that were not known.

        Raises:
            StoreError: records and log do not belong together, or a record cannot be seen here.
        """
        learned = self._learn(known, know)
        for flight in self._flights.all:
            if not self._trials.owns(flight.asked):
                self._flights.drop(flight)
                self._note(f"trial {flight.key} has become another driver's; what this one makes of it is dropped")
        self._trials.reap(known, self._folder.read, {flight.key for flight in self._flights.all})
        learned += self._learn(known, know)
        before = self._flights.abroad
        self._flights.abroad = {
            key: before.get(key) or self._abroad(params, planner) for key, params in self._trials.elsewhere.items()
        }
        return learned

    def _learn(self, known: AbstractSet[int], know: Callable[[TrialRecord, Curves], None]) -> list[TrialRecord]:
        learned = []
        for key in sorted(self._trials.ended() - known):
            learned.append(visible_record(self._folder, key))
            know(learned[-1], self._folder.curves(key))
        return learned

    def _abroad(self, params: Mapping[str, Any], planner: Planner) -> Abroad:
        """Return what a point that is out elsewhere comes to; it may yet have all its seeds."""
        try:
            plan = planner(overlay(self._spec.base, params))
        except ConfigError:  # its driver was just about to refuse it
            return Abroad("", 0)
        return Abroad(plan.digest, plan.epochs * self._spec.replicas.search)

    def _note(self, text: str) -> None:
        if self.on_note is not None:
            self.on_note(text)
