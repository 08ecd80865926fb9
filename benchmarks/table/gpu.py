"""Rows that need a CUDA device: what ``benchmarks.bench_gpu`` measures, where there is one.

``bench_gpu`` has one function a row, ``(rounds, repeats) -> (our seconds, the other's seconds)``: ``cohort`` for a
training step of one member of a captured cohort beside the eager straightforward one, ``injection`` for the fused
LoRAP injection beside three matrix products.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

import torch

from benchmarks.table.row import Row

if TYPE_CHECKING:
    from benchmarks.table.row import Goal, Settings

__all__ = ["on_device"]

_MODULE = "benchmarks.bench_gpu"


def on_device(goal: Goal, settings: Settings, *, function: str) -> Row:
    """Measure a row on the CUDA device, or say why not."""
    if not torch.cuda.is_available():
        return Row(goal=goal, note="no CUDA device here")
    if find_spec(_MODULE) is None:
        return Row(goal=goal, note=f"{_MODULE} is not here")
    own, other = getattr(import_module(_MODULE), function)(settings.rounds, settings.repeats)
    return Row(goal=goal, ours=1e3 * own, other=1e3 * other, result=other / own)
