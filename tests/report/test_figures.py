"""The figures, as values."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.record import Status
from lorap_bench.report.document import Figure, walk
from lorap_bench.report.figures import CONFIG, interval_bars, marginal_figure, step_trace
from lorap_bench.report.marginal import marginal
from lorap_bench.report.material import MOST_DRAWN, Material
from lorap_bench.report.palette import LIGHT
from lorap_bench.report.pareto import axes, pareto_figure
from lorap_bench.report.sections import progress
from lorap_bench.report.space import space_figure
from lorap_bench.stats.intervals import Interval, t_interval
from lorap_bench.store.look import Baseline

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import TrialRecord
    from lorap_bench.store.look import Confirmation
    from lorap_bench.study.spec import StudySpec

    Make = Callable[..., TrialRecord]
    MakeSpec = Callable[..., StudySpec]


def traces(figure: Any, mode: str) -> list[Any]:
    """Return the traces drawn in ``mode``, legend entries aside."""
    return [trace for trace in figure.data if trace.mode == mode and list(trace.x) != [None]]


def points(figure: Any) -> dict[str, Any]:
    return {trace.legendgroup: trace for trace in traces(figure, "markers") if trace.legendgroup}


def test_no_figure_talks_to_a_server() -> None:
    assert CONFIG["showSendToCloud"] is False
    assert CONFIG["plotlyServerURL"] == ""
    assert CONFIG["displaylogo"] is False


@pytest.mark.parametrize(
    ("objectives", "expected"),
    [
        (["accuracy", "average_bits", "overhead"], ("average_bits", "accuracy")),
        (["accuracy", "overhead"], ("overhead", "accuracy")),
        (["accuracy"], ("average_bits", "accuracy")),
        (["average_bits"], ("average_bits", "accuracy")),
        (["overhead"], ("overhead", "accuracy")),
        (["overhead", "average_bits"], ("average_bits", "overhead")),
    ],
)
def test_axes_follow_the_objectives(make_spec: MakeSpec, objectives: list[str], expected: tuple[str, str]) -> None:
    assert axes(make_spec(objectives=objectives)) == expected


def test_pareto_groups_bars_and_staircase(make_spec: MakeSpec, make_record: Make) -> None:
    records = [
        make_record(0, 0.80, 4.0, 2.0),
        make_record(1, 0.70, 2.0, 2.0),
        make_record(2, 0.75, 4.0, 2.0),  # dominated
        make_record(3, 0.76, 4.0, 1.0),  # on the front, below the staircase
        make_record(4, 0.90, 8.0, 2.0, violations={"average_bits": 1.0}),
        make_record(5, status=Status.DIVERGED),
    ]
    figure = pareto_figure(Material(make_spec(), records))
    assert figure is not None
    groups = points(figure)
    assert {name: list(trace.customdata) for name, trace in groups.items()} == {
        "front": [0, 1, 3],
        "dominated": [2],
        "infeasible": [4],
    }
    assert groups["infeasible"].marker.symbol == "circle-open"
    assert list(groups["front"].error_y.array) == pytest.approx([1.0, 1.0, 1.0])  # percentage points
    (line,) = traces(figure, "lines")
    assert line.line.shape == "hv"
    assert list(line.x) == [2.0, 4.0, 8.0]
    assert list(line.y) == pytest.approx([70.0, 80.0, 80.0])
    labels = [trace.name for trace in figure.data if list(trace.x) == [None]]
    assert labels == ["infeasible (n = 1)", "dominated (n = 1)", "front (n = 3)"]


def test_colour_is_overhead_logarithmic_over_wide_spans(make_spec: MakeSpec, make_record: Make) -> None:
    near = pareto_figure(Material(make_spec(), [make_record(0, 0.8, overhead=1.0), make_record(1, 0.9, overhead=2.0)]))
    assert near is not None
    assert list(points(near)["front"].marker.color) == [1.0, 2.0]
    wide = [make_record(n, 0.7 + n / 100, overhead=o) for n, o in enumerate([0.0, 0.1, 100.0])]
    far = pareto_figure(Material(make_spec(), wide))
    assert far is not None
    assert list(points(far)["front"].marker.color) == pytest.approx([-1.0, -1.0, 2.0])
    assert list(far.layout.coloraxis.colorbar.ticktext) == ["0.1", "0.2", "0.5", "1", "2", "5", "10", "20", "50", "100"]
    wider = [make_record(n, 0.7 + n / 100, overhead=o) for n, o in enumerate([0.01, 100.0])]
    decades = pareto_figure(Material(make_spec(), wider))
    assert decades is not None
    assert list(decades.layout.coloraxis.colorbar.ticktext) == ["0.01", "0.1", "1", "10", "100"]


@pytest.mark.parametrize("overheads", [[1.0, 1.0], [0.0, 0.0], [1.0, math.nan]])
def test_no_colour_where_overhead_does_not_vary(make_spec: MakeSpec, make_record: Make, overheads: list[float]) -> None:
    records = [make_record(n, 0.8 + n / 100, overhead=value) for n, value in enumerate(overheads)]
    figure = pareto_figure(Material(make_spec(), records))
    assert figure is not None
    assert points(figure)["front"].marker.color == LIGHT.accent
    assert figure.layout.coloraxis.colorbar.title.text is None


@pytest.mark.parametrize("objectives", [["accuracy", "overhead"], ["average_bits", "overhead"], ["accuracy"]])
def test_every_subset_of_objectives_has_a_figure(
    make_spec: MakeSpec, make_study: Callable[..., list[TrialRecord]], objectives: list[str]
) -> None:
    figure = pareto_figure(Material(make_spec(objectives=objectives), make_study(40)))
    assert figure is not None
    assert len(points(figure)["front"].x) >= 1
    assert len(traces(figure, "lines")) == (len(objectives) > 1)  # one objective has no front in a plane


def test_wide_ranges_of_bits_are_in_octaves(make_spec: MakeSpec, make_record: Make) -> None:
    figure = pareto_figure(Material(make_spec(), [make_record(0, 0.8, 2.0), make_record(1, 0.9, 32.0)]))
    assert figure is not None
    assert figure.layout.xaxis.type == "log"


def test_one_seed_has_no_bar_and_one_trial_is_a_front(make_spec: MakeSpec, make_record: Make) -> None:
    record = make_record(0)
    alone = make_record(0, members=record.members[:1])
    figure = pareto_figure(Material(make_spec(), [alone]))
    assert figure is not None
    assert list(points(figure)["front"].error_y.array) == [0.0]


def test_only_infeasible_trials_have_no_staircase(make_spec: MakeSpec, make_record: Make) -> None:
    figure = pareto_figure(Material(make_spec(), [make_record(0, violations={"average_bits": 1.0})]))
    assert figure is not None
    (line,) = traces(figure, "lines")
    assert (line.x, line.y) == ((), ())


def test_nothing_complete_is_no_figure(make_spec: MakeSpec, make_record: Make) -> None:
    failed = [make_record(0, status=Status.DIVERGED), make_record(1, math.nan)]
    assert pareto_figure(Material(make_spec(), failed)) is None
    assert space_figure(Material(make_spec(), failed)) is None


def test_many_dominated_trials_are_thinned_never_the_front(make_spec: MakeSpec, make_record: Make) -> None:
    records = [make_record(0, 0.9, 2.0, 0.1), *(make_record(n, 0.5) for n in range(1, 2 * MOST_DRAWN + 2))]
    figure = pareto_figure(Material(make_spec(), records))
    assert figure is not None
    drawn = points(figure)
    assert len(drawn["dominated"].x) <= MOST_DRAWN
    assert list(drawn["front"].customdata) == [0]
    assert f"dominated (n = {2 * MOST_DRAWN + 1}, {len(drawn['dominated'].x)} drawn)" in [t.name for t in figure.data]


def test_space_holds_the_drawn_trials_where_all_three_objectives_are_sought(
    make_spec: MakeSpec, make_record: Make
) -> None:
    records = [make_record(0, 0.8, 4.0, 2.0), make_record(1, 0.7, 4.0, 2.0), make_record(2, 0.9, 8.0, math.inf)]
    figure = space_figure(Material(make_spec(), records))
    assert figure is not None
    found = {trace.name: (trace.customdata, trace.x, trace.y, trace.z) for trace in figure.data}
    assert found["front"] == ((0,), (4.0,), (2.0,), (80.0,))
    assert found["dominated"] == ((1,), (4.0,), (2.0,), (70.0,))
    assert space_figure(Material(make_spec(objectives=["accuracy", "overhead"]), records)) is None


def test_the_best_fp32_model_is_a_line(
    make_spec: MakeSpec, make_record: Make, make_confirmation: Callable[..., Confirmation]
) -> None:
    records = [make_record(0, 0.8, 4.0), make_record(1, 0.7, 2.0)]
    bare = pareto_figure(Material(make_spec(), records))
    assert bare is not None
    assert not bare.layout.shapes
    confirmed = {record.number: make_confirmation(record) for record in records}
    figure = pareto_figure(Material(make_spec(), records, confirmed))
    assert figure is not None
    (line,) = figure.layout.shapes
    members = confirmed[0].baselines[Baseline.FP32].members
    assert line.y0 == pytest.approx(100 * sum(member.val or 0.0 for member in members) / len(members))


def test_a_band_has_two_edges_and_a_stepped_line_between() -> None:
    upper, lower = (step_trace([0, 1], [0.1, 0.2], 1, name="x", bound=bound) for bound in ("upper", "lower"))
    assert (upper.fill, lower.fill) == (None, "tonexty")
    assert step_trace([0, 1], [0.1, 0.2], 1, name="x").line.shape == "hv"


def test_marginal_names_its_n_and_boxes_from_five(make_record: Make) -> None:
    records = [make_record(n, 0.7 + n / 100, params={"prompt.count": 2 if n else 1}) for n in range(6)]
    figure = marginal_figure("prompt.count", marginal(records, "prompt.count"), {0, 3})
    boxes, points = figure.data
    assert list(figure.layout.xaxis.ticktext) == ["1<br>n = 1", "2<br>n = 5"]
    assert list(boxes.x) == [1]
    assert [boxes.lowerfence[0], boxes.q1[0], boxes.median[0], boxes.q3[0], boxes.upperfence[0]] == pytest.approx(
        [71, 72, 73, 74, 75]
    )
    assert list(points.customdata) == [0, 3]
    assert list(points.y) == pytest.approx([70, 73])
    assert [round(x) for x in points.x] == [0, 1]


def test_every_colour_has_a_dark_twin(make_spec: MakeSpec, make_study: Callable[..., list[TrialRecord]]) -> None:
    spec, records = make_spec(), make_study(40)
    groups = marginal(records, "prompt.count")
    made = [
        pareto_figure(Material(spec, records)),
        space_figure(Material(spec, records)),
        *(block.plot for block in walk(progress.section(Material(spec, records)).blocks) if isinstance(block, Figure)),
        marginal_figure("prompt.count", groups, range(40)),
    ]
    text = json.dumps([figure.to_plotly_json() for figure in made if figure is not None], default=list)
    assert set(re.findall(r'"(#[0-9a-fA-F]{3,8})"', text)) <= set(asdict(LIGHT).values())


def test_bars_keep_both_ends_of_an_interval_that_is_cut_at_one() -> None:
    seeds = t_interval([0.97, 0.99, 1.0])
    assert seeds is not None
    assert seeds.low is not None
    cut = seeds.within(0.0, 1.0)
    assert cut.high == 1.0
    single = Interval(mean=0.9, std=None, low=None, high=None, n=1)
    bars = interval_bars([cut, single])
    assert bars["array"] == pytest.approx([100 * (1 - cut.mean), 0])
    assert bars["arrayminus"] == pytest.approx([100 * (cut.mean - seeds.low), 0])
    assert bars["arrayminus"][0] > bars["array"][0]
