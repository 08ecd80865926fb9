"""Studies side by side: repetitions of one method, what sets methods apart, and what does not compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.errors import ConfigError
from lorap_bench.report.company import check_company, methods
from lorap_bench.report.material import Material

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import TrialRecord
    from lorap_bench.study.spec import StudySpec


@pytest.fixture
def material(make_spec: Callable[..., StudySpec], make_record: Callable[..., TrialRecord]) -> Callable[..., Material]:
    def make(*others: Material, **changes: Any) -> Material:
        return Material(make_spec(**changes), [make_record(0)], others=others)

    return make


def test_seeds_repeat_a_method_and_a_sampler_makes_another(material: Callable[..., Material]) -> None:
    again = material(name="again", seed=1, description="x", storage={"kind": "sqlite"})
    random = [material(name=f"r{seed}", seed=seed, search={"sampler": "Random"}) for seed in range(2)]
    found = methods(material(again, *random))
    assert [(method.label, len(method.studies), method.control) for method in found] == [
        ("EHVI", 2, False),
        ("Random", 2, True),
    ]


def test_a_label_names_every_difference(material: Callable[..., Material]) -> None:
    found = methods(material(material(name="wide", model={"hidden": 128}, budget={"trials": 60})))
    assert [method.label for method in found] == ["hidden = 64, trials = 30", "hidden = 128, trials = 60"]
    assert [method.label for method in methods(material())] == ["made-up"]


@pytest.mark.parametrize("changes", [{"task": {"dataset": "CiteSeer"}}, {"objectives": ["accuracy"]}])
def test_another_aim_is_refused(material: Callable[..., Material], changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"other: the (task differs|objectives differ) from (that|those) of made-up"):
        check_company(material(material(name="other", **changes)))
    check_company(material(material(name="other", seed=3)))
