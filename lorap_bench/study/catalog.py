"""The names a study file may use, handed in by whoever knows the things behind them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from lorap_bench.errors import Fault, nearest
from lorap_bench.metric import Metric

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["Accepts", "Catalog"]

_STRANGER = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class Accepts(Protocol):
    """What an argument takes; its text says so in words."""

    def takes(self, value: object) -> bool:
        """Return whether the argument takes ``value``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Names of datasets, architectures, schemes, prompts, samplers and quantized components.

    ``families`` are prefixes that reach a dataset which is not listed (``TUDataset/NCI1``).
    ``metrics`` gives the metric of each dataset that is scored by another than accuracy, ``sampler_arguments`` the
    arguments of each sampler, by name.
    """

    datasets: Collection[str]
    archs: Collection[str]
    schemes: Collection[str]
    prompts: Collection[str]
    samplers: Collection[str]
    components: Collection[str]
    families: Collection[str] = ()
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    sampler_arguments: Mapping[str, Mapping[str, Accepts]] = field(default_factory=dict)

    def fault(self, path: str, name: object, *, where: str) -> Fault | None:
        """Return what is wrong with ``name`` at configuration path ``path``; None when it is known.

        Paths that hold no catalogued name, and values that are no text, are never at fault here.
        """
        kinds = {
            "task.dataset": ("dataset", self.datasets),
            "model.arch": ("architecture", self.archs),
            "quant.scheme": ("scheme", self.schemes),
            "prompt.kind": ("prompt", self.prompts),
            "search.sampler": ("sampler", self.samplers),
        }
        if path not in kinds or not isinstance(name, str):
            return None
        kind, known = kinds[path]
        if name in known or self._reaches_out(path, name):
            return None
        return self.unknown(kind, name, known, where=where, more=self._other_forms(path))

    def metric_fault(self, name: str, dataset: str, *, where: str) -> Fault | None:
        """Return what is wrong with scoring ``dataset`` by the metric called ``name``; None for what is no metric."""
        metric = self.metrics.get(dataset.rpartition("/")[2], Metric.ACCURACY)
        if name == metric.value or name not in set(Metric):
            return None
        kind = "values are" if metric.target == "value" else "classes are"
        return Fault(path=where, message=f"{kind} predicted on {dataset}", got=name, allowed=metric.value)

    def component_fault(self, name: str, *, where: str) -> Fault | None:
        """Return what is wrong with the name of a quantized component; None when it is known."""
        return None if name in self.components else self.unknown("component", name, self.components, where=where)

    def argument_faults(self, sampler: object, arguments: Mapping[str, Any], *, where: str) -> list[Fault]:
        """Return the faults of a sampler's arguments (none for an unknown sampler)."""
        known = self.sampler_arguments.get(sampler) if isinstance(sampler, str) else None
        if known is None:
            return []
        faults = []
        for name, value in arguments.items():
            path = f"{where}.{name}"
            if name not in known:
                faults.append(self.unknown(f"argument of {sampler}", name, known, where=path))
            elif not known[name].takes(value):
                faults.append(Fault(path=path, message="wrong value", got=value, allowed=str(known[name])))
        return faults

    @staticmethod
    def unknown(kind: str, name: str, known: Collection[str], *, where: str, more: str = "") -> Fault:
        """Return the fault of a name that is not in ``known``, with the names and the nearest."""
        allowed = ", ".join([*sorted(known), *filter(None, [more])]) or "none"
        message = f"unknown {kind}"
        return Fault(path=where, message=message, got=name, allowed=allowed, suggestion=nearest(name, known))

    def _reaches_out(self, path: str, name: str) -> bool:
        if path == "task.dataset":
            family, _, rest = name.partition("/")
            return bool(rest) and family in self.families
        return path != "search.sampler" and _STRANGER.fullmatch(name) is not None

    def _other_forms(self, path: str) -> str:
        if path == "task.dataset":
            return ", ".join(f'"{family}/<name>"' for family in sorted(self.families))
        return "" if path == "search.sampler" else '"package.module:Class"'
