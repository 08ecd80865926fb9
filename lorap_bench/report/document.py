"""What a report says, before anybody decides how it looks: sections of words, tables and figures.

Every form of a report (the page, Markdown, LaTeX, CSV, JSON, pictures) is made from this one value. Words are plain
text in which ``**bold**``, `` `code` `` and ``[text](#section)`` may stand; what a user wrote comes into them through
``plain``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import plotly.graph_objects as go

    from lorap_bench.report.verdict import Check

__all__ = [
    "Block",
    "Card",
    "Cards",
    "Checks",
    "Column",
    "Commands",
    "Document",
    "Figure",
    "Fold",
    "Heading",
    "Kind",
    "Listing",
    "Pair",
    "Parallel",
    "Section",
    "Table",
    "Words",
    "plain",
    "walk",
]

Kind = Literal[
    "text",  # str
    "code",  # str
    "command",  # str, to be copied
    "trial",  # int: the number of a trial
    "whole",  # int
    "number",  # float
    "fraction",  # float in [0, 1], shown in percent
    "points",  # difference of fractions, shown in percentage points
    "interval",  # Interval of a fraction
    "gain",  # Interval of a difference of fractions
    "mean",  # Interval of a number
    "difference",  # Interval of a difference of numbers
    "result",  # Result
    "p",  # p-value
    "seconds",
]
"""What a column holds, which decides how a cell is written; every cell may also be None."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading, with its unit, and what it holds."""

    label: str
    kind: Kind = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under columns. ``trials`` holds the trial that each row is about, where every row is about one.

    ``of`` is how many rows there would be, where the table leaves some out.
    """

    id: str
    caption: str
    columns: tuple[Column, ...]
    rows: Sequence[tuple[Any, ...]]
    trials: Sequence[int] = ()
    of: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A Plotly figure, what it shows in one sentence (for those who do not see it), and the table of the same figures.

    A trace is linked to the others when it names trials: one a point in its ``customdata``, one a row of a heat map in
    ``meta["trials"]``, or the one it belongs to in ``meta["trial"]``. ``hover`` puts the whole trial over such points.
    """

    id: str
    label: str
    plot: go.Figure
    table: Table
    hover: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel:
    """Parallel coordinates that can be brushed: one axis a column of ``table``, one line a row.

    ``colour`` is the position of the column that colours the lines.
    """

    id: str
    label: str
    table: Table
    colour: int


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph. ``empty`` marks one that stands where there is nothing to show."""

    text: str
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside a section."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One recommendation: a large figure, what stands under it, and facts by label."""

    title: str
    also: str
    figure: str
    unit: str
    under: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    trial: int


@dataclass(frozen=True, slots=True)
class Cards:
    """Recommendations side by side; ``heading`` and ``best`` are what a table of them calls figures and the best."""

    cards: tuple[Card, ...]
    heading: str = "Accuracy"
    best: str = "most accurate"


@dataclass(frozen=True, slots=True)
class Checks:
    """Health checks with how each ended."""

    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Commands:
    """Shell commands to copy."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A text file as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Blocks side by side where there is room, each a heading and what belongs under it."""

    parts: tuple[tuple[Block, ...], ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """Blocks that are closed until somebody asks for them."""

    summary: str
    blocks: tuple[Block, ...]
    id: str = ""


Block = Words | Heading | Table | Figure | Parallel | Cards | Checks | Commands | Listing | Pair | Fold


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the report. ``nav`` is its name in a list of sections; empty: it stands in none."""

    id: str
    title: str
    nav: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole report. ``cards`` holds, for each trial that figures name, what is shown of it on its own.

    ``replicas`` are the headings of the table of replicas in a card.
    """

    title: str
    lead: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    trials: dict[int, dict[str, Any]] = field(default_factory=dict)
    replicas: tuple[str, ...] = ()


def plain(text: str) -> str:
    """Return a text of the user's so that it stands in words as it is."""
    return re.sub(r"([\\`*\[\]])", r"\\\1", text)


def walk(blocks: Sequence[Block]) -> Iterator[Block]:
    """Yield blocks and what is inside them, in reading order."""
    for block in blocks:
        yield block
        if isinstance(block, Fold):
            yield from walk(block.blocks)
        elif isinstance(block, Pair):
            for part in block.parts:
                yield from walk(part)
