"""What each rung buys on the same fresh seeds: FP32, the scheme, node prompts, LoRAP, with paired tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from lorap_bench.report.critical import critical_figure, ranked_words
from lorap_bench.report.document import Column, Figure, Section, Table, Words, plain
from lorap_bench.report.figures import base_figure, interval_bars
from lorap_bench.report.ladder import Rung, Step, rungs, steps, worth
from lorap_bench.report.palette import dash, series, symbol
from lorap_bench.report.representatives import average_bits, label, spread
from lorap_bench.report.verdict import winners

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorap_bench.metric import Metric
    from lorap_bench.record import TrialRecord
    from lorap_bench.report.document import Block
    from lorap_bench.report.material import Material
    from lorap_bench.report.score import Score

__all__ = ["section"]

_DRAWN = 6
_RUNGS = ("FP32, no prompt", "no prompt", "node prompts alone", "LoRAP alone", "the trial")


def section(material: Material) -> Section:
    """Return the section."""
    return Section(id="ladder", title="Baseline ladder", nav="Ladder", blocks=tuple(_blocks(material)))


def _blocks(material: Material) -> Iterator[Block]:
    confirmed = [material.confirmations[number] for number in sorted(material.confirmations)]
    if not confirmed:
        file = plain(material.file)
        yield Words(
            f"No test {material.score.name} has been measured, so nothing can be compared. "
            f"`lorap-bench confirm {file} --ladder` trains the front and its simpler rungs on fresh seeds.",
            empty=True,
        )
        return
    ladders = {one.record.number: rungs(one) for one in confirmed}
    seeds = max((rung.test.n for ladder in ladders.values() for rung in ladder if rung.test), default=0)
    climbed = steps(confirmed)
    yield Words(
        "Each confirmed trial beside the same model and training in FP32, under its scheme without a prompt, and with "
        f"the simpler prompts below its own where they were trained; **all on the same fresh seeds** (n = {seeds}), "
        f"measured {material.looks} on the test split. All settings but prompt and scheme are the trial’s own, which "
        "the search chose for the trial: the rungs below were not tuned for themselves."
    )
    yield _figure(material, ladders)
    yield from _ranks(ladders, material.metric)
    if climbed:
        significant = sum(step.adjusted is not None and step.adjusted < 0.05 for step in climbed)
        yield Words(
            f"Differences seed by seed with their 95 % t interval. p is that of the paired t test, adjusted by Holm’s "
            f"procedure over all {len(climbed)} comparisons of this table, what several trials share standing once: "
            f"**{significant} of {len(climbed)} are below 0.05**. {worth(climbed)}Wilcoxon’s signed-rank p stands "
            "beside it unadjusted; d is the mean difference over its standard deviation."
        )
        yield _comparisons(climbed, material.score)


def _figure(material: Material, ladders: dict[int, list[Rung]]) -> Figure:
    written = material.score
    plot = base_figure("", written.title("test"), height=380)
    records = [record for record in material.complete if record.number in ladders]
    best = [winner.record.number for winner in winners(material.records)]
    for place, record in enumerate(spread(records, _DRAWN, best)):
        ladder = ladders[record.number]
        shown = [(_place(rung, ladder), rung) for rung in ladder if rung.test is not None]
        plot.add_trace(_line(place, record, shown, written))
    used = {where for trace in plot.data for where in trace.x}
    order = [name for name in _RUNGS if name in used]
    plot.update_xaxes(type="category", categoryorder="array", categoryarray=order, showgrid=False)
    plot.update_layout(margin_b=110)
    columns = (
        Column("Trial", "trial"),
        Column("Rung", "text"),
        Column("Average bits"),
        written.column("Test"),
    )
    rows = [
        (number, rung.words, average_bits(rung.record), rung.test)
        for number, ladder in ladders.items()
        for rung in ladder
    ]
    table = Table(
        id="rungs",
        caption=f"Test {written.name} by rung",
        columns=columns,
        rows=rows,
        trials=[number for number, ladder in ladders.items() for _ in ladder],
    )
    way = "from FP32 down to the scheme without a prompt and up to the trial itself"
    words = f"Test {written.name} of confirmed trials {way}"
    return Figure(id="ladder-lines", label=words, plot=plot, table=table)


def _line(place: int, record: TrialRecord, shown: Sequence[tuple[str, Rung]], written: Score) -> go.Scatter:
    tests = [rung.test for _, rung in shown if rung.test is not None]
    return go.Scatter(
        x=[where for where, _ in shown],
        y=[written.scale * test.mean for test in tests],
        error_y=interval_bars(tests, written.scale) | {"color": series(place), "thickness": 1, "width": 3},
        mode="lines+markers",
        name=label(record),
        line={"color": series(place), "dash": dash(place), "width": 1.5},
        marker={"color": series(place), "symbol": symbol(place), "size": 8},
        meta={"trial": record.number},
        hovertemplate=f"%{{x}}: %{{y:{written.digits}}}{written.unit}",
    )


def _place(rung: Rung, ladder: Sequence[Rung]) -> str:
    if rung is not ladder[-1]:
        return rung.words
    return "no prompt" if rung.record.config.get("prompt", {}).get("kind") == "None" else "the trial"


def _ranks(ladders: dict[int, list[Rung]], metric: Metric) -> Iterator[Block]:
    """Rank the rungs over the confirmed trials that have all of them."""
    names = [name for name in _RUNGS if any(_place(rung, one) == name for one in ladders.values() for rung in one)]
    found = [
        {_place(rung, one): metric.quality(rung.test.mean) for rung in one if rung.test} for one in ladders.values()
    ]
    table = [[means.get(name) for name in names] for means in found if "the trial" in means]
    figure = critical_figure("ladder-ranks", names, table) if table else None
    if figure is not None:
        yield Words(
            f"Which rung ranks best over the confirmed trials that have a prompt: {ranked_words(table)} The trials are "
            "of one data set and share seeds, so they are not independent, and the p is too small."
        )
        yield figure


def _comparisons(climbed: Sequence[Step], written: Score) -> Table:
    columns = (
        Column("Trial", "trial"),
        Column("Comparison", "text"),
        written.gains("Difference"),
        Column("p, Holm", "p"),
        Column("p", "p"),
        Column("p, Wilcoxon", "p"),
        Column("d"),
    )

    def row(step: Step) -> tuple[Any, ...]:
        found = step.comparison
        return (
            step.trial,
            step.words,
            found.difference,
            step.adjusted,
            found.t_test,
            found.rank_test,
            found.d,
        )

    # What a prompt is worth comes before what quantization costs.
    ordered = sorted(climbed, key=lambda step: (step.fp32, step.trial))
    return Table(
        id="comparisons",
        caption="Paired comparisons of rungs",
        columns=columns,
        rows=[row(step) for step in ordered],
        trials=[step.trial for step in ordered],
    )
