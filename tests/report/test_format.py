"""Numbers as text."""

from __future__ import annotations

import math

import pytest

from lorap_bench.report.format import (
    cell_text,
    change_text,
    gain_text,
    interval_text,
    number_text,
    percent_text,
    plain_text,
    points_text,
    result_texts,
    seconds_text,
    spread_text,
)
from lorap_bench.report.result import Result, Standing
from lorap_bench.stats.intervals import t_interval


@pytest.mark.parametrize(
    ("value", "text"),
    [(4.0, "4"), (3.4249, "3.42"), (0.0123, "0.0123"), (0.0, "0"), (1234.5, "1,234"), (2e7, "20,000,000")],
)
def test_numbers(value: float, text: str) -> None:
    assert number_text(value) == text


def test_what_is_not_a_number_is_a_dash() -> None:
    assert number_text(None) == number_text(math.nan) == number_text(math.inf) == "–"
    assert percent_text(None) == percent_text(math.nan) == "–"
    assert interval_text(None) == "–"


def test_an_interval_names_its_n() -> None:
    assert interval_text(t_interval([0.8, 0.8, 0.8])) == "80.0 % [80.0, 80.0] (n = 3)"
    assert interval_text(t_interval([0.8])) == "80.0 % (n = 1)"


def test_two_seeds_show_their_standard_deviation() -> None:
    interval = t_interval([0.79, 0.81])
    assert interval is not None
    assert spread_text(interval) == "± 1.4"
    assert interval_text(interval) == "80.0 % ± 1.4 (n = 2)"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.25, "0.2 s"), (59.9, "59.9 s"), (125.0, "2 min 05 s"), (7384.0, "2 h 03 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


@pytest.mark.parametrize(
    ("difference", "text"),
    [(0.0123, "+1.2"), (-0.0123, "-1.2"), (0.0, "+0.0"), (-0.0001, "+0.0"), (None, "–"), (math.nan, "–")],
)
def test_differences_have_a_sign(difference: float | None, text: str) -> None:
    assert points_text(difference) == text


def test_a_gain_is_in_points() -> None:
    assert gain_text(None) == "–"
    assert gain_text(t_interval([0.01])) == "+1.0"
    assert gain_text(t_interval([-0.01, 0.01])) == "+0.0 ± 1.4"
    assert gain_text(t_interval([0.0, 0.01, 0.02])) == "+1.0 [-1.5, +3.5]"


def test_figures_in_their_own_unit() -> None:
    assert (plain_text(0.36149), plain_text(None), plain_text(math.nan)) == ("0.361", "–", "–")
    assert (change_text(0.0123), change_text(-0.0001), change_text(None)) == ("+0.012", "+0.000", "–")
    two = t_interval([0.3, 0.4])
    assert cell_text(two, "mean") == "0.350 ± 0.071 (n = 2)"
    assert cell_text(two, "difference") == "+0.350 ± 0.071 (n = 2)"


def test_a_result_says_its_bits_its_standing_and_what_is_missing() -> None:
    test = t_interval([0.7, 0.8])
    near = Result(test=test, bits=4.1, standing=Standing.NEAR, note="1 of 3 failed: diverged")
    assert result_texts(near) == ("75.0 ≈", "± 7.1 n = 2, 4.1 bits, 1 of 3 failed: diverged")
    assert result_texts(Result(test=t_interval([0.361]), fraction=False)) == ("0.361", "n = 1")
    assert cell_text(Result(test=None, note="left"), "result") == "– left"
