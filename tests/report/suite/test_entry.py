"""How a cell stands, and what its figures and costs are over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lorap_bench.record import Status
from lorap_bench.report.suite.entry import Arm, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.report.suite.entry import Entry

    Make = Callable[..., Entry]

PLACE = ("Cora", "GCN", "A2Q", "LoRAP")


def test_a_cell_that_is_done(make_entry: Make) -> None:
    entry = make_entry(*PLACE, [0.5, 0.7], bits=3.5)
    assert (entry.state, entry.note, entry.tests) == (State.DONE, "", {0: 0.5, 1: 0.7})
    assert (entry.cost("average_bits"), entry.cost("bits_a2q"), entry.seconds) == (3.5, None, 2.0)
    assert entry.mean_costs["bits_mixq"] == 3.5
    assert (entry.name, str(entry.arm)) == ("Cora GCN A2Q LoRAP", "A2Q, LoRAP")
    assert str(Arm("QAT", "None")) == "QAT, no prompt"


def test_a_training_that_failed_is_counted_and_its_costs_are_not(make_entry: Make) -> None:
    entry = make_entry(*PLACE, [0.5, None, 0.7])
    costs = ({"average_bits": 3.0}, {"average_bits": 9.0}, {"average_bits": 5.0})
    object.__setattr__(entry, "costs", costs)
    assert (entry.state, entry.note) == (State.FAILED, "1 of 3 failed: diverged")
    assert entry.tests == {0: 0.5, 2: 0.7}
    assert entry.cost("average_bits") == 4.0


def test_where_every_training_failed_costs_are_over_all(make_entry: Make) -> None:
    entry = make_entry(*PLACE, [None, None], bits=4.0, status=Status.OUT_OF_MEMORY)
    assert (entry.tests, entry.cost("average_bits")) == ({}, 4.0)
    assert entry.note == "2 of 2 failed: out of memory"


def test_a_test_figure_that_is_no_number_is_none(make_entry: Make) -> None:
    entry = make_entry(*PLACE, [0.5, float("nan")])
    assert (entry.state, entry.tests) == (State.FAILED, {0: 0.5})
    assert entry.note == "1 of 2 failed: no test figure"


def test_fewer_trainings_than_asked_for_are_a_failure(make_entry: Make) -> None:
    assert make_entry(*PLACE, [0.5], trainings=3).note == "2 of 3 failed"


@pytest.mark.parametrize(("skipped", "state"), [("", State.LEFT), ("no groups", State.SKIPPED)])
def test_a_cell_without_records(make_entry: Make, skipped: str, state: State) -> None:
    entry = make_entry(*PLACE, skipped=skipped)
    assert (entry.state, entry.note, entry.seconds, entry.cost("average_bits")) == (state, state.value, None, None)
