"""The document as Markdown, as GitHub shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from lorap_bench.report.card_table import card_table
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
from lorap_bench.report.format import cell_text, result_texts
from lorap_bench.report.markup import markdown_code, markdown_text, markdown_words, shortened
from lorap_bench.report.raw import file_stem
from lorap_bench.report.verdict import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lorap_bench.report.document import Block, Column, Document

__all__ = ["MOST_ROWS", "markdown"]

MOST_ROWS = 40
_LONGEST = 300
_WORDS = ("text", "code", "command")
_MARKS = {State.GOOD: "✓", State.NOTE: "i", State.WARN: "**!**"}
# What would make a list, a rule or a heading at the start of a paragraph.
_START = re.compile(r"^(\d+)?([-+=.)])")


def markdown(document: Document, *, images: str = "", tables: bool = False) -> str:
    """Return the document as Markdown.

    ``images`` is the form in which its figures lie in ``figures/`` (``svg`` or ``png``; else their tables stand for
    them), ``tables`` whether its tables lie in ``tables/`` as CSV.
    """
    form = _Form(images, tables)
    parts = [f"# {markdown_text(document.title)}"]
    if document.lead:
        parts.append(_paragraph(document.lead))
    parts.append(_list(f"**{markdown_text(label)}:** {markdown_text(text)}" for label, text in document.facts))
    for section in document.sections:
        parts.append(f'<a id="{file_stem(section.id)}"></a>\n\n## {markdown_text(section.title)}')
        parts += [part for block in section.blocks for part in form.block(block)]
    return "\n\n".join(part for part in parts if part) + "\n"


@final
@dataclass(frozen=True, slots=True)
class _Form:
    """How blocks are written: with pictures or without, beside tables or not."""

    images: str
    tables: bool

    def block(self, block: Block) -> Iterator[str]:  # noqa: C901 - one form a kind of block
        """Yield a block's paragraphs."""
        match block:
            case Words(text):
                yield _guarded(markdown_words(text))
            case Heading(text):
                yield f"### {markdown_text(text)}"
            case Table():
                yield from self._table(block)
            case Figure():
                yield from self._figure(block)
            case Parallel():
                yield from self._table(block.table)
            case Cards():
                yield from self._table(card_table(block))
            case Checks(checks):
                yield _list(
                    f"{_MARKS[check.state]} **{markdown_text(check.name)}:** {markdown_text(check.text)}"
                    for check in checks
                )
            case Commands(lines):
                yield from (_fenced(line, "sh") for line in lines)
            case Listing(text):
                yield _fenced(text, "")
            case Pair(parts):
                yield from (text for part in parts for inner in part for text in self.block(inner))
            case Fold(summary, blocks):
                yield f"### {markdown_text(summary)}"
                yield from (text for inner in blocks for text in self.block(inner))

    def _figure(self, figure: Figure) -> Iterator[str]:
        if not self.images:
            yield from self._table(figure.table)
            return
        yield f"![{markdown_text(figure.label)}](figures/{file_stem(figure.id)}.{self.images})"
        if self.tables:
            path = f"tables/{file_stem(figure.table.id)}.csv"
            yield f"The same figures as a table: [{path}]({path})."

    def _table(self, table: Table) -> Iterator[str]:
        yield f"**{markdown_text(table.caption)}**"
        if not table.rows:
            yield "No rows."
            return
        yield "\n".join(_rows(table))
        shown, there = min(len(table.rows), MOST_ROWS), len(table.rows)
        more = max(table.of or 0, there) - shown
        if more:
            yield f"… {more} more{self._where(table) if shown < there else ''}."

    def _where(self, table: Table) -> str:
        path = f"tables/{file_stem(table.id)}.csv"
        if self.tables:
            return f" in [{path}]({path})" if table.of in {None, len(table.rows)} else f"; [{path}]({path}) holds some"
        return f"; `--format csv` writes the table to `{path}`"


def _rows(table: Table) -> Iterator[str]:
    yield _row(markdown_text(column.label) for column in table.columns)
    yield _row("---" if column.kind in _WORDS else "---:" for column in table.columns)
    for row in table.rows[:MOST_ROWS]:
        yield _row(_cell(column, value) for column, value in zip(table.columns, row, strict=True))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(column: Column, value: Any) -> str:
    text = cell_text(value, column.kind)
    if value is not None and column.kind in {"code", "command"}:
        return markdown_code(text).replace("|", "\\|")
    if value is not None and column.kind == "result" and value.standing == "best":
        mean, rest = result_texts(value)
        return f"**{markdown_text(mean)}** {markdown_text(rest)}"
    return markdown_text(shortened(text, _LONGEST))


def _paragraph(text: str) -> str:
    return _guarded(markdown_text(text))


def _guarded(text: str) -> str:
    return _START.sub(r"\1\\\2", text.strip())


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _fenced(text: str, language: str) -> str:
    """Return a block of code, whatever backticks it holds."""
    runs = [len(run) for run in re.findall(r"`+", text)]
    fence = "`" * max(3, max(runs, default=0) + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"
