"""A published figure as a value: what was measured, how, at which widths, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

from lorap_bench.metric import Metric

__all__ = ["Definition", "Metric", "Protocol", "PublishedResult", "Reliability"]


class Definition(StrEnum):
    """What a paper's average bits are an average of."""

    UNIFORM = "uniform"
    A2Q = "A2Q: node mean of inputs"
    MIXQ = "MixQ: mean over quantizers"
    UNKNOWN = "not stated"

    @property
    def cost(self) -> str:
        """Return the cost of ours that counts alike, empty for none; one width everywhere is any definition's mean."""
        return _COSTS[self]


_COSTS = {
    Definition.UNIFORM: "bits_mixq",
    Definition.A2Q: "bits_a2q",
    Definition.MIXQ: "bits_mixq",
    Definition.UNKNOWN: "",
}


class Reliability(StrEnum):
    """Where a figure was seen: in the log of a run, on a page or in a comment, or nowhere again since it was read."""

    LOG = "log"
    PAGE = "page"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """How a figure was measured; None where that is not stated.

    Attributes:
        split: the split of a single graph: ``public`` (Planetoid's) or ``official`` (OGB's).
        folds: over how many folds of a cross-validation it is a mean.
        selection: what chose the reported epoch or allocation: ``validation`` or ``test``.
        data: the ``full`` set, or the ``cleaned`` one without repeated graphs.
        pool: how graphs are pooled.
        hidden: width of the hidden layers.
        layers: number of layers.
    """

    split: str | None = None
    folds: int | None = None
    selection: str | None = None
    data: str | None = None
    pool: str | None = None
    hidden: int | None = None
    layers: int | None = None

    def __str__(self) -> str:
        known = ((field.name, getattr(self, field.name)) for field in fields(self))
        return ", ".join(f"{name} {value}" for name, value in known if value is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedResult:
    """One figure of a paper, or of the code and logs beside it.

    ``framework``, ``prompt`` and ``arch`` are our names where it is one of ours. ``value`` and ``std`` are
    fractions for accuracies; ``std`` is over ``runs`` where both are known. ``average_bits`` is None where it is
    not stated, and counted as ``definition`` says. ``line`` is the line of the table.
    """

    paper: str
    framework: str
    prompt: str
    arch: str
    dataset: str
    metric: Metric
    bits: str
    average_bits: float | None
    definition: Definition
    value: float
    std: float | None
    runs: int | None
    protocol: Protocol
    source: str
    reliability: Reliability
    note: str
    line: int
