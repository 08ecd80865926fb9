"""Learned widths by row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lorap_bench.report.row_widths import rows_of

if TYPE_CHECKING:
    from tests.report.conftest import RecordMaker


def test_nodes_are_grouped_by_octaves_of_their_in_degree(make_record: RecordMaker) -> None:
    degree = [0.0, 1, 2, 3, 4, 5, 8, 9, 16, 17]
    curves = {"row_bits:layers.0.input": [[float(value) for value in range(10)]], "in_degree": [degree]}
    (rows,) = rows_of(make_record(0), curves)
    found = {octave.label: octave.nodes for octave in rows.octaves()}
    assert found == {"0": 1, "1": 1, "2": 1, "3–4": 2, "5–8": 2, "9–16": 2, "17–32": 1}


def test_the_members_are_pooled(make_record: RecordMaker) -> None:
    curves = {"row_bits:a": [[2.0, 2.0, 8.0], [4.0, 6.0, 8.0]], "in_degree": [[1.0, 1.0, 2.0]]}
    (rows,) = rows_of(make_record(0), curves)
    one, two = rows.octaves()
    assert (one.nodes, one.mean, one.low, one.median, one.high) == (2, 3.5, 2.0, 3.0, 4.5)
    assert (two.nodes, two.mean) == (1, 8.0)


def test_members_of_another_length_and_gaps_are_left_out(make_record: RecordMaker) -> None:
    curves = {"row_bits:a": [[2.0], [4.0, math.nan, math.nan]], "in_degree": [[1.0, 1.0, 2.0]]}
    (rows,) = rows_of(make_record(0), curves)
    (octave,) = rows.octaves()
    assert (octave.label, octave.mean) == ("1", 4.0)


def test_rows_that_are_groups_are_counted_by_width(make_record: RecordMaker) -> None:
    (rows,) = rows_of(make_record(0), {"row_bits:a": [[2.0, 3.0, math.nan], [3.0, 3.0, 4.0]], "val_loss": [[1.0]]})
    assert rows.octaves() == []
    assert rows.counts() == {2.0: 1, 3.0: 3, 4.0: 1}
    assert list(rows_of(make_record(0), {"row_bits:a": [[], []]})) == []
