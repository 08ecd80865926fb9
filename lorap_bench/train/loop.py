"""Train a cohort: full epochs, every member's best epoch chosen on validation."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lorap_bench.models.blueprint import shape_of
from lorap_bench.quant.context import Stage
from lorap_bench.train.cohort import Cohort, Member
from lorap_bench.train.feed import make_feed
from lorap_bench.train.measure import Measured, measure
from lorap_bench.train.metrics import correct, cross_entropy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lorap_bench.data.task import GraphTask, Split
    from lorap_bench.models.network import Constants
    from lorap_bench.train.feed import Feed, Portion

__all__ = ["Fitted", "Passes", "Trainee", "fit"]

_WORST = (-math.inf, -math.inf)


@dataclass(slots=True)
class Trainee:
    """One member's progress: curves by epoch, its best epoch so far, whether it diverged."""

    member: Member
    train_loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_metric: list[float] = field(default_factory=list)
    best_epoch: int | None = None
    best: tuple[float, float] = _WORST
    val: float | None = None
    diverged: bool = False
    test: float | None = None


@dataclass(slots=True)
class Fitted:
    """A trained cohort, every member at its best epoch.

    ``alive`` are the members that did not diverge, in the order of the cohort's member axis and of ``measured``.
    """

    cohort: Cohort
    trainees: list[Trainee]
    alive: list[Trainee] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)


def fit(
    task: GraphTask, members: Sequence[Member], *, split: Split = "val", on_epoch: Callable[[int], None] | None = None
) -> Fitted:
    """Train members of equal shapes as one program.

    Args:
        task: the task; with ``split="val"`` it may come without its test indices.
        members: configurations that agree in shape (``cohort_key``), each with its seed.
        split: ``"test"`` measures the test split once, after training, at the best epochs.
        on_epoch: called with each epoch's number before it begins; may raise to stop.
    """
    optim = members[0].config.optim
    cohort = Cohort(members, shape_of(task))
    passes = Passes(cohort, make_feed(task, cohort.plan))
    trainees = [Trainee(member) for member in members]
    alive = list(trainees)
    start = 0
    for stage, epochs in cohort.plan.stages:
        passes.begin(stage, start)
        for trainee in alive:
            trainee.best = _WORST
        for epoch in range(start, start := start + epochs):
            if on_epoch is not None:
                on_epoch(epoch)
            _note(alive, "train_loss", passes.train(epoch))
            if (epoch + 1) % optim.eval_every and epoch + 1 < start:
                continue
            loss, metric = passes.evaluate("val")
            _note(alive, "val_loss", loss)
            _note(alive, "val_metric", metric)
            alive = passes.drop_diverged(alive)
            if not alive:
                return Fitted(cohort, trainees)
            cohort.keep_best(_improved(alive, epoch, by_loss=optim.selection == "loss"))
    cohort.restore_best()
    if split == "test":
        for trainee, value in zip(alive, passes.evaluate("test")[1].tolist(), strict=True):
            trainee.test = value
    return Fitted(cohort, trainees, alive, measure(cohort.network, passes.feed.calibration()))


class Passes:
    """Passes over a split for all members at once; what is constant in a fixed batch is computed once."""

    def __init__(self, cohort: Cohort, feed: Feed) -> None:
        self.cohort = cohort
        self.feed = feed
        self._prepared: dict[int, list[Constants]] = {}
        self._stage: Stage | None = None
        self._began = 0
        cohort.network.calibrate(feed.calibration())

    def begin(self, stage: Stage, epoch: int) -> None:
        """Enter a stage of training: after a search with fresh weights, after a float stage from its best ones."""
        if self._stage is Stage.FLOAT:
            self.cohort.restore_best()
        self.cohort.restart(afresh=self._stage is Stage.SEARCH)
        self._stage, self._began = stage, epoch
        self._prepared.clear()
        self.cohort.network.begin(stage, self.feed.calibration())

    def train(self, epoch: int) -> Tensor:
        """Train one epoch; return the mean loss ``[S]``."""
        halve_every = self.cohort.plan.trial.optim.halve_every
        pace = 0.5 ** ((epoch - self._began) // halve_every) if halve_every else 1.0
        network = self.cohort.network.train()
        total, count = torch.zeros(network.members), 0
        for portion in self.feed.train(epoch):
            loss = cross_entropy(self._logits(portion), portion.y)
            self.cohort.step(loss / portion.y.numel() + network.price(), pace)
            total += loss.detach()
            count += portion.y.numel()
        return total / count

    @torch.no_grad()
    def evaluate(self, split: Split) -> tuple[Tensor, Tensor]:
        """Return the mean loss and the metric on a held-out split: two of ``[S]``."""
        network = self.cohort.network.eval()
        loss, right, count = torch.zeros(network.members), torch.zeros(network.members), 0
        for portion in self.feed.held_out(split):
            logits = self._logits(portion)
            loss += cross_entropy(logits, portion.y)
            right += correct(logits, portion.y)
            count += portion.y.numel()
        return loss / count, right / count

    def drop_diverged(self, alive: list[Trainee]) -> list[Trainee]:
        """Let members whose last losses are not finite leave the cohort; return the others."""
        for trainee in alive:
            trainee.diverged = not math.isfinite(trainee.train_loss[-1] + trainee.val_loss[-1])
        keep = [position for position, trainee in enumerate(alive) if not trainee.diverged]
        if 0 < len(keep) < len(alive):
            self.cohort.select(torch.tensor(keep))
            self._prepared.clear()
        return [alive[position] for position in keep]

    def _logits(self, portion: Portion) -> Tensor:
        network = self.cohort.network
        constants = self._prepared.get(id(portion.batch))
        if constants is None:
            constants = network.prepare(portion.batch)
            if portion.fixed:
                self._prepared[id(portion.batch)] = constants
        logits: Tensor = network(constants)
        return logits if portion.rows is None else logits.index_select(1, portion.rows)


def _note(alive: list[Trainee], curve: str, values: Tensor) -> None:
    for trainee, value in zip(alive, values.tolist(), strict=True):
        getattr(trainee, curve).append(value)


def _improved(alive: list[Trainee], epoch: int, *, by_loss: bool) -> Tensor:
    """Mark the members whose last evaluation beats all earlier ones.

    Higher metric first, lower loss between equals (or the reverse with ``by_loss``); the earliest
    epoch wins a full tie.
    """
    marks = []
    for trainee in alive:
        metric, quality = trainee.val_metric[-1], -trainee.val_loss[-1]
        score = (quality, metric) if by_loss else (metric, quality)
        better = score > trainee.best
        if better:
            trainee.best, trainee.best_epoch, trainee.val = score, epoch, metric
        marks.append(better)
    return torch.tensor(marks)
