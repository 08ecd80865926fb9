"""The reading order of the report's sections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.report.sections import (
    attainment,
    bits,
    curves,
    importance,
    ladder,
    parallel,
    pareto,
    progress,
    prompts,
    published,
    reproduce,
    timeline,
    trials,
    verdict,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.report.document import Section
    from lorap_bench.report.material import Material

__all__ = ["sections"]

_IN_ORDER: tuple[Callable[[Material], Section | None], ...] = (
    verdict.section,
    pareto.section,
    progress.section,
    attainment.section,
    importance.section,
    prompts.section,
    bits.section,
    parallel.section,
    curves.section,
    ladder.section,
    published.section,
    timeline.section,
    trials.section,
    reproduce.section,
)


def sections(material: Material) -> tuple[Section, ...]:
    """Return the sections that the study has something to say in."""
    found = (make(material) for make in _IN_ORDER)
    return tuple(section for section in found if section is not None)
