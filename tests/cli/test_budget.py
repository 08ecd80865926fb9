from __future__ import annotations

from typing import Any

import pytest

from lorap_bench.cli.budget import limits, rules, spent_rows, told_budget, with_extension
from lorap_bench.search.budget import Spending
from lorap_bench.study.extension import Extension, extended
from lorap_bench.study.spec import StudySpec


def spec(**sections: Any) -> StudySpec:
    mapping = {"version": 1, "name": "tiny", "objectives": ["accuracy"], "budget": {"trials": 40}}
    return StudySpec.from_mapping({**mapping, **sections})


@pytest.mark.parametrize(
    ("limit", "by", "told"),
    [(140, 100, "40 + 100"), (40, 0, "40"), (2.5, 0.5, "2 + 0.5"), (1_500_000, 0, "1,500,000"), (3.0, 0.0, "3")],
)
def test_a_limit_shows_what_was_added(limit: float, by: float, told: str) -> None:
    assert with_extension(limit, by) == told


def test_a_budget_in_words() -> None:
    assert told_budget(3, 40) == "3 of 40 trials"
    assert told_budget(1, 1) == "1 of 1 trial"
    assert told_budget(120, 140, 100) == "120 of 40 + 100 trials"
    assert told_budget(7, 5) == "7 trials, of a budget since cut to 5"


def test_every_limit_that_is_set_is_told() -> None:
    by = Extension(trials=100, epochs=500)
    one = extended(spec(budget={"trials": 40, "epochs": 1000, "gpu_hours": 2.0, "hours": 1.0}), by)
    spent = Spending(trials=12, epochs=1200, gpu_seconds=1800.0, seconds=7200.0)
    assert spent_rows(one, spent, by) == [
        "12 of 40 + 100 trials",
        "1,200 of 1,000 + 500 epochs",
        "0.50 of 2 GPU hours",
        "2.00 of 1 hour",
    ]
    assert limits(one, spent) == {
        "epochs": {"limit": 1500, "spent": 1200, "left": 300},
        "gpu_hours": {"limit": 2.0, "spent": 0.5, "left": 1.5},
        "hours": {"limit": 1.0, "spent": 2.0, "left": 0},
    }
    assert limits(spec(), spent) == {}


def test_what_else_limits_a_trial() -> None:
    assert rules(spec()) == []
    rows = rules(
        spec(
            budget={"trials": 4, "trial_seconds": 600.0},
            replicas={"search": 5, "screen": 2},
            early_stopping={"rule": "MO-ASHA", "bound": True},
        )
    )
    assert [name for name, _ in rows] == ["longest trial", "screening", "early stopping", ""]
    told = " ".join(text for _, text in rows)
    assert "600 s" in told
    assert "2 of 5 seeds first" in told
    assert "MO-ASHA" in told
    assert rules(spec(early_stopping={"bound": True}))[0][0] == "early stopping"
    assert rules(spec(replicas={"search": 2, "screen": 2})) == []
