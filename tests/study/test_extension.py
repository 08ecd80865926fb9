from __future__ import annotations

from typing import Any

import pytest

from lorap_bench.errors import ConfigError
from lorap_bench.study.extension import Extension, extended, parse_more
from lorap_bench.study.spec import StudySpec


def spec(**budget: Any) -> StudySpec:
    mapping = {"version": 1, "name": "tiny", "objectives": ["accuracy"], "budget": {"trials": 4, **budget}}
    return StudySpec.from_mapping(mapping)


def test_extensions_add_up() -> None:
    whole = Extension(trials=100) + Extension(trials=50, hours=1.5)
    assert whole == Extension(trials=150, hours=1.5)
    assert whole.to_mapping() == {"trials": 150, "hours": 1.5}
    assert Extension.from_mapping(whole.to_mapping()) == whole
    assert Extension().to_mapping() == {}


def test_an_extended_study_is_the_same_study_with_more_to_spend() -> None:
    one = spec(epochs=100)
    more = extended(one, Extension(trials=100, epochs=50, gpu_hours=2.0))
    assert (more.budget.trials, more.budget.epochs, more.budget.gpu_hours) == (104, 150, None)
    assert more.identity == one.identity
    assert one.budget.trials == 4
    assert extended(one, Extension()) == one


@pytest.mark.parametrize(
    ("limit", "text", "more"), [("trials", "+100", 100), ("epochs", "7", 7), ("hours", "+.5", 0.5)]
)
def test_what_is_added_is_read(limit: str, text: str, more: float) -> None:
    assert parse_more(limit, text) == more


@pytest.mark.parametrize(
    ("limit", "text"),
    [("trials", "1.5"), ("trials", "0"), ("trials", "-3"), ("epochs", "many"), ("hours", "nan"), ("gpu_hours", "inf")],
)
def test_what_adds_nothing_is_refused(limit: str, text: str) -> None:
    with pytest.raises(ConfigError, match=f"--{limit.replace('_', '-')}: adds nothing to the budget; got '{text}'"):
        parse_more(limit, text)
