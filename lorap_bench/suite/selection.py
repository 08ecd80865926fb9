"""Whether a record's epochs were chosen on validation alone, as far as the record and its curves tell."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lorap_bench.config import TrialConfig
from lorap_bench.data.load import canonical_name, metric_of
from lorap_bench.record import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lorap_bench.metric import Metric
    from lorap_bench.record import Curves, MemberResult, TrialRecord

__all__ = ["selection_faults"]


def selection_faults(record: TrialRecord, curves: Curves) -> Iterator[str]:
    """Yield what does not fit: the objective, a chosen epoch, a figure that is missing.

    The objective is the mean validation metric of the members. A member's epoch is the first that is best, by
    validation metric and, between equals, by validation loss (or the reverse where the configuration says so), among
    the evaluations of the last stage of its training.
    """
    metric = metric_of(canonical_name(record.config["task"]["dataset"]))
    yield from _objective(record, metric)
    for place, member in enumerate(record.members):
        if member.status is not Status.COMPLETE:
            continue
        if member.val is None or member.best_epoch is None:
            yield f"seed {member.seed} is complete and has no validation figure"
        elif curves:
            own = {name: one[place] for name, one in curves.items() if place < len(one)}
            yield from _chosen(record, member, own, metric)


def _objective(record: TrialRecord, metric: Metric) -> Iterator[str]:
    values = [member.val for member in record.members if member.val is not None]
    told = record.objectives.get(metric.value)
    if record.status is Status.COMPLETE and values and told != math.fsum(values) / len(values):
        yield f"the objective {metric.value}, {told}, is not the mean of the validation figures"


def _chosen(
    record: TrialRecord, member: MemberResult, curves: Mapping[str, list[float]], metric: Metric
) -> Iterator[str]:
    """Yield a fault if the epoch or its figure is not what the curves make it."""
    optim = TrialConfig.from_mapping(record.config).optim
    last = range(member.epochs - optim.epochs, member.epochs)
    asked = [epoch for epoch in last if (epoch + 1) % optim.eval_every == 0 or epoch + 1 == member.epochs]
    metrics, losses = (curves.get(name, [])[-len(asked) :] for name in ("val_metric", "val_loss"))
    if len(metrics) != len(asked) or len(losses) != len(asked):
        yield f"seed {member.seed}: its curves have too few evaluations"
        return
    pairs = [(metric.quality(value), -loss) for value, loss in zip(metrics, losses, strict=True)]
    scores = [pair[::-1] for pair in pairs] if optim.selection == "loss" else pairs
    best = max(range(len(asked)), key=lambda place: (scores[place], -place))
    if (member.best_epoch, member.val) != (asked[best], metrics[best]):
        told = f"epoch {member.best_epoch} ({member.val})"
        yield f"seed {member.seed}: {told} was chosen, best on validation is epoch {asked[best]} ({metrics[best]})"
