"""The sizes of a task that costs depend on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["TaskShape"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskShape:
    """Sizes of one inference: the whole graph (node level), or the data set's mean graph (graph level).

    Units: nodes and edges (both directions, no self-loops) are counts, fractional for a mean graph;
    ``binary`` says that every raw feature is 0 or 1, ``two_valued`` that each row holds zeros and one
    other value, ``nonnegative`` that none is below 0; ``relations`` is how many relations the edges are of.
    """

    name: str
    level: Literal["node", "graph"]
    nodes: float
    edges: float
    features: int
    classes: int
    binary: bool
    two_valued: bool = False
    nonnegative: bool = False
    relations: int = 1
