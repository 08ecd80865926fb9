"""The report of a suite, from its folder alone."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from lorap_bench.report.provenance import redact, study_toml
from lorap_bench.report.suite.entry import Entry
from lorap_bench.report.suite.material import SuiteMaterial
from lorap_bench.report.suite.write import write_suite_report
from lorap_bench.report.write import as_typed
from lorap_bench.suite.expand import expand
from lorap_bench.suite.stored import stored_suite
from lorap_bench.suite.table import tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lorap_bench.suite.cell import Cell
    from lorap_bench.suite.folder import SuiteFolder
    from lorap_bench.suite.result import CellResult

__all__ = ["report_suite"]


def report_suite(
    folder: SuiteFolder,
    out: Path,
    formats: Sequence[str] = (),
    on_note: Callable[[str], None] = lambda _: None,
    *,
    unverified: bool = False,
) -> Path:
    """Write the report of what a suite's folder holds, finished or not; return the path of the page, else the folder.

    Args:
        folder: the suite's.
        out: where the report goes; the folder is made if there is none.
        formats: as ``write_suite_report`` takes them.
        on_note: is told what older files lie in ``out``.
        unverified: also show published figures that nobody could check.

    Raises:
        StoreError: the suite's folder is damaged, a cell in it was changed, or ``out`` cannot be written.
        ConfigError: a format is not known.
        MissingResource: pictures are asked for, and what draws them is not there.
    """
    spec, impossible = stored_suite(folder)
    cells = expand(spec)
    results = folder.results(cells)
    material = SuiteMaterial(
        name=spec.name,
        description=spec.description,
        text=study_toml(spec.to_mapping()),
        file=as_typed(out / f"{spec.name}.toml"),
        folder=as_typed(folder.root),
        entries=tuple(_entry(cell, results.get(cell.key), impossible.get(cell.key, "")) for cell in cells),
        unverified=unverified,
    )
    rows = tidy(cells, results)
    rows["reason"] = [redact(text) for text in rows["reason"]]
    return write_suite_report(material, rows, out, formats, on_note)


def _entry(cell: Cell, result: CellResult | None, impossible: str) -> Entry:
    """Return a cell as its report sees it; one that was trained is not skipped, whatever the suite says now."""
    return Entry(
        axes=cell.axes,
        config=cell.config.to_mapping(),
        trainings=len(cell.replicas),
        skipped="" if result is not None else cell.skipped or impossible,
        records=() if result is None else result.records,
        costs=() if result is None else result.costs,
        tuning=None if result is None or result.tuning is None else asdict(result.tuning),
    )
