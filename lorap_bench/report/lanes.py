"""When which trial was trained: bars in as few lanes as hold what ran at once, in sessions between idle gaps.

Records tell when a trial began, to the second, and its share of the training time; they name no worker. Trials that
trained as one program began together and share its time: their bars stand one after another.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lorap_bench.record import Status, TrialRecord

__all__ = ["Bar", "Session", "bars_of", "merged", "sessions_of"]

_RESOLUTION = 1.0
"""Seconds that a recorded beginning may lie before the true one."""
_IDLE, _LEAST_IDLE = 0.1, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A trial, or several that ended alike, in a lane; ``start`` in seconds since the epoch of clocks."""

    lane: int
    start: float
    seconds: float
    status: Status
    number: int
    trials: int = 1

    @property
    def end(self) -> float:
        """Return when it ended."""
        return self.start + self.seconds

    @property
    def began(self) -> datetime:
        """Return when it began, in universal time."""
        return datetime.fromtimestamp(self.start, UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """Bars without a long idle gap between them, by start; the first began when ``idle`` seconds had passed."""

    bars: Sequence[Bar]
    idle: float = 0.0

    @property
    def start(self) -> float:
        """Return when its first bar began."""
        return self.bars[0].start

    @property
    def span(self) -> float:
        """Return its length in seconds."""
        return max(bar.end for bar in self.bars) - self.start

    @property
    def busy(self) -> float:
        """Return the seconds of training in all lanes."""
        return sum(bar.seconds for bar in self.bars)

    @property
    def lanes(self) -> int:
        """Return how many lanes it uses."""
        return len({bar.lane for bar in self.bars})


def bars_of(records: Iterable[TrialRecord]) -> list[Bar]:
    """Return a bar for each trial that took time, by start; lane 0 is the one that is used first.

    A lane takes what began when its last bar had ended, give or take the second to which beginnings are known.
    """
    timed = [(start, record) for record in records if record.seconds > 0 and (start := _start(record)) is not None]
    timed.sort(key=lambda pair: (pair[0], pair[1].number))
    ends: list[float] = []
    bars = []
    for pack in _packs(timed):
        start = pack[0][0]
        lane = next((lane for lane, end in enumerate(ends) if end <= start + _RESOLUTION), len(ends))
        if lane == len(ends):
            ends.append(start)
        at = max(start, ends[lane])
        for _, record in pack:
            bar = Bar(lane=lane, start=at, seconds=record.seconds, status=record.status, number=record.number)
            bars.append(bar)
            at = bar.end
        ends[lane] = at
    return sorted(bars, key=lambda bar: (bar.start, bar.number))


def sessions_of(bars: Sequence[Bar]) -> list[Session]:
    """Cut the bars where no lane was busy for longer than a tenth of the time that any was (and than five seconds)."""
    parts: list[list[Bar]] = [[]]
    gaps = [0.0]
    gap_before: list[float] = []
    reached = bars[0].start if bars else 0.0
    for bar in bars:
        gap_before.append(max(bar.start - reached, 0.0))
        reached = max(reached, bar.end)
    worked = reached - bars[0].start - sum(gap_before) if bars else 0.0
    for bar, gap in zip(bars, gap_before, strict=True):
        if gap > max(_IDLE * worked, _LEAST_IDLE):
            parts.append([])
            gaps.append(gap)
        parts[-1].append(bar)
    return [Session(part, gap) for part, gap in zip(parts, gaps, strict=True) if part]


def merged(bars: Sequence[Bar], most: int) -> list[Bar]:
    """Return at most ``most`` bars: within a stretch of a lane, trials that ended alike stand as one.

    Each lane keeps one of each ending at least. The time of every ending in every lane stays as it is; only the order
    within a stretch is lost.
    """
    if len(bars) <= most:
        return list(bars)
    fewest = len({(bar.lane, bar.status) for bar in bars})
    count = most
    found = _in_stretches(bars, count)
    while len(found) > max(most, fewest):
        count = max(min(count * most // len(found), count - 1), 1)
        found = _in_stretches(bars, count)
    return found


def _in_stretches(bars: Sequence[Bar], count: int) -> list[Bar]:
    first = bars[0].start
    width = (max(bar.end for bar in bars) - first) / count
    stretches: dict[tuple[int, int], dict[Status, list[Bar]]] = defaultdict(lambda: defaultdict(list))
    for bar in bars:
        stretches[bar.lane, int((bar.start - first) / width)][bar.status].append(bar)
    found = [bar for alike in stretches.values() for bar in _one_after_another(alike)]
    return sorted(found, key=lambda bar: (bar.start, bar.number))


def _one_after_another(alike: dict[Status, list[Bar]]) -> Iterator[Bar]:
    """Yield one bar an ending, from where the first of them all began."""
    at = min(bar.start for group in alike.values() for bar in group)
    for group in alike.values():
        bar = replace(group[0], start=at, seconds=sum(one.seconds for one in group), trials=len(group))
        yield bar
        at = bar.end


def _packs(timed: Sequence[tuple[float, TrialRecord]]) -> Iterator[list[tuple[float, TrialRecord]]]:
    """Yield trials that trained as one program: they began together, and their members make up its cohort."""
    for _, group in itertools.groupby(timed, key=lambda pair: (pair[0], pair[1].provenance.get("cohort"))):
        pack: list[tuple[float, TrialRecord]] = []
        members = 0
        for start, record in group:
            pack.append((start, record))
            members += max(len(record.members), 1)
            if members >= int(record.provenance.get("cohort") or 0):
                yield pack
                pack, members = [], 0
        if pack:
            yield pack


def _start(record: TrialRecord) -> float | None:
    try:
        began = datetime.fromisoformat(record.started)
    except ValueError:
        return None
    return (began if began.tzinfo else began.replace(tzinfo=UTC)).timestamp()
