"""The Pareto front: in the plane of the metric and bits, in space, and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lorap_bench.metric import Metric
from lorap_bench.report.document import Column, Figure, Section, Table, Words
from lorap_bench.report.drawn import drawn_table
from lorap_bench.report.figures import TITLES
from lorap_bench.report.marks import known_figures
from lorap_bench.report.pareto import axes, pareto_figure
from lorap_bench.report.score import Score, spoken
from lorap_bench.report.space import space_figure
from lorap_bench.report.trial import (
    confirmed_score,
    gain,
    layer_bits,
    objective,
    prompt_text,
    roles,
    score,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.record import TrialRecord
    from lorap_bench.report.document import Block
    from lorap_bench.report.material import Material

__all__ = ["front_table", "section"]


def section(material: Material) -> Section:
    """Return the section."""
    return Section(id="pareto", title="Pareto front", nav="Pareto", blocks=tuple(_blocks(material)))


def _blocks(material: Material) -> Iterator[Block]:
    plane = pareto_figure(material)
    if plane is None:
        yield Words("No trial completed, so there is no front to draw.", empty=True)
        return
    x, y = axes(material.spec)
    yield Words(_plane(material, x, y))
    label = f"Scatter of {TITLES[y]} against {TITLES[x]}; the table holds the same figures"
    drawn = drawn_table(material)
    yield Figure(id="pareto", label=label, plot=plane, table=drawn, hover=True)
    space = space_figure(material)
    if space is not None:
        yield Words(
            "The same trials with all three objectives: drag to turn, point for the whole configuration, click for a "
            f"trial’s card. Colour repeats the {material.score.name}."
        )
        floor = "average bits and overhead along the floor"
        label = f"The trials in space: {floor}, validation {material.score.name} upright"
        yield Figure(id="space", label=label, plot=space, table=drawn, hover=True)
    if material.front:
        yield Words(_front_words(material))
        yield front_table(material)
    else:
        yield Words("The front is empty: no feasible trial completed.", empty=True)


def _plane(material: Material, x: str, y: str) -> str:
    spec, front = material.spec, material.front
    names = ", ".join(map(spoken, spec.objectives))
    bars = ", bars ± 1 standard deviation between seeds" if y == spec.metric.value else ""
    text = (
        f"Each point is one trial: the mean over its seeds{bars}. Diamonds are the front in {len(spec.objectives)} "
        f"objective{'s' if len(spec.objectives) != 1 else ''} ({names}; {len(front)} of {len(material.complete)} "
        "complete trials), small circles are dominated, hollow ones break a constraint."
    )
    if {x, y} <= set(spec.objectives):
        what = "width" if x == "average_bits" else "overhead"
        text += f" The line is the best that each {what} can buy in this plane."
    if material.confirmations and y == spec.metric.value:
        text += " Squares are the confirmed trials’ schemes without a prompt, on the fresh seeds of the confirmation."
    if x == "average_bits" and y == spec.metric.value and known_figures(material):
        text += f" A click on “published” in the legend adds published figures: those are test {material.score.names}."
    left = len(material.complete) - len(material.drawn)
    if left:
        text += f" {left} dominated or infeasible trials are not drawn: those where they are densest."
    return text + " Point at a trial for its configuration and command, click for its card, drag a box to select."


def _front_words(material: Material) -> str:
    written = material.score
    text = (
        f"The non-dominated trials, each configuration once. {_figures(written)} with their 95 % t interval over n "
        "seeds (of two seeds ± their standard deviation); after an arrow, the rank of each layer where the prompt "
        "count or a layer’s width clamped it."
    )
    if material.confirmations:
        text += (
            f" A gain is {_gain(written)}: the mean of the differences seed by seed, all "
            "trained with the same fresh seeds. Each interval stands for itself; no correction is made for their "
            "number."
        )
    return text


def _figures(written: Score) -> str:
    percent = written.metric is Metric.ACCURACY
    return "Accuracies in percent" if percent else f"{written.name}, where less is better,"


def _gain(written: Score) -> str:
    """Say what is taken from what."""
    others = "that of the same configuration without its prompt, or of the same model in FP32 without a prompt"
    if written.metric.higher_is_better:
        return f"the trial’s test {written.name} minus {others}, in percentage points"
    return f"{others}, minus the trial’s own test {written.name}, so that more than 0 is better"


def front_table(material: Material) -> Table:
    """Return the front as a table, the cheapest first."""
    confirmed = material.confirmations
    shown = roles(confirmed.values()) if confirmed else []
    written = material.score
    columns = [Column("Trial", "trial"), written.column("Validation")]
    columns += [written.column("Test")] if confirmed else []
    columns += [written.gains(f"Gain over {role.words}") for role in shown]
    columns += [
        Column("Average bits"),
        Column("Overhead, %"),
        Column("Scheme", "text"),
        Column("Prompt", "text"),
        Column("Bits per layer", "text"),
        Column("Run again", "command"),
    ]

    def row(record: TrialRecord) -> tuple[Any, ...]:
        found = confirmed.get(record.number)
        layers = " · ".join(f"{layer}: {bits}" for layer, bits in layer_bits(record).items())
        return (
            record.number,
            score(record),
            *((confirmed_score(found),) if confirmed else ()),
            *(gain(found, role) for role in shown),
            objective(record, "average_bits"),
            objective(record, "overhead"),
            record.config.get("quant", {}).get("scheme"),
            prompt_text(record),
            layers or None,
            material.command(record),
        )

    ordered = sorted(material.front, key=lambda record: (objective(record, axes(material.spec)[0]), record.number))
    return Table(
        id="front",
        caption="The Pareto front",
        columns=tuple(columns),
        rows=[row(record) for record in ordered],
        trials=[record.number for record in ordered],
    )
