"""The whole document of a study, from its material."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.report.card import replica_columns, trial_cards
from lorap_bench.report.document import Document
from lorap_bench.report.format import seconds_text
from lorap_bench.report.score import spoken
from lorap_bench.report.sections import sections
from lorap_bench.report.table import directions

if TYPE_CHECKING:
    from lorap_bench.report.material import Material

__all__ = ["assemble"]


def assemble(material: Material) -> Document:
    """Return the document: the study in a handful of words, its sections, and the card of every trial that is drawn."""
    return Document(
        title=material.spec.name,
        lead=material.spec.description,
        facts=_facts(material),
        sections=sections(material),
        trials=trial_cards(material),
        replicas=replica_columns(material.score),
    )


def _facts(material: Material) -> tuple[tuple[str, str], ...]:
    """Return the study in a handful of words; what is searched shows its choices."""
    spec = material.spec

    def setting(path: str, fixed: object) -> str:
        line = spec.space.get(path)
        if line is None:
            return str(fixed)
        return ", ".join(map(str, line.choices)) if line.choices is not None else "searched"

    arrows = {"max": "↑", "min": "↓"}
    goals = [f"{spoken(name)} {arrows[way]}" for name, way in directions(spec).items()]
    layers, hidden = setting("model.layers", spec.model.layers), setting("model.hidden", spec.model.hidden)
    facts = [
        ("Task", setting("task.dataset", spec.task.dataset)),
        ("Model", f"{setting('model.arch', spec.model.arch)}, layers {layers}, width {hidden}"),
        ("Scheme", setting("quant.scheme", spec.quant.scheme)),
        ("Prompt", setting("prompt.kind", spec.prompt.kind)),
        ("Objectives", ", ".join(goals)),
        ("Trials", _trials(material)),
        ("Sampler", spec.search.sampler),
        ("Compute", seconds_text(sum(record.seconds for record in material.records))),
    ]
    if material.others:
        facts.append(("Beside it", ", ".join(other.spec.name for other in material.others)))
    return tuple(facts)


def _trials(material: Material) -> str:
    """Say how many trials the budget was spent on, of how many that were proposed, and their seeds."""
    counted = sum(record.status.counts for record in material.records)
    most, screen = material.spec.replicas.search, material.spec.replicas.screen
    screened = screen is not None and screen < most
    seeds = f"{screen} or {most} seeds" if screened else f"{most} seed{'s' if most != 1 else ''}"
    proposed = len(material.records)
    return f"{counted}{f' of {proposed} proposed' if proposed > counted else ''}, {seeds} each"
