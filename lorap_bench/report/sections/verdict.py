"""What to take away: the best trial under each bit budget, what it gains, and whether the study can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.report.document import Card, Cards, Checks, Heading, Section, Words
from lorap_bench.report.format import number_text, p_text
from lorap_bench.report.ladder import steps, worth
from lorap_bench.report.trial import (
    confirmed_score,
    gain,
    gain_test,
    layer_bits,
    objective,
    prompt_text,
    score,
)
from lorap_bench.report.verdict import checks, winners
from lorap_bench.store.look import Baseline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorap_bench.record import TrialRecord
    from lorap_bench.report.document import Block
    from lorap_bench.report.material import Material
    from lorap_bench.report.verdict import Winner

__all__ = ["section"]

_LEAD = (
    "The {best} trial under each bit budget. **Validation {name} selected these points**, so it flatters "
    "them; {test}. Brackets hold the 95 % t interval of the mean over n seeds; of two seeds, whose interval is too "
    "wide to tell anything, ± is the standard deviation. A gain is a difference seed by seed on the same fresh seeds; "
    "its p is that of the paired t test, uncorrected (the [ladder](#ladder) corrects for their number)."
)


def section(material: Material) -> Section:
    """Return the section."""
    return Section(id="verdict", title="Verdict", nav="Verdict", blocks=tuple(_blocks(material)))


def _blocks(material: Material) -> Iterator[Block]:
    found = winners(material.records)
    if found:
        yield Words(_LEAD.format(test=_test(material, found), best=material.score.best, name=material.score.name))
        written = material.score
        yield Cards(tuple(_card(material, winner) for winner in found), written.heading, written.best)
        if told := worth(steps([material.confirmations[number] for number in sorted(material.confirmations)])):
            yield Words(f"**Is the prompt worth it?** {told}The [ladder](#ladder) has each of them.")
    else:
        yield Words(f"No feasible trial completed, so there is nothing to recommend. {_ended(material)}", empty=True)
    yield Heading("Health checks")
    yield Checks(tuple(checks(material.spec, material.records, material.confirmations)))


def _test(material: Material, found: Sequence[Winner]) -> str:
    """Say where the test figures of the cards come from, and which card lacks one."""
    name = material.score.name
    if not material.confirmations:
        return f"no test {name} has been measured"
    lacking = [str(winner.record.number) for winner in found if winner.record.number not in material.confirmations]
    source = f"test {name} comes from fresh seeds that selected nothing"
    if not lacking:
        return source
    return f"{source}, and has not been measured of trial{'s' if len(lacking) > 1 else ''} {', '.join(lacking)}"


def _ended(material: Material) -> str:
    counts: dict[str, int] = {}
    for record in material.records:
        name = record.status.value.replace("_", " ")
        counts[name] = counts.get(name, 0) + 1
    ends = ", ".join(f"{name} ({count})" for name, count in counts.items())
    many = len(material.records)
    return f"{many} trial{'s' if many != 1 else ''} ended as: {ends}."


def _card(material: Material, winner: Winner) -> Card:
    record, written = winner.record, material.score
    first, *more = (f"≤ {budget:g} bits" if budget < float("inf") else "any width" for budget in winner.budgets)
    also = f"and {', '.join(text.removesuffix(' bits') for text in more)}" if more else ""
    found, test = score(record), confirmed_score(material.confirmations.get(record.number))
    under = []
    if test is not None:
        under.append(f"{written.spread(test)}, n = {test.n} fresh seeds")
        under.append(f"validation {written.interval(found)}, which chose it")
    elif found is not None:
        spread = f"{written.spread(found)}, " if written.spread(found) else ""
        under.append(f"{spread}n = {found.n} seed{'s' if found.n != 1 else ''}, validation")
    shown = test or found
    return Card(
        title=first,
        also=also,
        figure=written.text(shown.mean) if shown else "–",
        unit=f"{written.mark} {'test' if test else 'validation'}",
        under=tuple(under),
        facts=tuple(_facts(material, record)),
        trial=record.number,
    )


def _facts(material: Material, record: TrialRecord) -> Iterator[tuple[str, str]]:
    yield "Average bits", number_text(objective(record, "average_bits"))
    yield "Scheme", str(record.config.get("quant", {}).get("scheme", "–"))
    yield "Prompt", prompt_text(record)
    yield "Overhead", f"{number_text(objective(record, 'overhead'))} %"
    confirmation = material.confirmations.get(record.number)
    for baseline, label in ((Baseline.NO_PROMPT, "Prompt gain"), (Baseline.FP32, "Against FP32")):
        interval = gain(confirmation, baseline)
        if interval is not None:
            tested = gain_test(confirmation, baseline)
            p = f", p = {p_text(tested.t_test)}" if tested is not None and tested.t_test is not None else ""
            yield (
                label,
                f"{material.score.gain(interval)}{material.score.points}, n = {interval.n}{p}".replace("p = <", "p <"),
            )
    if layers := layer_bits(record):
        yield "Bits per layer", " · ".join(f"{layer}: {bits}" for layer, bits in layers.items())
    yield "Trial", str(record.number)
