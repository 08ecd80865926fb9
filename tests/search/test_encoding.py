"""Values as places in [0, 1] and back; points as vectors."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

from lorap_bench.search.encoding import Encoding, nearest_value, place, point_at, value_at
from lorap_bench.study.distributions import Choices, FloatRange, IntRange
from tests.search.synthetic import WIDE, make_spec


@pytest.mark.parametrize(
    ("distribution", "share", "value"),
    [
        (Choices(("a", "b", "c", "d")), 0.0, "a"),
        (Choices(("a", "b", "c", "d")), 0.5, "c"),
        (Choices(("a", "b", "c", "d")), 1.0, "d"),
        (FloatRange(2, 4), 0.25, 2.5),
        (FloatRange(1e-4, 1e-2, log=True), 0.5, 1e-3),
        (IntRange(1, 4), 0.0, 1),
        (IntRange(1, 4), 0.26, 2),
        (IntRange(1, 4), 1.0, 4),
        (IntRange(4, 64, step=4), 0.999, 64),
        (IntRange(1, 16, log=True), 1.0, 16),
    ],
)
def test_quantiles(distribution: Any, share: float, value: Any) -> None:
    assert value_at(distribution, share) == (pytest.approx(value) if isinstance(value, float) else value)


@pytest.mark.parametrize(
    "distribution",
    [
        Choices((8, 2, 4)),
        IntRange(1, 9),
        IntRange(1, 9, step=2),
        IntRange(1, 50, log=True),
        FloatRange(0.1, 9, log=True),
    ],
)
def test_every_quantile_is_admissible_and_all_values_are_reached(distribution: Any) -> None:
    found = [value_at(distribution, share) for share in np.linspace(0, 1, 2001)]
    assert all(value in distribution for value in found)
    if distribution.size is not None:
        assert set(found) == set(distribution)
        assert {place(distribution, value) for value in (min(distribution), max(distribution))} == {0.0, 1.0}


def test_whole_numbers_have_equal_shares() -> None:
    found = [value_at(IntRange(1, 4), share) for share in (np.arange(4000) + 0.5) / 4000]
    assert [found.count(value) for value in (1, 2, 3, 4)] == [1000] * 4


@pytest.mark.parametrize(
    ("distribution", "wanted", "value"),
    [
        (Choices((2, 3, 4, 8)), 8, 8),
        (Choices((2, 8)), 4, 2),  # by ratio 4 is as near to 2 as to 8: the smaller one
        (Choices((3, 8)), 32, 8),
        (Choices(("None", "LoRAP")), "GPF", None),
        (Choices((True, False)), 1, None),
        (IntRange(1, 6), 8, 6),
        (IntRange(2, 20, step=6), 5, 8),
        (FloatRange(1e-3, 1e-1), 1.0, 1e-1),
    ],
)
def test_the_nearest_admissible_value(distribution: Any, wanted: Any, value: Any) -> None:
    assert nearest_value(distribution, wanted) == value


def test_points_leave_out_what_no_condition_switches_on() -> None:
    spec = make_spec(WIDE)
    assert point_at(spec.parameters, spec.base, [0.0] * 6)["prompt.kind"] == "None"
    assert "prompt.rank" not in point_at(spec.parameters, spec.base, [0.0] * 6)
    assert point_at(spec.parameters, spec.base, [0.9] * 6)["prompt.rank"] == 12


def test_unordered_values_are_one_apart_and_inactive_ones_in_the_middle() -> None:
    space = {
        "prompt.kind": {"choices": ["None", "LoRAP", "GPF"]},
        "prompt.rank": {"int": [1, 5], "when": {"prompt.kind": "LoRAP"}},
        "quant.bits": {"choices": [8, 2, 4]},
    }
    encoding = Encoding(make_spec(space).parameters)
    none, gpf = (encoding.row({"prompt.kind": kind, "quant.bits": 2}) for kind in ("None", "GPF"))
    assert np.linalg.norm(none - gpf) == pytest.approx(1.0)
    assert none[3] == 0.5
    assert encoding.row({"prompt.kind": "LoRAP", "prompt.rank": 5, "quant.bits": 4}).tolist() == [
        0.0,
        pytest.approx(math.sqrt(0.5)),
        0.0,
        1.0,
        0.5,
    ]


def test_all_rows_lie_in_the_unit_box() -> None:
    spec = make_spec(WIDE)
    encoding, rng = Encoding(spec.parameters), random.Random(0)
    rows = np.stack([encoding.row(spec.parameters.sample(spec.base, rng)) for _ in range(200)])
    assert rows.min() >= 0
    assert rows.max() <= 1
    assert rows.std(axis=0).min() > 0
