"""What two trainings must have in common, bit for bit, or up to the order of sums."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from lorap_bench.kernels import stream_generator
from lorap_bench.kernels.backend import use
from lorap_bench.models import shape_of
from lorap_bench.quant.context import Stage
from lorap_bench.train import Cohort, Member
from lorap_bench.train.feed import make_feed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from lorap_bench.data.task import GraphTask
    from lorap_bench.models import GraphBatch, Network
    from lorap_bench.train import Fitted

__all__ = ["assert_finite", "assert_same", "exact_logits", "exact_network", "off_the_ties", "some_order"]

_CURVES = ("train_loss", "val_loss", "val_metric", "best_epoch", "val")


def assert_finite(values: Mapping[Any, float], what: str) -> None:
    """Assert that all values are numbers."""
    odd = {name: value for name, value in values.items() if not math.isfinite(value)}
    assert not odd, f"{what} not finite: {odd}"


def assert_same(ours: Fitted, theirs: Fitted, places: tuple[int, int], cause: str) -> None:
    """Assert that one member of each has the same curves, figures and state, bit for bit.

    ``places`` are the members' positions among those alive; ``cause`` is what would be to blame.
    """
    one, other = ours.alive[places[0]], theirs.alive[places[1]]
    changed = [curve for curve in _CURVES if getattr(one, curve) != getattr(other, curve)]
    assert not changed, f"{cause} changes {changed}"
    assert ours.measured[places[0]] == theirs.measured[places[1]], f"{cause} changes what is measured"
    mine, others = (fitted.cohort.network.state_dict() for fitted in (ours, theirs))
    changed = [name for name in mine if not torch.equal(mine[name][places[0]], others[name][places[1]])]
    assert not changed, f"{cause} changes {changed}"


def some_order(task: GraphTask) -> Tensor:
    """Return the nodes in another order ``[N]``, at graph level each within its graph."""
    key = torch.rand(task.x.shape[0], generator=torch.Generator().manual_seed(5))
    owner = torch.repeat_interleave(torch.arange(task.graph_ptr.numel() - 1), task.graph_ptr.diff())
    return (owner + key).argsort()


def off_the_ties(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a state in double precision a thousandth beside a given one; whole numbers (codes, counts) stay.

    Sums of codes of one scale fall on ties of another where both scales come from the same values: there the order
    of a sum decides a rounding. Beside such a state, and in double precision, it does not.
    """
    moved = {}
    for name, value in state.items():
        noise = torch.rand(value.shape, generator=stream_generator(0, name), dtype=torch.float64)
        whole = not value.is_floating_point() or bool((value == value.round()).all())
        moved[name] = value if whole else value * (1 + 1e-3 * noise)
    return moved


def exact_logits(cohort: Cohort, task: GraphTask, state: Mapping[str, Tensor]) -> Tensor:
    """Return the logits ``[S, N or G, C]`` of a state on a whole task, in double precision."""
    exact = replace(task, x=task.x.double())
    batch = make_feed(exact, cohort.plan).store.whole
    with torch.no_grad(), use("reference"):
        network = exact_network(cohort, exact, batch)
        network.load_state_dict(dict(state))
        logits: Tensor = network.eval()(network.prepare(batch))
    return logits


def exact_network(cohort: Cohort, task: GraphTask, batch: GraphBatch) -> Network:
    """Return a fresh network of a cohort's members in double precision, ready for its last stage on a batch.

    Only the reference backend computes in double precision.
    """
    members = [Member(cohort.plan.trial, seed) for seed in cohort.draws.seeds]
    network = Cohort(members, shape_of(task)).network.double()
    network.calibrate(batch)
    network.begin(Stage.QUANTIZED, batch)
    return network
