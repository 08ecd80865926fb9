"""A trial on the screen: one table after the other, those left out that would be empty."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lorap_bench.cli.screen import number, print_table, print_text
from lorap_bench.config import TrialConfig
from lorap_bench.metric import metric_in
from lorap_bench.report.provenance import redact
from lorap_bench.report.trial import confirmed_score, gain, prompt_text
from lorap_bench.store.flat import flat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorap_bench.cli.show import Shown
    from lorap_bench.record import MemberResult, TrialRecord
    from lorap_bench.stats.intervals import Interval

__all__ = ["print_trial"]


def print_trial(shown: Shown, *, whole_config: bool) -> None:
    """Print everything about a trial on stdout."""
    record = shown.record
    print_table([f"{shown.spec.name}: trial {record.number}", ""], _head(shown))
    _section(["parameter", "value"], [[path, _text(value)] for path, value in record.params.items()])
    _section(["setting" if whole_config else "setting that is no default", "value"], _settings(record, whole_config))
    _section(["figure", "value", "constraint"], _figures(record))
    _section(["seed", "status", "val", "best epoch", "epochs"], [_member(member) for member in record.members])
    if shown.confirmation is not None:
        members = shown.confirmation.record.members
        columns = ["seed", "status", "val", "best epoch", "epochs", f"test, look {shown.confirmation.look}"]
        _section(columns, [[*_member(member), _text(member.test)] for member in members])
        _section(["on the test split", "mean", "95 % interval", "seeds"], _tested(shown))
    learned = _learned(record)
    _section(["site", "bits", *(["learned"] if learned else [])], _sites(record, learned))
    _section(["layer", "aggregation error without its prompt", "with it"], _errors(record))
    _section(["seed", "epoch", "train loss", "val loss", "val metric"], _log(shown))
    for name, command in shown.commands.items():
        print_text(f"\n{name}:\n  {command}")


def _section(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if rows:
        print_table([f"\n{column}" for column in columns], rows)


def _head(shown: Shown) -> list[list[str]]:
    record = shown.record
    traits = [*(["on the front"] if shown.front else []), *([] if record.feasible else ["infeasible"])]
    facts = {
        "status": ", ".join([record.status.value.replace("_", " "), *traits]),
        "reason": redact(record.reason),
        "repeats": "" if record.duplicate_of is None else f"trial {record.duplicate_of}",
        "prompt": prompt_text(record),
        "started": record.started,
        "seconds": number(record.seconds),
        "attempt": str(record.attempt + 1) if record.attempt else "",
        "digest": record.digest,
        "with": ", ".join(_provenance(record)),
    }
    return [[name, text] for name, text in facts.items() if text]


def _provenance(record: TrialRecord) -> Iterator[str]:
    found = record.provenance
    for name in ("device", "backend"):
        if found.get(name):
            yield redact(str(found[name]))
    yield from (f"{name} {version}" for name, version in found.get("versions", {}).items())
    if found.get("commit"):
        yield f"commit {found['commit']}"


def _settings(record: TrialRecord, whole: bool) -> list[list[str]]:
    default = dict(flat(TrialConfig().to_mapping()))
    return [
        [path, _text(value)]
        for path, value in flat(record.config)
        if whole or path not in default or default[path] != value
    ]


def _figures(record: TrialRecord) -> list[list[str]]:
    def bound(name: str) -> str:
        broken = record.violations.get(name)
        return "" if broken is None else f"broken by {number(broken)}" if broken > 0 else "kept"

    values = {**record.objectives, **record.costs}
    return [[name, number(value), bound(name)] for name, value in values.items()]


def _member(member: MemberResult) -> list[str]:
    figures = [number(member.val), _text(member.best_epoch), str(member.epochs)]
    return [str(member.seed), member.status.value.replace("_", " "), *figures]


def _tested(shown: Shown) -> list[list[str]]:
    """Return the test metric and the gains of the confirmation."""
    assert shown.confirmation is not None
    gains = {f"gain over {role.words}": gain(shown.confirmation, role) for role in shown.confirmation.baselines}
    found = {metric_in(shown.confirmation.record.objectives).label: confirmed_score(shown.confirmation), **gains}
    return [[name, number(one.mean), _bounds(one), str(one.n)] for name, one in found.items() if one is not None]


def _bounds(interval: Interval) -> str:
    return "–" if interval.low is None else f"{number(interval.low)} to {number(interval.high)}"


def _learned(record: TrialRecord) -> dict[str, float]:
    """Return site → mean learned width over the seeds."""
    found: dict[str, list[float]] = {}
    for member in record.members:
        for site, bits in member.bits.items():
            found.setdefault(site, []).append(bits)
    return {site: math.fsum(bits) / len(bits) for site, bits in found.items()}


def _sites(record: TrialRecord, learned: dict[str, float]) -> list[list[str]]:
    given: dict[str, Any] = record.effective.get("bits") or {}
    columns = (given, learned) if learned else (given,)
    return [[site, *(number(each.get(site)) for each in columns)] for site in dict.fromkeys([*given, *learned])]


def _errors(record: TrialRecord) -> list[list[str]]:
    """Return each layer's aggregation error, the mean over the seeds that have it."""
    measured = [member.aggregation_error for member in record.members if member.aggregation_error]
    layers = zip(*measured, strict=True)
    means = [[math.fsum(side) / len(side) for side in zip(*layer, strict=True)] for layer in layers]
    return [[str(layer), number(plain), number(prompted)] for layer, (plain, prompted) in enumerate(means)]


def _log(shown: Shown) -> list[list[str]]:
    return [
        [str(line.seed), str(line.epoch), number(line.train_loss), number(line.val_loss), number(line.val_metric)]
        for line in shown.log
    ]


def _text(value: Any) -> str:
    return number(value) if isinstance(value, float) else "–" if value is None else redact(str(value))
