from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorap_bench.config import TrialConfig
from lorap_bench.errors import ConfigError
from lorap_bench.study.space import Choices, FloatRange, IntRange, Parameter, Space, overlay

BASE = TrialConfig()
KIND = Parameter("prompt.kind", Choices(("None", "GPF", "LoRAP")))
COUNT = Parameter("prompt.count", IntRange(1, 4), {"prompt.kind": ("GPF", "LoRAP")})
RANK = Parameter("prompt.rank", IntRange(1, 3), {"prompt.kind": ("LoRAP",)})


def test_overlay_sets_fields_and_table_entries_and_leaves_the_rest() -> None:
    base = TrialConfig(quant=replace(BASE.quant, layer_bits={"head": 8}))
    made = overlay(base, {"prompt.rank": 2, "quant.layer_bits.0": 4, "quant.site_bits.layers.1.weight": 2})
    assert made.prompt == replace(base.prompt, rank=2)
    assert made.quant.layer_bits == {"head": 8, "0": 4}
    assert made.quant.site_bits == {"layers.1.weight": 2}
    assert base.quant.layer_bits == {"head": 8}  # the base is untouched
    assert (made.task, made.model, made.optim) == (base.task, base.model, base.optim)


def test_overlay_of_nothing_is_the_base() -> None:
    assert overlay(BASE, {}) == BASE


def test_overlay_reports_every_fault_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        overlay(BASE, {"prompt.rank": 0, "prompt.cuont": 1, "quant.layer_bits.0": 4})
    assert [fault.path for fault in caught.value.faults] == ["prompt.rank", "prompt.cuont"]


def test_a_product_has_the_product_of_sizes() -> None:
    space = Space((Parameter("prompt.count", Choices((1, 2, 4))), Parameter("prompt.rank", IntRange(1, 1000))))
    assert space.size(BASE) == 3000


def test_the_empty_space_has_one_point() -> None:
    assert Space(()).size(BASE) == 1
    assert list(Space(()).points(BASE)) == [{}]


def test_conditions_are_counted_exactly() -> None:
    # None: 1, GPF: 4 counts, LoRAP: 4 counts x 3 ranks.
    assert Space((KIND, COUNT, RANK)).size(BASE) == 1 + 4 + 12


def test_points_come_in_order_without_inactive_parameters() -> None:
    points = list(Space((KIND, RANK)).points(BASE))
    assert points == [
        {"prompt.kind": "None"},
        {"prompt.kind": "GPF"},
        {"prompt.kind": "LoRAP", "prompt.rank": 1},
        {"prompt.kind": "LoRAP", "prompt.rank": 2},
        {"prompt.kind": "LoRAP", "prompt.rank": 3},
    ]


def test_parents_come_first_and_the_order_holds_otherwise() -> None:
    other = Parameter("optim.lr", Choices((0.1,)))
    assert [p.path for p in Space((RANK, other, KIND)).parameters] == ["optim.lr", "prompt.kind", "prompt.rank"]


def test_a_condition_may_rest_on_the_base() -> None:
    lorap = TrialConfig(prompt=replace(BASE.prompt, kind="LoRAP"))
    assert Space((RANK,)).size(lorap) == 3
    assert Space((RANK,)).size(BASE) == 1
    assert Space((RANK,)).size(lorap.to_mapping()) == 3
    assert Space((RANK,)).active(RANK, BASE.to_mapping(), {"prompt.kind": "LoRAP"})


def test_an_inactive_parent_counts_with_its_base_value() -> None:
    # prompt.count is absent under kind None, so its base value 8 decides about temperature.
    child = Parameter("prompt.temperature", Choices((0.5, 1.0)), {"prompt.count": (8,)})
    space = Space((KIND, COUNT, child))
    assert space.size(BASE) == 2 + 4 + 4
    assert len(list(space.points(BASE))) == 10


def test_a_large_parent_costs_nothing_to_count() -> None:
    parent = Parameter("prompt.count", IntRange(1, 10**9))
    child = Parameter("prompt.rank", IntRange(1, 5), {"prompt.count": (7, 10**10)})
    assert Space((parent, child)).size(BASE) == 10**9 - 1 + 5


def test_floats_make_a_space_uncountable_only_where_they_can_be_active() -> None:
    rate = Parameter("prompt.lr", FloatRange(0.1, 1.0), {"prompt.kind": ("LoRAP",)})
    assert Space((KIND, rate)).size(BASE) is None
    assert Space((Parameter("optim.lr", FloatRange(0.1, 1.0)),)).size(BASE) is None
    assert Space((rate,)).size(BASE) == 1
    with pytest.raises(ValueError, match="range of floats"):
        Space((KIND, rate)).points(BASE)


def test_truth_is_not_one() -> None:
    flag = Parameter("model.batch_norm", Choices((True, False)))
    child = Parameter("prompt.rank", IntRange(1, 3), {"model.batch_norm": (1,)})
    assert Space((flag, child)).size(BASE) == 2
    assert len(list(Space((flag, child)).points(BASE))) == 2


def test_a_circle_of_conditions_is_refused() -> None:
    one = Parameter("prompt.rank", IntRange(1, 2), {"prompt.count": (1,)})
    two = Parameter("prompt.count", IntRange(1, 2), {"prompt.rank": (1,)})
    with pytest.raises(ConfigError, match="circle"):
        Space((one, two))


def test_samples_repeat_with_the_seed_and_reach_every_point() -> None:
    space = Space((KIND, COUNT, RANK))
    rng = random.Random(3)
    drawn = [space.sample(BASE, rng) for _ in range(400)]
    again = random.Random(3)
    assert drawn == [space.sample(BASE, again) for _ in range(400)]
    assert {tuple(point.items()) for point in drawn} == {tuple(point.items()) for point in space.points(BASE)}


_VALUES: dict[str, tuple[Any, ...]] = {
    "prompt.count": (1, 2, 3, 4),
    "prompt.rank": (1, 2, 3),
    "quant.bits": (2, 4, 8),
    "quant.layer_bits.0": (2, 3, 4),
    "quant.site_bits.layers.0.weight": (4, 8),
    "model.batch_norm": (True, False),
}


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    """Draw a space over some paths, each perhaps conditioned on earlier ones or on the base."""
    paths = draw(st.lists(st.sampled_from(sorted(_VALUES)), unique=True, max_size=5))
    parameters = []
    for index, path in enumerate(paths):
        values = draw(st.lists(st.sampled_from(_VALUES[path]), unique=True, min_size=1))
        parents = [*paths[:index], "prompt.kind"]
        chosen = draw(st.lists(st.sampled_from(parents), unique=True, max_size=2))
        when = {
            parent: tuple(draw(st.lists(st.sampled_from(_VALUES.get(parent, ("None", "LoRAP"))), min_size=1)))
            for parent in chosen
        }
        parameters.append(Parameter(path, Choices(tuple(values)), when))
    return Space(tuple(draw(st.permutations(parameters))))


@pytest.mark.property
@given(spaces(), st.integers(0, 2**32))
def test_size_points_sample_and_overlay_agree(space: Space, seed: int) -> None:
    points = list(space.points(BASE))
    assert len(points) == space.size(BASE)
    assert len({tuple(sorted(point.items())) for point in points}) == len(points)
    assert space.sample(BASE, random.Random(seed)) in points
    for point in points:
        mapping = overlay(BASE, point).to_mapping()
        assert TrialConfig.from_mapping(mapping) == overlay(BASE, point)
        for parameter in space.parameters:
            assert space.active(parameter, BASE, point) == (parameter.path in point)
