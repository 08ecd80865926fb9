"""The recommendations as a table, for the forms that have no cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.report.document import Column, Table

if TYPE_CHECKING:
    from lorap_bench.report.document import Cards

__all__ = ["card_table"]


def card_table(block: Cards) -> Table:
    """Return one row a card: what it is for, its figure, what stands under that, and its facts."""
    labels = list(dict.fromkeys(label for card in block.cards for label, _ in card.facts))
    rows = []
    for card in block.cards:
        facts = dict(card.facts)
        under = "; ".join(card.under) or None
        rows.append(
            (
                f"{card.title} {card.also}".rstrip(),
                f"{card.figure} {card.unit}".rstrip(),
                under,
                *(facts.get(label) for label in labels),
            )
        )
    names = ("Budget", block.heading, "Measured", *labels)
    return Table(
        id="recommendations",
        caption=f"The {block.best} trial under each bit budget",
        columns=tuple(Column(name, "text") for name in names),
        rows=rows,
        trials=[card.trial for card in block.cards],
    )
