from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lorap_bench.data.edges import canonical_edges


def test_both_directions_once_sorted_by_target_then_source() -> None:
    given_edges = torch.tensor([[2, 0, 0, 1, 1], [0, 2, 1, 1, 0]])
    assert canonical_edges(given_edges, 3).tolist() == [[1, 2, 0, 0], [0, 0, 1, 2]]


def test_no_edges() -> None:
    assert canonical_edges(torch.empty(2, 0, dtype=torch.int64), 4).shape == (2, 0)


@pytest.mark.property
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=40))
def test_equals_the_set_of_pairs(pairs: list[tuple[int, int]]) -> None:
    edge_index = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).T
    expected = sorted({(b, a) for s, t in pairs if s != t for a, b in ((s, t), (t, s))})
    source, target = canonical_edges(edge_index, 8).tolist()
    assert list(zip(target, source, strict=True)) == expected
