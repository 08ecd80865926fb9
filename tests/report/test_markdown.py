"""The document as Markdown: complete, and nothing a user wrote is taken for a mark."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import pytest

from lorap_bench.report.document import Card as RecommendedTrial
from lorap_bench.report.document import (
    Cards,
    Checks,
    Column,
    Commands,
    Document,
    Figure,
    Fold,
    Heading,
    Listing,
    Pair,
    Parallel,
    Section,
    Table,
    Words,
    plain,
)
from lorap_bench.report.markdown import MOST_ROWS, markdown
from lorap_bench.report.verdict import Check, State
from lorap_bench.stats.intervals import Interval
from tests.report.hostile import HOSTILE

if TYPE_CHECKING:
    from lorap_bench.report.document import Block

GAIN = Interval(mean=0.02, std=0.01, low=-0.005, high=0.045, n=3)


def document(*blocks: Block, **changes: Any) -> Document:
    values: dict[str, Any] = {"title": "made-up", "lead": "Why?", "facts": (("Task", "Cora"),)}
    sections = (Section(id="one", title="First", nav="", blocks=blocks),)
    return Document(**(values | {"sections": sections} | changes))


def table(rows: list[tuple[Any, ...]], *columns: Column, **changes: Any) -> Table:
    return Table(id="some", caption="Some rows", columns=columns, rows=rows, **changes)


def cells(line: str) -> list[str]:
    """Split a row as GitHub does: at every bar that no backslash precedes."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def test_every_block_has_a_form() -> None:
    small = table([(1, GAIN)], Column("Trial", "trial"), Column("Gain, points", "gain"))
    card = RecommendedTrial(
        title="≤ 3 bits", also="and 4", figure="80.0", unit="%", under=("n = 3",), facts=(("Scheme", "QAT"),), trial=7
    )
    text = markdown(
        document(
            Words("**Bold** and `code` and [there](#one)."),
            Heading("Inside"),
            Cards((card,)),
            Checks((Check("Seeds", State.GOOD, "all"), Check("Budget", State.WARN, "short"))),
            Commands(("lorap-bench run x", "lorap-bench report x")),
            Fold("More", (Listing("a = 1\n"),)),
            Pair(((small,), (Parallel(id="lines", label="Lines", table=small, colour=0),))),
        )
    )
    assert text.startswith("# made-up\n\nWhy?\n\n- **Task:** Cora\n\n")
    assert '<a id="one"></a>\n\n## First\n\n**Bold** and `code` and [there](#one).\n\n### Inside' in text
    assert "| Budget | Accuracy | Measured | Scheme |" in text
    assert "| ≤ 3 bits and 4 | 80.0 % | n = 3 | QAT |" in text
    assert "- ✓ **Seeds:** all\n- **!** **Budget:** short" in text
    assert "```sh\nlorap-bench run x\n```\n\n```sh\nlorap-bench report x\n```" in text
    assert "### More\n\n```\na = 1\n```" in text
    rows = "| Trial | Gain, points |\n| ---: | ---: |\n| 1 | +2.0 \\[-0.5, +4.5\\] (n = 3) |"
    assert text.count(rows) == 2
    assert text.endswith("\n")
    assert "\n\n\n" not in text


@pytest.mark.parametrize(
    ("images", "tables", "shown"),
    [
        ("", False, "| A |"),
        ("svg", False, "![A line](figures/line.svg)\n"),
        (
            "png",
            True,
            "![A line](figures/line.png)\n\nThe same figures as a table: [tables/some.csv](tables/some.csv).",
        ),
    ],
)
def test_a_figure_is_a_picture_where_there_is_one_else_its_table(images: str, tables: bool, shown: str) -> None:
    figure = Figure(id="line", label="A line", plot=go.Figure(), table=table([(1,)], Column("A", "whole")))
    text = markdown(document(figure), images=images, tables=tables)
    assert shown in text
    assert ("| A |" in text) == (not images)


def test_a_long_table_is_cut_and_says_where_the_rest_is() -> None:
    rows = [(place,) for place in range(MOST_ROWS + 3)]
    long = document(table(rows, Column("A", "whole")))
    assert len([line for line in markdown(long).splitlines() if line.startswith("| ")]) == MOST_ROWS + 2
    assert "… 3 more; `--format csv` writes the table to `tables/some.csv`." in markdown(long)
    assert "… 3 more in [tables/some.csv](tables/some.csv)." in markdown(long, tables=True)
    part = document(table(rows, Column("A", "whole"), of=500))
    assert f"… {500 - MOST_ROWS} more; [tables/some.csv](tables/some.csv) holds some." in markdown(part, tables=True)
    few = document(table(rows[:2], Column("A", "whole"), of=5))
    assert "… 3 more." in markdown(few)
    assert "more" not in markdown(document(table(rows[:MOST_ROWS], Column("A", "whole"))))
    assert "No rows." in markdown(document(table([], Column("A", "whole"))))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_strings_stay_text(text: str) -> None:
    rows = [(text, text, text, None)]
    columns = [Column(text, "text"), Column("Code", "code"), Column("Again", "command"), Column("None", "text")]
    found = markdown(
        document(
            Words(f"A name: {plain(text)}, `{plain(text)}`."),
            table(rows, *columns),
            Checks((Check("Failed", State.WARN, text),)),
            Commands((text,)),
            title=text,
            lead=text,
            facts=((text, text),),
        )
    )
    row = next(line for line in found.splitlines() if line.startswith("| ") and line.endswith("| – |"))
    assert len(cells(row)) == 4
    outside = without_code(found.replace('<a id="one"></a>', ""))
    assert not re.search(r"(?<!\\)<", outside)
    headings = [line for line in outside.splitlines() if line.startswith("#")]
    assert len(headings) == 2


def without_code(text: str) -> str:
    """Return Markdown without its blocks and spans of code, whose fences are as long as they need to be."""
    blocks = re.sub(r"^(`{3,})\w*\n.*?\n\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)", "", blocks)


@pytest.mark.parametrize(
    ("lead", "shown"),
    [("- no list", "\\- no list"), ("1. no list", "1\\. no list"), ("=== ", "\\==="), ("    code", "code")],
)
def test_a_paragraph_begins_no_list_and_no_code(lead: str, shown: str) -> None:
    assert f"\n\n{shown}\n\n" in markdown(document(lead=lead))
