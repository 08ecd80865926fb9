"""The main tables: for each data set and architecture the schemes as rows, the prompts as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lorap_bench.report.document import Column, Heading, Section, Table, Words
from lorap_bench.report.suite.entry import BARE, Arm
from lorap_bench.report.suite.standing import result, standings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.report.document import Block
    from lorap_bench.report.suite.material import Group, SuiteMaterial

__all__ = ["section"]

_WORDS = (
    "Means on the test split over n trainings, at the epochs chosen on validation; brackets hold the 95 % t interval "
    "of the mean, of two trainings ± is the standard deviation. Bits are the average per element, learned widths as "
    "they came out. **Bold** is the best mean of a table; ≈ stands at those that chance may have parted from it: the "
    "95 % t interval of the difference from the best, seed by seed, holds 0. Few seeds make it wide. A mean over fewer "
    "trainings than were asked for says so, and is neither: the trainings that failed might have been the worst."
)


def section(material: SuiteMaterial) -> Section:
    """Return the section."""
    return Section(id="tables", title="Main tables", nav="Tables", blocks=tuple(_blocks(material)))


def _blocks(material: SuiteMaterial) -> Iterator[Block]:
    begun = [group for group in material.groups if any(entry.records for entry in group.entries.values())]
    if not begun:
        yield Words("No cell has been trained yet.", empty=True)
        return
    yield Words(_WORDS)
    for group in begun:
        yield Heading(group.name)
        yield _table(material, group)
    waiting = [group.name for group in material.groups if group not in begun]
    if waiting:
        yield Words(f"No cell has been trained yet of {', '.join(waiting)}.")


def _table(material: SuiteMaterial, group: Group) -> Table:
    prompts = [prompt for prompt in material.prompts if any(arm.prompt == prompt for arm in group.entries)]
    standing = standings(group)
    columns = (
        Column("Scheme", "text"),
        *(Column("No prompt" if prompt == BARE else prompt, "result") for prompt in prompts),
    )
    rows: list[tuple[Any, ...]] = [
        (scheme, *(result(group, Arm(scheme, prompt), standing) for prompt in prompts))
        for scheme in material.schemes
        if any(arm.scheme == scheme for arm in group.entries)
    ]
    caption = f"Test {group.score.name} on {group.dataset} with {group.part}"
    if group.score.percent:
        caption += ", in percent"
    return Table(id=f"main-{group.slug}", caption=caption, columns=columns, rows=rows)
