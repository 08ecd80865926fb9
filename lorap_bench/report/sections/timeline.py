"""When the trials were trained, how busy the workers were, and what the time went into."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from lorap_bench.record import Status
from lorap_bench.report.document import Column, Figure, Heading, Section, Table, Words
from lorap_bench.report.endings import endings
from lorap_bench.report.figures import base_figure
from lorap_bench.report.format import percent_text, seconds_text
from lorap_bench.report.lanes import Bar, Session, bars_of, merged, sessions_of
from lorap_bench.report.palette import LIGHT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorap_bench.report.document import Block
    from lorap_bench.report.endings import Ending
    from lorap_bench.report.material import Material

__all__ = ["MOST_BARS", "section"]

MOST_BARS = 800
_OUTLINED = 150
"""Bars that have room for a whole pixel between them."""
_NAMED_CUTS = 6
_LOOKS = {
    Status.COMPLETE: (LIGHT.series_0, ""),
    Status.PRUNED: (LIGHT.series_4, "/"),
    Status.DIVERGED: (LIGHT.series_1, "x"),
    Status.OUT_OF_MEMORY: (LIGHT.series_3, "\\"),
    Status.TIMEOUT: (LIGHT.series_2, "-"),
    Status.USER_ERROR: (LIGHT.bad, "+"),
    Status.WORKER_LOST: (LIGHT.series_5, "|"),
    Status.INTERRUPTED: (LIGHT.faint, "."),
    Status.DUPLICATE: (LIGHT.muted, "-"),
    Status.INVALID: (LIGHT.warn, "|"),
}
_UNITS = ((1.0, "seconds", 180.0), (60.0, "minutes", 10_800.0), (3600.0, "hours", float("inf")))


def section(material: Material) -> Section:
    """Return the section."""
    return Section(id="timeline", title="Timeline", nav="Timeline", blocks=tuple(_blocks(material)))


def _blocks(material: Material) -> Iterator[Block]:
    sessions = sessions_of(bars_of(material.records))
    if not sessions:
        yield Words("No trial has taken any time, so there is nothing to draw.", empty=True)
        return
    total = sum(len(session.bars) for session in sessions)
    drawn = [
        Session(merged(session.bars, max(MOST_BARS * len(session.bars) // total, 1)), session.idle)
        for session in sessions
    ]
    yield Words(_lead(material, sessions, drawn))
    yield _figure(drawn)
    yield Heading("How busy the lanes were")
    yield Words(_busy(sessions))
    yield _sessions(sessions)
    yield Heading("What the time went into")
    ended = endings(material.records)
    yield Words(_saved(ended))
    yield _endings(ended)


def _lead(material: Material, sessions: Sequence[Session], drawn: Sequence[Session]) -> str:
    total, left = (sum(len(session.bars) for session in found) for found in (sessions, drawn))
    text = (
        f"Each bar is a trial (n = {total:,}). Records name no worker: the lanes are the fewest that hold what ran at "
        "once, with starts known to the second. Trials that trained as one program share its time and stand one after "
        "another."
    )
    if len(sessions) > 1:
        gaps = "An idle gap" if len(sessions) == 2 else f"{len(sessions) - 1} idle gaps"
        text += (
            f" {gaps} longer than a tenth of the working time: cut out at the dotted line{'s'[: len(sessions) - 2]}."
        )
    if left < total:
        text += f" {left:,} bars stand for them: within a stretch of a lane, trials that ended alike are drawn as one."
    if material.spec.replicas.screen is not None:
        text += " A trial that was screened with some of its seeds first stands where its screening began."
    return text


def _figure(drawn: Sequence[Session]) -> Figure:
    bars = [bar for session in drawn for bar in session.bars]
    lanes = max(bar.lane for bar in bars) + 1
    spans = [session.span for session in drawn]
    size, unit = next((size, unit) for size, unit, below in _UNITS if sum(spans) < below)
    plot = base_figure(f"{unit} of work", "", height=min(150 + 34 * lanes, 700))
    offsets = list(itertools.accumulate(spans[:-1], initial=0.0))
    for status in sorted({bar.status for bar in bars}, key=list(Status).index):
        placed = [
            (bar, bar.start - session.start + offset)
            for session, offset in zip(drawn, offsets, strict=True)
            for bar in session.bars
            if bar.status is status
        ]
        plot.add_trace(_bars(status, placed, size, outline=min(1.0, _OUTLINED / len(bars))))
    for place, (session, offset) in enumerate(zip(drawn[1:], offsets[1:], strict=True)):
        words = f"{seconds_text(session.idle)} idle" if place < _NAMED_CUTS else ""
        plot.add_vline(
            x=offset / size,
            line={"color": LIGHT.ink, "width": 1.5, "dash": "dot"},
            annotation={"text": words, "font": {"size": 11, "color": LIGHT.muted}, "yanchor": "bottom"},
            annotation_position="top",
        )
    step = -(-lanes // 16)
    ticks = list(range(1, lanes + 1, step))
    plot.update_yaxes(
        tickmode="array",
        tickvals=ticks,
        ticktext=[f"lane {lane}" for lane in ticks],
        range=[lanes + 0.5, 0.5],
        showgrid=False,
        ticks="",
    )
    plot.update_xaxes(range=[0, sum(spans) / size])
    plot.update_layout(
        barmode="overlay",
        showlegend=True,
        legend={"y": 0, "yref": "container", "yanchor": "bottom"},
        margin={"t": 32, "b": 92},
    )
    label = f"Bars of {sum(bar.trials for bar in bars)} trials over time in {lanes} lane{'s'[: lanes - 1]}"
    return Figure(id="timeline-bars", label=label, plot=plot, table=_table(bars))


def _bars(status: Status, placed: Sequence[tuple[Bar, float]], size: float, *, outline: float) -> go.Bar:
    """Return the bars of one ending: their colour and their pattern tell it, and the legend names it with its n."""
    colour, pattern = _LOOKS[status]
    trials = sum(bar.trials for bar, _ in placed)
    single = all(bar.trials == 1 for bar, _ in placed)
    return go.Bar(
        orientation="h",
        base=[at / size for _, at in placed],
        x=[bar.seconds / size for bar, _ in placed],
        y=[bar.lane + 1 for bar, _ in placed],
        width=0.8,
        customdata=[bar.number for bar, _ in placed] if single else None,
        text=[_told(bar) for bar, _ in placed],
        textposition="none",
        hovertemplate="%{text}<extra></extra>",
        name=f"{_words(status)} (n = {trials:,})",
        marker={
            "color": colour,
            "pattern": {"shape": pattern, "bgcolor": colour, "fgcolor": LIGHT.background, "size": 6, "solidity": 0.25},
            "line": {"color": LIGHT.background, "width": outline},
        },
    )


def _told(bar: Bar) -> str:
    what = f"trial {bar.number}" if bar.trials == 1 else f"{bar.trials:,} trials from {bar.number} on"
    return f"{what}, {_words(bar.status)}: {seconds_text(bar.seconds)} from {bar.began:%Y-%m-%d %H:%M:%S} UTC"


def _words(status: Status) -> str:
    return status.value.replace("_", " ")


def _table(bars: Sequence[Bar]) -> Table:
    single = all(bar.trials == 1 for bar in bars)
    columns = (
        Column("Trial" if single else "First trial", "trial"),
        Column("Trials, n", "whole"),
        Column("Lane", "whole"),
        Column("Began (UTC)", "text"),
        Column("Time", "seconds"),
        Column("Ended", "text"),
    )
    rows = [
        (bar.number, bar.trials, bar.lane + 1, f"{bar.began:%Y-%m-%d %H:%M:%S}", bar.seconds, _words(bar.status))
        for bar in bars
    ]
    return Table(
        id="timeline-bars-table",
        caption="Bars of the timeline",
        columns=columns,
        rows=rows,
        trials=[bar.number for bar in bars] if single else (),
    )


def _busy(sessions: Sequence[Session]) -> str:
    busy, room = (sum(found) for found in zip(*((one.busy, one.lanes * one.span) for one in sessions), strict=True))
    return (
        f"Training took {seconds_text(busy)} of {seconds_text(room)} in all lanes: **{percent_text(busy / room)} %**. "
        "The rest is asking for trials, loading data, writing records and waiting for the last of them."
    )


def _sessions(sessions: Sequence[Session]) -> Table:
    columns = (
        Column("Session", "whole"),
        Column("Began (UTC)", "text"),
        Column("Idle before", "seconds"),
        Column("Lasted", "seconds"),
        Column("Trials, n", "whole"),
        Column("Lanes, n", "whole"),
        Column("Training in all lanes", "seconds"),
        Column("Busy, %", "fraction"),
    )
    rows = [
        (
            place,
            f"{one.bars[0].began:%Y-%m-%d %H:%M:%S}",
            one.idle if place > 1 else None,
            one.span,
            len(one.bars),
            one.lanes,
            one.busy,
            one.busy / (one.lanes * one.span),
        )
        for place, one in enumerate(sessions, start=1)
    ]
    return Table(id="timeline-sessions", caption="Sessions between idle gaps", columns=columns, rows=rows)


def _saved(ended: Sequence[Ending]) -> str:
    pruned = next((one for one in ended if one.status is Status.PRUNED), None)
    if pruned is None:
        return "No trial was stopped early, so no epoch was saved."
    asked = sum(one.asked for one in ended)
    saved = pruned.asked - pruned.run
    share = percent_text(saved / asked if asked else 0.0)
    return (
        f"Stopping early left out **{saved:,} of {asked:,} epochs** ({share} %): the pruned trials "
        f"(n = {pruned.trials:,}) ran {pruned.run:,} of the {pruned.asked:,} that their seeds had been asked for."
    )


def _endings(ended: Sequence[Ending]) -> Table:
    columns = (
        Column("Ended", "text"),
        Column("Trials, n", "whole"),
        Column("Time", "seconds"),
        Column("Of all time, %", "fraction"),
        Column("Epochs run, all seeds", "whole"),
        Column("Epochs asked for", "whole"),
        Column("Not run", "whole"),
    )
    total = sum(one.seconds for one in ended)
    rows = [
        (_words(one.status), one.trials, one.seconds, one.seconds / total, one.run, one.asked, one.asked - one.run)
        for one in ended
    ]
    return Table(id="timeline-endings", caption="Time and epochs by how trials ended", columns=columns, rows=rows)
