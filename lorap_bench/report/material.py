"""A stored study as the report's sections see it: its trials, what they came to, and the studies beside it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, final

from lorap_bench.metric import Metric, metric_in
from lorap_bench.record import Status
from lorap_bench.report.score import Score
from lorap_bench.report.table import front_records, objective_matrix
from lorap_bench.report.thinning import thinned
from lorap_bench.report.trial import command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lorap_bench.record import Curves, TrialRecord
    from lorap_bench.store.look import Confirmation
    from lorap_bench.study.spec import StudySpec

__all__ = ["MOST_DRAWN", "Material"]

MOST_DRAWN = 400
_FEWEST_BESIDE = 150


@final
class Material:
    """A study's trials with what several sections ask of them, worked out once.

    Args:
        spec: the study.
        records: its trials.
        confirmations: the confirmed ones by number.
        curves: number → curves of a trial, read when they are asked for.
        study: the study file as text, with every default written out.
        file: how commands name that file (default: ``<name>.toml``).
        others: further studies of the same task, to compare with.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a study; everything else follows from them
        self,
        spec: StudySpec,
        records: Sequence[TrialRecord],
        confirmations: Mapping[int, Confirmation] | None = None,
        curves: Callable[[int], Curves] = lambda _: {},
        study: str = "",
        file: str = "",
        others: tuple[Material, ...] = (),
    ) -> None:
        self.spec = spec
        self.records = sorted(records, key=lambda record: record.number)
        self.confirmations = dict(confirmations or {})
        self.curves = curves
        self.study = study
        self.file = file or f"{spec.name}.toml"
        self.others = others

    @cached_property
    def score(self) -> Score:
        """Return how the study's metric is written: the one that its objectives name, or else its trials'."""
        names = (name for record in self.records for name in record.objectives)
        return Score(metric_in([*self.spec.objectives, *self.spec.constraints, *names]))

    @cached_property
    def metric(self) -> Metric:
        """Return what the study's trials are scored by."""
        return self.score.metric

    @cached_property
    def complete(self) -> list[TrialRecord]:
        """Return the trials that ran to their end, feasible or not, by number."""
        return [record for record in self.records if record.status is Status.COMPLETE]

    @cached_property
    def able(self) -> list[TrialRecord]:
        """Return the complete trials that break no constraint."""
        return [record for record in self.complete if record.feasible]

    @cached_property
    def front(self) -> list[TrialRecord]:
        """Return the non-dominated trials, each configuration once, by number."""
        return front_records(self.spec, self.able)

    @cached_property
    def on_front(self) -> frozenset[int]:
        """Return the numbers of the front's trials."""
        return frozenset(record.number for record in self.front)

    @cached_property
    def drawn(self) -> list[TrialRecord]:
        """Return the complete trials that figures show, by number.

        All of the front and every confirmed trial, and others up to ``MOST_DRAWN``, but at least 150 of these; they are
        left out where they are dense.
        """
        kept = self.on_front | self.confirmations.keys()
        rest = [record for record in self.complete if record.number not in kept]
        most = max(MOST_DRAWN - len(self.complete) + len(rest), _FEWEST_BESIDE)
        chosen = {rest[place].number for place in thinned(objective_matrix(self.spec, rest), most)}
        return [record for record in self.complete if record.number in kept or record.number in chosen]

    @cached_property
    def looks(self) -> str:
        """Say how often the test split was looked at: its figures are as good as new only the first time."""
        looks = max((one.look for one in self.confirmations.values()), default=0)
        return "once" if looks <= 1 else f"in {looks} looks"

    def part(self, record: TrialRecord) -> str:
        """Return what a complete trial is: ``front``, ``dominated`` or ``infeasible``."""
        if record.number in self.on_front:
            return "front"
        return "dominated" if record.feasible else "infeasible"

    @cached_property
    def varied(self) -> dict[str, list[Any]]:
        """Return the searched paths with the values that occur, in order: numbers by size, words by name."""
        found: dict[str, set[Any]] = {path: set() for path in self.spec.space}
        for record in self.records:
            for path, value in record.params.items():
                found.setdefault(path, set()).add(value)
        return {path: _ordered(values) for path, values in found.items() if len(values) > 1}

    def command(self, record: TrialRecord) -> str:
        """Return the shell command that trains a trial again."""
        return command(self.spec, record, self.file)


def _ordered(values: set[Any]) -> list[Any]:
    return sorted(values, key=lambda value: (isinstance(value, str), value))
