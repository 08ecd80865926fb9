from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorap_bench.data.splits import folds, parts, per_class, stratified_order


def test_the_order_is_frozen() -> None:
    # A change of this list changes every split, and with it every published figure.
    assert stratified_order([0, 0, 0, 0, 1, 1], seed=0) == [3, 4, 2, 0, 5, 1]


def test_another_seed_gives_another_order() -> None:
    labels = [0, 1] * 20
    assert stratified_order(labels, 0) != stratified_order(labels, 1)


def test_parts_need_sizes_that_add_up() -> None:
    with pytest.raises(ValueError, match=r"sizes \[1, 1\] do not add up to 3 items"):
        parts([0, 0, 1], [1, 1], seed=0)


def test_the_drawn_splits_are_frozen() -> None:
    assert per_class([0, 0, 0, 0, 1, 1, 1], [1, 1], seed=0) == [[3, 4], [2, 6], [0, 1, 5]]


def test_a_class_must_leave_something_for_the_last_part() -> None:
    with pytest.raises(ValueError, match=r"class 1 has 2 items, and more than 2 are needed"):
        per_class([0, 0, 0, 1, 1], [1, 1], seed=0)


@pytest.mark.property
@given(st.lists(st.integers(0, 2), min_size=40, max_size=90), st.integers(0, 9))
def test_drawn_parts_hold_as_many_of_every_class(labels: list[int], seed: int) -> None:
    counts = Counter(labels)
    if min(counts.values()) <= 5:
        return
    train, val, rest = per_class(labels, [2, 3], seed)
    assert sorted(train + val + rest) == list(range(len(labels)))
    for part, size in ((train, 2), (val, 3)):
        assert Counter(labels[index] for index in part) == dict.fromkeys(counts, size)


@pytest.mark.property
@given(st.lists(st.integers(0, 3), min_size=10, max_size=200), st.integers(0, 5))
def test_folds_part_the_items_and_keep_the_proportions(labels: list[int], seed: int) -> None:
    found = folds(labels, 10, seed)
    assert sorted(index for fold in found for index in fold) == list(range(len(labels)))
    assert max(map(len, found)) - min(map(len, found)) <= 1
    whole = Counter(labels)
    for fold in found:
        for label, count in Counter(labels[index] for index in fold).items():
            assert abs(count - whole[label] * len(fold) / len(labels)) <= len(whole)
