"""What a result of ours was measured on, in the words of the published table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lorap_bench.published.result import Metric, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Setting"]

_PUBLIC = frozenset({"Cora", "CiteSeer", "PubMed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Task, model, scheme and protocol of one result of ours; ``costs`` are its figures by name."""

    dataset: str
    arch: str
    framework: str
    prompt: str
    costs: Mapping[str, float]
    metric: Metric = Metric.ACCURACY
    protocol: Protocol

    @classmethod
    def of(
        cls,
        config: Mapping[str, Any],
        costs: Mapping[str, float],
        *,
        folds: int = 1,
        metric: Metric = Metric.ACCURACY,
    ) -> Setting:
        """Return the setting of a trial from its complete configuration and its costs.

        MixQ with Degree-Quant's protection goes by its published name, ``MixQ+DQ``. Epochs are chosen on validation
        and data are never cleaned. ``folds``: over how many folds the result is a mean; a trial trains on one.
        """
        task, model, quant = config["task"], config["model"], config["quant"]
        protected = quant["scheme"] == "MixQ" and quant.get("protect", False)
        split = "public" if task["dataset"] in _PUBLIC else None
        return cls(
            dataset=task["dataset"],
            arch=model["arch"],
            framework="MixQ+DQ" if protected else quant["scheme"],
            prompt=config["prompt"]["kind"],
            costs=costs,
            metric=metric,
            protocol=Protocol(
                split=split,
                folds=folds,
                selection="validation",
                data="full",
                pool=model.get("readout"),
                hidden=model.get("hidden"),
                layers=model.get("layers"),
            ),
        )
