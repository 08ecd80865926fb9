"""The one place that joins names to the things behind them, and a study to its folder.

Importing this module loads no heavy library; its functions do.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lorap_bench.errors import ConfigError, Fault, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.cost.shape import TaskShape
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.catalog import Catalog
    from lorap_bench.study.spec import StudySpec
    from lorap_bench.suite.folder import SuiteFolder

__all__ = ["Found", "catalog", "find_folder", "find_suite", "open_study", "read_study", "stored_study", "task_shape"]


@dataclass(frozen=True, slots=True)
class Found:
    """A study as written, its folder if this very study has one, and whether it was read from there."""

    spec: StudySpec
    folder: StudyFolder | None = None
    stored: bool = False

    def begin(self, runs: Path) -> tuple[StudyFolder, StudySpec]:
        """Return its folder, made if there is none, and the study with its budget as extended.

        Raises:
            StoreError: there is another study of this name under ``runs``, or the folder cannot be made.
        """
        from lorap_bench.store.folder import StudyFolder
        from lorap_bench.study.extension import extended

        folder = self.folder
        if folder is None or not self.stored:
            folder = StudyFolder.create(runs, self.spec.to_mapping(), self.spec.identity)
        return folder, extended(self.spec, folder.manifest.extension)


def catalog() -> Catalog:
    """Return every name that a study file may use."""
    from lorap_bench.cost.site import COMPONENTS
    from lorap_bench.data.load import DATASETS, FAMILIES, metric_of
    from lorap_bench.metric import Metric
    from lorap_bench.models import ARCHS
    from lorap_bench.prompts import PROMPTS
    from lorap_bench.quant import SCHEMES
    from lorap_bench.search.sampler import SAMPLERS
    from lorap_bench.study.catalog import Catalog

    return Catalog(
        datasets=DATASETS,
        families=FAMILIES,
        metrics={name: metric for name in DATASETS if (metric := metric_of(name)) is not Metric.ACCURACY},
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
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.file import study_name

    folder = find_folder(study, runs) or StudyFolder.open(runs, study_name(Path(study)))
    return folder, stored_study(folder)


def find_folder(study: str, runs: Path) -> StudyFolder | None:
    """Return the folder that a study's name or path means; None: it is a study file.

    A name means a study under ``runs`` before a folder here.

    Raises:
        StoreError: it is neither, or the folder is damaged.
    """
    from lorap_bench.store.access import access
    from lorap_bench.store.folder import StudyFolder

    path = Path(study)
    is_name = path.name == study and path.suffix != ".toml"
    if not (is_name and StudyFolder.known(runs, study)) and path.name and StudyFolder.known(path.parent, path.name):
        return StudyFolder.open(path.parent, path.name)
    with access(path):
        is_file = path.suffix == ".toml" or path.is_file()
    return None if is_file else StudyFolder.open(runs, study)


def find_suite(suite: str, runs: Path) -> SuiteFolder | None:
    """Return the folder that a suite's name, path or file means; None where no suite lies there.

    A name means a suite under ``runs`` before a folder here.

    Raises:
        ConfigError: it is a file that cannot be read or has no name.
        StoreError: a folder does not let itself be asked.
    """
    from lorap_bench.store.access import access
    from lorap_bench.study.file import study_name
    from lorap_bench.suite.folder import SuiteFolder

    path = Path(suite)
    with access(path):
        is_file = path.suffix == ".toml" and path.is_file()
    places = [runs / study_name(path)] if is_file else [runs / suite, path]
    return next((folder for place in places if (folder := SuiteFolder(place)).there), None)


def stored_study(folder: StudyFolder, *, written: bool = False) -> StudySpec:
    """Return the study of a folder with its budget as extended; or, if asked for, as ``written`` in its file.

    Raises:
        StoreError: ``study.json`` is damaged, or of another version.
    """
    from pydantic import ValidationError

    from lorap_bench.study.extension import extended
    from lorap_bench.study.spec import StudySpec

    manifest = folder.manifest
    try:
        spec = StudySpec.from_mapping(manifest.spec)
    except ValidationError as error:
        message = f"study.json does not fit this version ({error.error_count()} faults)"
        raise StoreError(message, where=str(folder.root)) from error
    return spec if written else extended(spec, manifest.extension)


def read_study(study: str, settings: Sequence[str], runs: Path) -> Found:
    """Return a study from a file with its overrides, or as it was stored.

    Raises:
        ConfigError: the file has faults, or overrides are given for a study that is not read from a file.
        StoreError: there is no such study, or its folder is damaged.
    """
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.file import load_study

    folder = find_folder(study, runs)
    if folder is not None:
        if settings:
            message = "goes with a study file; a study's name goes on with what is stored, and `extend` adds to it"
            raise ConfigError([Fault(path="--set", message=message, got=settings[0])], where=study)
        return Found(stored_study(folder, written=True), folder, stored=True)
    spec = load_study(Path(study), catalog=catalog(), overrides=settings)
    if not StudyFolder.known(runs, spec.name):
        return Found(spec)
    folder = StudyFolder.open(runs, spec.name)
    return Found(spec, folder if stored_study(folder).identity == spec.identity else None)
