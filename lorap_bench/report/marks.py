"""What is known beside a study's trials, as marks in its Pareto figures: baselines, and published figures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from lorap_bench.published import PublishedResult, published
from lorap_bench.report.palette import LIGHT, series
from lorap_bench.report.score import Score
from lorap_bench.report.trial import prompt_text, score
from lorap_bench.store.look import Baseline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.record import TrialRecord
    from lorap_bench.report.material import Material

__all__ = ["bare_records", "bare_trace", "known_figures", "published_trace"]

_ACCURACY = Score()


def bare_records(material: Material) -> list[TrialRecord]:
    """Return the confirmed trials' schemes without a prompt, each configuration once, that have a metric."""
    found = (one.baselines.get(Baseline.NO_PROMPT) for one in material.confirmations.values())
    unique = {record.digest: record for record in found if record is not None}
    return [record for record in unique.values() if score(record) is not None]


def bare_trace(records: Sequence[TrialRecord], x: str, written: Score) -> go.Scatter:
    """Draw schemes without a prompt by their validation metric on the fresh seeds of the confirmation."""
    means = [found.mean if (found := score(record)) else 0.0 for record in records]
    return go.Scatter(
        x=[record.costs.get(x) for record in records],
        y=[written.scale * mean for mean in means],
        mode="markers",
        name=f"baseline: no prompt, fresh seeds (n = {len(records)})",
        marker={"symbol": "square-open", "size": 9, "color": LIGHT.muted, "line": {"width": 1.6}},
        hovertext=[f"{record.config['quant']['scheme']}, {prompt_text(record)}" for record in records],
        hovertemplate=f"%{{hovertext}}: validation %{{y:{written.digits}}}{written.unit} on fresh seeds<extra></extra>",
    )


def known_figures(material: Material) -> list[PublishedResult]:
    """Return the published figures of its metric, with known bits, on the study's data set with its architectures."""
    records = material.complete
    archs = {record.config.get("model", {}).get("arch") for record in records}
    datasets = sorted({str(record.config.get("task", {}).get("dataset")) for record in records})
    found = [figure for name in datasets for figure in published(name)]
    return [one for one in found if one.arch in archs and one.metric is material.metric and one.average_bits]


def published_trace(figures: Sequence[PublishedResult], what: str, written: Score = _ACCURACY) -> go.Scatter:
    """Draw published figures as labelled stars; of those that would lie on one another one has its label."""
    return go.Scatter(
        x=[one.average_bits for one in figures],
        y=[written.scale * one.value for one in figures],
        mode="markers+text",
        name=f"{what} (n = {len(figures)})",
        text=_labels(figures),
        textposition="bottom center",
        textfont={"size": 10, "color": LIGHT.muted},
        marker={"symbol": "star", "size": 10, "color": series(3)},
        hovertext=[_words(one, written) for one in figures],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _words(one: PublishedResult, written: Score) -> str:
    spread = f" ± {written.text(one.std)}" if one.std is not None else ""
    bits = f"{one.average_bits:g} bits ({one.definition.value})"
    return f"{one.paper}: {one.framework}, test {written.text(one.value)}{written.unit}{spread} at {bits}"


def _labels(figures: Sequence[PublishedResult]) -> list[str]:
    seen: set[tuple[int, int]] = set()
    labels = []
    for one in figures:
        place = round(4 * math.log2(one.average_bits or 1)), round(25 * one.value)
        labels.append("" if place in seen else one.framework)
        seen.add(place)
    return labels
