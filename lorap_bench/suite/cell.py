"""A cell of a suite: where it stands on the axes, what is trained there, and how often."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from lorap_bench.config import TrialConfig, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Cell", "Replica", "key_of"]


class Replica(NamedTuple):
    """One training of a cell: its seed, and the fold of the data (0 where there are none)."""

    seed: int
    fold: int


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One point of the product.

    Attributes:
        axes: axis, by its name in the file → value.
        config: the configuration, overrides laid in; its fold is that of the first replica.
        replicas: its trainings.
        skipped: why it is not run; empty where it is.
    """

    axes: dict[str, Any]
    config: TrialConfig
    replicas: tuple[Replica, ...]
    skipped: str = ""

    @cached_property
    def key(self) -> str:
        """What the cell's record is kept under."""
        return key_of(self.config, self.replicas)

    @property
    def name(self) -> str:
        """Return the values of its axes, for a reader."""
        return " ".join(str(value) for value in self.axes.values())

    def requests(self) -> list[tuple[TrialConfig, tuple[int, ...]]]:
        """Return what to train: a configuration for each fold, with its seeds."""
        seeds: dict[int, list[int]] = {}
        for replica in self.replicas:
            seeds.setdefault(replica.fold, []).append(replica.seed)
        return [(_with_fold(self.config, fold), tuple(of_fold)) for fold, of_fold in seeds.items()]


def _with_fold(config: TrialConfig, fold: int) -> TrialConfig:
    """Return a configuration on another fold."""
    return replace(config, task=replace(config.task, fold=fold))


def key_of(config: TrialConfig, replicas: Iterable[Replica]) -> str:
    """Return the digest of a configuration, its defaults left out, and of its replicas.

    So a field that a later version adds changes no key of a cell that does not use it.
    """
    return digest_of({"config": _told(config), "replicas": [list(replica) for replica in replicas]})


def _told(config: TrialConfig) -> dict[str, Any]:
    default: Mapping[str, Any] = TrialConfig().to_mapping()
    told = {
        section: {name: value for name, value in values.items() if value != default[section][name]}
        for section, values in config.to_mapping().items()
    }
    return {section: values for section, values in told.items() if values}
