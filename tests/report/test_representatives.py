"""A few trials that stand for the front."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lorap_bench.report.representatives import average_bits, by_bits, evenly, label, spread

if TYPE_CHECKING:
    from tests.report.conftest import RecordMaker


def test_values_are_taken_evenly_with_both_ends() -> None:
    assert evenly(range(9), 3) == [0, 4, 8]
    assert evenly(range(2), 3) == [0, 1]
    assert evenly([], 3) == []
    assert evenly(range(9), 1) == [0]
    assert evenly(range(9), 0) == []


def test_average_bits_are_known_without_being_an_objective(make_record: RecordMaker) -> None:
    assert average_bits(make_record(0, bits=3.5, objectives={"accuracy": 0.8})) == 3.5
    assert average_bits(make_record(0, bits=3.5, costs={})) == 3.5
    assert math.isnan(average_bits(make_record(0, costs={}, objectives={})))


def test_trials_without_bits_come_last(make_record: RecordMaker) -> None:
    records = [
        make_record(0, costs={}, objectives={}),
        make_record(2, bits=4.0),
        make_record(1, bits=4.0),
        make_record(3, bits=2.0),
    ]
    assert [record.number for record in by_bits(records)] == [3, 1, 2, 0]


def test_a_spread_holds_those_that_must_be_there(make_record: RecordMaker) -> None:
    records = [make_record(number, bits=2.0 + number) for number in range(20)]
    found = [record.number for record in spread(records, 5, always=(7, 8))]
    assert len(found) == 5
    assert {0, 7, 8, 19} <= set(found)
    assert found == sorted(found)
    assert [record.number for record in spread(records, 2, always=(1, 2, 3))] == [1, 3]


def test_a_label_says_number_accuracy_and_bits(make_record: RecordMaker) -> None:
    assert label(make_record(12, 0.831, 3.2)) == "trial 12 · 83.1 % · 3.2 bits"
    assert label(make_record(12, members=(), costs={}, objectives={})) == "trial 12"
