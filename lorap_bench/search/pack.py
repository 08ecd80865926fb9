"""Which points are asked for together, so that their trials can train as one program.

A pack is what is asked for before any of its trials is told. Where ``[search] together`` is a number,
packs have that size. ``"auto"`` never changes what is proposed: a point joins a pack only if it would
be the same whatever becomes of the others, and packs stay small where company does not pay.

A pack is repeatable. Its points carry the key of its first; after a crash, a pack of which nothing was
trained is asked for to its end, and one that was whole is given out again as it was, without new points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from lorap_bench.search.sampler import Progress, blind
from lorap_bench.study.distributions import Choices, IntRange

if TYPE_CHECKING:
    from lorap_bench.cost.shape import TaskShape
    from lorap_bench.search.history import History
    from lorap_bench.search.trials import Trials
    from lorap_bench.study.spec import StudySpec

__all__ = ["Packs", "together"]

_MEMBERS = {"cpu": 10, "cuda": 64}
"""Members that a cohort is brought to: on a CPU more gain nothing, on a GPU memory may end it sooner."""
_SMALL = 100_000
"""Values of one hidden layer up to which a CPU trains members faster together than one after another."""


def together(spec: StudySpec, shape: TaskShape | None) -> int:
    """Return how many trials of a study may train together: its own number, or what ``"auto"`` comes to.

    Formula: a cohort of about 10 members on a CPU where rows x width is at most 100,000, else 1; 64 on a GPU.
    Rows are nodes, or a batch's nodes at graph level; the width is the largest that the study may take.
    """
    if spec.search.together != "auto":
        return int(spec.search.together)
    if shape is None:
        return 1
    from lorap_bench.kernels.device import device  # late: it brings torch

    where = device().type
    graphs = 1 if shape.level == "node" else spec.base.task.batch_size
    if where == "cpu" and shape.nodes * graphs * _widest(spec) > _SMALL:
        return 1
    return max(1, round(_MEMBERS[where] / spec.replicas.search))


@final
class Packs:
    """Where one pack ends and the next begins.

    Attributes:
        size: trials of a pack at most.
    """

    def __init__(self, spec: StudySpec, size: int, trials: Trials, history: History) -> None:
        self.size = size
        self._search = spec.search
        self._trials, self._history = trials, history
        self._first: int | None = trials.last_pack
        # A driver died while it asked for the last pack: nothing of it was trained.
        self._unfinished = trials.last_pack is not None and history.last_trained < trials.last_pack
        self._joins = True

    @property
    def stamp(self) -> int | None:
        """Return what marks the pack's points in the journal; None where points are asked for one by one."""
        return self._first if self.size > 1 else None

    def begin(self) -> None:
        """Begin a pack, or go on with the one that a driver died over."""
        self._joins = self._unfinished or not self._trials.queued
        if not self._unfinished:
            self._first = self._trials.keys

    def close(self) -> None:
        """Note that the pack has its trials: what is asked for from now on belongs to another."""
        self._unfinished = False

    def ends(self, out: int) -> bool:
        """Return whether the next point must wait for the pack, with ``out`` trials waited for in all."""
        if self._trials.queued:
            return self._trials.suspected  # a trial that may have killed its worker travels alone
        if not self._joins:
            return True
        if self._search.together != "auto" or self._trials.keys < self._trials.given:
            return False
        history = self._history
        progress = Progress(asked=self._trials.keys, told=history.told, ended=history.ended, out=out)
        return not blind(self._search, progress)


def _widest(spec: StudySpec) -> int:
    line = spec.space.get("model.hidden")
    if line is None:
        return spec.base.model.hidden
    match line.distribution:
        case Choices(values):
            return int(max(values))
        case IntRange(_, high):
            return high
        case _:
            return spec.base.model.hidden
