"""Which searched parameters each objective hangs on, over the trials that the search visited."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from lorap_bench.report.document import Column, Figure, Section, Table, Words
from lorap_bench.report.figures import base_figure
from lorap_bench.report.marginal import amount
from lorap_bench.report.palette import LIGHT, series
from lorap_bench.report.trial import objective
from lorap_bench.stats.importance import Importances, importance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lorap_bench.record import TrialRecord
    from lorap_bench.report.document import Block
    from lorap_bench.report.material import Material

__all__ = ["section"]

_LEAST = 20  # of trials, as ``importance`` asks for
_TRUSTED = 0.3  # held-out R² from which the importances are worth reading
_HATCHES = ("", "/", ".", "x")
_ROW = 17  # pixels a bar

Found = dict[str, Importances]


def section(material: Material) -> Section | None:
    """Return the section; None where nothing is searched."""
    if not material.spec.space:
        return None
    found = _found(material)
    blocks: tuple[Block, ...] = (Words(_none(material), empty=True),)
    if found:
        blocks = (Words(_lead(found)), _figure(found))
    return Section(id="importance", title="What the objectives hang on", nav="Importance", blocks=blocks)


def _found(material: Material) -> Found:
    """Return objective → importances, of the objectives that can be told."""
    columns = {path: [_value(record, path) for record in material.complete] for path in material.varied}
    targets = {name: [objective(record, name) for record in material.complete] for name in material.spec.objectives}
    each = {name: importance(columns, values, seed=material.spec.seed) for name, values in targets.items()}
    return {name: found for name, found in each.items() if found is not None}


def _value(record: TrialRecord, path: str) -> Any:
    """Return a trial's value, None where the parameter is not active; a rank as its layers clamped it."""
    if path == "prompt.rank" and path in record.params:
        return amount(record, path)
    return record.params.get(path)


def _none(material: Material) -> str:
    count = len(material.complete)
    if not material.varied:
        return "No searched parameter took two values, so nothing can be told apart."
    if count < _LEAST:
        return (
            f"{count} complete trial{'s' if count != 1 else ''}: too few to tell importances, which need {_LEAST}. "
            f"`lorap-bench extend` adds to the budget."
        )
    return f"None of the objectives differs between the {count} complete trials, so there is nothing to explain."


def _lead(found: Found) -> str:
    fits = "; ".join(_fit(name, one) for name, one in found.items())
    weak = [_words(name) for name, one in found.items() if one.held_out < _TRUSTED]
    text = (
        "A random forest predicts each objective from the searched parameters. A bar is how much of the variance of "
        "trials held out it explains less once that parameter’s values are shuffled: the mean, and as line one "
        "standard deviation each way over 5 folds with 3 shuffles each. Of the variance held out it explains "
        f"{fits}; below {_TRUSTED} read nothing into it. Parameters that move together share what either would "
        "explain, and the search visits good regions more: this is what the forest used, **not what a change would "
        "cause**."
    )
    if weak:
        text += f" **Below {_TRUSTED}: {' and '.join(weak)}.**"
    return text


def _fit(name: str, one: Importances) -> str:
    of = f" of {one.available:,}" if one.available > one.n else ""
    return f"**{max(0.0, one.held_out):.2f}** for {_words(name)} (n = {one.n:,}{of} trials)"


def _figure(found: Found) -> Figure:
    """Draw a group of bars a parameter, the most important for the first objective on top."""
    first, *_ = found.values()
    names = [one.name for one in first.parameters]
    plot = base_figure("held-out R² lost by shuffling", "", height=120 + _ROW * _bars(names, found))
    for place, (objective_name, one) in enumerate(found.items()):
        plot.add_trace(_trace(place, objective_name, one, names))
    plot.update_layout(barmode="group", bargap=0.3, bargroupgap=0.05, margin_b=92)
    plot.update_layout(legend={"traceorder": "normal", "yref": "container", "y": 0, "yanchor": "bottom"})
    plot.update_xaxes(zeroline=True, zerolinecolor=LIGHT.faint)
    plot.update_yaxes(autorange="reversed", showgrid=False, ticks="", type="category")
    top = "; ".join(f"{_words(name)} most on {one.parameters[0].name}" for name, one in found.items())
    label = f"Bars of importance, {len(names)} parameters: {top}"
    return Figure(id="importance", label=label, plot=plot, table=_table(found, names))


def _bars(names: Sequence[str], found: Mapping[str, Any]) -> int:
    return len(names) * (len(found) + 1)


def _trace(place: int, name: str, one: Importances, names: Sequence[str]) -> go.Bar:
    by_name = {parameter.name: parameter for parameter in one.parameters}
    return go.Bar(
        orientation="h",
        y=[html.escape(path, quote=False) for path in names],
        x=[by_name[path].mean for path in names],
        error_x={
            "type": "data",
            "array": [by_name[path].std for path in names],
            "color": LIGHT.muted,
            "thickness": 1.1,
            "width": 2,
        },
        name=f"{_words(name)} (R² {one.held_out:.2f}, n = {one.n:,})",
        marker={
            "color": series(place),
            "pattern": {
                "shape": _HATCHES[place % len(_HATCHES)],
                "fillmode": "overlay",
                "fgcolor": LIGHT.background,
                "size": 6,
            },
        },
        hovertemplate=f"%{{y}}<br>{_words(name)}: %{{x:.3f}} ± %{{error_x.array:.3f}}<extra></extra>",
    )


def _table(found: Found, names: Sequence[str]) -> Table:
    columns = [Column("Parameter", "code")]
    for name in found:
        columns += [Column(f"{_words(name).capitalize()}: importance"), Column("± std")]
    by_name = [{one.name: one for one in importances.parameters} for importances in found.values()]
    rows = [(path, *(part for one in by_name for part in (one[path].mean, one[path].std))) for path in names]
    counts = ", ".join(f"{_words(name)} n = {one.n}" for name, one in found.items())
    caption = f"Importance of each searched parameter ({counts} trials)"
    return Table(id="importance-table", caption=caption, columns=tuple(columns), rows=rows)


def _words(name: str) -> str:
    return name.replace("_", " ")
