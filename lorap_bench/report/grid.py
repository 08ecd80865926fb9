"""The metric by the amount of a prompt and by the width: which of both was tried together, and what it reached."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from lorap_bench.report.document import Column, Figure, Table
from lorap_bench.report.figures import base_figure
from lorap_bench.report.marginal import amount
from lorap_bench.report.palette import LIGHT, ramp
from lorap_bench.report.representatives import average_bits
from lorap_bench.report.trial import score

if TYPE_CHECKING:
    from lorap_bench.report.material import Material
    from lorap_bench.report.score import Score

__all__ = ["grid_figure"]

_EDGES = (2.5, 3.0, 4.0, 6.0, 8.0, math.inf)
Cells = dict[tuple[int, int], list[float]]


def grid_figure(material: Material, path: str) -> Figure | None:
    """Draw the mean metric of the complete trials with an amount (row) in a band of average bits (column).

    None unless both vary.
    """
    cells, written = _cells(material, path), material.score
    amounts, bands = sorted({row for row, _ in cells}), sorted({column for _, column in cells})
    if len(amounts) < 2 or len(bands) < 2:
        return None
    names = [_band(column) for column in bands]
    found = [[cells.get((row, column)) for column in bands] for row in amounts]
    plot = base_figure("average bits", path, height=60 + 46 * len(amounts) + 60)
    plot.add_trace(
        go.Heatmap(
            x=names,
            y=[str(row) for row in amounts],
            z=[
                [None if values is None else written.scale * statistics.fmean(values) for values in row]
                for row in found
            ],
            text=[["" if values is None else _words(values, written) for values in row] for row in found],
            texttemplate="%{text}",
            textfont={"size": 11},
            colorscale=[list(stop) for stop in ramp()],
            reversescale=not written.metric.higher_is_better,
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate=f"{path} %{{y}}, %{{x}} bits: mean %{{z:{written.digits}}}{written.unit}<extra></extra>",
        )
    )
    plot.update_xaxes(type="category", showgrid=False, linecolor=LIGHT.background)
    plot.update_yaxes(type="category", showgrid=False, linecolor=LIGHT.background)
    slug = path.replace(".", "-").replace("_", "-")
    columns = (
        Column(path, "whole"),
        Column("Average bits", "text"),
        Column("Trials", "whole"),
        written.single("Mean"),
        written.single("Best"),
    )
    rows = [
        (row, _band(column), len(values), statistics.fmean(values), max(values, key=written.metric.quality))
        for (row, column), values in sorted(cells.items())
    ]
    caption = f"{written.heading} by {path} and average bits"
    table = Table(id=f"{slug}-grid-table", caption=caption, columns=columns, rows=rows)
    label = f"Mean validation {written.name} by {path} and band of average bits, with how many trials"
    return Figure(id=f"{slug}-grid", label=label, plot=plot, table=table)


def _cells(material: Material, path: str) -> Cells:
    cells: Cells = {}
    for record in material.complete:
        mean, bits = score(record), average_bits(record)
        if path in record.params and mean is not None and math.isfinite(bits):
            column = next(place for place, edge in enumerate(_EDGES) if bits <= edge)
            cells.setdefault((amount(record, path), column), []).append(mean.mean)
    return cells


def _band(column: int) -> str:
    low, high = _EDGES[column - 1] if column else None, _EDGES[column]
    if low is None:
        return f"≤ {high:g}"
    return f"> {low:g}" if math.isinf(high) else f"{low:g} to {high:g}"


def _words(values: list[float], written: Score) -> str:
    return f"{written.text(statistics.fmean(values))}<br>n = {len(values)}"
