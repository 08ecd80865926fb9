from __future__ import annotations

import random

import pytest

from lorap_bench.study.distributions import Choices, Distribution, FloatRange, IntRange, range_problems


@pytest.mark.parametrize(
    ("distribution", "values"),
    [
        (Choices((4, 2, 8)), [4, 2, 8]),
        (IntRange(1, 4), [1, 2, 3, 4]),
        (IntRange(2, 8, step=3), [2, 5, 8]),
        (IntRange(5, 5), [5]),
    ],
)
def test_countable_distributions_list_their_values_in_order(distribution: Distribution, values: list[int]) -> None:
    assert list(distribution) == values
    assert distribution.size == len(values)
    assert all(value in distribution for value in values)


def test_a_range_of_floats_is_not_countable() -> None:
    assert FloatRange(0.1, 1.0).size is None
    with pytest.raises(ValueError, match="no list of values"):
        list(FloatRange(0.1, 1.0))


def test_membership_keeps_truth_and_numbers_apart() -> None:
    assert 1 not in Choices((True, False))
    assert True not in Choices((1, 0))
    assert True not in IntRange(0, 1)
    assert True not in FloatRange(0.0, 1.0)
    assert 3 not in IntRange(2, 8, step=3)
    assert "2" not in IntRange(2, 8)
    assert 0.5 in FloatRange(0.1, 1.0)
    assert 2.0 not in FloatRange(0.1, 1.0)


@pytest.mark.parametrize(
    "distribution",
    [
        Choices(("a", "b")),
        IntRange(1, 9, step=2),
        IntRange(1, 64, log=True),
        FloatRange(-1.0, 1.0),
        FloatRange(1e-4, 1e-1, log=True),
        FloatRange(0.3, 0.3, log=True),
    ],
)
def test_samples_lie_inside_and_repeat_with_the_seed(distribution: Distribution) -> None:
    drawn = [distribution.sample(random.Random(seed)) for seed in range(50)]
    assert all(value in distribution for value in drawn)
    assert drawn == [distribution.sample(random.Random(seed)) for seed in range(50)]


def test_a_logarithmic_range_favours_small_numbers() -> None:
    rng = random.Random(0)
    whole = [IntRange(1, 1000, log=True).sample(rng) for _ in range(400)]
    real = [FloatRange(1.0, 1000.0, log=True).sample(rng) for _ in range(400)]
    # Evenly in the logarithm, half lie below the geometric mean, 31.6.
    assert 150 < sum(value <= 31 for value in whole) < 250
    assert 150 < sum(value <= 31.6 for value in real) < 250


@pytest.mark.parametrize(
    ("low", "high", "step", "log", "problems"),
    [
        (1, 4, 1, False, []),
        (1, 4, 3, False, []),
        (4, 1, 1, False, ["the lower end 4 is above the upper end 1"]),
        (0, 4, 1, True, ["a logarithmic range must start above 0, not at 0"]),
        (1, 4, 0, False, ["the step must be at least 1, not 0"]),
        (1, 5, 2, True, ["a logarithmic range takes no step"]),
        (1, 4, 2, False, ["steps of 2 from 1 do not reach 4"]),
    ],
)
def test_impossible_ranges_are_explained(low: int, high: int, step: int, log: bool, problems: list[str]) -> None:
    assert range_problems(low, high, step=step, log=log) == problems
