"""Train a cohort: full epochs, every member's best epoch chosen on validation."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lorap_bench.kernels.device import device, exactly
from lorap_bench.models.blueprint import shape_of
from lorap_bench.quant.context import Stage
from lorap_bench.train.capture import Replayed
from lorap_bench.train.cohort import Cohort, Member, Visit
from lorap_bench.train.early import Early
from lorap_bench.train.feed import make_feed
from lorap_bench.train.measure import Measured, measure
from lorap_bench.train.metrics import LOSSES, SCORES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lorap_bench.data.task import GraphTask, Split
    from lorap_bench.metric import Metric
    from lorap_bench.models.network import Constants
    from lorap_bench.train.feed import Feed, Portion

__all__ = ["Fitted", "Passes", "Trainee", "fit"]

_WORST = (-math.inf, -math.inf)


@dataclass(slots=True)
class Trainee:
    """One member's progress: curves by epoch, its best epoch so far, how it left if not at the end.

    ``val_best`` is its best validation metric so far at each rung it reached; ``stopped`` says why it was stopped.
    """

    member: Member
    train_loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_metric: list[float] = field(default_factory=list)
    val_best: list[float] = field(default_factory=list)
    best_epoch: int | None = None
    best: tuple[float, float] = _WORST
    val: float | None = None
    diverged: bool = False
    stopped: str = ""
    test: float | None = None


@dataclass(slots=True)
class Fitted:
    """A trained cohort, every member at its best epoch.

    ``alive`` are the members that trained to the end, in the order of the cohort's member axis and of ``measured``.
    """

    cohort: Cohort
    trainees: list[Trainee]
    alive: list[Trainee] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)


def fit(
    task: GraphTask,
    members: Sequence[Member],
    *,
    split: Split = "val",
    on_epoch: Callable[[int], None] | None = None,
    early: Early | None = None,
) -> Fitted:
    """Train members of equal shapes as one program.

    Args:
        task: the task; with ``split="val"`` it may come without its test indices.
        members: configurations that agree in shape (``cohort_key``), each with its seed.
        split: ``"test"`` measures the test split once, after training, at the best epochs.
        on_epoch: called with each epoch's number before it begins; may raise to stop.
        early: who may stop some of the members early.
    """
    where = device()
    with exactly(where):
        cohort = Cohort(members, shape_of(task), where)
        return _fit(
            Passes(cohort, make_feed(task, cohort.plan, where)), members, split, on_epoch, early or Early((), (), None)
        )


def _fit(
    passes: Passes,
    members: Sequence[Member],
    split: Split,
    on_epoch: Callable[[int], None] | None,
    early: Early,
) -> Fitted:
    """Train the cohort of some passes through its stages."""
    optim, cohort = members[0].config.optim, passes.cohort
    trainees = [Trainee(member) for member in members]
    early.start(trainees)
    last = cohort.plan.stages[-1][1]
    before = sum(epochs for _, epochs in cohort.plan.stages) - last
    alive = list(trainees)
    start, losses = 0, []
    for stage, epochs in cohort.plan.stages:
        passes.begin(stage, start)
        for trainee in alive:
            trainee.best = _WORST
        for epoch in range(start, start := start + epochs):
            if on_epoch is not None:
                on_epoch(epoch)
            losses.append(passes.train(epoch))
            if (epoch + 1) % optim.eval_every and epoch + 1 < start:
                continue
            _note(alive, losses, *passes.evaluate("val"))
            losses.clear()
            cohort.pace.heed([trainee.val_loss[-1] for trainee in alive])
            alive = passes.drop_diverged(alive)
            if alive:
                cohort.keep_best(_improved(alive, epoch, passes.metric, by_loss=optim.selection == "loss"))
                alive = passes.drop_stopped(alive, early, epoch + 1 - before, last)
            if not alive:
                return Fitted(cohort, trainees)
    cohort.restore_best()
    if split == "test":
        for trainee, value in zip(alive, passes.evaluate("test")[1].tolist(), strict=True):
            trainee.test = value
    return Fitted(cohort, trainees, alive, measure(cohort.network, passes.feed.shown()))


class Passes:
    """Passes over a split for all members at once; what is constant in a fixed batch is computed once.

    On a CUDA device what happens with a fixed batch is recorded once and replayed.
    """

    def __init__(self, cohort: Cohort, feed: Feed) -> None:
        self.cohort = cohort
        self.feed = feed
        self.metric = feed.task.metric
        self._loss, self._score = LOSSES[self.metric], SCORES[self.metric]
        self._prepared: dict[int, list[Constants]] = {}
        self._recorded: dict[tuple[Split, int], Replayed] = {}
        self._stage: Stage | None = None
        self._began = self._epoch = 0
        cohort.network.calibrate(feed.calibration())

    def begin(self, stage: Stage, epoch: int) -> None:
        """Enter a stage of training: after a search with fresh weights, after a float stage from its best ones."""
        if self._stage is Stage.FLOAT:
            self.cohort.restore_best()
        self.cohort.restart(afresh=self._stage is Stage.SEARCH)
        self._stage, self._began = stage, epoch
        self.cohort.pace.begin()
        self._forget()
        self.cohort.network.begin(stage, self.feed.start())

    def train(self, epoch: int) -> Tensor:
        """Train one epoch; return the mean loss ``[S]``."""
        self.cohort.pace.at(epoch - self._began)
        self._epoch = epoch
        network = self.cohort.network.train()
        total, count = torch.zeros(network.members, device=self.cohort.device), 0
        for number, portion in enumerate(self.feed.train(epoch)):
            (loss,) = self._run(("train", number), portion, self._learn)
            self.cohort.advance()
            total += loss
            count += portion.y.numel()
        return total / count

    @torch.no_grad()
    def evaluate(self, split: Split) -> tuple[Tensor, Tensor]:
        """Return the mean loss and the metric on a held-out split: two of ``[S]``."""
        network = self.cohort.network.eval()
        loss, score = torch.zeros(2, network.members, device=self.cohort.device)
        count = 0
        for number, portion in enumerate(self.feed.held_out(split)):
            found = self._run((split, number), portion, self._judge)
            loss += found[0]
            score += found[1]
            count += portion.y.numel()
        return loss / count, score / count

    def drop_diverged(self, alive: list[Trainee]) -> list[Trainee]:
        """Let members whose last losses are not finite leave the cohort; return the others."""
        for trainee in alive:
            trainee.diverged = not math.isfinite(trainee.train_loss[-1] + trainee.val_loss[-1])
        return self._kept(alive, [not trainee.diverged for trainee in alive])

    def drop_stopped(self, alive: list[Trainee], early: Early, finished: int, epochs: int) -> list[Trainee]:
        """Let members that are stopped after ``finished`` of the last stage's epochs leave; return the others."""
        early.after(finished, epochs)
        return self._kept(alive, [not trainee.stopped for trainee in alive])

    def _kept(self, alive: list[Trainee], marks: list[bool]) -> list[Trainee]:
        """Keep the marked members in the cohort, unless it is left by all; return them."""
        keep = [position for position, mark in enumerate(marks) if mark]
        if 0 < len(keep) < len(alive):
            self.cohort.select(torch.tensor(keep))
            self._forget()
        return [alive[position] for position in keep]

    def _learn(self, portion: Portion) -> tuple[Tensor]:
        """Take one training step on a batch; return the summed loss ``[S]``."""
        loss = self._loss(self._logits(portion), portion.y)
        nodes = portion.batch.nodes
        visit = None if nodes is None else Visit(nodes, self._epoch - self._began + 1)
        self.cohort.update(loss / portion.y.numel() + self.cohort.network.price(), self.cohort.pace.values, visit)
        return (loss.detach(),)

    def _judge(self, portion: Portion) -> tuple[Tensor, Tensor]:
        """Return the summed loss and the summed score on a batch: two of ``[S]``."""
        logits = self._logits(portion)
        return self._loss(logits, portion.y), self._score(logits, portion.y)

    def _run(
        self, key: tuple[Split, int], portion: Portion, step: Callable[[Portion], tuple[Tensor, ...]]
    ) -> tuple[Tensor, ...]:
        """Take a step, from its recording where it may be recorded."""
        if not self._recordable(portion):
            return step(portion)
        if key not in self._recorded:
            self._recorded[key] = Replayed(partial(step, portion), self.cohort.device)
        return self._recorded[key]()

    def _recordable(self, portion: Portion) -> bool:
        return portion.fixed and self.cohort.device.type != "cpu"

    def _forget(self) -> None:
        """Forget what was computed from, or recorded with, tensors that are others now."""
        self._prepared.clear()
        self._recorded.clear()

    def _logits(self, portion: Portion) -> Tensor:
        network = self.cohort.network
        constants = self._prepared.get(id(portion.batch))
        if constants is None:
            constants = network.prepare(portion.batch)
            if portion.fixed:
                self._prepared[id(portion.batch)] = constants
        logits: Tensor = network(constants)
        return logits if portion.rows is None else logits.index_select(1, portion.rows)


def _note(alive: list[Trainee], train: list[Tensor], loss: Tensor, metric: Tensor) -> None:
    """Add the training losses since the last evaluation, and what it found; one transfer from the device for all."""
    *losses, val_loss, val_metric = torch.stack([*train, loss, metric]).tolist()
    for position, trainee in enumerate(alive):
        trainee.train_loss += [values[position] for values in losses]
        trainee.val_loss.append(val_loss[position])
        trainee.val_metric.append(val_metric[position])


def _improved(alive: list[Trainee], epoch: int, metric: Metric, *, by_loss: bool) -> Tensor:
    """Mark the members whose last evaluation beats all earlier ones.

    Better metric first, lower loss between equals (or the reverse with ``by_loss``); the earliest
    epoch wins a full tie.
    """
    marks = []
    for trainee in alive:
        quality, fit = metric.quality(trainee.val_metric[-1]), -trainee.val_loss[-1]
        score = (fit, quality) if by_loss else (quality, fit)
        better = score > trainee.best
        if better:
            trainee.best, trainee.best_epoch, trainee.val = score, epoch, trainee.val_metric[-1]
        marks.append(better)
    return torch.tensor(marks)
