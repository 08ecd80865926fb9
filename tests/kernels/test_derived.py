"""What is derived from constants is made once, and never outlives what it was made of."""

from __future__ import annotations

import gc
import weakref
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lorap_bench.kernels.derived import KEPT, derived, kept

if TYPE_CHECKING:
    import pytest


class Maker:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, source: Tensor, factor: Tensor) -> Tensor:
        self.calls += 1
        return source * factor


def test_a_constant_is_worked_on_once() -> None:
    make, source, factor = Maker(), torch.ones(3), torch.tensor(2.0)
    first = derived(make, source, factor)
    assert derived(make, source, factor) is first
    assert make.calls == 1
    assert torch.equal(first, torch.full((3,), 2.0))


def test_two_functions_of_one_source_do_not_meet() -> None:
    source, factor = torch.ones(3), torch.tensor(2.0)
    assert torch.equal(derived(torch.mul, source, factor), torch.full((3,), 2.0))
    assert torch.equal(derived(torch.add, source, factor), torch.full((3,), 3.0))


def test_a_change_in_place_or_another_partner_is_noticed() -> None:
    make, source, factor = Maker(), torch.ones(3), torch.tensor(2.0)
    derived(make, source, factor)
    source.add_(1)
    assert torch.equal(derived(make, source, factor), torch.full((3,), 4.0))
    assert torch.equal(derived(make, source, torch.tensor(3.0)), torch.full((3,), 6.0))
    assert make.calls == 3


def test_what_is_trained_is_never_kept() -> None:
    make, factor = Maker(), torch.tensor(2.0)
    leaf = torch.ones(3, requires_grad=True)
    for source in (leaf, leaf * 1):
        for _ in range(2):
            derived(make, source, factor)
    assert make.calls == 4


def test_the_result_goes_with_its_source() -> None:
    source = torch.ones(3)
    result = weakref.ref(derived(Maker(), source, torch.tensor(2.0)))
    assert result() is not None
    del source
    gc.collect()
    assert result() is None


def test_a_result_is_kept_for_each_key() -> None:
    make, source = Maker(), torch.ones(3)
    for _ in range(2):
        for key in (2.0, 3.0):
            found = kept(lambda: make(source, torch.tensor(key)), source, key)  # noqa: B023  # called within the turn
            assert torch.equal(found, torch.full((3,), key))
    assert make.calls == 2
    source.add_(1)
    assert torch.equal(kept(lambda: make(source, torch.tensor(2.0)), source, 2.0), torch.full((3,), 4.0))


def test_the_results_longest_unused_go_first() -> None:
    make, source = Maker(), torch.ones(3)

    def ask(key: int) -> None:
        kept(lambda: make(source, torch.tensor(float(key))), source, key)

    for key in range(KEPT[0]):
        ask(key)
    ask(0)
    ask(KEPT[0])
    ask(0)
    assert make.calls == KEPT[0] + 1
    ask(1)
    assert make.calls == KEPT[0] + 2


def test_large_results_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    make, source = Maker(), torch.ones(3)
    monkeypatch.setattr("lorap_bench.kernels.derived.KEPT", (8, 20))
    for key in (1, 2, 2, 1):
        kept(lambda: make(source, torch.tensor(2.0)), source, key)
    assert make.calls == 3


def test_what_is_kept_goes_with_its_source() -> None:
    source = torch.ones(3)
    result = weakref.ref(kept(partial(Maker(), source, torch.tensor(2.0)), source, "key"))
    assert result() is not None
    del source
    gc.collect()
    assert result() is None
