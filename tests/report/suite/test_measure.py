"""The metric's direction and unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lorap_bench.report.suite.measure import ACCURACY, MAE, measure_of
from lorap_bench.stats.intervals import Interval, t_interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.report.suite.entry import Entry


def test_the_objectives_name_the_metric(make_entry: Callable[..., Entry]) -> None:
    place = ("ZINC", "GCN", "QAT", "None", [0.4])
    assert measure_of(make_entry(*place, metric="mae").records) is MAE
    assert measure_of(make_entry(*place).records) is ACCURACY
    assert measure_of([]) is ACCURACY


@pytest.mark.parametrize(("measure", "value", "direction"), [(ACCURACY, 0.4, "max"), (MAE, -0.4, "min")])
def test_more_is_better_once_turned(measure: object, value: float, direction: str) -> None:
    assert measure in {ACCURACY, MAE}
    found = ACCURACY if measure is ACCURACY else MAE
    assert (found.oriented(0.4), found.direction) == (value, direction)


def test_an_accuracy_ends_at_one_an_error_only_at_nought() -> None:
    wide = t_interval([0.9, 1.0, 0.8])
    assert ACCURACY.bounded(None) is None
    assert (ACCURACY.bounded(wide) or wide) != wide
    error = Interval(mean=1.5, std=1.0, low=-0.5, high=3.5, n=3)
    found = MAE.bounded(error)
    assert found is not None
    assert (found.low, found.high) == (0.0, 3.5)
