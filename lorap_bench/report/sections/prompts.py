"""How many prompts, of which rank, and what one more buys at each width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from lorap_bench.report.document import Column, Figure, Heading, Pair, Section, Table, Words
from lorap_bench.report.figures import base_figure, marginal_figure
from lorap_bench.report.grid import grid_figure
from lorap_bench.report.marginal import PATHS, Group, amount, marginal
from lorap_bench.report.palette import dash, series, symbol
from lorap_bench.report.trial import objective, score
from lorap_bench.stats.slope import Gain, Visited, doubling_gain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.report.document import Block
    from lorap_bench.report.material import Material
    from lorap_bench.report.score import Score

__all__ = ["section"]

_STEPS = {
    "prompt.count": "going from {} to {} prompts",
    "prompt.rank": "going from rank {} to {}",
    "prompt.node_count": "going from {} to {} node prompts",
}
_AMOUNTS = {"prompt.count": "prompt count", "prompt.rank": "rank", "prompt.node_count": "node prompts"}
_OF_WIDTH = ("quant.bits", "quant.layer_bits", "quant.component_bits", "quant.site_bits")  # average bits speak for them
_WIDTHS = (2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0)


@dataclass(frozen=True, slots=True)
class _Bought:
    """What doubling one amount goes with at some widths, and the median of what was visited."""

    path: str
    middle: int
    gains: list[Gain]


def section(material: Material) -> Section | None:
    """Return the section; None where no prompt's size was searched."""
    groups = {path: marginal(material.complete, path) for path in PATHS}
    found = {path: parts for path, parts in groups.items() if parts}
    if not found:
        return None
    return Section(id="prompts", title="Prompt count and rank", nav="Prompts", blocks=tuple(_blocks(material, found)))


def _blocks(material: Material, found: dict[str, list[Group]]) -> Iterator[Block]:
    bought = [one for path in found if (one := _bought(material, path)) is not None]
    yield Heading("What one more buys, by width")
    written = material.score
    if bought:
        yield Words(
            f"From a linear model of the trials that have the prompt: {written.name} by log₂ of the amount, its "
            "product with the average bits, the bits to the third power and the other searched parameters; a rank "
            "counts as its prompt count or a layer clamped it. Told are the widths with five trials and more, of "
            f"different amounts, within half a bit, unless the interval is wider than all {written.names} lie apart. "
            "Bars are 95 % bootstrap intervals over trials. **This is an association in what the search visited, not "
            "an effect**: the [ladder](#ladder) holds the paired comparisons."
        )
        yield Words(" ".join(_sentence(one, written) for one in bought))
        yield _slopes(bought, written)
    else:
        yield Words(
            "Too few trials with a prompt, or too little variety among them, to tell what one more buys at a width (at "
            "least 12 complete trials are needed, five of them with different amounts within half a bit of it).",
            empty=True,
        )
    yield Heading("What was found")
    yield Words(
        "Each point is one complete trial (its mean over seeds); a box spans the quartiles from five trials on, its "
        "whiskers all. The other parameters vary along with the one shown, and the sampler prefers good regions: read "
        "these as what was found, not as an effect."
    )
    yield Pair(tuple((_marginal(material, path, groups),) for path, groups in found.items()))
    grids = [grid for path in found if (grid := grid_figure(material, path)) is not None]
    if grids:
        yield Words(f"The same trials by amount and width: {_mean(written)}, and how many there are.")
        yield Pair(tuple((grid,) for grid in grids))


def _bought(material: Material, path: str) -> _Bought | None:
    """Return what doubling an amount goes with; None where it cannot be told."""
    records = [record for record in material.complete if path in record.params]
    beside = [name for name in material.varied if name != path and not name.startswith(_OF_WIDTH)]
    visited = Visited(
        accuracy=[found.mean if (found := score(record)) else None for record in records],
        amount=[float(amount(record, path)) for record in records],
        bits=[objective(record, "average_bits") for record in records],
        controls={name: [record.params.get(name) for record in records] for name in beside},
    )
    gains = doubling_gain(visited, _WIDTHS, seed=material.spec.seed)
    if not gains:
        return None
    amounts = sorted(amount(record, path) for record in records)
    return _Bought(path, amounts[len(amounts) // 2], gains)


def _mean(written: Score) -> str:
    return f"their mean {written.name}{' in percent' if written.unit else ''}"


def _sentence(one: _Bought, written: Score) -> str:
    """Say what one more buys at the width nearest to three bits."""
    nearest = min(one.gains, key=lambda gain: abs(gain.bits - 3.0))
    step = nearest.one_more(one.middle)
    assert step.low is not None
    assert step.high is not None
    words = _STEPS[one.path].format(one.middle, one.middle + 1)
    return (
        f"At {nearest.bits:g} bits, {words} goes with "
        f"**{_change(step.mean, written)}{written.points}** [{_change(step.low, written)}, "
        f"{_change(step.high, written)}] (n = {step.n} trials, "
        f"{nearest.near} of them within half a bit)."
    )


def _change(value: float, written: Score) -> str:
    return f"{written.scale * value:{'+.2f' if written.points else '+.4f'}}"


def _slopes(bought: list[_Bought], written: Score) -> Figure:
    scale = written.scale
    plot = base_figure("average bits per element", f"{written.change} per doubling", height=340)
    rows: list[tuple[Any, ...]] = []
    for place, one in enumerate(bought):
        at = [gain.bits for gain in one.gains]
        means = [scale * gain.per_doubling.mean for gain in one.gains]
        lows, highs = (
            [scale * float(getattr(gain.per_doubling, end)) for gain in one.gains] for end in ("low", "high")
        )
        plot.add_trace(
            go.Scatter(
                x=[value + 0.03 * (place - (len(bought) - 1) / 2) for value in at],  # apart, so that bars do not cover
                y=means,
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [high - mean for high, mean in zip(highs, means, strict=True)],
                    "arrayminus": [mean - low for low, mean in zip(lows, means, strict=True)],
                    "color": series(place),
                    "thickness": 1.2,
                    "width": 3,
                },
                mode="lines+markers",
                name=f"doubling the {_AMOUNTS[one.path]} (n = {one.gains[0].per_doubling.n})",
                line={"color": series(place), "dash": dash(place), "width": 1.6},
                marker={"symbol": symbol(place), "size": 8, "color": series(place)},
                hovertemplate=f"%{{x:.1f}} bits: %{{y:+{written.fine}}}{written.points}<extra></extra>",
            )
        )
        rows += [
            (one.path, gain.bits, gain.near, gain.per_doubling, one.middle, gain.one_more(one.middle))
            for gain in one.gains
        ]
    plot.add_hline(y=0, line={"color": series(5), "width": 1})
    plot.update_layout(margin_b=80)
    columns = (
        Column("Amount", "code"),
        Column("Average bits"),
        Column("Trials within half a bit", "whole"),
        written.gains("Doubling it"),
        Column("From", "whole"),
        written.gains("One more"),
    )
    table = Table(id="slopes-table", caption="What more of a prompt goes with, by width", columns=columns, rows=rows)
    what = "doubling the prompt count, the rank or the node prompts, by average bits"
    label = f"Change of {written.name} that goes with {what}"
    return Figure(id="slopes", label=label, plot=plot, table=table)


def _marginal(material: Material, path: str, groups: list[Group]) -> Figure:
    slug, written = path.replace(".", "-").replace("_", "-"), material.score
    columns = (
        Column(path, "text"),
        Column("Trials", "whole"),
        *(written.single(name) for name in ("Mean", "Median", "Best")),
    )
    rows = [(group.label, len(group.values), group.mean, group.median, group.best(written.metric)) for group in groups]
    table = Table(id=f"{slug}-table", caption=f"{written.heading} by {path}", columns=columns, rows=rows)
    label = f"Validation {written.name} by {path}, a point a trial"
    plot = marginal_figure(path, groups, {record.number for record in material.drawn}, written)
    return Figure(id=slug, label=label, plot=plot, table=table)
