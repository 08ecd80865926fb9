"""A study's log as rows of a table, one a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from lorap_bench.search.log import Overtaken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from lorap_bench.search.database import Database

__all__ = ["Rows"]

_READ = text("SELECT line FROM lorap_bench_log WHERE study = :study AND n >= :start ORDER BY n")
_ADD = text("INSERT INTO lorap_bench_log (study, n, line) VALUES (:study, :n, :line)")
_CLEAR = text("DELETE FROM lorap_bench_log WHERE study = :study")


@final
class Rows:
    """The lines of one study in a database. The number of a line is part of its key: no two drivers can add it."""

    def __init__(self, database: Database, study: str) -> None:
        self._database = database
        self._study = study

    def read(self, start: int) -> list[str]:
        """Return the lines from number ``start`` on."""

        def deed(connection: Connection) -> list[str]:
            rows = connection.execute(_READ, {"study": self._study, "start": start})
            return [str(row[0]) for row in rows]

        return self._database.do(deed)

    def append(self, start: int, lines: Sequence[str]) -> None:
        """Add lines that get the numbers from ``start`` on: all of them or none."""
        rows = [{"study": self._study, "n": start + place, "line": line} for place, line in enumerate(lines)]
        try:
            self._database.do(lambda connection: connection.execute(_ADD, rows))
        except IntegrityError:
            # The connection may have broken after the rows were written and before that was told.
            if self.read(start)[: len(lines)] != list(lines):
                raise Overtaken("another driver wrote at the same time", where=self._database.where) from None

    def replace(self, lines: Sequence[str]) -> None:
        """Put these lines in the place of all there are."""
        rows = [{"study": self._study, "n": place, "line": line} for place, line in enumerate(lines)]

        def deed(connection: Connection) -> None:
            connection.execute(_CLEAR, {"study": self._study})
            if rows:
                connection.execute(_ADD, rows)

        self._database.do(deed)

    def close(self) -> None:
        """Close the database."""
        self._database.close()
