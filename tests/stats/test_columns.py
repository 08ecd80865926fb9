"""Columns of any kind as numbers."""

from __future__ import annotations

import math

import numpy as np

from lorap_bench.stats.columns import evenly_spaced, numbers, one_hot


def test_numbers_and_booleans_are_numbers_and_the_rest_is_missing() -> None:
    found = numbers([1, 2.5, True, None, math.inf, math.nan, np.int64(7), np.bool_(0)])
    assert found is not None
    np.testing.assert_array_equal(found, [1.0, 2.5, 1.0, math.nan, math.nan, math.nan, 7.0, 0.0])
    assert numbers([None, None]) is not None


def test_a_text_among_numbers_makes_no_number() -> None:
    assert numbers([1.0, "2"]) is None
    assert numbers([(1, 2)]) is None


def test_one_column_a_text() -> None:
    assert one_hot(["b", None, "a", "b"]).tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert one_hot(["None", None]).shape == (2, 2)
    assert one_hot([(2, 3), (2, 4), (2, 3)]).tolist() == [[1, 0], [0, 1], [1, 0]]
    assert one_hot([]).shape == (0, 0)


def test_evenly_spaced_rows_keep_both_ends() -> None:
    assert evenly_spaced(np.arange(10, 15), 5) == [10, 11, 12, 13, 14]
    assert evenly_spaced(np.arange(10, 15), 3) == [10, 12, 14]
    chosen = evenly_spaced(np.arange(1234), 1000)
    assert len(set(chosen)) == 1000
    assert (chosen[0], chosen[-1]) == (0, 1233)
