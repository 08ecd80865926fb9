"""The Pareto front: in the plane of accuracy and bits, in space, and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lorap_bench.report.document import Column, Figure, Section, Table, Words
from lorap_bench.report.drawn import drawn_table
from lorap_bench.report.figures import TITLES
from lorap_bench.report.marks import known_figures
from lorap_bench.report.pareto import axes, pareto_figure
from lorap_bench.report.space import space_figure
from lorap_bench.report.trial import (
    accuracy,
    confirmed_accuracy,
    gain,
    layer_bits,
    objective,
    prompt_text,
    roles,
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
            "trial’s card. Colour repeats the accuracy."
        )
        label = "The trials in space: average bits and overhead along the floor, validation accuracy upright"
        yield Figure(id="space", label=label, plot=space, table=drawn, hover=True)
    if material.front:
        yield Words(_front_words(material))
        yield front_table(material)
    else:
        yield Words("The front is empty: no feasible trial completed.", empty=True)


def _plane(material: Material, x: str, y: str) -> str:
    spec, front = material.spec, material.front
    names = ", ".join(name.replace("_", " ") for name in spec.objectives)
    bars = ", bars ± 1 standard deviation between seeds" if y == "accuracy" else ""
    text = (
        f"Each point is one trial: the mean over its seeds{bars}. Diamonds are the front in {len(spec.objectives)} "
        f"objective{'s' if len(spec.objectives) != 1 else ''} ({names}; {len(front)} of {len(material.complete)} "
        "complete trials), small circles are dominated, hollow ones break a constraint."
    )
    if {x, y} <= set(spec.objectives):
        what = "width" if x == "average_bits" else "overhead"
        text += f" The line is the best that each {what} can buy in this plane."
    if material.confirmations and y == "accuracy":
        text += " Squares are the confirmed trials’ schemes without a prompt, on the fresh seeds of the confirmation."
    if x == "average_bits" and y == "accuracy" and known_figures(material):
        text += " A click on “published” in the legend adds published figures: those are test accuracies."
    left = len(material.complete) - len(material.drawn)
    if left:
        text += f" {left} dominated or infeasible trials are not drawn: those where they are densest."
    return text + " Point at a trial for its configuration and command, click for its card, drag a box to select."


def _front_words(material: Material) -> str:
    text = (
        "The non-dominated trials, each configuration once. Accuracies in percent with their 95 % t interval over n "
        "seeds (of two seeds ± their standard deviation); after an arrow, the rank of each layer where the prompt "
        "count or a layer’s width clamped it."
    )
    if material.confirmations:
        text += (
            " A gain is the trial’s test accuracy minus that of the same configuration without its prompt, or of the "
            "same model in FP32 without a prompt, in percentage points: the mean of the differences seed by seed, all "
            "trained with the same fresh seeds. Each interval stands for itself; no correction is made for their "
            "number."
        )
    return text


def front_table(material: Material) -> Table:
    """Return the front as a table, the cheapest first."""
    confirmed = material.confirmations
    shown = roles(confirmed.values()) if confirmed else []
    columns = [Column("Trial", "trial"), Column("Validation accuracy, %", "interval")]
    columns += [Column("Test accuracy, %", "interval")] if confirmed else []
    columns += [Column(f"Gain over {role.words}, points", "gain") for role in shown]
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
            accuracy(record),
            *((confirmed_accuracy(found),) if confirmed else ()),
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
