"""Where a study's log lies: a journal file or an SQLite file in its folder, or a table in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.errors import StoreError
from lorap_bench.search.address import address_of
from lorap_bench.search.database import open_postgresql, open_sqlite
from lorap_bench.search.journal import open_journal, read_journal
from lorap_bench.search.log import Damaged, Log, Memory
from lorap_bench.search.table import Rows
from lorap_bench.store.access import exists
from lorap_bench.store.filesystem import network_filesystem
from lorap_bench.store.storage_id import STORAGE_ID, storage_id

if TYPE_CHECKING:
    from pathlib import Path

    from lorap_bench.search.database import Database
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.sections import StorageSpec

__all__ = ["IN_FOLDER", "open_storage", "read_storage", "refuse_network_disk", "replayed", "sqlite_file"]

IN_FOLDER = "study"
"""The study's name in the SQLite file of its folder, which holds no other."""


def sqlite_file(folder: StudyFolder) -> Path:
    """Return where a study's SQLite file lies."""
    return folder.root / "storage.sqlite"


def open_storage(storage: StorageSpec, folder: StudyFolder) -> Memory:
    """Open the log of a study with one driver, for that driver.

    Raises:
        StoreError: the file cannot be used, or is damaged.
    """
    if storage.kind == "journal":
        return open_journal(folder.journal)
    return replayed(open_sqlite(sqlite_file(folder)), IN_FOLDER)


def read_storage(storage: StorageSpec, folder: StudyFolder) -> Memory | None:
    """Open the log of a study that may be running, to look at it; None where there is none yet.

    Raises:
        MissingResource: PostgreSQL's package is not installed.
        StoreError: it cannot be read, or is damaged.
    """
    places = {"journal": folder.journal, "sqlite": sqlite_file(folder), "postgresql": folder.root / STORAGE_ID}
    if not exists(places[storage.kind]):
        return None
    if storage.kind == "journal":
        return read_journal(folder.journal)
    if storage.kind == "sqlite":
        return replayed(open_sqlite(sqlite_file(folder)), IN_FOLDER, follows=True)
    return replayed(open_postgresql(address_of(storage.url)), storage_id(folder.root), follows=True)


def replayed(database: Database, study: str, *, follows: bool = False) -> Memory:
    """Return Optuna's storage over a study's rows.

    Raises:
        StoreError: they cannot be read, or make no sense.
    """
    try:
        return Memory(Log(Rows(database, study), follows=follows))
    except (LookupError, TypeError, ValueError) as error:
        database.close()
        raise Damaged(f"damaged: not the log of a search ({error})", where=database.where) from error


def refuse_network_disk(storage: StorageSpec, root: Path, *, one_driver: bool = False) -> None:
    """Raise if the study's storage is a file that two machines could write at once.

    Args:
        storage: the study's.
        root: its folder, there or still to be made.
        one_driver: the user has said that no second driver will be started.

    Raises:
        StoreError: it is, and one of the two would damage what the other wrote.
    """
    kind = storage.kind
    network = network_filesystem(root) if kind != "postgresql" else ""
    if network and (kind == "sqlite" or not one_driver):
        ways = 'keep --runs on a local disk, or set storage.kind = "postgresql"'
        if kind == "journal":
            ways += ", or promise with --one-driver that nobody else runs this study at the same time"
        message = f"the {kind} storage lies on a network file system ({network}), where locks may not reach other hosts"
        raise StoreError(f"{message}; {ways}", where=str(root))
