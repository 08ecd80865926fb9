"""The document's tables as LaTeX, to be read into a paper."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lorap_bench.report.format import cell_text, result_texts
from lorap_bench.report.markup import latex_text, one_line, shortened
from lorap_bench.report.raw import IN_PARTS, file_stem, tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorap_bench.report.document import Column, Document, Table

__all__ = ["MOST_ROWS", "latex"]

MOST_ROWS = 60
_LONGEST = 120
_ONE_LINE = 48
_WORDS = ("text", "code")
_SPREADING = ("interval", "gain", "level", "change", "result")
_SPREAD = (
    " In brackets the 95\\,\\% interval of the mean, of two values the standard deviation after $\\pm$; "
    "each with its n."
)


def latex(document: Document) -> str:
    """Return every table as a ``table`` environment in the manner of booktabs, with what it needs said on top."""
    found = [line for table in tables(document) for line in _table(table)]
    return "\n".join([*_head(document, found), *found])


def _head(document: Document, lines: Sequence[str]) -> Iterator[str]:
    yield f"% Tables of the lorap-bench report on {_comment(document.title)}."
    yield "% Read them with \\input into a document that loads:"
    yield from (f"%   \\usepackage{name}" for name in ("[T1]{fontenc}", "{booktabs}", "{adjustbox}"))
    if any(re.search(r"[^\x00-\xff]", line) for line in lines if not line.startswith("%")):
        yield "% Some names hold letters that pdfLaTeX has no font for: use LuaLaTeX or XeLaTeX, without fontenc."
    yield ""


def _table(table: Table) -> Iterator[str]:
    """Yield the lines of a table, or of a comment where it has none or too many."""
    places = [place for place, column in enumerate(table.columns) if column.kind != "command"]
    columns = [table.columns[place] for place in places]
    stem = file_stem(table.id)
    if not table.rows or not columns or len(table.rows) > MOST_ROWS:
        why = (
            f"{len(table.rows)} rows, which --format csv writes to tables/{stem}.csv"
            if table.rows
            else "it has no rows"
        )
        yield f"% Left out: {_comment(table.caption)} ({why}).\n"
        return
    yield from (
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{_caption(table, columns)}}}",
        f"\\label{{tab:{stem}}}",
        "\\begin{adjustbox}{max width=\\linewidth, max totalheight=0.8\\textheight}",
        f"\\begin{{tabular}}{{{''.join(_alignment(table, place) for place in places)}}}",
        "\\toprule",
        _row([latex_text(column.label) for column in columns]),
        "\\midrule",
    )
    for row in table.rows:
        yield _row([_cell(row[place], table.columns[place]) for place in places])
    yield from ("\\bottomrule", "\\end{tabular}", "\\end{adjustbox}", "\\end{table}\n")


def _caption(table: Table, columns: Sequence[Column]) -> str:
    text = latex_text(table.caption) + "."
    if table.of is not None and table.of > len(table.rows):
        text += f" {len(table.rows)} of {table.of} rows."
    if any(column.kind in IN_PARTS for column in columns):
        text += _SPREAD
    return text


def _alignment(table: Table, place: int) -> str:
    """Return how a column is set: figures to the right, long words in lines of their own."""
    if table.columns[place].kind not in _WORDS:
        return "r"
    longest = max(len(cell_text(row[place], "text")) for row in table.rows)
    return "p{45mm}" if longest > _ONE_LINE else "l"


def _row(cells: Sequence[str]) -> str:
    line = " & ".join(cells) + r" \\"
    return f"{{}}{line}" if line.startswith(("[", "*")) else line  # else the line before would take it as an argument


def _cell(value: Any, column: Column) -> str:
    if value is not None and column.kind == "result" and value.standing == "best":
        mean, rest = result_texts(value)
        return f"\\textbf{{{latex_text(mean)}}} {latex_text(rest)}"
    text = latex_text(shortened(cell_text(value, column.kind), _LONGEST))
    if value is None or column.kind == "text":
        return text
    if column.kind == "code":
        return f"\\texttt{{{text}}}"
    return re.sub(r"-(?=\d)", "$-$", text)


def _comment(text: str) -> str:
    return shortened(one_line(text), _LONGEST)
