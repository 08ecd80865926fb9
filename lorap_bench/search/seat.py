"""A driver's seat at a study: alone at it, or one of several that take turns.

What a driver does to a study it does in a turn. With one driver the folder's lock, held all along, is enough. Several
drivers share PostgreSQL: a turn holds a lock of the database and begins with what the others wrote since the last one.
The lock keeps them from getting in each other's way; that nothing goes wrong if it is lost is the log's doing.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, final

from lorap_bench.errors import StoreError
from lorap_bench.search.address import address_of
from lorap_bench.search.database import open_postgresql
from lorap_bench.search.drivers import Drivers
from lorap_bench.search.storage import open_storage, replayed
from lorap_bench.store.numbered import numbered
from lorap_bench.store.storage_id import storage_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from lorap_bench.record import TrialRecord
    from lorap_bench.search.log import Memory
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.store.lock import DriverLock
    from lorap_bench.study.sections import StorageSpec

__all__ = ["OneOfMany", "OnlyOne", "Seat", "take_seat", "visible_record"]

_VISIBLE = 60.0
"""Seconds after which a record that another host has written must be seen here."""


class Seat(Protocol):
    """What a driver holds from its beginning to its end.

    Attributes:
        owner: the driver's name among others; empty where there can be no other.
        memory: the study's storage.
        alone: whether no other driver lived when the last turn began.
    """

    @property
    def owner(self) -> str: ...
    @property
    def memory(self) -> Memory: ...
    @property
    def alone(self) -> bool: ...

    def turn(self) -> AbstractContextManager[bool]:
        """Return a turn, as a ``with`` block that is told whether others wrote since the last one.

        What is asked of and told to the storage is written at its end, or at ``flush``.
        """
        ...

    def flush(self) -> None:
        """Write what this turn has kept back, before something outside the storage rests on it.

        Raises:
            Overtaken: the turn was lost to another driver.
            StoreError: it cannot be written.
        """
        ...

    def lives(self, owner: str) -> bool:
        """Return whether another driver was alive when the turn began."""
        ...

    def close(self) -> None:
        """Give the seat up."""
        ...


def take_seat(storage: StorageSpec, folder: StudyFolder) -> Seat:
    """Become a driver of a study.

    Raises:
        Driven: there is a driver already, and the storage bears one only.
        MissingResource: PostgreSQL's package is not installed.
        StoreError: the storage cannot be used, or is damaged.
    """
    if storage.kind == "postgresql":
        return OneOfMany(storage, folder)
    lock = folder.lock()
    try:
        return OnlyOne(open_storage(storage, folder), lock)
    except BaseException:
        lock.close()
        raise


@final
class OnlyOne:
    """The seat of a driver that has the folder for itself.

    Args:
        memory: the study's storage.
        lock: the folder's, to be closed with the seat; None where somebody else holds it.
    """

    def __init__(self, memory: Memory, lock: DriverLock | None = None) -> None:
        self.memory = memory
        self.owner = ""
        self.alone = True
        self._lock = lock

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Keep lines together for the block."""
        with self.memory.log.held():
            yield False

    def flush(self) -> None:
        """Write what this turn has kept back."""
        self.memory.log.flush()

    def lives(self, owner: str) -> bool:
        """Return False: there is no other."""
        return False

    def close(self) -> None:
        """Give the seat up; a second call does nothing."""
        self.memory.close()
        if self._lock is not None:
            self._lock.close()


@final
class OneOfMany:
    """The seat of a driver that shares a study over PostgreSQL.

    It shares the folder's lock too: whoever needs the folder for itself is kept out.
    """

    def __init__(self, storage: StorageSpec, folder: StudyFolder) -> None:
        self._lock = folder.lock(shared=True)
        self._closed = False
        try:
            self._database = open_postgresql(address_of(storage.url))
            study = storage_id(folder.root)
            self._key = int.from_bytes(hashlib.blake2b(study.encode(), digest_size=8).digest(), "big", signed=True)
            self._drivers = Drivers(self._database, study, storage.lease_seconds)
            self.owner = self._drivers.owner
            self._living: set[str] = set()
            self.memory = replayed(self._database, study)
            self._drivers.join()
        except BaseException:
            self._lock.close()
            raise

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Hold the turn's lock for the block, with what others wrote taken in."""
        with self._database.lock(self._key):
            news = self.memory.log.fetch() > 0
            drivers = self._drivers.all()
            self._living = {driver.owner for driver in drivers if not driver.dead}
            for driver in drivers:
                if driver.dead and driver.owner != self.owner:
                    self._drivers.remove(driver.owner)
            with self.memory.log.held():
                yield news

    @property
    def alone(self) -> bool:
        """Whether no other driver lived when the last turn began."""
        return self._living <= {self.owner}

    def flush(self) -> None:
        """Write what this turn has kept back."""
        self.memory.log.flush()

    def lives(self, owner: str) -> bool:
        """Return whether a driver's lease held, or its process lived, when the turn began."""
        return owner in self._living

    def close(self) -> None:
        """Give the lease and the seat up; a second call does nothing."""
        if not self._closed:
            self._closed = True
            try:
                self._drivers.leave()
                self.memory.close()
            finally:
                self._lock.close()


def visible_record(folder: StudyFolder, key: int) -> TrialRecord:
    """Return a record that another driver has written; on a network file system it may be seen a little later.

    Raises:
        StoreError: it is not seen here.
    """
    until = time.monotonic() + _VISIBLE
    while (record := folder.read(key)) is None:
        if time.monotonic() > until:
            message = f"trial {key} is finished and its record is not here: do all drivers see the same study folder?"
            raise StoreError(message, where=str(folder.root))
        time.sleep(0.2)
        numbered(folder.root / "trials")  # a listing makes a client of a network file system look again
    return record
