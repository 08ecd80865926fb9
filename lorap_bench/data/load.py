"""From a task's configuration to its graphs: the one door to every data set.

Importing this module loads neither torch nor PyG; loading a data set does.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

from lorap_bench.data.families import BY_NAME, COLLECTION, EMBEDDED, TABLE, in_collection, known_family
from lorap_bench.data.raw import Folders
from lorap_bench.errors import ConfigError, Fault, nearest
from lorap_bench.metric import Metric

if TYPE_CHECKING:
    from types import ModuleType

    from torch import Tensor

    from lorap_bench.config import TaskConfig
    from lorap_bench.data.packed import Packed
    from lorap_bench.data.raw import RawSet
    from lorap_bench.data.task import GraphTask, Split

__all__ = [
    "DATASETS",
    "EMBEDDED",
    "FAMILIES",
    "canonical_name",
    "family_of",
    "load_packed",
    "load_task",
    "metric_of",
    "provide",
    "raw_set_of",
    "splits_of",
]

DATASETS = (EMBEDDED, *BY_NAME)
FAMILIES = tuple(family.name for family in TABLE)
_provided: dict[str, Packed] = {}


def load_task(config: TaskConfig) -> GraphTask:
    """Return the task a configuration names; a process reads a data set once.

    Args:
        config: dataset name (``Cora``, ``TUDataset/NCI1``), feature form and fold.

    Raises:
        ConfigError: there is no such data set, or it has no such fold.
        MissingResource: a raw file is missing, damaged or cannot be downloaded.
    """
    name = canonical_name(config.dataset)
    splits = splits_of(name)
    if config.fold >= splits:
        message = f"{name} has one fixed split" if splits == 1 else f"{name} has {splits} splits"
        allowed = "0" if splits == 1 else f"0 … {splits - 1}"
        raise ConfigError([Fault(path="task.fold", message=message, got=config.fold, allowed=allowed)])
    # The embedded set and one that was provided must load whatever the environment says.
    folders = None if name == EMBEDDED or name in _provided else Folders.from_environment()
    return _task(name, config.features, config.fold, folders)


def provide(name: str, packed: Packed) -> None:
    """Let this process take a data set from ``packed`` rather than from a folder, and write to none of it.

    Args:
        name: its canonical name.
        packed: its graphs; other processes may look at the very same memory.
    """
    _provided[name] = packed
    _task.cache_clear()


def canonical_name(dataset: str) -> str:
    """Return a data set's name without its family.

    Raises:
        ConfigError: no data set is called so; names the known ones and the nearest.
    """
    family, slash, rest = dataset.rpartition("/")
    if dataset in DATASETS:
        return dataset
    if slash and rest in BY_NAME and BY_NAME[rest].name == family:
        return rest
    if slash and family == COLLECTION and in_collection(rest):
        return rest
    fault = Fault(
        path="task.dataset",
        message="unknown data set",
        got=dataset,
        allowed=", ".join(DATASETS) + ', or "TUDataset/<name>"',
        suggestion=nearest(rest, DATASETS) or nearest(dataset, DATASETS),
    )
    raise ConfigError([fault])


def family_of(name: str) -> str:
    """Return the family of a canonical name; the embedded set has none."""
    return "" if name == EMBEDDED else known_family(name).name


def metric_of(name: str) -> Metric:
    """Return what predictions on a canonical name are scored by."""
    return Metric.ACCURACY if name == EMBEDDED else known_family(name).metric


def splits_of(name: str) -> int:
    """Return how many splits of a canonical name ``task.fold`` chooses among."""
    return 1 if name == EMBEDDED else known_family(name).splits


def raw_set_of(name: str) -> RawSet:
    """Return the raw files of a canonical name that has a family."""
    raw: RawSet = _loader(name).raw_set(name)
    return raw


@lru_cache(maxsize=4)
def load_packed(name: str, folders: Folders) -> Packed:
    """Return the graphs of a canonical name that has a family, from the cache or from raw files."""
    from lorap_bench.data.cache import cached

    return cached(raw_set_of(name), _loader(name).read, folders)


@lru_cache(maxsize=8)
def _task(name: str, features: str, fold: int, folders: Folders | None) -> GraphTask:
    """Return a task; the arguments are all it depends on."""
    packed = _provided.get(name) or (None if folders is None else load_packed(name, folders))
    task = _embedded() if packed is None else _from_packed(name, packed, fold)
    return replace(task, x=_row_normalized(task.x)) if features == "row_normalized" else task


def _embedded() -> GraphTask:
    """Return the set that needs no raw files."""
    from lorap_bench.data.digits import digits

    return digits()


def _from_packed(name: str, packed: Packed, fold: int) -> GraphTask:
    """Return the task over packed graphs, with the split that the fold chooses."""
    from lorap_bench.data.task import GraphTask

    family = known_family(name)
    return GraphTask(
        name=name,
        level=family.level,
        x=packed.x,
        edge_index=packed.edge_index,
        graph_ptr=packed.graph_ptr,
        y=packed.y,
        splits=_splits(name, packed, fold),
        edge_type=packed.edge_type,
        classes=packed.classes,
        metric=family.metric,
    )


def _splits(name: str, packed: Packed, fold: int) -> dict[Split, Tensor]:
    """Return the one published split, the fold's of several published ones, or the one drawn for the fold."""
    if not packed.splits:
        drawn: dict[Split, Tensor] = _loader(name).fold_splits(packed.y, fold)
        return drawn
    return {
        split: chosen if chosen.dim() == 1 else chosen[fold].nonzero().squeeze(1)
        for split, chosen in packed.splits.items()
    }


def _row_normalized(x: Tensor) -> Tensor:
    """Return each row divided by the sum of its magnitudes; a row of zeros stays."""
    total = x.abs().sum(dim=1, keepdim=True)
    return x / total.where(total > 0, 1.0)


def _loader(name: str) -> ModuleType:
    """Return the module that reads a canonical name's family."""
    return import_module(f"lorap_bench.data.{known_family(name).reader}")
