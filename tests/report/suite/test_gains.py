"""Gains in closed form: paired within groups, over data sets as blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lorap_bench.metric import Metric
from lorap_bench.report.score import Score
from lorap_bench.report.suite.entry import Arm
from lorap_bench.report.suite.gains import Gain, gains, pooled

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.report.suite.entry import Entry
    from lorap_bench.report.suite.material import SuiteMaterial

    Make = Callable[..., Entry]
    MakeMaterial = Callable[..., SuiteMaterial]


def pair(make: Make, dataset: str, arch: str, without: list[float | None], with_: list[float | None]) -> list[Entry]:
    return [make(dataset, arch, "QAT", "None", without), make(dataset, arch, "QAT", "LoRAP", with_)]


def test_a_gain_is_paired_by_seed(make_entry: Make, make_material: MakeMaterial) -> None:
    material = make_material(*pair(make_entry, "Cora", "GCN", [0.5, 0.6, 0.7], [0.51, 0.63, 0.72]))
    (gain,) = gains(material.groups, Score(Metric.ACCURACY))
    assert gain.arm == Arm("QAT", "LoRAP")
    assert gain.comparison.difference.mean == pytest.approx(0.02)
    assert gain.comparison.difference.std == pytest.approx(0.01)
    assert gain.comparison.t_test == pytest.approx(0.0741799)  # t = 2 √3 on 2 degrees of freedom
    assert (gain.adjusted, gain.lost) == (gain.comparison.t_test, 0)


def test_a_training_that_failed_loses_its_pair(make_entry: Make, make_material: MakeMaterial) -> None:
    material = make_material(*pair(make_entry, "Cora", "GCN", [0.5, 0.6, 0.7], [0.51, None, 0.72]))
    (gain,) = gains(material.groups, Score(Metric.ACCURACY))
    assert (gain.comparison.n, gain.lost) == (2, 1)
    assert gain.comparison.difference.mean == pytest.approx(0.015)


def test_less_error_is_a_gain(make_entry: Make, make_material: MakeMaterial) -> None:
    entries = [
        make_entry("ZINC", "GCN", "QAT", prompt, tests, metric="mae")
        for prompt, tests in (("None", [0.5, 0.6]), ("LoRAP", [0.4, 0.4]))
    ]
    material = make_material(*entries)
    assert gains(material.groups, Score(Metric.ACCURACY)) == []
    (gain,) = gains(material.groups, Score(Metric.MAE))
    assert gain.comparison.difference.mean == pytest.approx(0.15)


def test_without_a_side_there_is_no_gain(make_entry: Make, make_material: MakeMaterial) -> None:
    entries = [make_entry("Cora", "GCN", "QAT", "LoRAP", [0.5]), make_entry("Cora", "GCN", "A2Q", "LoRAP", [0.5])]
    entries += [make_entry("Cora", "GCN", "A2Q", "None"), make_entry("Cora", "GCN", "QAT", "GPFPlus", [None])]
    assert gains(make_material(*entries).groups, Score(Metric.ACCURACY)) == []


def test_p_values_are_corrected_for_all_gains(make_entry: Make, make_material: MakeMaterial) -> None:
    without: list[float | None] = [0.5, 0.6, 0.7]
    entries = pair(make_entry, "Cora", "GCN", without, [0.51, 0.63, 0.72])
    entries += pair(make_entry, "Cora", "GIN", without, [0.5, 0.6, 0.7])
    first, second = gains(make_material(*entries).groups, Score(Metric.ACCURACY))
    assert first.adjusted == pytest.approx(2 * 0.0741799)
    assert second.adjusted == 1.0


def test_over_sets_each_counts_once(make_entry: Make, make_material: MakeMaterial) -> None:
    entries = pair(make_entry, "Cora", "GCN", [0.5], [0.52])  # 2 points and 4: 3
    entries += pair(make_entry, "Cora", "GIN", [0.5], [0.54])
    entries += pair(make_entry, "CiteSeer", "GCN", [0.5], [0.51])  # 1
    entries += pair(make_entry, "PubMed", "GCN", [0.5], [0.52])  # 2
    found = gains(make_material(*entries).groups, Score(Metric.ACCURACY))
    (one,) = pooled(found, by_scheme=True)
    assert (one.scheme, one.prompt, one.gains, one.comparison.n) == ("QAT", "LoRAP", 4, 3)
    assert one.comparison.difference.mean == pytest.approx(0.02)
    assert one.comparison.difference.std == pytest.approx(0.01)
    assert not one.clear
    (over,) = pooled(found, by_scheme=False)
    assert (over.scheme, over.comparison) == ("", one.comparison)


def test_pooled_gains_are_corrected_among_themselves(whole: SuiteMaterial) -> None:
    found = pooled(gains(whole.groups, Score(Metric.ACCURACY)), by_scheme=True)
    assert [(one.scheme, one.prompt) for one in found] == [
        ("QAT", "GPFPlus"),
        ("QAT", "LoRAP"),
        ("A2Q", "GPFPlus"),
        ("A2Q", "LoRAP"),
    ]
    assert all(one.clear for one in found)
    assert [one.comparison.difference.mean > 0 for one in found] == [False, True, False, True]
    assert found[1].comparison.difference.mean == pytest.approx(0.022 + 0.00002)


def test_few_pairs_and_those_without_scatter_are_not_tested(make_entry: Make, make_material: MakeMaterial) -> None:
    def gain(bare: list[float], prompted: list[float]) -> Gain:
        cells = (make_entry("Cora", "GCN", "QAT", "None", bare), make_entry("Cora", "GCN", "QAT", "LoRAP", prompted))
        (found,) = gains(make_material(*cells).groups, Score(Metric.ACCURACY))
        return found

    same = gain([0.7, 0.6, 0.5], [0.75, 0.65, 0.55])
    assert same.comparison.difference.mean == pytest.approx(0.05)
    assert (same.comparison.t_test, same.adjusted) == (None, None)
    two = gain([0.7, 0.6], [0.75, 0.66])
    assert (two.comparison.t_test, two.comparison.rank_test, two.comparison.d) == (None, None, None)
    assert gain([0.7, 0.6, 0.5], [0.75, 0.66, 0.54]).comparison.t_test is not None


def test_over_all_schemes_prompts_are_compared_over_the_same_places(
    make_entry: Make, make_material: MakeMaterial
) -> None:
    cells = [
        make_entry("Cora", "GCN", scheme, prompt, [level, level + 0.01, level])
        for scheme, prompt, level in (
            *(("QAT", "None", 0.5), ("QAT", "LoRAP", 0.6), ("QAT", "GPFPlus", 0.7)),
            *(("A2Q", "None", 0.5), ("A2Q", "GPFPlus", 0.9)),  # LoRAP is left there
        )
    ]
    found = pooled(gains(make_material(*cells).groups, Score(Metric.ACCURACY)), by_scheme=False)
    assert {one.prompt: round(one.comparison.difference.mean, 3) for one in found} == {"LoRAP": 0.1, "GPFPlus": 0.2}
