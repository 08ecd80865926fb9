"""The colours of the page and its figures, light and dark, in one place.

Figures are written in light colours; the page's script swaps each for its dark twin, so every
colour of ``LIGHT`` occurs there once. Blue accent and a blue-to-green ramp stay apart under the
common forms of colour blindness, as do the colours of series (after Okabe and Ito, 2008), and no
meaning rests on colour alone: shapes and dashes repeat it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["DARK", "LIGHT", "Palette", "dark_twins", "dash", "ramp", "series", "symbol", "veiled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours by role; ``ramp_*`` run from a low to a high value, away from the background."""

    background: str
    surface: str
    ink: str
    muted: str
    faint: str
    rule: str
    grid: str
    accent: str
    good: str
    warn: str
    bad: str
    ramp_0: str
    ramp_1: str
    ramp_2: str
    ramp_3: str
    series_0: str
    series_1: str
    series_2: str
    series_3: str
    series_4: str
    series_5: str


LIGHT = Palette(
    background="#ffffff",
    surface="#f6f8fa",
    ink="#18212e",
    muted="#566273",
    faint="#a3aebb",
    rule="#dfe4ea",
    grid="#edf0f4",
    accent="#0a66a8",
    good="#14795a",
    warn="#9a5b00",
    bad="#b3261e",
    ramp_0="#7ccbb8",
    ramp_1="#389fc2",
    ramp_2="#2a60b2",
    ramp_3="#2a1a66",
    series_0="#0072b2",
    series_1="#d55e00",
    series_2="#009e73",
    series_3="#b35a8c",
    series_4="#b8860b",
    series_5="#5c6f82",
)
DARK = Palette(
    background="#10151c",
    surface="#18202a",
    ink="#e6ebf1",
    muted="#9eabba",
    faint="#566375",
    rule="#2b3643",
    grid="#212b36",
    accent="#62b6f0",
    good="#63cfa6",
    warn="#f0ad57",
    bad="#ff8f85",
    ramp_0="#3b68b5",
    ramp_1="#3fa5c6",
    ramp_2="#7fd8b1",
    ramp_3="#f5f2a4",
    series_0="#5bb1ee",
    series_1="#ff9255",
    series_2="#3fd0a5",
    series_3="#e29ac4",
    series_4="#e6c35c",
    series_5="#a9b8c6",
)


def dark_twins() -> dict[str, str]:
    """Return light colour → dark colour; a veiled colour has the veiled twin."""
    return dict(zip(asdict(LIGHT).values(), asdict(DARK).values(), strict=True))


def ramp() -> list[tuple[float, str]]:
    """Return the sequential colour scale, in light colours."""
    return [(0.0, LIGHT.ramp_0), (0.33, LIGHT.ramp_1), (0.66, LIGHT.ramp_2), (1.0, LIGHT.ramp_3)]


_SERIES = ("series_0", "series_1", "series_2", "series_3", "series_4", "series_5")
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")


def series(place: int) -> str:
    """Return the light colour of the series at ``place``; the seventh begins again."""
    return str(getattr(LIGHT, _SERIES[place % len(_SERIES)]))


def veiled(colour: str, alpha: float = 0.18) -> str:
    """Return a colour that lets what is below it shine through: the band around a line."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {alpha:g})"


def dash(place: int) -> str:
    """Return how the line of the series at ``place`` is dashed."""
    return _DASHES[place % len(_DASHES)]


def symbol(place: int) -> str:
    """Return the mark of the series at ``place``."""
    return _SYMBOLS[place % len(_SYMBOLS)]
