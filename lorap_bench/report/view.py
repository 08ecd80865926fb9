"""Everything the page's template needs, as plain values: the template holds words, no logic."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lorap_bench.record import Status
from lorap_bench.report.figures import hypervolume_figure, marginal_figure
from lorap_bench.report.format import seconds_text
from lorap_bench.report.marginal import PATHS, Group, marginal
from lorap_bench.report.pareto import axes, pareto_figure
from lorap_bench.report.provenance import Fact, environment, redact, study_toml
from lorap_bench.report.table import Summary, directions, front_records, summarise
from lorap_bench.report.trial import accuracy, command, confirmed_accuracy, gain, layer_bits, objective, prompt_text
from lorap_bench.report.verdict import Check, checks, winners
from lorap_bench.stats.front import REFERENCE
from lorap_bench.store.look import Baseline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lorap_bench.record import TrialRecord
    from lorap_bench.stats.intervals import Interval
    from lorap_bench.store.look import Confirmation
    from lorap_bench.study.spec import StudySpec

__all__ = ["ROWS_SHOWN", "Marginal", "Row", "Verdict", "View", "view_of"]

ROWS_SHOWN = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One trial as a table shows it."""

    number: int
    status: str
    reason: str
    feasible: bool
    accuracy: Interval | None
    test: Interval | None
    gains: dict[str, Interval | None]
    bits: float
    overhead: float
    prompt: str
    layers: dict[str, str]
    params: dict[str, Any]
    seconds: float
    command: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The best trial of some bit budgets: ``label`` names the smallest, ``also`` the others."""

    label: str
    also: str
    row: Row


@dataclass(frozen=True, slots=True)
class Marginal:
    """One parameter's groups and the id of their figure."""

    path: str
    figure: str
    groups: list[Group]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The page's content; ``figures`` maps ids to Plotly values, ``file`` is the study file as a shell word."""

    spec: StudySpec
    facts: list[tuple[str, str]]
    summary: Summary
    total: int
    seconds: float
    last: str
    verdicts: list[Verdict]
    checks: list[Check]
    front: list[Row]
    rows: list[Row]
    marginals: list[Marginal]
    environment: list[Fact]
    study: str
    file: str
    axes: tuple[str, str]
    plane: bool
    box: list[tuple[str, str, str]]
    outside: int
    confirmed: int
    compared: list[tuple[str, str]]
    figures: dict[str, dict[str, Any]]


def view_of(
    spec: StudySpec,
    records: Sequence[TrialRecord],
    confirmations: Mapping[int, Confirmation],
    spec_mapping: Mapping[str, Any],
    file: str = "",
) -> View:
    """Gather what the page shows of a study; its commands name the study ``file`` (default ``<name>.toml``)."""
    real = [record for record in records if record.status is Status.COMPLETE]
    front = sorted(front_records(spec, records), key=lambda record: (objective(record, axes(spec)[0]), record.number))
    groups = {path: marginal(records, path) for path in PATHS}
    figures = {
        "pareto": pareto_figure(spec, real, confirmations, file),
        "hypervolume": hypervolume_figure(spec, records),
        **{_slug(path): marginal_figure(path, found) for path, found in groups.items() if found},
    }

    def row(record: TrialRecord) -> Row:
        return _row(record, confirmations.get(record.number), command(spec, record, file))

    return View(
        spec=spec,
        facts=_facts(spec, records),
        summary=summarise(spec, records, confirmations),
        total=len(records),
        seconds=sum(record.seconds for record in records),
        last=max((record.started for record in records), default=""),
        verdicts=[Verdict(*_labels(winner.budgets), row(winner.record)) for winner in winners(records)],
        checks=checks(spec, records, confirmations),
        front=[row(record) for record in front],
        rows=[row(record) for record in list(records)[:ROWS_SHOWN]],
        marginals=[Marginal(path, _slug(path), found) for path, found in groups.items() if found],
        environment=environment(records),
        study=study_toml(spec_mapping),
        file=shlex.quote(file or f"{spec.name}.toml"),
        axes=axes(spec),
        plane=set(axes(spec)) <= set(spec.objectives),
        box=[_corner(name) for name in spec.objectives],
        outside=sum(_outside(record, spec.objectives) for record in real),
        confirmed=sum(record.number in confirmations for record in front),
        compared=_compared(confirmations),
        figures={name: figure.to_plotly_json() for name, figure in figures.items() if figure is not None},
    )


def _facts(spec: StudySpec, records: Sequence[TrialRecord]) -> list[tuple[str, str]]:
    """Return the study in a handful of words; what is searched shows its choices."""

    def setting(path: str, fixed: object) -> str:
        line = spec.space.get(path)
        if line is None:
            return str(fixed)
        return ", ".join(map(str, line.choices)) if line.choices is not None else "searched"

    arrows = {"max": "↑", "min": "↓"}
    goals = [f"{name.replace('_', ' ')} {arrows[way]}" for name, way in directions(spec).items()]
    seeds = spec.replicas.search
    layers, hidden = setting("model.layers", spec.model.layers), setting("model.hidden", spec.model.hidden)
    return [
        ("Task", setting("task.dataset", spec.task.dataset)),
        ("Model", f"{setting('model.arch', spec.model.arch)}, layers {layers}, width {hidden}"),
        ("Scheme", setting("quant.scheme", spec.quant.scheme)),
        ("Prompt", setting("prompt.kind", spec.prompt.kind)),
        ("Objectives", ", ".join(goals)),
        ("Trials", f"{len(records)}, {seeds} seed{'s' if seeds != 1 else ''} each"),
        ("Sampler", spec.search.sampler),
        ("Compute", seconds_text(sum(record.seconds for record in records))),
    ]


def _row(record: TrialRecord, confirmation: Confirmation | None, rerun: str) -> Row:
    return Row(
        number=record.number,
        status=record.status.value.replace("_", " "),
        reason=redact(record.reason) or (f"of trial {record.duplicate_of}" if record.duplicate_of is not None else ""),
        feasible=record.feasible,
        accuracy=accuracy(record),
        test=confirmed_accuracy(confirmation),
        gains={baseline.value: gain(confirmation, baseline) for baseline in Baseline},
        bits=objective(record, "average_bits"),
        overhead=objective(record, "overhead"),
        prompt=prompt_text(record),
        layers=layer_bits(record),
        params=record.params,
        seconds=record.seconds,
        command=rerun,
    )


def _compared(confirmations: Mapping[int, Confirmation]) -> list[tuple[str, str]]:
    """Return key and words of the baselines that any confirmation was compared with."""
    found = {baseline for one in confirmations.values() for baseline in one.baselines}
    return [(baseline.value, baseline.words) for baseline in Baseline if baseline in found]


def _labels(budgets: Sequence[float]) -> tuple[str, str]:
    """Name the budgets a trial wins: the smallest in full, the others in a half sentence."""
    texts = [f"≤ {budget:g} bits" if budget < float("inf") else "any width" for budget in budgets]
    also = [text.removesuffix(" bits") for text in texts[1:]]
    return texts[0], f"and {', '.join(also)}" if also else ""


def _outside(record: TrialRecord, names: Sequence[str]) -> bool:
    """Return whether an objective is no better than the reference box's worst corner."""
    signs = {name: 1 if REFERENCE.ideal[name] > REFERENCE.worst[name] else -1 for name in names}
    return any(signs[name] * (objective(record, name) - REFERENCE.worst[name]) <= 0 for name in names)


def _corner(name: str) -> tuple[str, str, str]:
    return name, f"{REFERENCE.worst[name]:g}", f"{REFERENCE.ideal[name]:g}"


def _slug(path: str) -> str:
    return path.replace(".", "-").replace("_", "-")
