"""Pure statistics over study results: fronts, hypervolume, intervals. No torch, no files."""

from __future__ import annotations

from lorap_bench.stats.front import (
    REFERENCE,
    Reference,
    box_hypervolume,
    box_hypervolume_history,
    front_mask,
    hypervolume,
)
from lorap_bench.stats.intervals import Interval, t_interval
from lorap_bench.stats.paired import paired_differences, paired_interval

__all__ = [
    "REFERENCE",
    "Interval",
    "Reference",
    "box_hypervolume",
    "box_hypervolume_history",
    "front_mask",
    "hypervolume",
    "paired_differences",
    "paired_interval",
    "t_interval",
]
