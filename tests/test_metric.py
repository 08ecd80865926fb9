from __future__ import annotations

import math

import pytest

from lorap_bench.metric import Metric, metric_in


def test_better_is_more_accuracy_and_less_error() -> None:
    assert (Metric.ACCURACY.direction, Metric.MAE.direction) == ("max", "min")
    assert (Metric.ACCURACY.target, Metric.MAE.target) == ("classes", "value")
    assert Metric.ACCURACY.gain(0.75, 0.5) == 0.25 == Metric.MAE.gain(0.5, 0.75)
    assert max([0.5, 0.25, 0.75], key=Metric.MAE.quality) == 0.25


@pytest.mark.parametrize(
    ("metric", "value", "gain", "found"),
    [
        (Metric.ACCURACY, 0.5, 0.25, 0.75),
        (Metric.ACCURACY, 0.9, 0.25, 1.0),
        (Metric.MAE, 1.5, 0.25, 1.25),
        (Metric.MAE, 0.1, 0.25, 0.0),
    ],
)
def test_nothing_is_better_than_the_best_possible(metric: Metric, value: float, gain: float, found: float) -> None:
    assert metric.raised(value, gain) == found


def test_amounts_are_points_or_in_the_own_unit() -> None:
    assert (Metric.ACCURACY.amount(-0.0123), Metric.MAE.amount(-0.0123)) == ("1.2 points", "0.012")
    assert (Metric.ACCURACY.bounds, Metric.MAE.bounds) == ((0.0, 1.0), (0.0, math.inf))


def test_the_metric_among_names() -> None:
    assert metric_in(["average_bits", "mae"]) is Metric.MAE
    assert metric_in(["accuracy", "overhead"]) is Metric.ACCURACY
    assert metric_in(["average_bits"]) is Metric.ACCURACY
