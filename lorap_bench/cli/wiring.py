"""The one place that joins names to the things behind them, and a study to its folder.

Importing this module loads no heavy library; its functions do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lorap_bench.errors import StoreError

if TYPE_CHECKING:
    from lorap_bench.cost.shape import TaskShape
    from lorap_bench.record import TrialRecord
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.catalog import Catalog
    from lorap_bench.study.spec import StudySpec

__all__ = ["catalog", "finished_records", "open_study", "task_shape"]


def catalog() -> Catalog:
    """Return every name that a study file may use."""
    from lorap_bench.cost.site import COMPONENTS
    from lorap_bench.data.load import DATASETS, FAMILIES
    from lorap_bench.models import ARCHS
    from lorap_bench.prompts import PROMPTS
    from lorap_bench.quant import SCHEMES
    from lorap_bench.search.sampler import SAMPLERS
    from lorap_bench.study.catalog import Catalog

    return Catalog(
        datasets=DATASETS,
        families=FAMILIES,
        archs=tuple(ARCHS),
        schemes=tuple(SCHEMES),
        prompts=tuple(PROMPTS),
        components=COMPONENTS,
        samplers=tuple(SAMPLERS),
        sampler_arguments=SAMPLERS,
    )


def task_shape(spec: StudySpec) -> TaskShape:
    """Return the sizes of a study's task, from which costs follow.

    Raises:
        MissingResource: the data are not there.
    """
    from lorap_bench.data.load import load_task
    from lorap_bench.models.blueprint import shape_of

    return shape_of(load_task(spec.base.task))


def open_study(study: str, runs: Path) -> tuple[StudyFolder, StudySpec]:
    """Return the folder and the study as it was run, from a study file, a name or a study's folder.

    Raises:
        ConfigError: the study file cannot be read or has no name.
        StoreError: there is no such study under ``runs``, or its folder is damaged.
    """
    from pydantic import ValidationError

    from lorap_bench.store.access import access
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.file import study_name
    from lorap_bench.study.spec import StudySpec

    path = Path(study)
    is_name = path.name == study and path.suffix != ".toml"  # a name means a study under `runs` before a folder here
    if not (is_name and StudyFolder.known(runs, study)) and StudyFolder.known(path.parent, path.name):
        folder = StudyFolder.open(path.parent, path.name)
    else:
        with access(path):
            is_file = path.suffix == ".toml" or path.is_file()
        folder = StudyFolder.open(runs, study_name(path) if is_file else study)
    try:
        return folder, StudySpec.from_mapping(folder.spec_mapping())
    except ValidationError as error:
        message = f"study.json does not fit this version ({error.error_count()} faults)"
        raise StoreError(message, where=str(folder.root)) from error


def finished_records(spec: StudySpec, runs: Path) -> list[TrialRecord]:
    """Return the records of this very study under ``runs``; none where it has not run yet."""
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.spec import StudySpec

    if not StudyFolder.known(runs, spec.name):
        return []
    folder = StudyFolder.open(runs, spec.name)
    same = StudySpec.from_mapping(folder.spec_mapping()).identity == spec.identity
    return folder.records() if same else []
