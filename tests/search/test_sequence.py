"""Points by number alone."""

from __future__ import annotations

import json
from itertools import islice

import numpy as np
import pytest

from lorap_bench.errors import ConfigError
from lorap_bench.search.sequence import GRID_LIMIT, Grid, Sobol
from tests.search.synthetic import SMALL, WIDE, make_spec


@pytest.mark.parametrize("scramble", [True, False])
def test_a_point_depends_on_its_number_alone(scramble: bool) -> None:
    spec = make_spec(WIDE)
    one, other = (Sobol(spec.parameters, spec.base, 3, scramble=scramble) for _ in range(2))
    forwards = [one.point(number) for number in range(600)]
    assert [other.point(number) for number in (599, 0, 300)] == [forwards[599], forwards[0], forwards[300]]
    assert list(islice(other.points(), 600)) == forwards


def test_blocks_spread_evenly_and_seeds_differ() -> None:
    spec = make_spec({"optim.lr": {"float": [0.0001, 1.0]}, "quant.bits": {"choices": [2, 4, 8, 32]}})
    points = list(islice(Sobol(spec.parameters, spec.base, 0).points(), 64))
    bits = [point["quant.bits"] for point in points]
    assert [bits.count(value) for value in (2, 4, 8, 32)] == [16] * 4
    counts, _ = np.histogram([point["optim.lr"] for point in points], bins=16, range=(0.0001, 1.0))
    assert counts.tolist() == [4] * 16
    assert points != list(islice(Sobol(spec.parameters, spec.base, 1).points(), 64))


def test_a_grid_has_every_point_once_in_an_order_of_its_seed() -> None:
    space = {**SMALL, "prompt.rank": {"int": [1, 4], "when": {"quant.bits": [2, 4]}}}
    spec = make_spec(space)
    size = spec.parameters.size(spec.base)
    assert size == 9
    grid, again = Grid(spec.parameters, spec.base, 5), Grid(spec.parameters, spec.base, 5)
    points = [grid.point(number) for number in range(size)]
    assert [again.point(number) for number in range(size)] == points
    listed = {json.dumps(point, sort_keys=True) for point in spec.parameters.points(spec.base)}
    assert {json.dumps(point, sort_keys=True) for point in points} == listed
    assert points != list(spec.parameters.points(spec.base))
    assert grid.point(size) == points[0]


@pytest.mark.parametrize(
    ("space", "got"),
    [
        ({"optim.lr": {"float": [0.1, 1.0]}}, "a range of floats"),
        ({"prompt.count": {"int": [1, GRID_LIMIT + 1]}}, f"{GRID_LIMIT + 1} points"),
    ],
)
def test_a_grid_refuses_what_nobody_could_go_through(space: dict[str, object], got: str) -> None:
    spec = make_spec(space)
    with pytest.raises(ConfigError, match=got):
        Grid(spec.parameters, spec.base, 0)


def test_a_space_without_parameters_has_one_point() -> None:
    spec = make_spec({})
    assert Sobol(spec.parameters, spec.base, 0).point(3) == {}
    assert Grid(spec.parameters, spec.base, 0).point(3) == {}
