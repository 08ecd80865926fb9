"""A database that goes on after it was away: every deed is a transaction of its own and is tried again.

Nothing that is read here is shown with a password in it.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar, final

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)

from lorap_bench.errors import MissingResource, StoreError
from lorap_bench.search.address import told
from lorap_bench.search.log import Damaged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection

__all__ = ["Database", "open_postgresql", "open_sqlite"]

T = TypeVar("T")

PATIENCE = 90.0
"""Seconds for which a database that was there before may be away."""
_LONGEST_PAUSE = 5.0
_STUCK = "300s"
"""How long a driver that does nothing may keep the others from their turn: it may be frozen."""
_LOG = """
CREATE TABLE IF NOT EXISTS lorap_bench_log (
    study TEXT NOT NULL, n BIGINT NOT NULL, line TEXT NOT NULL, PRIMARY KEY (study, n)
)
"""
_DRIVERS = """
CREATE TABLE IF NOT EXISTS lorap_bench_drivers (
    study TEXT NOT NULL, owner TEXT NOT NULL, host TEXT NOT NULL, machine TEXT NOT NULL, pid BIGINT NOT NULL,
    began BIGINT NOT NULL, expires TIMESTAMP WITH TIME ZONE NOT NULL, PRIMARY KEY (study, owner)
)
"""
_MAKING = 7_236_118_205_594_071
"""The lock under which tables are made: two that make the same one at once would fail."""


@final
class Database:
    """Deeds on a database.

    Args:
        url: its address.
        where: its name in messages.
        options: of SQLAlchemy's engine.

    Raises:
        StoreError: it cannot be reached or used.
    """

    def __init__(self, url: URL, where: str, **options: Any) -> None:
        self.where = where
        self.shared = url.get_backend_name() == "postgresql"
        self._secret = url.password or ""
        self._engine = create_engine(url, **options)
        if not self.shared:
            event.listen(self._engine, "connect", _durable)
        self._patience = 0.0  # what was never there need not be waited for
        try:
            self.do(self._make)
        except BaseException:
            self.close()
            raise

    def do(self, deed: Callable[[Connection], T]) -> T:
        """Return what ``deed`` returns, in a transaction; while the database is away, try again.

        The deed may be done twice, for the answer to the first may be lost.

        Raises:
            StoreError: the database stays away, or refuses.
        """
        until, pause = time.monotonic() + self._patience, 0.05
        while True:
            try:
                with self._engine.begin() as connection:
                    result = deed(connection)
            except (OperationalError, InterfaceError) as error:
                if not self.shared or time.monotonic() + pause > until:
                    raise self._given_up(error) from None
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            except IntegrityError:
                raise
            except DatabaseError as error:
                if self.shared or isinstance(error, ProgrammingError):
                    raise self._told(error) from None
                raise Damaged(f"damaged: {error.orig}", where=self.where) from None
            except SQLAlchemyError as error:
                raise self._told(error) from None
            else:
                self._patience = PATIENCE
                return result

    @contextmanager
    def lock(self, key: int) -> Iterator[None]:
        """Hold a lock of PostgreSQL for the block; it goes with the connection, however that ends.

        Raises:
            StoreError: the database stays away.
        """
        until, pause = time.monotonic() + self._patience, 0.05
        while True:
            connection = None
            try:
                connection = self._engine.connect()
                connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{_STUCK}'"))
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
                break
            except SQLAlchemyError as error:
                _let_go(connection)
                if not isinstance(error, OperationalError | InterfaceError) or time.monotonic() + pause > until:
                    raise self._given_up(error) from None
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        try:
            yield
        finally:
            _let_go(connection)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _make(self, connection: Connection) -> None:
        if not self.shared:
            connection.execute(text(_LOG))
            return
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MAKING})
        connection.execute(text(_LOG))
        connection.execute(text(_DRIVERS))

    def _given_up(self, error: SQLAlchemyError) -> StoreError:
        self._patience = 0.0  # who cleans up does not wait once more
        return self._told(error)

    def _told(self, error: SQLAlchemyError) -> StoreError:
        cause = str(getattr(error, "orig", None) or error).strip()
        lines = [line.strip() for line in cause.splitlines() if line.strip()]
        message = lines[0] if lines else type(error).__name__
        if self._secret:
            message = message.replace(self._secret, "***")
        return StoreError(f"the database refuses: {message}", where=self.where)


def open_postgresql(url: URL) -> Database:
    """Return the PostgreSQL database at an address.

    Raises:
        MissingResource: the package that talks to PostgreSQL is not installed.
        StoreError: the database cannot be reached or used.
    """
    # A dead host is noticed within a minute, by either side.
    alive = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 6}
    server = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=6"
    options = f"{url.query.get('options', '')} {server}".strip()
    named = {"application_name": "lorap-bench", "client_encoding": "utf8", "connect_timeout": 10}
    arguments = {**named, **alive, "options": options}
    try:
        return Database(url, told(url), pool_pre_ping=True, pool_size=3, connect_args=arguments)
    except ImportError as error:
        message = f"PostgreSQL needs psycopg ({error}); python -m pip install 'lorap-bench[postgres]'"
        raise MissingResource(message, where="storage.kind") from None


def open_sqlite(path: Path) -> Database:
    """Return the SQLite database in a file, which is made if it is not there.

    Raises:
        StoreError: the file cannot be opened, or is no database.
    """
    url = URL.create("sqlite", database=str(path))
    return Database(url, str(path), connect_args={"timeout": 60})


def _durable(connection: Any, record: object) -> None:
    """Let readers look while the driver writes, and let a commit survive a power cut, as a line of the journal does."""
    del record
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _let_go(connection: Connection | None) -> None:
    """End a transaction that has written nothing; where the connection broke, there is nothing left to end."""
    if connection is not None:
        with suppress(SQLAlchemyError):
            connection.rollback()
        with suppress(SQLAlchemyError):
            connection.close()
