"""The colours of the page and its figures, light and dark, in one place.

Figures are written in light colours; the page's script swaps each for its dark twin, so every
colour of ``LIGHT`` occurs there once. Blue accent and a blue-to-green ramp stay apart under the
common forms of colour blindness, and no meaning rests on colour alone: shapes repeat it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["DARK", "LIGHT", "Palette", "dark_twins", "ramp"]


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
)


def dark_twins() -> dict[str, str]:
    """Return light colour → dark colour."""
    return dict(zip(asdict(LIGHT).values(), asdict(DARK).values(), strict=True))


def ramp() -> list[tuple[float, str]]:
    """Return the sequential colour scale, in light colours."""
    return [(0.0, LIGHT.ramp_0), (0.33, LIGHT.ramp_1), (0.66, LIGHT.ramp_2), (1.0, LIGHT.ramp_3)]
