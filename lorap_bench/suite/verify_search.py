"""Whether the searches of a suite's tuned cells hold what they say, and chose by validation alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lorap_bench.errors import LorapBenchError
from lorap_bench.suite.selection import selection_faults
from lorap_bench.suite.tuning import search_study, tuning_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lorap_bench.record import TrialRecord
    from lorap_bench.suite.cell import Cell
    from lorap_bench.suite.folder import SuiteFolder
    from lorap_bench.suite.result import CellResult

__all__ = ["search_faults"]


def search_faults(folder: SuiteFolder, pairs: Iterable[tuple[Cell, CellResult]]) -> Iterator[str]:
    """Yield what is wrong with the searches of finished cells."""
    for cell, result in pairs:
        if cell.tune is None:
            continue
        try:
            searched = folder.search(cell.key)
        except LorapBenchError as error:
            yield str(error)
            continue
        if searched is None:
            yield f"{cell.name}: its search is not there"
            continue
        study, records = searched
        if study != json.loads(json.dumps(search_study(cell).to_mapping())):
            yield f"{cell.name}: was tuned by another study than its suite's"
        yield from (f"{cell.name}: {fault}" for fault in _faults(cell, result, records))


def _faults(cell: Cell, result: CellResult, records: list[TrialRecord]) -> Iterator[str]:
    found = tuning_of(cell, records)
    if result.tuning != found:
        yield f"says that {result.tuning} was chosen; its search makes {found}"
    for record in records:
        if any(member.test is not None for member in record.members):
            yield f"trial {record.number} was measured on the test split"
        yield from (f"trial {record.number}: {fault}" for fault in selection_faults(record, {}))
    trained = {member.seed for record in records for member in record.members}
    if again := trained.intersection(replica.seed for replica in cell.replicas):
        yield f"its search trained with seeds that it is looked at with: {sorted(again)}"
