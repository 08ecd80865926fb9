"""Line charts on logarithmic axes as a self-contained SVG, in tones that read on light and on dark ground."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Chart", "svg"]

WIDTH, HEIGHT, MARGIN_LEFT, MARGIN_RIGHT, MARGIN_TOP, MARGIN_BOTTOM = 420, 300, 64, 16, 40, 48
INK = "#808080"
LINES = ("#3b82c4", "#d1622b", "#4a9a5b")


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines by name, each a list of (x, y), all positive."""

    title: str
    x_label: str
    y_label: str
    lines: dict[str, list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class _Axis:
    """A logarithmic axis from whole decade to whole decade, drawn from ``start`` to ``stop``."""

    low: int
    high: int
    start: float
    stop: float

    def place(self, value: float) -> float:
        return self.start + (math.log10(value) - self.low) / (self.high - self.low) * (self.stop - self.start)

    @property
    def ticks(self) -> range:
        return range(self.low, self.high + 1)


def svg(charts: Sequence[Chart]) -> str:
    """Return the charts side by side."""
    parts = [_chart(chart, index * WIDTH) for index, chart in enumerate(charts)]
    width = WIDTH * len(charts)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}"'
    return f'{head} font-family="sans-serif" font-size="11" fill="{INK}">\n' + "\n".join(parts) + "\n</svg>\n"


def _chart(chart: Chart, offset: int) -> str:
    points = [point for line in chart.lines.values() for point in line]
    across = _axis([x for x, _ in points], offset + MARGIN_LEFT, offset + WIDTH - MARGIN_RIGHT)
    upwards = _axis([y for _, y in points], HEIGHT - MARGIN_BOTTOM, MARGIN_TOP)
    middle = (across.start + across.stop) / 2
    parts = [
        _text(chart.title, middle, 14, size=13),
        _text(chart.x_label, middle, HEIGHT - 8),
        f'<g transform="translate({offset + 14},{HEIGHT / 2}) rotate(-90)">{_text(chart.y_label, 0, 0)}</g>',
    ]
    for power in across.ticks:
        x = across.place(10.0**power)
        parts += [_rule(x, upwards.start, x, upwards.stop), _text(_power(power), x, upwards.start + 16)]
    for power in upwards.ticks:
        y = upwards.place(10.0**power)
        parts += [_rule(across.start, y, across.stop, y), _text(_power(power), across.start - 6, y + 4, anchor="end")]
    for index, (name, line) in enumerate(chart.lines.items()):
        parts += _line(name, [(across.place(x), upwards.place(y)) for x, y in line], index, across.start)
    return "\n".join(parts)


def _line(name: str, places: list[tuple[float, float]], index: int, left: float) -> list[str]:
    colour = LINES[index % len(LINES)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    key = MARGIN_TOP + 14 + 15 * index
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places),
        f'<g fill="{colour}">{_text(name, left + 8, key, anchor="start")}</g>',
    ]


def _axis(values: list[float], start: float, stop: float) -> _Axis:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return _Axis(low, max(high, low + 1), start, stop)


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{INK}" stroke-width="0.5" stroke-opacity="0.5"/>'


def _text(words: str, x: float, y: float, *, anchor: str = "middle", size: int = 11) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(words)}</text>'


def _power(power: int) -> str:
    return f"{10.0**power:g}" if -4 < power < 4 else f"1e{power}"
