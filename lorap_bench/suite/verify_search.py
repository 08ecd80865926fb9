"""Whether the searches of a suite's tuned cells hold what they say, and chose by validation alone."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lorap_bench.config import TrialConfig
from lorap_bench.data.load import canonical_name, metric_of
from lorap_bench.errors import ConfigError, LorapBenchError
from lorap_bench.record import Status
from lorap_bench.study.space import overlay
from lorap_bench.study.spec import StudySpec
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
        if not _is_study_of(cell, study):
            yield f"{cell.name}: was tuned by another study than its suite's"
        yield from (f"{cell.name}: {fault}" for fault in _faults(cell, result, records))


def _is_study_of(cell: Cell, study: dict[str, Any]) -> bool:
    """Whether a stored study is the cell's: by its identity, which leaves out the defaults of later versions."""
    wanted = search_study(cell)
    try:
        found = StudySpec.from_mapping(study)
    except ValidationError:
        return False
    return (found.identity, found.budget, found.name) == (wanted.identity, wanted.budget, wanted.name)


def _faults(cell: Cell, result: CellResult, records: list[TrialRecord]) -> Iterator[str]:
    for record in records:
        yield from (f"trial {record.number}: {fault}" for fault in _faults_of_trial(cell, record))
    yield from _choice(cell, result, records)
    trained = {member.seed for record in records for member in record.members}
    if again := trained.intersection(replica.seed for replica in cell.replicas):
        yield f"its search trained with seeds that it is looked at with: {sorted(again)}"


def _faults_of_trial(cell: Cell, record: TrialRecord) -> Iterator[str]:
    if any(member.test is not None for member in record.members):
        yield "was measured on the test split"
    try:
        config = overlay(cell.config, record.params)
    except ConfigError:  # a point that makes no configuration was answered without training
        config = cell.config
    if record.status is Status.COMPLETE and TrialConfig.from_mapping(record.config) != config:
        yield "its configuration is not what its point makes of the cell's"
    yield from selection_faults(record, {})


def _choice(cell: Cell, result: CellResult, records: list[TrialRecord]) -> Iterator[str]:
    """Yield what differs between the search that a cell tells of and the one that is kept."""
    metric = metric_of(canonical_name(cell.config.task.dataset))
    figures = [record.objectives.get(metric) for record in records if record.status is Status.COMPLETE]
    if not all(isinstance(figure, float) for figure in figures):
        yield f"a complete trial of its search has no {metric}: what is best cannot be told"
        return
    told, found = asdict(result.tuning) if result.tuning else {}, asdict(tuning_of(cell, records))
    if told and TrialConfig.from_mapping(told["base"]) == cell.config:
        told["base"] = found["base"]  # written by a version that had fewer fields
    if differ := [name for name, value in found.items() if told.get(name) != value]:
        one, other = ({name: values.get(name) for name in differ} for values in (told, found))
        yield f"says of its search {one}; its search makes {other}"
