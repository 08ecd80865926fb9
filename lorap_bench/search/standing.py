"""Where a driver's study stands, for whoever runs its trials or shows them. Reading it changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lorap_bench.search.account import Account
    from lorap_bench.search.budget import Spending
    from lorap_bench.search.flights import Flights
    from lorap_bench.search.pack import Packs
    from lorap_bench.search.rungs import Rungs
    from lorap_bench.search.seat import Seat
    from lorap_bench.study.spec import StudySpec

__all__ = ["Standing"]


class Standing:
    """What a driver knows of its study.

    Attributes:
        spec: the study.
        rungs: what its trials had reached when they might have been stopped early.
    """

    spec: StudySpec
    rungs: Rungs
    _account: Account
    _flights: Flights
    _packs: Packs
    _seat: Seat

    @property
    def seconds(self) -> float | None:
        """Return how long a trial may take; None: as long as it likes."""
        return self.spec.budget.trial_seconds

    @property
    def left(self) -> int:
        """Return how many trials of the budget are neither finished nor out."""
        return self.spec.budget.trials - self.counted - self.in_flight

    @property
    def stoppers(self) -> Rungs | None:
        """Return what its trials had reached, if they may be stopped early."""
        return self.rungs if self.spec.early_stopping.active else None

    @property
    def counted(self) -> int:
        """Return how many finished trials count in the budget."""
        return self._account.history.counted

    @property
    def in_flight(self) -> int:
        """Return how many trials are out to be trained."""
        return len(self._flights.out)

    @property
    def under_way(self) -> tuple[int, ...]:
        """Return the trials that are out to be trained."""
        return tuple(sorted(self._flights.out))

    @property
    def elsewhere(self) -> int:
        """Return how many trials other drivers have out: while there are any, this one may yet have to run some."""
        return len(self._flights.abroad)

    @property
    def alone(self) -> bool:
        """Whether no other driver lived when this one last had its turn."""
        return self._seat.alone

    @property
    def spent(self) -> Spending:
        """Return what the study has cost so far."""
        return self._account.spent

    @property
    def over(self) -> str:
        """Return which limit of the budget is reached; empty while there is room for one more trial."""
        return self._account.over

    @property
    def exhausted(self) -> str:
        """Return why nothing more will be asked although budget is left; empty while there is no reason."""
        return self._account.exhausted

    @property
    def done(self) -> bool:
        """Whether no further trial will be asked for, whatever those in flight bring."""
        return bool(self.over or self.exhausted)

    @property
    def together(self) -> int:
        """Return how many trials a pack has at most."""
        return self._packs.size
