"""Groups of trials by a parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lorap_bench.metric import Metric
from lorap_bench.record import Status
from lorap_bench.report.marginal import marginal

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import TrialRecord

    Make = Callable[..., TrialRecord]


def test_groups_in_order_with_their_figures(make_record: Make) -> None:
    records = [
        make_record(0, 0.8, params={"prompt.count": 16}),
        make_record(1, 0.7, params={"prompt.count": 2}),
        make_record(2, 0.6, params={"prompt.count": 16}),
        make_record(3, 0.1, params={"prompt.count": 16}, status=Status.DIVERGED),
        make_record(4, 0.1, params={"optim.lr": 0.1}),
        make_record(5, params={"prompt.count": 16}, members=()),
    ]
    two, sixteen = marginal(records, "prompt.count")
    assert (two.label, sixteen.label, sixteen.numbers) == ("2", "16", (0, 2))
    assert (sixteen.mean, sixteen.median, sixteen.best(Metric.ACCURACY)) == pytest.approx((0.7, 0.7, 0.8))
    assert marginal(records, "prompt.rank") == []


def test_many_values_go_by_octaves(make_record: Make) -> None:
    records = [make_record(value, params={"prompt.rank": value}) for value in range(1, 21)]
    groups = marginal(records, "prompt.rank")
    assert [group.label for group in groups] == ["1", "2", "3–4", "5–8", "9–16", "17–32"]
    assert [len(group.values) for group in groups] == [1, 1, 2, 4, 8, 4]
