"""What a run can be expected to reach: attainment surfaces, and where one method reaches more often than another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.report.company import methods
from lorap_bench.report.document import Heading, Section, Words, plain
from lorap_bench.report.pareto import axes
from lorap_bench.report.sides import line_up
from lorap_bench.report.surfaces import difference_figure, surfaces_figure, window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.report.document import Block
    from lorap_bench.report.material import Material
    from lorap_bench.report.sides import LineUp
    from lorap_bench.report.surfaces import Window

__all__ = ["attainment_blocks", "section"]

_PARTS = {"prompt.kind": "prompts", "quant.scheme": "schemes"}


def section(material: Material) -> Section | None:
    """Return the section; None where the metric is not in the plane of the front: costs do not vary over runs."""
    x, y = axes(material.spec)
    if y != material.metric.value:
        return None
    blocks = tuple(_blocks(material, x))
    return Section(id="attainment", title="What a run attains", nav="Attainment", blocks=blocks)


def _blocks(material: Material, x: str) -> Iterator[Block]:
    found = [method for method in methods(material) if any(study.able for study in method.studies)]
    if not found:
        yield Words("No feasible trial completed, so no run attains anything.", empty=True)
        return
    lined = line_up(found, x)
    shown = window(x, lined.sides, material.score)
    if shown is None:
        yield Words(f"No feasible trial has both an {material.score.name} and its {x.replace('_', ' ')}.", empty=True)
        return
    if max(len(side.runs) for side in lined.sides) < 2:
        yield Words(f"There is one run, so shares of runs say nothing beyond its front. {_more(material)}", empty=True)
        return
    yield Words(_lead(material, lined))
    yield from attainment_blocks(lined, shown)


def attainment_blocks(lined: LineUp, shown: Window) -> Iterator[Block]:
    """Yield the figure of the surfaces and those of the differences."""
    yield surfaces_figure("attainment", lined.sides, shown)
    for number, (one, other) in enumerate(lined.pairs, start=1):
        yield Heading(f"Who reaches more often: {one.label} or {other.label}")
        yield Words(
            f"The share of runs that attain a point: **{plain(one.label)}** (n = {len(one.runs)}, {one.trials} trials) "
            f"less **{plain(other.label)}** (n = {len(other.runs)}, {other.trials} trials), in percentage points of "
            "runs. Blue, +: the first reaches it more often; vermillion, −: the second does. "
            "The solid line bounds what half of the first’s runs attain, the dashed one half of the second’s."
        )
        yield difference_figure(f"attainment-{number}", one, other, shown)


def _lead(material: Material, lined: LineUp) -> str:
    written = material.score
    text = (
        f"A run attains a point if one of its trials {written.as_good} and costs no more. A line bounds what "
        "half of the runs attain, its band what a quarter to three quarters of them do. "
    )
    if lined.searches:
        counts = ", ".join(f"{plain(side.label)} n = {len(side.runs)}" for side in lined.sides)
        text += f"**A run is one search**, with the mean {written.names} of its feasible trials: {counts}."
    else:
        many = max(len(side.runs) for side in lined.sides)
        text += (
            f"**A run is one replica of the one search, n = {many}**: the {written.name} that each trial has with its "
            "first seed is one run, that with its second another. So this is the scatter of training, not that of the "
            f"search. {_more(material)}"
        )
        if len(seeds := sorted({len(record.members) for record in material.able})) > 1:
            text += (
                f" Trials have {seeds[0]} to {seeds[-1]} seeds: those with fewer take part in the first runs alone, so "
                "the later ones attain less for want of trials."
            )
    if lined.parted:
        text += (
            f" The {_PARTS[lined.parted]} stand apart; a search that tries one more often gives it more chances, so "
            "mind the numbers of trials."
        )
    if lined.left:
        text += f" Not drawn, for want of room: {plain(', '.join(lined.left))}."
    return text


def _more(material: Material) -> str:
    """Say how to get runs that are searches."""
    file, name = plain(material.file), plain(material.spec.name)
    seed = material.spec.seed + 1
    return (
        f"To see that too, search again with another seed, `lorap-bench run {file} --set name={name}-{seed} --set "
        f"seed={seed}`, and report both: `lorap-bench report {file} {name}-{seed}`."
    )
