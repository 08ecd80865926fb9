"""The last epochs of a training, with the validation figures in their places."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.report.log_tail import log_tail

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import TrialRecord


@pytest.mark.parametrize(
    ("every", "epochs", "values", "expected"),
    [
        (1, 4, [1, 2, 3, 4], [2, 3, 4]),
        (3, 7, [3, 6, 7], [None, 6, 7]),  # epochs 3 and 6, and the last
        (3, 6, [3, 6], [None, None, 6]),
        (3, 7, [2, 3, 6, 7], [None, 6, 7]),  # a stage ended after epoch 2
        (1, 4, [1, 2, 3], [2, 3, None]),  # the last one was not finite
        (1, 2, [1, 2], [1, 2]),
        (1, 0, [], []),
    ],
)
def test_validation_stands_beside_its_epoch(
    make_record: Callable[..., TrialRecord], every: int, epochs: int, values: list[float], expected: list[Any]
) -> None:
    record = make_record(0)
    record = replace(record, config={"optim": {"eval_every": every}}, members=record.members[:1])
    losses = [float(epoch) for epoch in range(1, epochs + 1)]
    curves = {"train_loss": [losses], "val_loss": [[10 * value for value in values]], "val_metric": [values]}
    found = log_tail(record, curves, epochs=3)
    assert [line.epoch for line in found] == list(range(max(epochs - 2, 1), epochs + 1))
    assert [line.train_loss for line in found] == losses[-3:]
    assert [line.val_metric for line in found] == expected
    assert [line.val_loss for line in found] == [None if value is None else 10 * value for value in expected]


def test_each_seed_has_its_own(make_record: Callable[..., TrialRecord]) -> None:
    record = make_record(0)
    curves = {name: [[0.5], [], [0.25]] for name in ("train_loss", "val_loss", "val_metric")}
    assert [(line.seed, line.train_loss) for line in log_tail(record, curves)] == [(0, 0.5), (2, 0.25)]
    assert log_tail(record, {}) == []
