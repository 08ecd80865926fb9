"""A cell of a suite: where it stands on the axes, what is trained there, and how often."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from lorap_bench.config import TrialConfig, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lorap_bench.suite.spec import TuneSpec

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
        tune: the search that it is tuned by first; None: it is trained as it is.
        skipped: why it is not run; empty where it is.
    """

    axes: dict[str, Any]
    config: TrialConfig
    replicas: tuple[Replica, ...]
    tune: TuneSpec | None = None
    skipped: str = ""

    @cached_property
    def key(self) -> str:
        """What the cell's record is kept under."""
        return key_of(self.config, self.replicas, None if self.tune is None else self.tune.to_mapping())

    @property
    def name(self) -> str:
        """Return the values of its axes, for a reader."""
        return " ".join(str(value) for value in self.axes.values())

    def requests(self, config: TrialConfig | None = None) -> list[tuple[TrialConfig, tuple[int, ...]]]:
        """Return what to train: a configuration (the cell's own, or as it was tuned) for each fold, with its seeds."""
        seeds: dict[int, list[int]] = {}
        for replica in self.replicas:
            seeds.setdefault(replica.fold, []).append(replica.seed)
        return [(_with_fold(config or self.config, fold), tuple(of_fold)) for fold, of_fold in seeds.items()]


def _with_fold(config: TrialConfig, fold: int) -> TrialConfig:
    """Return a configuration on another fold."""
    return replace(config, task=replace(config.task, fold=fold))


def key_of(config: TrialConfig, replicas: Iterable[Replica], tune: Mapping[str, Any] | None) -> str:
    """Return the digest of a configuration, its defaults left out, of its replicas, and of the search if there is one.

    So a field that a later version adds changes no key of a cell that does not use it.
    """
    told = {"config": _told(config), "replicas": [list(replica) for replica in replicas]}
    return digest_of(told if tune is None else told | {"tune": dict(tune)})


def _told(config: TrialConfig) -> dict[str, Any]:
    default: Mapping[str, Any] = TrialConfig().to_mapping()
    told = {
        section: {name: value for name, value in values.items() if value != default[section][name]}
        for section, values in config.to_mapping().items()
    }
    return {section: values for section, values in told.items() if values}
