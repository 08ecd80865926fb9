"""What was run, what the prompts add in plain words, and whether the tables can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.report.document import Checks, Heading, Section, Words
from lorap_bench.report.format import LEAST_FOR_INTERVAL, change_text, p_text, points_text, spread_text
from lorap_bench.report.suite.entry import State
from lorap_bench.report.suite.gains import gains, pooled
from lorap_bench.report.suite.health import checks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorap_bench.report.document import Block
    from lorap_bench.report.score import Score
    from lorap_bench.report.suite.gains import Gain, Pooled
    from lorap_bench.report.suite.material import SuiteMaterial
    from lorap_bench.stats.intervals import Interval

__all__ = ["section"]


def section(material: SuiteMaterial) -> Section:
    """Return the section."""
    return Section(id="verdict", title="Verdict", nav="Verdict", blocks=tuple(_blocks(material)))


def _blocks(material: SuiteMaterial) -> Iterator[Block]:
    yield Words(_run(material))
    found = {score: gains(material.groups, score) for score in material.scores}
    if any(found.values()):
        yield Heading("Do the prompts help?")
        for score, some in found.items():
            if some:
                yield Words(_prompts(score, some))
                yield Words(_schemes(score, some))
    else:
        yield Words("No scheme was trained both with a prompt and without one, so prompts have no verdict.", empty=True)
    yield Heading("Health checks")
    yield Checks(tuple(checks(material)))


def _run(material: SuiteMaterial) -> str:
    counts, cells = material.counts, len(material.entries)
    states = [f"{counts[state]} {words}" for state, words in _STATES if counts[state]]
    begun = [entry for entry in material.entries if entry.records]
    sets = list(dict.fromkeys(entry.dataset for entry in begun))
    text = f"Of {cells} cells **{', '.join(states)}**."
    if not begun:
        return text
    trainings = sorted({entry.trainings for entry in begun})
    epochs = sorted({entry.config["optim"]["epochs"] for entry in begun})
    return (
        f"{text} Trained cells are on {', '.join(sets)}; each was trained {_range(trainings)} times, a seed or a fold "
        f"each, for {_range(epochs)} epochs in its last stage. Epochs were chosen on validation; every figure below is "
        "of the test split, which chose nothing."
    )


_STATES = (
    (State.DONE, "are done"),
    (State.FAILED, "have trainings that failed"),
    (State.LEFT, "are left"),
    (State.SKIPPED, "are skipped"),
)


def _range(values: Sequence[int]) -> str:
    return str(values[0]) if len(values) == 1 else f"{values[0]} to {values[-1]}"


def _prompts(score: Score, found: Sequence[Gain]) -> str:
    """Say what each prompt adds on average over data sets, and whether that may be chance."""
    overall = pooled(found, by_scheme=False)
    sets = list(dict.fromkeys(name for one in overall for name in one.sets))
    if len(sets) == 1:
        told = ", ".join(f"{one.prompt} {_gain(score, one.comparison.difference.mean)}" for one in overall)
        which = "so far" if len({gain.group.dataset for gain in found}) == 1 else "with every prompt"
        return (
            f"On {sets[0]}, the one data set {which}, the mean gain in test {score.name} is "
            f"{told}{'' if score.percent else ', what is saved of it'}. "
            "**Whether that holds on other sets cannot be said.**"
        )
    told = "; ".join(f"{one.prompt} {_interval(score, one.comparison.difference)}{_p(one.adjusted)}" for one in overall)
    tested = len(sets) >= LEAST_FOR_INTERVAL
    spread = "with the 95 % t interval over sets" if tested else "± the standard deviation of the two"
    headline = _headline(overall) if tested else "**Two data sets are too few to tell a gain or a loss from chance.**"
    return (
        f"{headline} Mean gain in test {score.name}, schemes and architectures averaged within each of "
        f"{len(sets)} data sets, {spread}: {told}{f' (p by Holm for {len(overall)} prompts)' if tested else ''}."
    )


def _headline(overall: Sequence[Pooled]) -> str:
    up = [one.prompt for one in overall if one.clear and one.comparison.difference.mean > 0]
    down = [one.prompt for one in overall if one.clear and one.comparison.difference.mean < 0]
    if not up and not down:
        which = "the prompt" if len(overall) == 1 else f"any of the {len(overall)} prompts"
        return f"**Over all schemes, no gain and no loss of {which} can be told from chance.**"
    told = [f"{' and '.join(up)} help{'s' if len(up) == 1 else ''}"] if up else []
    told += [f"{' and '.join(down)} hurt{'s' if len(down) == 1 else ''}"] if down else []
    return f"**Over all schemes, {'; '.join(told)}.**"


def _schemes(score: Score, found: Sequence[Gain]) -> str:
    """Say under which schemes a prompt's gain is clear, and how small a gain the cells can show."""
    by_scheme = pooled(found, by_scheme=True)
    clear = [one for one in by_scheme if one.clear]
    names = "; ".join(f"{one.scheme} with {one.prompt} {_gain(score, one.comparison.difference.mean)}" for one in clear)
    cells = sum(gain.adjusted is not None and gain.adjusted < 0.05 for gain in found)
    over = (
        f"Of {len(by_scheme)} pairs of a scheme and a prompt, {len(clear)} "
        f"{'has' if len(clear) == 1 else 'have'} a gain or loss over data sets that stands after Holm’s correction"
        f"{': ' + names if clear else ''}. "
    )
    alone = "With less than three data sets no gain over sets can be tested. "
    tested = any(one.comparison.t_test is not None for one in by_scheme)
    text = (
        f"{over if tested else alone}Within one data set and architecture {cells} of {len(found)} "
        "stand after Holm’s correction. "
    )
    half = _median_half(found)
    if half is not None:
        size = score.metric.amount(half)
        text += (
            f"In half of those {len(found)} cells an effect must exceed {size} to clear its own interval, before any "
            "correction. "
        )
    return f"{text}[Every gain](#gains) stands below."


def _median_half(found: Sequence[Gain]) -> float | None:
    halves = sorted(
        gap.high - gap.mean for one in found if (gap := one.comparison.difference).high is not None and gap.n > 1
    )
    return halves[len(halves) // 2] if halves else None


def _gain(score: Score, value: float) -> str:
    return f"{points_text(value)} points" if score.percent else change_text(value)


def _interval(score: Score, gap: Interval) -> str:
    accuracy = score.percent
    spread = spread_text(gap, points_text) if accuracy else spread_text(gap, change_text)
    return f"**{_gain(score, gap.mean)}** {spread}".rstrip()


def _p(p: float | None) -> str:
    text = p_text(p)
    return "" if p is None else f", p {text}" if text.startswith("<") else f", p = {text}"
