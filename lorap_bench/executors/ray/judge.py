"""Early stopping across processes: one actor knows every trial's rungs, and workers ask it.

It lies on the driver's node, which ends with the run anyway. Where it cannot be asked, trials train on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lorap_bench.record import Outcome
    from lorap_bench.search.rungs import Rungs

__all__ = ["FarJudge", "NearJudge"]

_ANSWER_SECONDS = 30.0


@final
class NearJudge:
    """The driver's end of the actor.

    Attributes:
        actor: what workers ask.
    """

    def __init__(self, rungs: Rungs) -> None:
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self.actor: Any = ray.remote(_Bench).options(num_cpus=0, scheduling_strategy=here).remote(rungs)

    def add(self, outcome: Outcome) -> None:
        """Tell it of a trial that ended; nobody waits for the answer."""
        self.actor.add.remote(outcome.record, outcome.curves)


@final
class FarJudge:
    """A worker's end of the actor."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor
        self._gone = False
        self._rungs: dict[int, tuple[int, ...]] = {}

    def rungs(self, epochs: int) -> Sequence[int]:
        """Return the rungs of a training; none if the judge is gone."""
        if epochs not in self._rungs:  # asked at every evaluation; the answer does not change
            self._rungs[epochs] = tuple(self._ask("rungs", epochs) or ())
        return () if self._gone else self._rungs[epochs]

    def judge(
        self, epoch: int, values: Mapping[int, Sequence[float]], costs: Mapping[int, Mapping[str, float]]
    ) -> dict[int, str]:
        """Return the trials that end, and why; none if the judge is gone."""
        return dict(self._ask("judge", epoch, dict(values), dict(costs)) or {})

    def _ask(self, method: str, *arguments: Any) -> Any:
        if self._gone:
            return None
        try:
            return ray.get(getattr(self._actor, method).remote(*arguments), timeout=_ANSWER_SECONDS)
        except (RayError, GetTimeoutError):
            self._gone = True
            return None


class _Bench:
    """The actor: a ``Rungs`` of its own."""

    def __init__(self, rungs: Rungs) -> None:
        self._rungs = rungs

    def add(self, record: Any, curves: Any) -> None:
        self._rungs.add(record, curves)

    def rungs(self, epochs: int) -> tuple[int, ...]:
        return self._rungs.rungs(epochs)

    def judge(self, epoch: int, values: Any, costs: Any) -> dict[int, str]:
        return self._rungs.judge(epoch, values, costs)
