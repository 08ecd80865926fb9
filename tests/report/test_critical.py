"""The critical-difference diagram and the words beside it."""

from __future__ import annotations

import pytest

from lorap_bench.report.critical import critical_figure, ranked_words
from lorap_bench.stats.ranks import critical_difference

CLEAR = [[0.9 - place / 1000, 0.7, 0.5 + place / 1000] for place in range(12)]


def test_methods_stand_by_rank_and_only_what_chance_may_part_has_a_bar() -> None:
    figure = critical_figure("x", ["good", "middling", "poor"], CLEAR)
    assert figure is not None
    assert [row[:2] for row in figure.table.rows] == [("good", 1.0), ("middling", 2.0), ("poor", 3.0)]
    assert {row[2] for row in figure.table.rows} == {12}
    bars = [trace for trace in figure.plot.data if trace.mode == "lines"]
    assert critical_difference(3, 12) < 1
    assert bars == []
    few = critical_figure("x", ["good", "middling", "poor"], CLEAR[:2])
    assert few is not None
    assert [list(trace.x) for trace in few.plot.data if trace.mode == "lines"] == [[1.0, 3.0]]


def test_what_cannot_be_ranked_is_no_figure() -> None:
    assert critical_figure("x", ["a", "b"], [[0.1, 0.2]] * 5) is None
    assert critical_figure("x", ["a", "b", "c"], [[0.1, 0.2, 0.3]]) is None
    assert ranked_words([[0.1, 0.2, 0.3]]) == ""


def test_words_tell_blocks_gaps_and_the_difference() -> None:
    words = ranked_words([*CLEAR, [None, 0.1, 0.2]])
    assert "(n = 12 blocks; 1 with a gap left out)" in words
    assert "p < 0.001" in words
    assert f"{critical_difference(3, 12):.2f}" in words
    assert "p = 1 " in ranked_words([[0.5, 0.5, 0.5]] * 4)
    assert pytest.approx(0.9568, abs=1e-4) == critical_difference(3, 12)
