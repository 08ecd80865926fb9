"""The looks of a study at the test split, kept beside its trials; none is ever overwritten.

A look is written before anything of it runs, so that even one that a crash cut short is known.
It goes on with its own seeds; only a look that is whole can be followed by another, and only by
one that says ``again``.

A folder without ``looks/`` may hold ``confirmed/000012.json``, a record by the number of its trial,
with seeds of its own: these are look 1, without baselines.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, final

from lorap_bench.errors import StoreError
from lorap_bench.store.access import access, exists
from lorap_bench.store.atomic import read_json, write_json
from lorap_bench.store.look import Confirmation, Look, Subject
from lorap_bench.store.numbered import numbered, place, read_record

if TYPE_CHECKING:
    from pathlib import Path

    from lorap_bench.record import TrialRecord

__all__ = ["Looks"]


@final
class Looks:
    """The looks in the study folder ``root``.

    Args:
        root: the folder.
        earlier: how often the studies were looked at that gave it its first trials. Their looks lie with them;
            here they only count.
    """

    def __init__(self, root: Path, earlier: int = 0) -> None:
        self.earlier = earlier
        self._root = root
        self._looks = root / "looks"
        self._confirmed = root / "confirmed"

    def all(self) -> list[Look]:
        """Return every look, by number.

        Raises:
            StoreError: one is damaged, of another schema version, or cannot be read.
        """
        looks = [Look.from_mapping(read_json(path), where=str(path)) for path in numbered(self._looks)]
        return [*self._earliest(), *looks]

    def unfinished(self) -> Look | None:
        """Return the look that was cut short; None if there is none."""
        return next((look for look in self.all() if not look.finished), None)

    @property
    def next_number(self) -> int:
        """Return the number of the look that would be next."""
        return self.earlier + len(self.all()) + 1

    def begin(self, look: Look) -> None:
        """Write down a look that is about to begin.

        Raises:
            StoreError: there was one before and this one does not say ``again``; or that one is not whole.
        """
        known = self.all()
        if known and not known[-1].finished:
            last = known[-1]
            message = f"look {last.number} at the test split, of {last.date}, is not finished; it goes on first"
            raise StoreError(message, where=str(self._root))
        if look.number > 1 and not look.again:
            which = f"look {known[-1].number}, of {known[-1].date}" if known else "by the studies its trials come from"
            message = (
                f"the test split has been looked at already ({which}); "
                "--again looks once more, with other fresh seeds, and that is recorded"
            )
            raise StoreError(message, where=str(self._root))
        assert look.number == self.next_number
        with access(self._looks, "create the folder"):
            self._looks.mkdir(parents=True, exist_ok=True)
            (self._confirmed / f"{look.number:06d}").mkdir(parents=True, exist_ok=True)
        write_json(place(self._looks, look.number), look.to_mapping())

    def finish(self, look: Look, when: str) -> Look:
        """Write down that a look is whole, and return it so."""
        whole = replace(look, finished=when)
        write_json(place(self._looks, look.number), whole.to_mapping())
        return whole

    def write(self, look: Look, digest: str, record: TrialRecord) -> None:
        """Write what a configuration came to in a look.

        Raises:
            StoreError: it has a record in this look already, or the disk refuses.
        """
        path = self._confirmed / f"{look.number:06d}" / f"{digest}.json"
        if exists(path):
            raise StoreError(f"{look.label(digest)} has a record in look {look.number} already", where=str(path))
        write_json(path, record.to_mapping())

    def records(self, look: Look) -> dict[str, TrialRecord]:
        """Return the records of a look so far, by digest."""
        if look.number == 1 and not exists(place(self._looks, 1)):
            return {record.digest: record for record in self._unnumbered()}
        paths = {digest: self._confirmed / f"{look.number:06d}" / f"{digest}.json" for digest in look.digests}
        return {digest: read_record(path) for digest, path in paths.items() if exists(path)}

    def confirmations(self) -> dict[int, Confirmation]:
        """Return the confirmed trials by number, each as the last look saw it that saw it at all."""
        found: dict[int, Confirmation] = {}
        for look in self.all():
            records = self.records(look)
            for one in look.subjects:
                if one.digest in records:
                    baselines = {name: records[digest] for name, digest in one.baselines.items() if digest in records}
                    record = replace(records[one.digest], number=one.number)
                    found[one.number] = Confirmation(look=look.number, record=record, baselines=baselines)
        return dict(sorted(found.items()))

    @property
    def extent(self) -> int:
        """Return how much has been seen and written: it grows with every record and every finished look."""
        return sum(len(self.records(look)) + bool(look.finished) for look in self.all())

    def _earliest(self) -> list[Look]:
        """Return the look of confirmations that were written without one."""
        records = [] if exists(place(self._looks, 1)) else self._unnumbered()
        if not records:
            return []
        seeds = dict.fromkeys(member.seed for record in records for member in record.members)
        subjects = tuple(Subject(number=record.number, digest=record.digest) for record in records)
        days = sorted(record.started for record in records)
        return [Look(number=1, seeds=tuple(seeds), subjects=subjects, started=days[0], finished=days[-1] or "unknown")]

    def _unnumbered(self) -> list[TrialRecord]:
        return [read_record(path) for path in numbered(self._confirmed)]
