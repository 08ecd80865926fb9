"""What `lorap-bench data` tells: which sets there are, making them ready, and whether their files are whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from lorap_bench.config import TaskConfig
from lorap_bench.data.families import EMBEDDED, known_family
from lorap_bench.data.load import DATASETS, canonical_name, family_of, load_task, raw_set_of
from lorap_bench.data.raw import Folders, locate, present, processed_path, unpack
from lorap_bench.errors import MissingResource

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DatasetInfo", "DatasetSummary", "Verification", "list_datasets", "prepare", "verify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInfo:
    """One data set that can be named, and where it would come from now."""

    name: str
    family: str
    level: Literal["node", "graph"]
    place: Literal["embedded", "mirror", "cache", "download", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSummary:
    """The figures of a data set that is ready; ``edges`` counts both directions."""

    name: str
    level: Literal["node", "graph"]
    graphs: int
    nodes: int
    edges: int
    features: int
    classes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """How a set's raw files were found.

    ``files`` counts them, ``compared`` those with a known checksum to agree with, ``problem`` says
    what is wrong (empty: nothing). ``state`` is ``whole`` only where every file was compared.
    """

    name: str
    files: int
    compared: int = 0
    problem: str = ""

    @property
    def state(self) -> Literal["embedded", "whole", "partly checked", "unchecked", "damaged"]:
        """Return what is known of the files; ``damaged`` also where one is missing."""
        if self.problem:
            return "damaged"
        if self.name == EMBEDDED:
            return "embedded"
        if not self.compared:
            return "unchecked"
        return "whole" if self.compared >= self.files else "partly checked"


def list_datasets() -> tuple[DatasetInfo, ...]:
    """Return every data set with a name of its own; ``TUDataset/<name>`` reaches further ones."""
    folders = Folders.from_environment()
    return tuple(
        DatasetInfo(
            name=name,
            family=family_of(name),
            level="graph" if name == EMBEDDED else known_family(name).level,
            place=_place(name, folders),
        )
        for name in DATASETS
    )


def prepare(names: Iterable[str]) -> tuple[DatasetSummary, ...]:
    """Read every set once, so that later runs find it in the cache, and return its figures.

    Raises:
        ConfigError: there is no such data set.
        MissingResource: a raw file is missing, damaged or cannot be downloaded.
    """
    tasks = [load_task(TaskConfig(dataset=name)) for name in names]
    return tuple(
        DatasetSummary(
            name=task.name,
            level=task.level,
            graphs=len(task.graph_ptr) - 1,
            nodes=len(task.x),
            edges=task.edge_index.shape[1],
            features=task.x.shape[1],
            classes=task.classes,
        )
        for task in tasks
    )


def verify(names: Iterable[str]) -> tuple[Verification, ...]:
    """Check the raw files of every set against the checksums known, and that archives open; a fault is told.

    Raises:
        ConfigError: there is no such data set.
    """
    folders = Folders.from_environment()
    return tuple(_verified(name, folders) for name in [canonical_name(name) for name in names])


def _place(name: str, folders: Folders) -> Literal["embedded", "mirror", "cache", "download", "missing"]:
    """Return where a set would come from, without reading its files."""
    if name == EMBEDDED:
        return "embedded"
    if folders.mirror is not None and present(name, folders.mirror):
        return "mirror"
    if processed_path(name, folders).is_file():
        return "cache"
    return "download" if folders.mirror is None and known_family(name).downloads else "missing"


def _verified(name: str, folders: Folders) -> Verification:
    """Return how one set's raw files were found."""
    if name == EMBEDDED:
        return Verification(name=name, files=0)
    if folders.mirror is None:
        found = processed_path(name, folders).is_file()
        return Verification(name=name, files=int(found), problem="" if found else "not in the cache; prepare it")
    try:
        source = locate(raw_set_of(name), folders.mirror)
        if source is not None and source.is_archive:
            with TemporaryDirectory() as scratch:
                unpack(raw_set_of(name), source.path, Path(scratch))
    except MissingResource as error:
        return Verification(name=name, files=0, problem=str(error))
    if source is None:
        return Verification(name=name, files=0, problem=f"not in the raw-data mirror {folders.mirror}")
    return Verification(name=name, files=len(source.sums), compared=source.compared)
