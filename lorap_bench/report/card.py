"""What the page shows of one trial on its own: its figures, its replicas, its bits, the end of its training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lorap_bench.report.format import number_text, seconds_text
from lorap_bench.report.log_tail import log_tail
from lorap_bench.report.provenance import redact
from lorap_bench.report.site_bits import site_bits
from lorap_bench.report.trial import confirmed_score, gain, layer_bits, objective, prompt_text, score
from lorap_bench.store.flat import flat
from lorap_bench.store.look import Baseline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorap_bench.record import MemberResult, TrialRecord
    from lorap_bench.report.material import Material
    from lorap_bench.report.score import Score

__all__ = ["replica_columns", "trial_card", "trial_cards"]


def replica_columns(written: Score) -> tuple[str, ...]:
    """Return the headings of a card's table of replicas."""
    splits = (written.single(split).label for split in ("validation", "test"))
    return ("seeds", "seed", "status", *splits, "best epoch", "epochs")


def trial_cards(material: Material) -> dict[int, dict[str, Any]]:
    """Return number → card of every trial that figures draw; those of the front end with the log of their training."""
    logged = material.on_front | material.confirmations.keys()
    return {record.number: trial_card(material, record, log=record.number in logged) for record in material.drawn}


def trial_card(material: Material, record: TrialRecord, *, log: bool) -> dict[str, Any]:
    """Return a trial in plain values: texts by label, replicas, bits by site, settings that differ from the study's."""
    base = dict(flat(material.spec.base.to_mapping()))
    differs = {path: value for path, value in flat(record.config) if path not in base or base[path] != value}
    card: dict[str, Any] = {
        "title": f"Trial {record.number} · {record.config.get('quant', {}).get('scheme', '')}, {prompt_text(record)}",
        "head": list(_head(material, record)),
        "facts": [[label, text] for label, text in _facts(record)],
        "replicas": list(_replicas(material, record)),
        "bits": {site: number_text(width) for site, width in site_bits(record).items()},
        "differs": {path: _plain(value) for path, value in differs.items()},
        "command": material.command(record),
    }
    if log and (lines := _log(material, record)):
        card["log"] = lines
    return card


def _head(material: Material, record: TrialRecord) -> Iterator[str]:
    written = material.score
    yield f"validation {written.name} {written.interval(score(record))}"
    confirmation = material.confirmations.get(record.number)
    if test := confirmed_score(confirmation):
        yield f"test {written.name} {written.interval(test)}, fresh seeds"
    for baseline in Baseline:
        if found := gain(confirmation, baseline):
            yield f"test gain over {baseline.words} {written.gain(found)}{written.points} (n = {found.n})"
    bits, overhead = (number_text(objective(record, name)) for name in ("average_bits", "overhead"))
    yield f"{bits} bits · overhead {overhead} %"
    if layers := layer_bits(record):
        yield "bits per layer  " + " · ".join(f"{layer}: {width}" for layer, width in layers.items())


def _facts(record: TrialRecord) -> Iterator[tuple[str, str]]:
    yield "status", record.status.value.replace("_", " ") + ("" if record.feasible else ", infeasible")
    if record.reason:
        yield "reason", redact(record.reason)
    yield "seconds of training", seconds_text(record.seconds)
    for name, value in record.costs.items():
        yield name.replace("_", " "), number_text(value)
    for name, value in record.violations.items():
        yield f"bound on {name.replace('_', ' ')}", f"broken by {number_text(value)}" if value > 0 else "kept"
    yield "digest", record.digest


def _replicas(material: Material, record: TrialRecord) -> Iterator[list[str]]:
    """Yield what each seed came to: those of the search, then the fresh ones of the last look at the test split."""
    for member in record.members:
        yield _replica("search", member, material.score)
    confirmation = material.confirmations.get(record.number)
    for member in confirmation.record.members if confirmation else ():
        yield _replica("fresh", member, material.score)


def _replica(kind: str, member: MemberResult, written: Score) -> list[str]:
    """Return the cells under ``replica_columns``; the test split is for fresh seeds alone."""
    return [
        kind,
        str(member.seed),
        member.status.value.replace("_", " "),
        written.text(member.val),
        written.text(member.test) if kind == "fresh" else "–",
        "–" if member.best_epoch is None else str(member.best_epoch),
        str(member.epochs),
    ]


def _log(material: Material, record: TrialRecord) -> list[str]:
    """Return the last epochs of each seed as its training would have printed them."""
    written = material.score
    return [
        f"seed {one.seed}  epoch {one.epoch}  train loss {one.train_loss:.4f}"
        + (f"  val {written.text(one.val_metric)}{written.unit}" if one.val_metric is not None else "")
        for one in log_tail(record, material.curves(record.number))
    ]


def _plain(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value
