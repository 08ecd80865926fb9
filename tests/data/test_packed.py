from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from lorap_bench.data.packed import Packed, from_stored, to_stored


def _packed(x: torch.Tensor) -> Packed:
    return Packed(
        x=x,
        edge_index=torch.zeros(2, 0, dtype=torch.int64),
        graph_ptr=torch.tensor([0, len(x)]),
        y=torch.zeros(len(x), dtype=torch.int64),
        splits={"train": torch.tensor([0])},
    )


@pytest.mark.parametrize("filled", [0, 1, 9, 10, 100])
def test_what_is_stored_comes_back(filled: int) -> None:
    x = torch.zeros(10, 10)
    x.view(-1)[:filled] = torch.arange(filled) - 4.5
    packed = _packed(x)
    stored = to_stored(packed)
    assert isinstance(stored["x"], dict) is (filled < 10)
    back = from_stored(stored)
    assert torch.equal(back.x, x)
    assert back.splits is packed.splits


def test_nan_is_something() -> None:
    x = torch.zeros(20, 20)
    x[3, 4] = torch.nan
    stored = to_stored(_packed(x))
    assert stored["x"]["places"].tolist() == [64]
    assert bool(from_stored(stored).x[3, 4].isnan())


def test_relations_are_stored_where_there_are_any() -> None:
    plain = _packed(torch.ones(3, 1))
    assert "edge_type" not in to_stored(plain)  # what is stored was so before there were relations
    assert from_stored(to_stored(plain)).edge_type is None
    typed = replace(plain, edge_type=torch.tensor([0, 2], dtype=torch.int8))
    back = from_stored(to_stored(typed)).edge_type
    assert back is not None
    assert torch.equal(back, torch.tensor([0, 2], dtype=torch.int8))


def test_a_set_without_features() -> None:
    assert from_stored(to_stored(_packed(torch.zeros(5, 0)))).x.shape == (5, 0)


def test_damage_is_told() -> None:
    stored = to_stored(_packed(torch.zeros(4, 4)))
    with pytest.raises(IndexError):
        from_stored({**stored, "x": {"shape": [4, 4], "places": torch.tensor([16]), "values": torch.ones(1)}})
