"""The ladder of a confirmed trial: FP32, no prompt, simpler prompts, the trial itself; all on the same seeds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lorap_bench.metric import metric_in
from lorap_bench.report.score import Score
from lorap_bench.report.trial import compare_tests, prompt_text, tested
from lorap_bench.stats.significance import Comparison, holm
from lorap_bench.store.look import Baseline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorap_bench.record import TrialRecord
    from lorap_bench.stats.intervals import Interval
    from lorap_bench.store.look import Confirmation

__all__ = ["Rung", "Step", "rungs", "steps", "worth"]

_OWN, _BARE, _FULL = "own prompt", "no prompt", "FP32"
_ORDER = (Baseline.FP32, Baseline.NO_PROMPT, Baseline.GPF, Baseline.LORAP)


Named = tuple[str, "TrialRecord"]


@dataclass(frozen=True, slots=True)
class Rung:
    """One configuration of a ladder: what it is, its record, and its test metric over the fresh seeds."""

    words: str
    record: TrialRecord
    test: Interval | None


@dataclass(frozen=True, slots=True)
class Step:
    """What one rung of a trial gains over another; ``adjusted`` is the t test's p by Holm among all steps of a report.

    ``words`` say what is taken from what: of errors the upper rung's from the lower's.
    """

    trial: int
    words: str
    comparison: Comparison
    adjusted: float | None
    own: bool = False
    fp32: bool = False


def rungs(confirmation: Confirmation) -> list[Rung]:
    """Return the ladder from the bottom; a trial without a prompt is itself the rung without one."""
    own = confirmation.record
    found = [_rung(_name(role), confirmation.baselines[role]) for role in _ORDER if role in confirmation.baselines]
    scheme = own.config.get("quant", {}).get("scheme", "")
    return [*found, _rung(f"{scheme}, {prompt_text(own)}", own)]


def steps(confirmations: Sequence[Confirmation]) -> list[Step]:
    """Return what each rung gains over those below that it is to be compared with, corrected for their number.

    The scheme without a prompt is compared with FP32, every prompt with no prompt, and the trial's own prompt also with
    each simpler one. What several trials share is compared once, for the first of them.
    """
    made: dict[tuple[str, str], Step] = {}
    for one in confirmations:
        written = Score(metric_in(one.record.objectives))
        for (high, upper), (low, lower) in _pairs(one):
            pair = upper.digest, lower.digest  # trials that differ in their prompt alone share what is below it
            found = compare_tests(upper, lower) if pair not in made else None
            if found is not None:
                kind = {"own": (high, low) == (_OWN, _BARE), "fp32": low == _FULL}
                made[pair] = Step(one.record.number, written.less(high, low), found, None, **kind)
    adjusted = holm([step.comparison.t_test for step in made.values()])
    return [replace(step, adjusted=corrected) for step, corrected in zip(made.values(), adjusted, strict=True)]


def worth(climbed: Sequence[Step]) -> str:
    """Say how many trials gain by their prompt and how many lose: the other comparisons tell something else."""
    own = [step for step in climbed if step.own]
    if not own:
        return ""
    sure = [step.comparison.difference.mean for step in own if step.adjusted is not None and step.adjusted < 0.05]
    gains = sum(mean > 0 for mean in sure)
    return (
        f"Of {len(own)} comparisons of a trial’s own prompt with no prompt on the same fresh test seeds, significant "
        f"**gains: {gains}, losses: {len(sure) - gains}** (p < 0.05, adjusted by Holm’s procedure). "
    )


def _pairs(confirmation: Confirmation) -> Iterator[tuple[Named, Named]]:
    """Yield what is compared: the upper rung with its name, then the lower one."""
    found, own = confirmation.baselines, confirmation.record
    bare, full = found.get(Baseline.NO_PROMPT), found.get(Baseline.FP32)
    plain = bare if bare is not None else own if own.config.get("prompt", {}).get("kind") == "None" else None
    if plain is not None and full is not None:
        yield (_BARE, plain), (_FULL, full)
    simpler = {role: found[role] for role in (Baseline.GPF, Baseline.LORAP) if role in found}
    for role, record in simpler.items():
        if bare is not None:
            yield (role.words, record), (_BARE, bare)
    if bare is not None:
        yield (_OWN, own), (_BARE, bare)
    for role, record in simpler.items():
        yield (_OWN, own), (role.words, record)


def _rung(words: str, record: TrialRecord) -> Rung:
    return Rung(words, record, tested(record))


def _name(role: Baseline) -> str:
    return {Baseline.FP32: "FP32, no prompt", Baseline.NO_PROMPT: "no prompt"}.get(role, role.words)
