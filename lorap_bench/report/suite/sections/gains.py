"""What each prompt adds to each scheme: over data sets as blocks, and in every group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lorap_bench.report.document import Column, Heading, Section, Table, Words
from lorap_bench.report.format import LEAST_FOR_INTERVAL
from lorap_bench.report.suite.forest import forest
from lorap_bench.report.suite.gains import gains, pooled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorap_bench.report.document import Block
    from lorap_bench.report.score import Score
    from lorap_bench.report.suite.gains import Gain, Pooled
    from lorap_bench.report.suite.material import SuiteMaterial

__all__ = ["section"]

_FEW = 6
"""Below this many data sets the signed-rank test cannot reach 5 %, whatever they show: 2 / 2⁵ is more."""


def section(material: SuiteMaterial) -> Section:
    """Return the section."""
    return Section(id="gains", title="What a prompt adds", nav="Gains", blocks=tuple(_blocks(material)))


def _blocks(material: SuiteMaterial) -> Iterator[Block]:
    found = {score: gains(material.groups, score) for score in material.scores}
    if not any(found.values()):
        yield Words(
            "Nothing to compare: no scheme was trained both with a prompt and without one in the same place.",
            empty=True,
        )
        return
    tuned = ", unless a cell was tuned: then it has those that its own search chose"
    if all(entry.tuning is None for entry in material.entries):
        tuned = ""
    yield Words(
        "A gain is the test figure with a prompt less that of the same scheme without one, **seed by seed** (fold by "
        "fold where a set has folds), turned so that more is better. All settings but the prompt are the same"
        f"{tuned}. Brackets are 95 % t intervals, each by itself: they are not corrected for their number. On a set "
        "with one split they are over seeds alone; folds share training data, so theirs are somewhat too narrow. Of "
        "less than three pairs, and of a difference that is the same in all of them, there is no test."
    )
    for score, some in found.items():
        if some:
            if len(found) > 1:
                yield Heading(f"Sets measured by {score.name}")
            yield from _measured(score, some)


def _measured(score: Score, found: Sequence[Gain]) -> Iterator[Block]:
    suffix = "" if score.percent else f"-{score.name.lower()}"
    by_prompt, by_scheme = pooled(found, by_scheme=False), pooled(found, by_scheme=True)
    yield Words(_over_sets(max(len(one.sets) for one in by_prompt + by_scheme)))
    twin = _table(f"gains{suffix}", score, found)
    yield forest(f"forest{suffix}", score, ([*by_prompt, *by_scheme], found), twin)
    yield _pooled_table(f"gains-over-sets{suffix}", score, [*by_prompt, *by_scheme])
    yield Words(_words(found))


def _over_sets(sets: int) -> str:
    text = (
        "Diamonds are means over data sets, for each the mean over its architectures (and over schemes in the rows “"
        "all schemes”), with the 95 % t interval over sets from three sets on; small marks are the gains in each set "
        "and architecture that they are made from, each with its test in the figure’s table. p is that of the t test "
        "over sets, by Holm among the rows of all schemes, and among the others. "
    )
    if sets < LEAST_FOR_INTERVAL:
        return text + "**With less than three data sets there is no test over sets**, and nothing to be said of others."
    text += f"**With {sets} data sets these tests are weak**: they see gains that are large, and alike on all sets"
    few = "; below six sets Wilcoxon’s signed-rank p cannot reach 0.05 at all" if sets < _FEW else ""
    return f"{text}{few}."


def _words(found: Sequence[Gain]) -> str:
    up, down = (sum(_clear(one) and sign * one.comparison.difference.mean > 0 for one in found) for sign in (1, -1))
    single = sum(one.comparison.n == 1 for one in found)
    lost = sum(one.lost > 0 for one in found)
    text = (
        f"Of {len(found)} gains within one data set and architecture, **{up} are above 0 and {down} below** by the "
        "paired t test after Holm’s correction for all of them."
    )
    if single:
        text += f" {single} {'are' if single > 1 else 'is'} of a single pair, which no test can judge."
    if lost:
        text += f" In {lost} some trainings have no partner or failed: their n is smaller, and “lost” counts them."
    return text


def _clear(one: Gain) -> bool:
    return one.adjusted is not None and one.adjusted < 0.05


def _pooled_table(name: str, score: Score, found: Sequence[Pooled]) -> Table:
    columns = (
        Column("Scheme", "text"),
        Column("Prompt", "text"),
        score.gains("Gain"),
        Column("p, Holm", "p"),
        Column("p", "p"),
        Column("p, Wilcoxon", "p"),
        Column("Gains averaged", "whole"),
    )

    def row(one: Pooled) -> tuple[Any, ...]:
        tests = (one.adjusted, one.comparison.t_test, one.comparison.rank_test)
        return (one.scheme or "all schemes", one.prompt, one.comparison.difference, *tests, one.gains)

    caption = "Mean gain of each prompt over data sets (n counts sets)"
    return Table(id=name, caption=caption, columns=columns, rows=[row(one) for one in found])


def _table(name: str, score: Score, found: Sequence[Gain]) -> Table:
    columns = (
        Column("Data set", "text"),
        Column("Model", "text"),
        Column("Scheme", "text"),
        Column("Prompt", "text"),
        score.gains("Gain"),
        Column("p, Holm", "p"),
        Column("p", "p"),
        Column("p, Wilcoxon", "p"),
        Column("d"),
        Column("Lost", "whole"),
    )

    def row(one: Gain) -> tuple[Any, ...]:
        told = one.comparison
        tests = (one.adjusted, told.t_test, told.rank_test, told.d)
        return (one.group.dataset, one.group.part, *one.arm, told.difference, *tests, one.lost)

    caption = "Gain of each prompt in each data set and architecture (n counts pairs)"
    return Table(id=name, caption=caption, columns=columns, rows=[row(one) for one in found])
