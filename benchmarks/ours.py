"""Our side of every comparison: a configuration, and a cohort of it ready to train."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from lorap_bench.config import ModelConfig, OptimConfig, PromptConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.data.load import load_task
from lorap_bench.models.blueprint import shape_of
from lorap_bench.train.cohort import Cohort, Member
from lorap_bench.train.feed import make_feed
from lorap_bench.train.loop import Passes

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.data.task import GraphTask

__all__ = ["EPOCHS", "MEMBERS", "cohort", "config", "dataset", "epoch", "step"]

MEMBERS = 10
"""Members of a cohort: the seeds of one configuration."""
EPOCHS = 200
"""Epochs of a trial."""
COUNT, RANK, NODE_COUNT = 8, 4, 5


def config(quant: QuantConfig, *, hidden: int, prompt: str = "None") -> TrialConfig:
    """Return a GCN on Cora with a scheme and a kind of prompt."""
    return TrialConfig(
        task=TaskConfig(dataset="Cora"),
        model=ModelConfig(hidden=hidden),
        quant=quant,
        prompt=PromptConfig(kind=prompt, count=COUNT, rank=RANK, node_count=NODE_COUNT),
        optim=OptimConfig(epochs=EPOCHS),
    )


@cache
def dataset(name: str) -> GraphTask:
    """Return a data set, read once."""
    return load_task(TaskConfig(dataset=name))


def cohort(task: GraphTask, trial: TrialConfig, members: int = MEMBERS) -> Passes:
    """Return the passes of a cohort of seeds 0, 1, …, at the beginning of its first stage."""
    built = Cohort([Member(trial, seed) for seed in range(members)], shape_of(task))
    passes = Passes(built, make_feed(task, built.plan))
    passes.begin(built.plan.stages[0][0], 0)
    return passes


def step(passes: Passes) -> Callable[[], None]:
    """Return one training step of all members; at graph level one pass over the training graphs."""

    def run() -> None:
        passes.train(0)

    return run


def epoch(passes: Passes) -> Callable[[], None]:
    """Return one training step and an evaluation on the validation split, of all members."""

    def run() -> None:
        passes.train(0)
        passes.evaluate("val")

    return run
