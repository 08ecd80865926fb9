from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from lorap_bench.search.flights import Flight, Flights
from lorap_bench.search.trials import Asked
from tests.search.synthetic import make_spec, sketch, train

BASE = make_spec().base


def flight(key: int) -> Flight:
    return Flight(Asked(key, {}, cast("Any", None)), BASE, sketch(BASE), epochs=3)


def test_promoted_trials_come_in_the_order_of_their_promotion() -> None:
    flights = Flights()
    for key in (0, 1, 2):
        flights.send(flight(key))
    for key in (2, 0):
        flights.promote(replace(flight(key), screened=train(BASE, [1])))
    found = [flights.next_promoted() for _ in range(3)]
    assert [one and one.key for one in found] == [2, 0, None]
    assert flights.many == 3  # they stay out


def test_a_promoted_trial_that_is_out_no_more_does_not_come_when_it_is_asked_for_again() -> None:
    flights = Flights()
    promoted = replace(flight(0), screened=train(BASE, [1]))
    flights.promote(promoted)
    flights.drop(promoted)
    flights.send(flight(0))
    assert flights.next_promoted() is None
    flights.promote(promoted)
    flights.land(0)
    assert flights.next_promoted() is None
