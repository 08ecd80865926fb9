"""How a node-level task is fed in training: its graph whole, or in batches of some of its nodes.

The choice is a function of the configuration and the task's sizes alone: it is the same on every machine, so that
configurations with one digest train alike wherever they run.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from lorap_bench.errors import Fault
from lorap_bench.models.footprint import passed_bytes, trained_bytes

if TYPE_CHECKING:
    from lorap_bench.config import TaskConfig
    from lorap_bench.cost.shape import TaskShape
    from lorap_bench.models.blueprint import Blueprint

__all__ = ["Sampling", "batch_share", "passes_whole", "sampling_faults", "sampling_of", "settings_of"]

_GIB = 2**30
_READ = {"clusters": ("parts", "joined", "draw_every"), "nodes": ("batch_size", "fan_outs", "draw_every")}


class Sampling(StrEnum):
    """The nodes of a training batch: all, those of some parts of the graph, or neighbourhoods of training nodes."""

    WHOLE = "whole"
    CLUSTERS = "clusters"
    NODES = "nodes"


def sampling_of(plan: Blueprint) -> Sampling:
    """Return how a plan's task is fed; ``"auto"`` is whole where a member is estimated to fit ``task.memory_gib``."""
    task = plan.trial.task
    if plan.shape.level == "graph":
        return Sampling.WHOLE
    if task.sampling != "auto":
        return Sampling(task.sampling)
    return Sampling.WHOLE if trained_bytes(plan) <= task.memory_gib * _GIB else Sampling.CLUSTERS


def passes_whole(plan: Blueprint) -> bool:
    """Return whether a pass without gradients takes the graph whole: where it is estimated to fit ``memory_gib``."""
    fed_whole = plan.sampling is Sampling.WHOLE
    return fed_whole or passed_bytes(plan, kept=False) <= plan.trial.task.memory_gib * _GIB


def settings_of(plan: Blueprint) -> dict[str, Any]:
    """Return what decides the batches, as plain values; nothing where the graph is whole."""
    if plan.sampling is Sampling.WHOLE:
        return {}
    task, kind = plan.trial.task, plan.sampling.value
    found = {"kind": kind} | {name: getattr(task, name) for name in _READ[kind]}
    # Batches of complete neighbourhoods hold as many targets as a batch has seeds.
    return found if passes_whole(plan) else found | {"held_out": task.batch_size}


def batch_share(plan: Blueprint) -> float:
    """Return the share of the graph's nodes in one training batch, at most.

    Formula: clusters ``joined / parts``; nodes ``min(1, B (1 + f_1 + f_1 f_2 + …) / N)`` over a hop a layer.
    """
    task = plan.trial.task
    if plan.sampling is Sampling.WHOLE:
        return 1.0
    if plan.sampling is Sampling.CLUSTERS:
        return min(1.0, task.joined / task.parts)
    reached = grown = 1
    for hop in range(plan.trial.model.layers):
        grown *= task.fan_outs[min(hop, len(task.fan_outs) - 1)]
        reached += grown
    return min(1.0, task.batch_size * reached / plan.shape.nodes)


def sampling_faults(task: TaskConfig, shape: TaskShape) -> list[Fault]:
    """Return what makes a choice of batches impossible on a task."""
    faults = []
    if shape.level == "graph":
        if task.sampling not in {"auto", "whole"}:
            message = f"{shape.name} is a set of graphs, fed in batches of task.batch_size"
            faults.append(Fault(path="task.sampling", message=message, got=task.sampling, allowed="auto, whole"))
        return faults
    if task.sampling == "clusters" and task.parts > shape.nodes:
        message, allowed = f"{shape.name} has fewer nodes", f"1 to {round(shape.nodes)}"
        faults.append(Fault(path="task.parts", message=message, got=task.parts, allowed=allowed))
    if task.sampling == "clusters" and task.joined > task.parts:
        message, allowed = "must not exceed task.parts", f"1 to {task.parts}"
        faults.append(Fault(path="task.joined", message=message, got=task.joined, allowed=allowed))
    if task.sampling == "nodes" and not task.fan_outs:
        faults.append(Fault(path="task.fan_outs", message="needs a number a hop", got=[], allowed="1 or more numbers"))
    return faults
