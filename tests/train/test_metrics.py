from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from lorap_bench.metric import Metric
from lorap_bench.train.metrics import LOSSES, SCORES, absolute_error, correct, cross_entropy, mean_score

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


def test_absolute_errors_are_summed_by_member() -> None:
    outputs = torch.tensor([[[1.0], [2.0], [-4.0]], [[0.5], [0.0], [0.0]]])
    y = torch.tensor([1.5, 2.0, -1.0])
    assert absolute_error(outputs, y).tolist() == [3.5, 4.0]
    assert absolute_error(outputs * torch.tensor([1.0, torch.nan]).view(2, 1, 1), y).isnan().tolist() == [False, True]


def test_the_gradient_of_the_error_is_its_sign() -> None:
    outputs = torch.tensor([[[1.0], [2.0], [-4.0]]], requires_grad=True)
    absolute_error(outputs, torch.tensor([1.5, 2.0, -5.0])).sum().backward()
    assert outputs.grad is not None
    assert outputs.grad.flatten().tolist() == [-1.0, 0.0, 1.0]


@pytest.mark.parametrize("summed", [*LOSSES.values(), *SCORES.values()])
def test_members_do_not_meet(summed: Callable[[Tensor, Tensor], Tensor]) -> None:
    value = summed is absolute_error
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(5, 33, 1 if value else 4, generator=generator)
    y = torch.randn(33, generator=generator) if value else torch.arange(33) % 4
    together = summed(outputs, y)
    alone = torch.cat([summed(outputs[place : place + 1], y) for place in range(5)])
    assert torch.equal(together, alone)


def test_every_metric_has_its_loss_and_its_score() -> None:
    assert {Metric.ACCURACY: cross_entropy, Metric.MAE: absolute_error} == LOSSES
    assert {Metric.ACCURACY: correct, Metric.MAE: absolute_error} == SCORES


def test_a_mean_score_is_summed_by_batches() -> None:
    """In float32 2^24 swallows a one, not a two."""
    y = torch.tensor([2.0**24, 0.0, 1.0, 1.0])
    assert mean_score(Metric.MAE, torch.zeros(4, 1), y, 2) == (2**24 + 2) / 4
    assert mean_score(Metric.MAE, torch.zeros(4, 1), y, 1) == 2**24 / 4
    assert mean_score(Metric.ACCURACY, torch.eye(3), torch.tensor([0, 1, 0]), 2) == float(torch.tensor(2 / 3))
