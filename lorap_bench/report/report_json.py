"""The document as JSON: its words, its tables with raw values, its checks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lorap_bench.report.document import (
    Cards,
    Checks,
    Commands,
    Figure,
    Fold,
    Heading,
    Listing,
    Pair,
    Parallel,
    Table,
    Words,
)
from lorap_bench.report.markup import plain_words
from lorap_bench.report.raw import raw_label, raw_value

if TYPE_CHECKING:
    from lorap_bench.report.document import Block, Card, Document

__all__ = ["REPORT_VERSION", "report_json"]

REPORT_VERSION = 1


def report_json(document: Document) -> str:
    """Return the document as JSON. Fractions stay fractions; what is not finite is null."""
    value = {
        "schema_version": REPORT_VERSION,
        "title": document.title,
        "lead": document.lead,
        "facts": dict(document.facts),
        "sections": [
            {"id": section.id, "title": section.title, "blocks": [_block(block) for block in section.blocks]}
            for section in document.sections
        ],
    }
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _block(block: Block) -> dict[str, Any]:  # noqa: C901, PLR0911 - one form a kind of block
    match block:
        case Words(text):
            return {"kind": "words", "text": plain_words(text)}
        case Heading(text):
            return {"kind": "heading", "text": text}
        case Table():
            return {"kind": "table", **_table(block)}
        case Figure() | Parallel():
            return {"kind": "figure", "id": block.id, "label": block.label, "table": _table(block.table)}
        case Cards(cards):
            return {"kind": "cards", "cards": [_card(card) for card in cards]}
        case Checks(checks):
            found = [{"name": check.name, "state": check.state.value, "text": check.text} for check in checks]
            return {"kind": "checks", "checks": found}
        case Commands(lines):
            return {"kind": "commands", "lines": list(lines)}
        case Listing(text):
            return {"kind": "listing", "text": text}
        case Pair(parts):
            return {"kind": "group", "blocks": [_block(inner) for part in parts for inner in part]}
        case Fold(summary, blocks):
            return {"kind": "group", "title": summary, "blocks": [_block(inner) for inner in blocks]}


def _table(table: Table) -> dict[str, Any]:
    return {
        "id": table.id,
        "caption": table.caption,
        "columns": [{"label": raw_label(column), "kind": column.kind} for column in table.columns],
        "rows": [[raw_value(value) for value in row] for row in table.rows],
        "of": table.of if table.of is not None else len(table.rows),
    }


def _card(card: Card) -> dict[str, Any]:
    return {
        "title": f"{card.title} {card.also}".rstrip(),
        "figure": f"{card.figure} {card.unit}".rstrip(),
        "under": list(card.under),
        "facts": dict(card.facts),
        "trial": card.trial,
    }
