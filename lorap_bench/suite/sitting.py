"""One sitting at a suite: its cells as far as they are chosen, what of them is finished, and its folder."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lorap_bench.suite.expand import expand, parse_only, select
from lorap_bench.suite.folder import SuiteFolder
from lorap_bench.suite.forecast import forecast
from lorap_bench.suite.plan import plan
from lorap_bench.suite.run import Audience, SuiteDesk
from lorap_bench.suite.table import tidy
from lorap_bench.suite.tables import write_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from lorap_bench.executors.desk import Desk
    from lorap_bench.suite.cell import Cell
    from lorap_bench.suite.plan import Plan
    from lorap_bench.suite.result import CellResult
    from lorap_bench.suite.spec import SuiteSpec

__all__ = ["SUMMARY_VERSION", "Sitting", "open_sitting"]

SUMMARY_VERSION = 1
_TABLE_SECONDS = 60.0
"""Seconds between two tables that are written while cells are left."""


@dataclass(slots=True)
class Sitting:
    """A suite that is being looked at, or run.

    Attributes:
        spec: the suite.
        folder: its folder, which may not be there yet.
        cells: every cell of the suite.
        plan: the chosen ones, worked out.
        results: those of all cells that are finished, by key.
    """

    spec: SuiteSpec
    folder: SuiteFolder
    cells: list[Cell]
    plan: Plan
    results: dict[str, CellResult]

    def run(self, execute: Callable[[Desk], None], audience: Audience, on_note: Callable[[str], None]) -> bool:
        """Run what is left of the plan and write the table; return whether nothing is left.

        Args:
            execute: asks a desk for trials, trains them and tells it, until it has none left or a stop is requested.
            audience: who looks on.
            on_note: is told what was set aside.

        Raises:
            LorapBenchError: another process runs the suite, data are not to be had, or the disk refuses.
        """
        with self.folder.lock():
            self.results = self.folder.results(self.cells)  # another process may have finished cells meanwhile
            impossible = self.folder.manifest()["impossible"] | self.plan.impossible
            keys = {cell.key for cell in self.cells} - {cell.key for cell in self.plan.cells}
            impossible = {key: reason for key, reason in impossible.items() if key in keys}
            self.folder.write_manifest(self.spec.to_mapping(), impossible)
            written = time.monotonic()

            def note(cell: Cell, result: CellResult) -> None:
                nonlocal written
                self.results[cell.key] = result
                audience.on_cell(cell, result)
                if time.monotonic() - written >= _TABLE_SECONDS:
                    self._write_tables(on_note)
                    written = time.monotonic()

            desk = SuiteDesk(self.plan, self.folder, dict(self.results), Audience(note, audience.on_pack))
            try:
                if not desk.done:
                    execute(desk)
            finally:
                desk.close()
                self._write_tables(on_note)
            return all(cell.key in self.results for cell in self.plan.cells)

    def summary(self) -> dict[str, Any]:
        """Return where the chosen cells stand, as plain values ready for JSON."""
        left = asdict(forecast(self.plan, self.results))
        lines = [*map(self._line, self.plan.cells), *map(self._line, self.plan.skipped)]
        states = [line["state"] for line in lines]
        return {
            "schema_version": SUMMARY_VERSION,
            "name": self.spec.name,
            "states": {state: states.count(state) for state in ("done", "failed", "left", "skipped")},
            "forecast": left,
            "cells": lines,
        }

    def _line(self, cell: Cell) -> dict[str, Any]:
        result = self.results.get(cell.key)
        if cell.skipped:
            state, reason = "skipped", cell.skipped
        elif result is None:
            state, reason = "left", ""
        else:
            state = "failed" if result.failed else "done"
            reason = "; ".join(dict.fromkeys(record.reason for record in result.records if record.reason))
        replicas = [{"seed": replica.seed, "fold": replica.fold} for replica in cell.replicas]
        epochs = self.plan.epochs.get(cell.key)
        named = {"key": cell.key, "axes": cell.axes, "state": state, "reason": reason}
        return named | {"replicas": replicas, "epochs": epochs}

    def _write_tables(self, on_note: Callable[[str], None]) -> None:
        for deed in write_tables(self.folder.root, tidy(self.cells, self.results)):
            on_note(deed)


def open_sitting(spec: SuiteSpec, runs: Path, only: Iterable[str]) -> Sitting:
    """Work out a suite's cells; ``only`` chooses among them, as in ``dataset=Cora,scheme=A2Q``.

    Raises:
        ConfigError: an axis or a value is not the suite's, or no cell is left to run.
        MissingResource: data of a chosen cell are not to be had.
        StoreError: the folder cannot be read, or a finished cell in it was changed.
    """
    cells = expand(spec)
    chosen = select(cells, parse_only(spec, only))
    folder = SuiteFolder(runs / spec.name)
    return Sitting(spec, folder, cells, plan(chosen), folder.results(cells))
