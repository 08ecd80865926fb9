"""The ladder of a confirmed trial: FP32, no prompt, simpler prompts, the trial itself; all on the same seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lorap_bench.report.trial import prompt_text, tests_by_seed
from lorap_bench.stats.intervals import t_interval
from lorap_bench.stats.significance import Comparison, compare_paired, holm
from lorap_bench.store.look import Baseline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorap_bench.record import TrialRecord
    from lorap_bench.stats.intervals import Interval
    from lorap_bench.store.look import Confirmation

__all__ = ["Rung", "Step", "rungs", "steps", "worth"]

_OWN_GAIN = "own prompt − no prompt"
_ORDER = (Baseline.FP32, Baseline.NO_PROMPT, Baseline.GPF, Baseline.LORAP)


@dataclass(frozen=True, slots=True)
class Rung:
    """One configuration of a ladder: what it is, its record, and its test accuracy over the fresh seeds."""

    words: str
    record: TrialRecord
    test: Interval | None


@dataclass(frozen=True, slots=True)
class Step:
    """A comparison of two rungs of a trial; ``adjusted`` is the t test's p by Holm among all steps of the report."""

    trial: int
    words: str
    comparison: Comparison
    adjusted: float | None


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
    made: dict[tuple[str, str], tuple[int, str, Comparison]] = {}
    for one in confirmations:
        for words, upper, lower in _pairs(one):
            pair = upper.digest, lower.digest  # trials that differ in their prompt alone share what is below it
            found = compare_paired(tests_by_seed(upper), tests_by_seed(lower)) if pair not in made else None
            if found is not None:
                made[pair] = (one.record.number, words, found)
    adjusted = holm([found.t_test for _, _, found in made.values()])
    return [Step(*one, corrected) for one, corrected in zip(made.values(), adjusted, strict=True)]


def worth(climbed: Sequence[Step]) -> str:
    """Say how many trials gain by their prompt and how many lose: the other comparisons tell something else."""
    own = [step for step in climbed if step.words == _OWN_GAIN]
    if not own:
        return ""
    sure = [step.comparison.difference.mean for step in own if step.adjusted is not None and step.adjusted < 0.05]
    gains = sum(mean > 0 for mean in sure)
    return (
        f"Of {len(own)} comparisons of a trial’s own prompt with no prompt on the same fresh test seeds, significant "
        f"**gains: {gains}, losses: {len(sure) - gains}** (p < 0.05, adjusted by Holm’s procedure). "
    )


def _pairs(confirmation: Confirmation) -> Iterator[tuple[str, TrialRecord, TrialRecord]]:
    found, own = confirmation.baselines, confirmation.record
    bare, full = found.get(Baseline.NO_PROMPT), found.get(Baseline.FP32)
    plain = bare if bare is not None else own if own.config.get("prompt", {}).get("kind") == "None" else None
    if plain is not None and full is not None:
        yield "no prompt − FP32", plain, full
    simpler = {role: found[role] for role in (Baseline.GPF, Baseline.LORAP) if role in found}
    for role, record in simpler.items():
        if bare is not None:
            yield f"{role.words} − no prompt", record, bare
    if bare is not None:
        yield _OWN_GAIN, own, bare
    for role, record in simpler.items():
        yield f"own prompt − {role.words}", own, record


def _rung(words: str, record: TrialRecord) -> Rung:
    test = t_interval(tests_by_seed(record).values())
    return Rung(words, record, test.within(0.0, 1.0) if test is not None else None)


def _name(role: Baseline) -> str:
    return {Baseline.FP32: "FP32, no prompt", Baseline.NO_PROMPT: "no prompt"}.get(role, role.words)
