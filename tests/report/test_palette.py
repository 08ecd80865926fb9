"""The colours: one dark twin each, and enough contrast to read."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from lorap_bench.report.palette import DARK, LIGHT, Palette, dark_twins, ramp, veiled


def luminance(colour: str) -> float:
    """Return the relative luminance (WCAG 2.2) of ``#rrggbb``."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_every_light_colour_has_one_dark_twin() -> None:
    assert len(dark_twins()) == len(asdict(LIGHT))


@pytest.mark.parametrize("palette", [LIGHT, DARK])
@pytest.mark.parametrize("role", ["ink", "muted", "accent", "good", "warn", "bad"])
def test_text_can_be_read(palette: Palette, role: str) -> None:
    for ground in (palette.background, palette.surface):
        assert contrast(getattr(palette, role), ground) >= 4.5


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_the_ramp_moves_steadily_away_from_the_background(palette: Palette) -> None:
    steps = [contrast(getattr(palette, f"ramp_{step}"), palette.background) for step in range(4)]
    assert steps == sorted(steps)
    assert steps[0] > 1.5


def test_the_ramp_spans_its_range() -> None:
    assert [place for place, _ in ramp()] == [0.0, 0.33, 0.66, 1.0]


def test_a_veil_keeps_its_colour() -> None:
    assert veiled("#0072b2") == "rgba(0, 114, 178, 0.18)"
    assert veiled("#ff0010", 0.5) == "rgba(255, 0, 16, 0.5)"
