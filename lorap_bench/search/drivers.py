"""The drivers of a study on PostgreSQL, and which of them live: a row each, renewed by a thread.

A row is a lease on all trials that its driver has out. A driver is dead when its process is known to have ended, or
when its lease has expired and its process is not known to live. The database's clock decides, and not within a lease's
length after the database itself was started: until then a driver may not have had the chance to renew.
"""

from __future__ import annotations

import threading
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, final
from uuid import uuid4

from sqlalchemy import text

from lorap_bench.errors import StoreError
from lorap_bench.search.address import address_of
from lorap_bench.search.database import open_postgresql
from lorap_bench.store.access import exists
from lorap_bench.store.process import Process, this_process
from lorap_bench.store.storage_id import STORAGE_ID, storage_id

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from lorap_bench.search.database import Database
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.sections import StorageSpec

__all__ = ["Driver", "Drivers", "drivers_of"]

_BEATS = 6
"""Renewals in the length of a lease."""
_LEFT: set[str] = set()
"""Drivers of this process that have left, perhaps while the database was away."""
_RENEW = text(
    "INSERT INTO lorap_bench_drivers (study, owner, host, machine, pid, began, expires) VALUES"
    " (:study, :owner, :host, :machine, :pid, :began, now() + make_interval(secs => :lease))"
    " ON CONFLICT (study, owner) DO UPDATE SET expires = excluded.expires"
)
_ALL = text(
    "SELECT owner, host, machine, pid, began, expires < now()"
    " AND now() - pg_postmaster_start_time() > make_interval(secs => :lease),"
    " extract(epoch FROM expires - now())"
    " FROM lorap_bench_drivers WHERE study = :study ORDER BY owner"
)
_LEAVE = text("DELETE FROM lorap_bench_drivers WHERE study = :study AND owner = :owner")


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver as its row tells: its name, its process, whether its lease has expired, and seconds until it does."""

    owner: str
    process: Process
    expired: bool
    seconds: float

    @property
    def dead(self) -> bool:
        """Whether it will not come back with what it has out."""
        return self.process.gone or self.owner in _LEFT or (self.expired and not self.process.lives)


def drivers_of(storage: StorageSpec, folder: StudyFolder) -> list[Driver]:
    """Return the drivers of a study on PostgreSQL, for somebody who looks on.

    Raises:
        MissingResource: PostgreSQL's package is not installed.
        StoreError: the database refuses.
    """
    if not exists(folder.root / STORAGE_ID):
        return []
    with closing(open_postgresql(address_of(storage.url))) as database:
        return Drivers(database, storage_id(folder.root), storage.lease_seconds).all()


@final
class Drivers:
    """The drivers of one study, and this one among them once it has joined.

    Args:
        database: where their rows lie.
        study: the study's name there.
        lease: seconds after which a driver that does not renew is given up.
    """

    def __init__(self, database: Database, study: str, lease: float) -> None:
        self.owner = uuid4().hex
        self._database = database
        self._study = study
        self._lease = lease
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lorap-bench-lease", daemon=True)

    def join(self) -> None:
        """Take a lease, and renew it until ``leave``.

        Raises:
            StoreError: the database refuses.
        """
        self._renew()
        self._thread.start()

    def all(self) -> list[Driver]:
        """Return every driver that has a row.

        Raises:
            StoreError: the database stays away.
        """

        def deed(connection: Connection) -> list[Driver]:
            rows = connection.execute(_ALL, {"study": self._study, "lease": self._lease})
            return [Driver(str(row[0]), Process(*row[1:5]), bool(row[5]), float(row[6])) for row in rows]

        return self._database.do(deed)

    def leave(self) -> None:
        """Give the lease back. A row that cannot be removed expires."""
        _LEFT.add(self.owner)
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)
        with suppress(StoreError):
            self.remove(self.owner)

    def remove(self, owner: str) -> None:
        """Remove the row of a driver."""
        self._database.do(lambda connection: connection.execute(_LEAVE, {"study": self._study, "owner": owner}))

    def _beat(self) -> None:
        while not self._ended.wait(self._lease / _BEATS):
            with suppress(StoreError):  # the next turn of the driver will tell
                self._renew()

    def _renew(self) -> None:
        process = this_process()
        row = {
            "study": self._study,
            "owner": self.owner,
            "host": process.host,
            "machine": process.machine,
            "pid": process.pid,
            "began": process.began,
            "lease": self._lease,
        }
        self._database.do(lambda connection: connection.execute(_RENEW, row))
