"""Which arms rank best over data sets and architectures, with Friedman's test and critical differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lorap_bench.report.critical import critical_figure, ranked_words
from lorap_bench.report.document import Column, Heading, Section, Table, Words
from lorap_bench.report.suite.entry import BARE, Arm
from lorap_bench.report.suite.ranking import ranking
from lorap_bench.stats.ranks import critical_difference, friedman
from lorap_bench.stats.significance import holm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.report.document import Block
    from lorap_bench.report.suite.material import SuiteMaterial
    from lorap_bench.report.suite.ranking import Ranking
    from lorap_bench.stats.ranks import FriedmanResult

__all__ = ["section"]

_LEAST_BLOCKS, _LEAST_ARMS = 2, 3


def section(material: SuiteMaterial) -> Section:
    """Return the section."""
    return Section(id="ranks", title="Ranks across data sets", nav="Ranks", blocks=tuple(_blocks(material)))


def _blocks(material: SuiteMaterial) -> Iterator[Block]:
    arms = [Arm(scheme, prompt) for scheme in material.schemes for prompt in material.prompts]
    whole = ranking(material.groups, arms)
    yield Words(
        "A block is a data set with an architecture; in each, arms are ranked by their means, 1 is best. Only blocks "
        "count in which every arm is whole, no training left or failed. Ranks forget by how much arms differ and how "
        "surely. Blocks that share a data set are not independent, so **p values here are somewhat too small**."
    )
    yield Heading("All arms")
    yield from _all(whole)
    yield Heading("Prompts within each scheme")
    yield from _within(material)


def _all(whole: Ranking) -> Iterator[Block]:
    figure = critical_figure("ranks", [str(arm) for arm in whole.arms], whole.table) if whole.table else None
    if figure is None:
        yield Words(
            f"Too little to rank: {_counted(len(whole.blocks))} with all {len(whole.arms)} arms; at least "
            f"{_LEAST_BLOCKS} blocks and {_LEAST_ARMS} arms are needed.",
            empty=True,
        )
    else:
        yield Words(f"{ranked_words(whole.table)} {_strength(whole)}")
        yield figure
    if whole.left_out:
        told = "; ".join(f"{name} ({what})" for name, what in whole.left_out.items())
        yield Words(f"Left out, because not all arms are whole there: {told}.")


def _strength(whole: Ranking) -> str:
    arms, blocks = len(whole.arms), len(whole.blocks)
    share = critical_difference(arms, blocks) / (arms - 1)
    if share >= 1.0:
        return "**No two arms could be told apart with so few blocks**, however they rank."
    return (
        f"Ranks can differ by {arms - 1} at most, so two arms are told apart only where they lie more than "
        f"{100 * share:.0f} % of that apart: **with {blocks} blocks the test is weak**."
        if share > 0.25
        else ""
    )


def _within(material: SuiteMaterial) -> Iterator[Block]:
    found = {
        scheme: ranking(material.groups, [Arm(scheme, prompt) for prompt in material.prompts])
        for scheme in material.schemes
    }
    tests = {scheme: friedman(one.table) for scheme, one in found.items() if one.table}
    if not tests:
        yield Words("No scheme has a block with all of its prompts.", empty=True)
        return
    yield Words(
        "Average ranks of the prompts under one scheme, over the blocks where all of them are whole. p is that of "
        "Friedman’s test, by Holm among the schemes; average ranks closer together than the critical difference "
        "(Nemenyi, 5 %) may be chance."
    )
    yield _table(material, found, tests)


def _table(material: SuiteMaterial, found: dict[str, Ranking], tests: dict[str, FriedmanResult]) -> Table:
    columns = (
        Column("Scheme", "text"),
        *(Column("No prompt" if prompt == BARE else prompt) for prompt in material.prompts),
        Column("Blocks", "whole"),
        Column("Friedman’s χ²"),
        Column("p, Holm", "p"),
        Column("p", "p"),
        Column("Critical difference"),
    )
    adjusted = dict(zip(tests, holm([one.p for one in tests.values()]), strict=True))

    def row(scheme: str, one: FriedmanResult) -> tuple[Any, ...]:
        ranks = {arm.prompt: rank for arm, rank in zip(found[scheme].arms, one.ranks, strict=True)}
        difference = critical_difference(one.k, one.n) if one.p is not None else None
        own = tuple(ranks.get(prompt) for prompt in material.prompts)
        return (scheme, *own, one.n, one.statistic, adjusted[scheme], one.p, difference)

    rows = [row(scheme, one) for scheme, one in tests.items()]
    return Table(id="prompt-ranks", caption="Average ranks of prompts within a scheme", columns=columns, rows=rows)


def _counted(blocks: int) -> str:
    return f"{blocks} block{'' if blocks == 1 else 's'}"
