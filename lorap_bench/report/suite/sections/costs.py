"""What arms cost: bits, overhead, bit operations, size of the model, seconds of training."""

from __future__ import annotations

import math
from statistics import fmean
from typing import TYPE_CHECKING, Any

from lorap_bench.report.document import Column, Fold, Section, Table, Words
from lorap_bench.report.suite.entry import BARE, Arm, State
from lorap_bench.report.suite.material import slug

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorap_bench.report.document import Block
    from lorap_bench.report.suite.entry import Entry
    from lorap_bench.report.suite.material import Group, SuiteMaterial

__all__ = ["section"]

_COLUMNS = (
    Column("Average bits"),
    Column("Bits, A²Q’s count"),
    Column("Bits, MixQ’s count"),
    Column("Overhead, %"),
)
_COSTS = ("average_bits", "bits_a2q", "bits_mixq", "overhead")


def section(material: SuiteMaterial) -> Section:
    """Return the section."""
    return Section(id="costs", title="What it costs", nav="Costs", blocks=tuple(_blocks(material)))


def _blocks(material: SuiteMaterial) -> Iterator[Block]:
    if not material.records:
        yield Words("No cell has been trained yet.", empty=True)
        return
    yield Words(
        "Costs come from the configuration, learned widths as each training found them; they are means over trainings. "
        "Average bits are per element of weights and features, the prompt’s own among them; A²Q’s count is the mean "
        "over the inputs of linear maps, MixQ’s the plain mean over quantizers. Overhead is what a prompt adds to the "
        "bit operations. Seconds are those of one training, the time of those that ran together shared evenly, and "
        "**depend on what else the machine did**."
    )
    yield from _arms(material)
    for name in material.datasets:
        groups = [group for group in material.groups if group.dataset == name]
        rows = [_row(group, arm, entry) for group in groups for arm, entry in group.entries.items() if entry.records]
        if rows:
            yield Fold(f"Costs on {name}", (_table(name, rows),))


def _arms(material: SuiteMaterial) -> Iterator[Block]:
    """Yield the means of each arm over the groups in which all arms were trained, so that all are over the same."""
    shared = [
        group
        for group in material.groups
        if all(entry.records or entry.state is State.SKIPPED for entry in group.entries.values())
        and any(entry.records for entry in group.entries.values())
    ]
    if not shared:
        yield Words("Nowhere have all arms been trained yet, so no means of them are over the same data sets.")
        return
    columns = (
        Column("Scheme", "text"),
        Column("Prompt", "text"),
        *_COLUMNS,
        Column("Bit operations, times no prompt"),
        Column("Model size, times no prompt"),
        Column("Training seconds, times no prompt"),
    )
    rows = []
    for arm in dict.fromkeys(entry.arm for entry in material.entries):
        trained = [
            (group, entry) for group in shared if (entry := group.entries.get(arm)) is not None and entry.records
        ]
        if trained:
            means = (_mean([entry.cost(name) for _, entry in trained]) for name in _COSTS)
            ratios = (_ratio(trained, name) for name in ("bit_operations", "model_bytes", "seconds"))
            rows.append((*arm, *means, *ratios))
    names = ", ".join(group.name for group in shared)
    yield Words(
        f"Means over {names}, where all arms were trained. “Times no prompt” is the geometric mean of the ratio to the "
        "same scheme without a prompt in the same place."
    )
    yield Table(id="costs", caption="What each arm costs", columns=columns, rows=rows)


def _table(dataset: str, rows: list[tuple[Any, ...]]) -> Table:
    columns = (
        Column("Model", "text"),
        Column("Scheme", "text"),
        Column("Prompt", "text"),
        *_COLUMNS,
        Column("Bit operations, millions"),
        Column("Model, kB"),
        Column("Seconds a training"),
    )
    return Table(id=f"costs-{slug(dataset)}", caption=f"Costs on {dataset}", columns=columns, rows=rows)


def _row(group: Group, arm: Arm, entry: Entry) -> tuple[Any, ...]:
    operations, size = entry.cost("bit_operations"), entry.cost("model_bytes")
    return (
        group.part,
        *arm,
        *(entry.cost(name) for name in _COSTS),
        None if operations is None else operations / 1e6,
        None if size is None else size / 1000,
        entry.seconds,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return fmean(present) if present else None


def _ratio(trained: Sequence[tuple[Group, Entry]], name: str) -> float | None:
    """Return the geometric mean of a cost over that of the same scheme without a prompt; None where there is none."""
    logs = []
    for group, entry in trained:
        bare = group.entries.get(Arm(entry.arm.scheme, BARE))
        own, other = (_cost(one, name) for one in (entry, bare))
        if own and other:
            logs.append(math.log(own / other))
    return math.exp(fmean(logs)) if logs else None


def _cost(entry: Entry | None, name: str) -> float | None:
    if entry is None:
        return None
    return entry.seconds if name == "seconds" else entry.cost(name)
