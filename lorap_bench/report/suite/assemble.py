"""The whole document of a suite, from its material."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.report.document import Document
from lorap_bench.report.format import seconds_text
from lorap_bench.report.suite.entry import BARE, State
from lorap_bench.report.suite.sections import (
    bits,
    costs,
    failures,
    gains,
    published,
    ranks,
    reproduce,
    tables,
    verdict,
)

if TYPE_CHECKING:
    from lorap_bench.report.suite.material import SuiteMaterial

__all__ = ["assemble"]

_ORDER = (verdict, tables, gains, ranks, bits, costs, published, failures, reproduce)


def assemble(material: SuiteMaterial) -> Document:
    """Return the document: the suite in a handful of words, and its sections."""
    return Document(
        title=material.name,
        lead=material.description,
        facts=_facts(material),
        sections=tuple(part.section(material) for part in _ORDER),
    )


def _facts(material: SuiteMaterial) -> tuple[tuple[str, str], ...]:
    done, cells = material.counts[State.DONE], len(material.entries)
    archs = dict.fromkeys(entry.arch for entry in material.entries)
    prompts = ["none" if prompt == BARE else prompt for prompt in material.prompts]
    ended = sum(len(entry.members) for entry in material.entries)
    return (
        ("Data sets", ", ".join(material.datasets)),
        ("Architectures", ", ".join(archs)),
        ("Schemes", ", ".join(material.schemes)),
        ("Prompts", ", ".join(prompts)),
        ("Metric", ", ".join(f"test {score.name}" for score in material.scores)),
        ("Cells", f"{done} of {cells} done"),
        ("Trainings", str(ended)),
        ("Compute", _compute(material)),
    )


def _compute(material: SuiteMaterial) -> str:
    """Return how long was trained, and before that searched."""
    trained = seconds_text(sum(record.seconds for record in material.records))
    searched = sum(entry.tuning.get("seconds", 0.0) for entry in material.entries if entry.tuning is not None)
    return f"{trained}, after {seconds_text(searched)} of searches" if searched else trained
