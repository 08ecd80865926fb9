from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.search import seeds as module
from lorap_bench.search.seeds import confirmation_seeds, member_seeds, sampler_seed

if TYPE_CHECKING:
    import pytest

PINNED = (1592368771, (1269687015, 1616250162), (1731096182, 2022610916))


def test_seeds_depend_on_study_and_place_alone() -> None:
    assert member_seeds(0, 5, 3) == member_seeds(0, 5, 3)
    assert sampler_seed(0, 5) == sampler_seed(0, 5)
    assert len({sampler_seed(study, key) for study in range(10) for key in range(100)}) == 1000


def test_the_first_seeds_are_pinned_so_that_old_studies_stay_repeatable() -> None:
    assert (sampler_seed(0, 0), member_seeds(0, 0, 2), confirmation_seeds(0, 0, 2)) == PINNED


def test_more_members_keep_the_first_seeds() -> None:
    assert member_seeds(3, 8, 10)[:4] == member_seeds(3, 8, 4)


def test_streams_are_apart_and_31_bit() -> None:
    drawn = [seed for key in range(200) for seed in (*member_seeds(1, key, 3), *confirmation_seeds(1, key, 3))]
    assert len(set(drawn)) == len(drawn)
    assert all(0 <= seed < 2**31 for seed in drawn)


def test_seeds_of_a_trial_never_repeat_even_if_the_hash_does(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = iter([4, 4, 9, 1, 4, 6])
    monkeypatch.setattr(module, "_seed", lambda *parts: next(hashes))
    assert member_seeds(0, 0, 2) == (4, 9)
    assert confirmation_seeds(0, 0, 2, used={4, 9}) == (1, 6)


def test_every_look_has_a_stream_of_its_own_and_more_seeds_keep_the_first() -> None:
    assert not set(confirmation_seeds(0, 1, 10)) & set(confirmation_seeds(0, 2, 10))
    assert confirmation_seeds(0, 1, 10)[:4] == confirmation_seeds(0, 1, 4)
