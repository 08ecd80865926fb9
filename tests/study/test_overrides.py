from __future__ import annotations

from typing import Any

import pytest

from lorap_bench.errors import ConfigError
from lorap_bench.study.overrides import apply_overrides, parse_overrides


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("0.5", 0.5),
        ("true", True),
        ("LoRAP", "LoRAP"),
        ('"3"', "3"),
        ("[1, 2]", [1, 2]),
        ("{ choices = [1] }", {"choices": [1]}),
        ("<= 4.5", "<= 4.5"),
        ("a=b", "a=b"),
        ("", ""),
        ("2024-01-01", "2024-01-01"),
        ("1\nb = 2", "1\nb = 2"),
    ],
)
def test_values_are_toml_or_text(text: str, value: Any) -> None:
    assert parse_overrides([f"a.b={text}"]) == {"a.b": value}


@pytest.mark.parametrize("path", ['space."prompt.rank"', "space.'prompt.rank'", "space.prompt.rank"])
def test_quotes_may_stand_around_a_key_with_dots(path: str) -> None:
    assert parse_overrides([path + "={ int = [1, 4] }"]) == {"space.prompt.rank": {"int": [1, 4]}}


def test_the_last_of_two_wins() -> None:
    assert parse_overrides(["a=1", "a=2"]) == {"a": 2}


def test_what_is_no_override_is_refused_all_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_overrides(["a", "=3", "a..b=1", "fine=1"])
    assert [fault.got for fault in caught.value.faults] == ["a", "=3", "a..b=1"]


def test_values_find_their_tables() -> None:
    data: dict[str, Any] = {"optim": {"lr": 0.1}}
    changes = {
        "optim.epochs": 3,
        "budget.trials": 5,
        "seed": 1,
        "quant.site_bits.layers.0.weight": 4,
        "space.prompt.count": {"choices": [1]},
        "space": {},
    }
    apply_overrides(data, {path: value for path, value in changes.items() if path != "space"})
    assert data == {
        "optim": {"lr": 0.1, "epochs": 3},
        "budget": {"trials": 5},
        "seed": 1,
        "quant": {"site_bits": {"layers.0.weight": 4}},
        "space": {"prompt.count": {"choices": [1]}},
    }
    apply_overrides(data, {"space": {}})
    assert data["space"] == {}


def test_a_path_through_a_value_is_refused() -> None:
    with pytest.raises(ConfigError, match="seed is not a table"):
        apply_overrides({"seed": 3}, {"seed.deep": 1})
