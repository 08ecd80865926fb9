"""The table's rows in order, each with its goal and what measures it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.table import gpu, pieces, training
from benchmarks.table.row import Goal
from lorap_bench.errors import ConfigError, Fault, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.table.row import Row, Settings

    Measured = tuple[Goal, Callable[[Goal, Settings], Row]]

__all__ = ["ROWS", "choose"]

_MINUTE = "per minute"


def _goals(name: str, measure: str, *bounds: tuple[int, float | None, float | None], **more: str | bool) -> list[Goal]:
    """Return one goal a hidden width: bounds are (width, floor, aim)."""
    return [
        Goal(name=f"{name}-{hidden}", measure=f"{measure}, hidden {hidden}", floor=floor, aim=aim, **more)  # type: ignore[arg-type]  # the goal's own fields
        for hidden, floor, aim in bounds
    ]


def _by_width(goals: list[Goal], measure: Callable[..., Row]) -> list[Measured]:
    return [(goal, partial(measure, hidden=int(goal.name.rpartition("-")[2]))) for goal in goals]


ROWS: list[Measured] = [
    *_by_width(
        _goals("trials", "trial-seeds, INT4 QAT + LoRAP", (16, 40, 100), (64, 12, 30), figure=_MINUTE), training.trials
    ),
    *_by_width(
        _goals("step", "QAT + LoRAP step / PyG FP32 step", (16, 0.3, 0.1), (64, 0.5, 0.15), at_most=True),
        training.full_precision,
    ),
    *_by_width(_goals("dq", "Degree-Quant step", (16, 15, 40), (64, 10, 20)), training.degree_quant),
    *_by_width(
        _goals("dq-messages", "Degree-Quant step, messages quantized", (16, None, None), (64, None, None)),
        partial(training.degree_quant, messages=True),
    ),
    *_by_width(_goals("mixq", "MixQ {2,4,8} search step, penalty", (64, 15, 40)), training.mixq),
    *_by_width(_goals("a2q", "A²Q step", (16, 10, 25)), training.a2q),
    (
        Goal(name="percentile", measure="exact percentile, 13,000 × 64", floor=15, aim=40),
        pieces.percentile,
    ),
    (
        Goal(
            name="gin",
            measure=f"GIN INT8 DQ, {training.GRAPHS} graphs of REDDIT-BINARY",
            floor=4,
            aim=8,
        ),
        training.graph_level,
    ),
    *_by_width(
        _goals("gpf", "trial-seeds, INT4 QAT + GPFLoRAP", (16, 6, 15), (64, 4, 8), figure=_MINUTE),
        partial(training.trials, prompt="GPFLoRAP"),
    ),
    *_by_width(
        _goals("reference", "trial-seeds, reference backend", (16, 4, 6), (64, 2.5, 4), figure=_MINUTE),
        training.reference,
    ),
    *_by_width(
        _goals("lorap-share", "LoRAP's share of a QAT step (naive: without)", (64, 20, 10), at_most=True, unit="%"),
        training.prompt_share,
    ),
    *_by_width(
        _goals("memory", "memory of an extra member", (64, 12, None), at_most=True, figure="MiB", unit="MiB"),
        pieces.memory,
    ),
    (
        Goal(name="gpu-cohort", measure="GPU: captured cohort's step over eager naive, hidden 64", floor=50, aim=200),
        partial(gpu.on_device, function="cohort"),
    ),
    (
        Goal(
            name="gpu-injection",
            measure="GPU: fused LoRAP over three products, 169,343 × 256",
            floor=2,
            aim=None,
        ),
        partial(gpu.on_device, function="injection"),
    ),
]


def choose(names: Sequence[str]) -> list[Measured]:
    """Return the rows of these names, or of these beginnings of names (``dq``: all of Degree-Quant's); none: all.

    Raises:
        ConfigError: a name stands for no row.
    """
    known = [goal.name for goal, _ in ROWS]
    faults = [
        Fault(
            path="--rows",
            message="no such row",
            got=name,
            allowed=", ".join(known),
            suggestion=nearest(name, known),
        )
        for name in names
        if not any(_stands_for(name, row) for row in known)
    ]
    if faults:
        raise ConfigError(faults)
    return [row for row in ROWS if not names or any(_stands_for(name, row[0].name) for name in names)]


def _stands_for(name: str, row: str) -> bool:
    return row == name or row.startswith(f"{name}-")
