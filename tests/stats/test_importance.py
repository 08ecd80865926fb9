"""Importance of parameters of known functions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lorap_bench.stats.importance import Importances, importance


def known(columns: dict[str, list[object]], target: list[float], **options: int) -> dict[str, float]:
    found = importance(columns, target, **options)
    assert found is not None
    return {one.name: one.mean for one in found.parameters}


def uniform(n: int, names: str) -> dict[str, list[object]]:
    rng = np.random.default_rng(1)
    return {name: rng.random(n).tolist() for name in names}


@pytest.fixture(scope="module")
def additive() -> Importances:
    """Return the importances in 4 a + 2 b + 0 c, with a constant d, of 500 trials."""
    columns = uniform(500, "cba")
    target = [4 * float(str(a)) + 2 * float(str(b)) for a, b in zip(columns["a"], columns["b"], strict=True)]
    found = importance({**columns, "d": [0.5] * 500}, target)
    assert found is not None
    return found


def test_an_additive_function_ranks_its_parameters(additive: Importances) -> None:
    names = [one.name for one in additive.parameters]
    assert names[:2] == ["a", "b"]
    assert set(names) == {"a", "b", "c", "d"}
    assert (additive.n, additive.available) == (500, 500)
    assert additive.held_out > 0.9


def test_a_shuffled_parameter_costs_twice_its_share_of_the_variance(additive: Importances) -> None:
    """Shuffled, a leaves the error E (4 a − 4 a')² = 2 · 16 · Var, of a total of (16 + 4) · Var."""
    means = {one.name: one.mean for one in additive.parameters}
    assert means["a"] == pytest.approx(2 * 16 / 20, rel=0.2)
    assert means["b"] == pytest.approx(2 * 4 / 20, rel=0.25)


def test_noise_is_about_nothing_and_a_constant_nothing_at_all(additive: Importances) -> None:
    one = {one.name: one for one in additive.parameters}
    assert abs(one["c"].mean) < 0.01
    assert (one["d"].mean, one["d"].std) == (0.0, 0.0)
    assert one["a"].std > 0


def test_texts_booleans_and_missing_values_count() -> None:
    rng = np.random.default_rng(2)
    scheme = rng.choice(["fp32", "degree", "a2q"], 240).tolist()
    lorap = (rng.random(240) < 0.5).tolist()
    rank = [int(r) if on else None for r, on in zip(rng.integers(1, 9, 240), lorap, strict=True)]
    noise: list[object] = rng.choice(["x", "y", "<script>"], 240).tolist()
    target = [(name == "a2q") + 0.1 * (r or -5) for name, r in zip(scheme, rank, strict=True)]
    means = known({"noise": noise, "scheme": scheme, "rank": list(rank)}, target)
    assert means["rank"] > 0.5
    assert means["scheme"] > 0.2
    assert abs(means["noise"]) < 0.02
    # What a boolean tells, a parameter that it switches on tells too.
    assert known({"lorap": lorap, "noise": noise}, target)["lorap"] > 0.5


def test_of_pure_noise_the_forest_explains_nothing() -> None:
    columns = uniform(200, "abc")
    found = importance(columns, np.random.default_rng(5).random(200).tolist())
    assert found is not None
    assert found.held_out < 0.1
    assert all(abs(one.mean) < 0.2 for one in found.parameters)


def test_the_same_trials_give_the_same_importances_and_another_seed_others() -> None:
    columns = uniform(40, "ab")
    target = [float(str(value)) for value in columns["a"]]
    assert importance(columns, target) == importance(columns, target)
    assert importance(columns, target) != importance(columns, target, seed=1)


def test_of_many_trials_evenly_spaced_ones_are_taken() -> None:
    columns = uniform(101, "ab")
    target = [float(str(value)) for value in columns["a"]]
    thinned = importance({name: column[::4] for name, column in columns.items()}, target[::4])
    found = importance(columns, target, most=26)
    assert found is not None
    assert thinned is not None
    assert (found.n, found.available, found.parameters) == (26, 101, thinned.parameters)


def test_only_the_order_of_numbers_counts() -> None:
    columns = uniform(60, "ab")
    target = [float(str(value)) for value in columns["a"]]
    stretched = {name: [10.0 ** (600 * float(str(x)) - 300) for x in column] for name, column in columns.items()}
    assert importance(stretched, target) == importance(columns, target)


def test_trials_without_a_value_are_left_out() -> None:
    columns = uniform(60, "ab")
    target: list[float | None] = [float(str(value)) for value in columns["a"]]
    gaps = [*target, None, math.nan, math.inf]
    padded = {name: [*column, 9.0, None, -9.0] for name, column in columns.items()}
    assert importance(padded, gaps) == importance(columns, target)


def test_too_little_to_tell() -> None:
    columns = uniform(30, "a")
    assert importance(columns, [0.5] * 30) is None
    assert importance(columns, [math.nan] * 30) is None
    assert importance({}, [float(index) for index in range(30)]) is None
    assert importance({"a": list(range(19))}, [float(index) for index in range(19)]) is None
    assert importance({"a": [None] * 20}, [float(index) for index in range(20)]) is not None
