"""The best of a table, and what chance may have parted from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lorap_bench.report.result import Standing
from lorap_bench.report.suite.entry import Arm
from lorap_bench.report.suite.standing import result, standings

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.report.suite.entry import Entry
    from lorap_bench.report.suite.material import SuiteMaterial

    Make = Callable[..., Entry]
    MakeMaterial = Callable[..., SuiteMaterial]

BARE, LORAP, GPF = (Arm("QAT", prompt) for prompt in ("None", "LoRAP", "GPFPlus"))


def found(
    make: Make, material: MakeMaterial, tests: dict[str, list[float | None]], metric: str = "accuracy"
) -> dict[Arm, str]:
    entries = [make("Cora", "GCN", "QAT", prompt, some, metric=metric) for prompt, some in tests.items()]
    (group,) = material(*entries).groups
    return {arm: standing.value for arm, standing in standings(group).items()}


def test_near_is_what_the_paired_interval_does_not_part(make_entry: Make, make_material: MakeMaterial) -> None:
    tests: dict[str, list[float | None]] = {
        "LoRAP": [0.50, 0.60, 0.70],
        "None": [0.51, 0.57, 0.69],  # differs by -1, 3, 1 points: 1 ± 5
        "GPFPlus": [0.48, 0.579, 0.681],  # differs by 2, 2.1, 1.9: 2 ± 0.25
    }
    assert found(make_entry, make_material, tests) == {LORAP: "best", BARE: "near", GPF: ""}


def test_the_least_error_is_best(make_entry: Make, make_material: MakeMaterial) -> None:
    told = found(make_entry, make_material, {"LoRAP": [0.5, 0.501, 0.5], "GPFPlus": [0.3, 0.301, 0.302]}, "mae")
    assert told == {LORAP: "", GPF: "best"}


def test_one_seed_cannot_part_arms(make_entry: Make, make_material: MakeMaterial) -> None:
    assert found(make_entry, make_material, {"LoRAP": [0.9], "GPFPlus": [0.1]}) == {LORAP: "best", GPF: "near"}


def test_an_arm_with_a_failure_is_neither(make_entry: Make, make_material: MakeMaterial) -> None:
    assert found(make_entry, make_material, {"LoRAP": [0.9, None], "GPFPlus": [0.1, 0.2]}) == {GPF: "best"}
    assert found(make_entry, make_material, {"LoRAP": [None]}) == {}


def test_what_a_table_shows_of_an_arm(make_entry: Make, make_material: MakeMaterial) -> None:
    entries = [
        make_entry("Cora", "GCN", "QAT", "LoRAP", [0.9, None]),
        make_entry("Cora", "GCN", "QAT", "GPFPlus", [0.1, 0.2], bits=3.0),
        make_entry("Cora", "GCN", "QAT", "None"),
    ]
    (group,) = make_material(*entries).groups
    standing = standings(group)
    failed, best, left = (result(group, arm, standing) for arm in (LORAP, GPF, BARE))
    assert failed is not None
    assert best is not None
    assert left is not None
    assert (failed.standing, failed.note, failed.bits) == (Standing.OTHER, "1 of 2 failed: diverged", 4.0)
    assert best.test is not None
    assert (best.standing.value, best.note, best.bits) == ("best", "", 3.0)
    assert best.test.mean == pytest.approx(0.15)
    assert (left.test, left.bits, left.note) == (None, None, "left")
    assert result(group, Arm("A2Q", "None"), standing) is None


def test_equal_means_are_all_best_whatever_single_precision_made_of_them(
    make_entry: Make, make_material: MakeMaterial
) -> None:
    noisy: list[float | None] = [0.7894737124443054, 0.6842105388641357, 0.5]
    exact: list[float | None] = [15 / 19, 13 / 19, 0.5]
    told = found(make_entry, make_material, {"LoRAP": noisy, "GPFPlus": exact})
    assert told == {LORAP: "best", GPF: "best"}


def test_a_difference_that_is_the_same_in_all_seeds_may_be_chance(
    make_entry: Make, make_material: MakeMaterial
) -> None:
    told = found(make_entry, make_material, {"LoRAP": [0.8, 0.7, 0.6], "GPFPlus": [0.75, 0.65, 0.55]})
    assert told == {LORAP: "best", GPF: "near"}
