"""What a comparison of two studies comes to, as blocks of a document: both as wholes, and their best by bit budget."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lorap_bench.report.document import Column, Heading, Table, Words, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.report.compare import Compared, Row, Standing
    from lorap_bench.report.document import Block
    from lorap_bench.report.score import Score

__all__ = ["budget_text", "verdict_blocks"]


def verdict_blocks(compared: Compared) -> Iterator[Block]:
    """Yield the table of the two studies, and that of their best trials with the tests in words."""
    one, other = plain(compared.first.name), plain(compared.second.name)
    written = compared.score
    yield Words(
        f"A is **{one}**, B is **{other}**. Differences are {written.less('A', 'B')}: more than 0 speaks for A. The "
        f"box for hypervolume and attainment is the reference box, version {compared.reference}, the same for every "
        "study."
    )
    yield _standings(compared)
    yield Heading(f"The {written.best} trial under each bit budget")
    if not compared.rows:
        yield Words("Neither study has a feasible complete trial, so there is no best one.", empty=True)
        return
    yield Words(_tested(compared, written))
    yield _row_table(compared.rows, written)


def _tested(compared: Compared, written: Score) -> str:
    names = written.names.capitalize() if written.unit else "Errors (MAE)"
    splits = {row.measured for row in compared.rows}
    text = {
        frozenset({"test"}): f"{names} are those of the test split on fresh seeds.",
        frozenset({"validation"}): (
            f"**{names} are those of the validation split, which chose these trials**, so both sides are flattered, "
            "the one that tried more trials more; `lorap-bench confirm` measures the fronts on the test split."
        ),
    }.get(
        frozenset(splits),
        f"{names} are those of the test split where both trials were confirmed, else of the validation split, "
        "**which chose these trials** and so flatters both.",
    )
    paired = {row.comparison.paired for row in compared.rows if row.comparison is not None}
    if paired == {True}:
        text += " Both sides trained with the same seeds: the tests are paired."
    elif paired == {False}:
        text += " The sides trained with different seeds: the tests are Welch’s and Mann–Whitney’s."
    else:
        text += " Tests are paired where both sides trained with the same seeds, else Welch’s and Mann–Whitney’s."
    return text + (
        " Brackets are 95 % t intervals over n seeds; of two seeds ± is the standard deviation. The n of a difference "
        "counts pairs of seeds, or where they are not paired the seeds of both sides. Holm corrects the t "
        "test’s p for the number of rows; d is Cohen’s, r the rank-biserial correlation."
    )


def _standings(compared: Compared) -> Table:
    both = (compared.first, compared.second)
    columns = (
        Column("Study", "text"),
        Column("Complete trials", "whole"),
        Column("Hypervolume", "text"),
        Column("Front trials", "whole"),
        Column("Of them dominated by the other", "whole"),
        Column("Runs", "whole"),
        Column("Attained more often, % of the box"),
        Column("the same by how much more often, %"),
    )

    def row(letter: str, one: Standing) -> tuple[Any, ...]:
        own = (f"{letter}: {one.name}", one.trials, f"{one.hypervolume:.4f}", one.front, one.dominated, one.runs)
        shares = (None if share is None else 100 * share for share in (one.more_often, one.attainment_gain))
        return (*own, *shares)

    rows = [row(letter, one) for letter, one in zip("AB", both, strict=True)]
    return Table(id="standings", caption="Both studies as wholes", columns=columns, rows=rows)


def _row_table(rows: tuple[Row, ...], written: Score) -> Table:
    columns = (
        Column("Bits", "text"),
        Column("Measured on", "text"),
        Column("A: trial", "whole"),
        written.means("A"),
        Column("B: trial", "whole"),
        written.means("B"),
        written.gains(written.less("A", "B")),
        Column("Test", "text"),
        Column("p (t)", "p"),
        Column("p (Holm)", "p"),
        Column("p (ranks)", "p"),
        Column("d"),
        Column("r"),
    )
    return Table(
        id="budgets", caption="Best under each bit budget", columns=columns, rows=[_cells(row) for row in rows]
    )


def _cells(row: Row) -> tuple[Any, ...]:
    found = row.comparison
    best = [(one.trial, one.score) if one else (None, None) for one in (row.first, row.second)]
    start = (budget_text(row.budgets), row.measured, *best[0], *best[1])
    if found is None:
        return (*start, *[None] * 7)
    kind = "paired" if found.paired else "unpaired"
    return (*start, found.difference, kind, found.t_test, row.p_holm, found.rank_test, found.d, found.rank_biserial)


def budget_text(budgets: tuple[float, ...]) -> str:
    """Write budgets: ``≤ 3``, or ``≤ 6, ≤ 8, any`` where the best is the same."""
    return ", ".join(f"≤ {budget:g}" if math.isfinite(budget) else "any" for budget in budgets)
