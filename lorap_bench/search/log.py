"""What the sampler remembers, as lines that are only ever added: the same in a file, in SQLite and in PostgreSQL.

Optuna replays such lines in memory and asks the log for new ones only. What a driver adds in one turn is written
together, so that a trial costs a few writes and a killed driver leaves whole turns. Where several drivers write, a line
is added only if nobody else has added one since the last look: no lock has to hold for the log to stay sound.
"""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol, final
from uuid import uuid4

from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend
from optuna.storages.journal._storage import JournalStorageReplayResult

from lorap_bench.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Damaged", "Lines", "Log", "Memory", "Overtaken"]


class Damaged(StoreError):
    """What lies there is no log of a search, or no longer."""


class Overtaken(StoreError):
    """Another driver wrote since this one last looked: what was about to be written rests on what is no more."""


class Lines(Protocol):
    """Where the lines lie."""

    def read(self, start: int) -> list[str]:
        """Return the whole lines from number ``start`` on.

        Raises:
            StoreError: they cannot be read.
        """
        ...

    def append(self, start: int, lines: Sequence[str]) -> None:
        """Add lines that get the numbers from ``start`` on: all of them or none.

        Raises:
            Overtaken: there is a line ``start`` already.
            StoreError: they cannot be written.
        """
        ...

    def close(self) -> None:
        """Let go of what was opened to read and write them."""
        ...


@final
class Log(BaseJournalBackend):
    """Optuna's view of the lines.

    Args:
        lines: where they lie.
        follows: whether to look for new ones at every question, for a reader beside a driver.
    """

    def __init__(self, lines: Lines, *, follows: bool = False) -> None:
        self._home = lines
        self._follows = follows
        self._stored = 0  # lines that are known to be written
        self._first = 0  # number of the first of the lines in memory
        self._lines: list[dict[str, Any]] = []
        self._pending: list[str] = []
        self._holding = False
        self.fetch()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep lines back until ``flush`` or the end of the block.

        They are written also where the block ends by an error, for what they tell has happened; not where the process
        is being stopped.

        Raises:
            Overtaken: another driver wrote since the last ``fetch``.
            StoreError: they cannot be written.
        """
        self._holding = True
        try:
            yield
            self.flush()
        except Overtaken:
            raise
        except Exception:
            with suppress(StoreError):
                self.flush()
            raise
        finally:
            self._holding = False

    def fetch(self) -> int:
        """Take in the lines that others have written, and return how many."""
        self.flush()
        found = self._home.read(self._stored)
        self._lines += [json.loads(line) for line in found]
        self._stored += len(found)
        return len(found)

    def read_logs(self, log_number_from: int) -> list[dict[str, Any]]:
        """Return the lines from a number on; those before it will not be asked for again."""
        if self._follows:
            self.fetch()
        del self._lines[: log_number_from - self._first]
        self._first = log_number_from
        return list(self._lines)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Add lines, to be written now or at the end of the turn."""
        lines = [json.dumps(log, separators=(",", ":")) for log in logs]
        if not self._holding:
            self._home.append(self._stored, lines)
            self._stored += len(lines)
        else:
            self._pending += lines
        self._lines += [json.loads(line) for line in lines]

    def flush(self) -> None:
        """Write what is kept back; where that fails it stays kept back.

        Raises:
            Overtaken: another driver wrote since the last ``fetch``.
            StoreError: it cannot be written.
        """
        if self._pending:
            self._home.append(self._stored, self._pending)
            self._stored += len(self._pending)
            self._pending = []

    def close(self) -> None:
        """Let go of the lines."""
        self._home.close()

    def forget(self) -> None:
        """Forget everything, also what is kept back, and read the lines anew."""
        self._stored = self._first = 0
        self._lines, self._pending = [], []
        self.fetch()


@final
class Memory(JournalStorage):
    """Optuna's storage over a log."""

    def __init__(self, log: Log) -> None:
        self.log = log
        super().__init__(log)

    def restart(self) -> None:
        """Replay the log anew, without what was kept back when another driver came between.

        A trial keeps its id as long as its line was written: ids are places in the log.
        """
        self._worker_id_prefix = f"{uuid4()}-"
        self._replay_result = JournalStorageReplayResult(self._worker_id_prefix)
        self.log.forget()
        with self._thread_lock:
            self._sync_with_backend()

    def close(self) -> None:
        """Let go of the log."""
        self.log.close()
