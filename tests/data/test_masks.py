from __future__ import annotations

import numpy as np
import pytest

from lorap_bench.data.masks import published_masks


def test_one_mask_serves_every_split() -> None:
    train = np.array([[1, 0, 0], [0, 1, 0]], dtype=np.uint8)
    masks = published_masks({"train": train, "test": np.array([False, False, True])}, 2, 3)
    assert masks["train"].tolist() == [[True, False, False], [False, True, False]]
    assert masks["test"].tolist() == [[False, False, True]] * 2


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ([[1, 0, 0]], r"the train mask is \[1, 3\] instead of \[2, 3\]"),
        ([[1, 0, 0], [0, 2, 0]], "holds more than zeros and ones"),
        ([[1, 0, 0], [0, 0, 0]], "the train mask of a split is empty"),
        ([[1, 0, 0], [0, 0, 1]], "split 1 has a node in two parts"),
    ],
)
def test_masks_that_are_none(train: list[list[int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        published_masks({"train": np.array(train), "test": np.array([0, 0, 1])}, 2, 3)
