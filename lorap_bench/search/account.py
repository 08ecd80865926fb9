"""What a study has spent and learned, and what it may still spend."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, final

from lorap_bench.errors import ConfigError
from lorap_bench.search.history import History
from lorap_bench.search.promotion import Promotion
from lorap_bench.store.sessions import Session, seconds_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lorap_bench.record import TrialRecord
    from lorap_bench.search.budget import Spending
    from lorap_bench.search.flights import Flight, Flights
    from lorap_bench.search.objective import Planner
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.spec import StudySpec

__all__ = ["FAILURE_LIMIT", "IDLE_LIMIT", "Account", "search_left"]

IDLE_LIMIT = 1000
"""Points answered without training, in a row, after which a study is exhausted."""
FAILURE_LIMIT = 20
"""Failed trials in a row after which a study stops."""


@final
class Account:
    """The account of one driver's study.

    Attributes:
        history: the finished trials.
        screen: seeds that a trial begins with.
    """

    def __init__(self, spec: StudySpec, folder: StudyFolder, records: Iterable[TrialRecord], planner: Planner) -> None:
        self.history = History()
        self._promotion = Promotion(spec)
        self.screen = self._promotion.screen
        self._spec = spec
        self._size = spec.parameters.size(spec.base)
        self._needs = _epochs_of_a_trial(spec, planner)
        for record in records:
            self.add(record)
        self.history.failures = 0  # whoever runs a failed study again has mended something
        self._session = Session(folder.root)

    @property
    def spent(self) -> Spending:
        """Return what the study has cost so far."""
        return self.history.spent(self._session.seconds)

    @property
    def over(self) -> str:
        """Return which limit of the budget is reached; empty while there is room for one more trial."""
        return self.spent.over(self._spec.budget, epochs=self._needs)

    @property
    def exhausted(self) -> str:
        """Return why nothing more will be asked although budget is left; empty while there is no reason."""
        return self.history.exhausted(self._size, idle=IDLE_LIMIT, failures=FAILURE_LIMIT)

    def add(self, record: TrialRecord) -> None:
        """Take a finished trial in."""
        self.history.add(record)
        self._promotion.add(record)

    def bears_another(self, flights: Flights) -> bool:
        """Return whether there is room, and an untried point, for one more trial beside those that are out."""
        spent, out = self.spent, flights.many
        promised = replace(spent, trials=spent.trials + out, epochs=spent.epochs + flights.epochs)
        untried = self._size is None or self.history.points + out < self._size
        return untried and not promised.over(self._spec.budget, epochs=self._needs)

    def bears(self, flights: Flights, epochs: int) -> bool:
        """Return whether the budget bears so many epochs beside those that are promised."""
        limit = self._spec.budget.epochs
        return limit is None or self.history.epochs + flights.epochs + epochs <= limit

    def promoted(self, flight: Flight, record: TrialRecord, flights: Flights) -> int | None:
        """Return the epochs of a screened trial with the rest of its seeds, those done among them.

        None is returned for one that is not to have them.
        """
        before = flight.key if flight.asked.pack is None else flight.asked.pack
        done = sum(member.epochs for member in record.members)
        whole = done + flight.blueprint.epochs * (self._spec.replicas.search - self.screen)
        promotes = self._promotion.promotes(record, before) and self.bears(flights, whole - flight.epochs)
        return whole if promotes else None

    def beat(self) -> None:
        """Give a sign of life."""
        self._session.beat()

    def close(self) -> None:
        """Write down how long this driver was at work."""
        self._session.close()


def search_left(spec: StudySpec, folder: StudyFolder, planner: Planner) -> str:
    """Return what the search of a study still has to do, in words; empty where it is over."""
    history = History(folder.records())
    if history.exhausted(spec.parameters.size(spec.base), idle=IDLE_LIMIT, failures=FAILURE_LIMIT):
        return ""
    spent = history.spent(seconds_of(folder.root))
    if spent.over(spec.budget, epochs=_epochs_of_a_trial(spec, planner)):
        return ""
    missing = spec.budget.trials - spent.trials
    return f"{missing} of {spec.budget.trials} trial{'s' if missing > 1 else ''} missing"


def _epochs_of_a_trial(spec: StudySpec, planner: Planner) -> int:
    """Return what a trial of the base configuration needs at least: the epochs of the seeds it begins with."""
    seeds = spec.replicas.search if spec.replicas.screen is None else spec.replicas.screen
    try:
        return seeds * planner(spec.base).epochs
    except ConfigError:  # the space mends it
        return seeds * spec.base.optim.epochs
