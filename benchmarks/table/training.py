"""Rows about training: a cohort of ours, per member, beside a straightforward trainer of one seed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks import naive, ours
from benchmarks.table.row import Row
from benchmarks.timing import interleave
from lorap_bench.config import ModelConfig, OptimConfig, QuantConfig, TaskConfig, TrialConfig
from lorap_bench.kernels.backend import use

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.table.row import Goal, Settings
    from benchmarks.timing import Timing
    from lorap_bench.data.task import GraphTask

__all__ = ["a2q", "degree_quant", "full_precision", "graph_level", "mixq", "prompt_share", "reference", "trials"]

QAT = QuantConfig(bits=4)
DEGREE_QUANT = QuantConfig(scheme="DegreeQuant", bits=4, percentile=0.01, p_min=0.0, p_max=0.1)
GRAPHS, LAYERS, WIDTH, BATCH = 256, 5, 64, 128


def trials(goal: Goal, settings: Settings, *, hidden: int, prompt: str = "LoRAP") -> Row:
    """Seeds of a trial a minute: 200 epochs of a training step and an evaluation, from one such epoch."""
    task, trial = ours.dataset("Cora"), ours.config(QAT, hidden=hidden, prompt=prompt)
    return _rates(goal, settings, ours.epoch(ours.cohort(task, trial)), naive.qat_gcn(task, trial).epoch)


def reference(goal: Goal, settings: Settings, *, hidden: int) -> Row:
    """The same on the reference backend."""
    task, trial = ours.dataset("Cora"), ours.config(QAT, hidden=hidden, prompt="LoRAP")
    with use("reference"):
        epoch = ours.epoch(ours.cohort(task, trial))

    def run() -> None:
        with use("reference"):
            epoch()

    return _rates(goal, settings, run, naive.qat_gcn(task, trial).epoch)


def full_precision(goal: Goal, settings: Settings, *, hidden: int) -> Row:
    """A training step of QAT with LoRAP as a part of one of PyG's full-precision GCN."""
    task, trial = ours.dataset("Cora"), ours.config(QAT, hidden=hidden, prompt="LoRAP")
    other = naive.fp32_gcn(task, trial)
    row = _steps(goal, settings, ours.step(ours.cohort(task, trial)), other.step)
    assert row.result is not None
    return replace(row, result=1 / row.result)


def degree_quant(goal: Goal, settings: Settings, *, hidden: int, messages: bool = False) -> Row:
    """A training step of Degree-Quant, with a quantizer on every message if asked."""
    task = ours.dataset("Cora")
    trial = ours.config(replace(DEGREE_QUANT, messages=messages), hidden=hidden)
    return _steps(goal, settings, ours.step(ours.cohort(task, trial)), naive.degree_quant_gcn(task, trial).step)


def mixq(goal: Goal, settings: Settings, *, hidden: int) -> Row:
    """A step of MixQ's search: the relaxed model under its bit penalty."""
    task, trial = ours.dataset("Cora"), ours.config(QuantConfig(scheme="MixQ", candidates=[2, 4, 8]), hidden=hidden)
    return _steps(goal, settings, ours.step(ours.cohort(task, trial)), naive.mixq_gcn(task, trial).step)


def a2q(goal: Goal, settings: Settings, *, hidden: int) -> Row:
    """A training step of A²Q under its price on memory."""
    task, trial = ours.dataset("Cora"), ours.config(QuantConfig(scheme="A2Q", bits=4), hidden=hidden)
    return _steps(goal, settings, ours.step(ours.cohort(task, trial)), naive.a2q_gcn(task, trial).step)


def graph_level(goal: Goal, settings: Settings) -> Row:
    """A pass of Degree-Quant's GIN at 8 bits over some training graphs of REDDIT-BINARY, for one member.

    One member: its batches fill the caches alone, and ten would take gigabytes.
    """
    whole = ours.dataset("REDDIT-BINARY")
    task = _some_graphs(whole, GRAPHS)
    trial = TrialConfig(
        task=TaskConfig(dataset="REDDIT-BINARY", batch_size=BATCH),
        model=ModelConfig(arch="GIN", hidden=WIDTH, layers=LAYERS),
        quant=replace(DEGREE_QUANT, bits=8),
        optim=OptimConfig(epochs=ours.EPOCHS),
    )
    passes = ours.cohort(task, trial, members=1)
    once = replace(settings, repeats=1)
    return _steps(goal, once, ours.step(passes), naive.degree_quant_gin(task, trial).step, members=1)


def prompt_share(goal: Goal, settings: Settings, *, hidden: int) -> Row:
    """What LoRAP adds to a QAT training step, as a share of the step with it."""
    task = ours.dataset("Cora")
    kinds = {"with": "LoRAP", "without": "None"}
    works = {
        name: ours.step(ours.cohort(task, ours.config(QAT, hidden=hidden, prompt=kind))) for name, kind in kinds.items()
    }
    timings = interleave(works, rounds=settings.rounds, repeats=settings.repeats)
    each = {name: timing.median / ours.MEMBERS for name, timing in timings.items()}
    share = 100 * (each["with"] - each["without"]) / each["with"]
    return Row(
        goal=goal,
        ours=1e3 * each["with"],
        other=1e3 * each["without"],
        result=share,
        details=_details(timings["with"], timings["without"]),
    )


def _steps(
    goal: Goal,
    settings: Settings,
    own: Callable[[], None],
    other: Callable[[], object],
    members: int = ours.MEMBERS,
) -> Row:
    """Compare milliseconds a unit of work and member."""
    timings = interleave({"own": own, "other": other}, rounds=settings.rounds, repeats=settings.repeats)
    each, baseline = timings["own"].median / members, timings["other"].median
    details = _details(timings["own"], timings["other"])
    return Row(goal=goal, ours=1e3 * each, other=1e3 * baseline, result=baseline / each, details=details)


def _rates(goal: Goal, settings: Settings, own: Callable[[], None], other: Callable[[], object]) -> Row:
    """Compare seeds of a trial a minute, from the time of one epoch."""
    row = _steps(goal, settings, own, other)
    assert row.ours is not None
    assert row.other is not None
    return replace(row, ours=_a_minute(row.ours), other=_a_minute(row.other))


def _a_minute(milliseconds: float) -> float:
    return 60_000 / (ours.EPOCHS * milliseconds)


def _details(own: Timing, other: Timing) -> dict[str, float]:
    """Return the spreads, and the wall milliseconds of a unit of work: of the whole cohort for ours."""
    assert own.wall is not None
    assert other.wall is not None
    return {
        "rounds": own.rounds,
        "our spread": own.spread,
        "naive spread": other.spread,
        "our wall ms, all members": 1e3 * own.wall,
        "naive wall ms": 1e3 * other.wall,
    }


def _some_graphs(task: GraphTask, count: int) -> GraphTask:
    """Keep ``count`` training graphs, evenly spread: the file lists one class after the other."""
    train = task.splits["train"]
    return replace(task, splits={**task.splits, "train": train[:: train.numel() // count][:count]})
