"""Rows about one piece: the exact percentile, the memory of a member."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from benchmarks.bench_memory import cell
from benchmarks.table.row import Row
from benchmarks.timing import interleave
from lorap_bench.kernels.backend import kernels

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.table.row import Goal, Settings

__all__ = ["memory", "percentile"]

SHAPE, FRACTION, STEPS = (13_000, 64), 0.001, 8
FEW, MANY = 1, 11


def percentile(goal: Goal, settings: Settings) -> Row:
    """The exact 0.1 % and 99.9 % order statistics of a tensor that drifts, as activations do from step to step."""
    drift = _drifting(torch.Generator().manual_seed(0))
    own, other = partial(_each, _selected, drift), partial(_each, _kth, drift)
    equal = all(torch.equal(ours, theirs) for ours, theirs in zip(own(), other(), strict=True))
    timings = interleave({"own": own, "other": other}, rounds=settings.rounds, repeats=settings.repeats)
    milliseconds = {name: 1e3 * timing.median / STEPS for name, timing in timings.items()}
    return Row(
        goal=goal,
        ours=milliseconds["own"],
        other=milliseconds["other"],
        # A fast wrong answer is no answer: NaN meets no bound.
        result=milliseconds["other"] / milliseconds["own"] if equal else float("nan"),
        note="" if equal else "not bit-equal",
        details={"our spread": timings["own"].spread, "naive spread": timings["other"].spread},
    )


def memory(goal: Goal, _settings: Settings, *, hidden: int) -> Row:
    """What a member more adds to the peak resident memory, each size in a process of its own."""
    few, many = (cell(hidden, members) for members in (FEW, MANY))
    each = (many - few) / (MANY - FEW)
    return Row(goal=goal, ours=each, result=each, details={f"peak MiB, {FEW}": few, f"peak MiB, {MANY}": many})


def _drifting(generator: torch.Generator) -> list[Tensor]:
    x = torch.randn(SHAPE, generator=generator)
    return [x + 0.01 * step * torch.randn(SHAPE, generator=generator) for step in range(STEPS)]


def _each(select: Callable[[Tensor], Tensor], drift: list[Tensor]) -> list[Tensor]:
    return [select(x) for x in drift]


def _selected(x: Tensor) -> Tensor:
    fractions = torch.tensor([FRACTION], dtype=torch.float64)
    return torch.cat(kernels().percentile_range(x.unsqueeze(0), fractions, largest=FRACTION))


def _kth(x: Tensor) -> Tensor:
    values, place = x.flatten(), int(FRACTION * x.numel())
    return torch.stack([values.kthvalue(place).values, values.kthvalue(values.numel() - place + 1).values])
