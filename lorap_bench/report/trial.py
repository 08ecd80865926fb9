"""What a reader wants to know about one trial: its figures, its prompt, its bits, its command."""

from __future__ import annotations

import json
import math
import shlex
import tomllib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lorap_bench.metric import metric_in
from lorap_bench.stats.intervals import Interval, t_interval
from lorap_bench.stats.paired import paired_interval
from lorap_bench.stats.significance import compare_paired
from lorap_bench.store.look import Baseline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lorap_bench.record import TrialRecord
    from lorap_bench.stats.significance import Comparison
    from lorap_bench.store.look import Confirmation
    from lorap_bench.study.spec import StudySpec

__all__ = [
    "command",
    "compare_tests",
    "confirmed_score",
    "gain",
    "gain_test",
    "layer_bits",
    "objective",
    "prompt_text",
    "quality",
    "roles",
    "score",
    "tested",
    "tests_by_seed",
]

Tests = dict[int, float | None]

_ALWAYS = (Baseline.NO_PROMPT, Baseline.FP32)


def objective(record: TrialRecord, name: str) -> float:
    """Return an objective's value in its natural sign, NaN where the trial has none."""
    value = record.objectives.get(name)
    return float(value) if value is not None else math.nan


def quality(record: TrialRecord) -> float:
    """Return a trial's metric so that more is better, NaN where it has none."""
    metric = metric_in(record.objectives)
    return metric.quality(objective(record, metric.value))


def score(record: TrialRecord) -> Interval | None:
    """Return the validation metric over the trial's seeds; the interval is cut to what the metric can be."""
    return _bounded(record, (member.val for member in record.members))


def confirmed_score(confirmation: Confirmation | None) -> Interval | None:
    """Return the test metric over a confirmation's seeds, None where there is no confirmation."""
    return tested(confirmation.record) if confirmation is not None else None


def tested(record: TrialRecord) -> Interval | None:
    """Return the test metric over a record's seeds, None where none was measured."""
    return _bounded(record, tests_by_seed(record).values())


def gain(confirmation: Confirmation | None, baseline: Baseline) -> Interval | None:
    """Return by how much the trial is better than its baseline on the test split; None where either is missing.

    Formula: the mean of the differences seed by seed, of accuracies the trial's less its baseline's, of errors its
    baseline's less the trial's.
    """
    other = confirmation.baselines.get(baseline) if confirmation is not None else None
    if confirmation is None or other is None:
        return None
    return paired_interval(*_upward(confirmation.record, other))


def gain_test(confirmation: Confirmation | None, baseline: Baseline) -> Comparison | None:
    """Return the tests of ``gain``; None where there is none."""
    other = confirmation.baselines.get(baseline) if confirmation is not None else None
    if confirmation is None or other is None:
        return None
    return compare_tests(confirmation.record, other)


def compare_tests(record: TrialRecord, other: TrialRecord) -> Comparison | None:
    """Compare two records seed by seed on the test split: more than 0 says that the first is better."""
    return compare_paired(*_upward(record, other))


def roles(confirmations: Iterable[Confirmation]) -> list[Baseline]:
    """Return the baselines that tables have columns for: the two of every look, and the others that occur."""
    occurring = {role for confirmation in confirmations for role in confirmation.baselines}
    return [role for role in Baseline if role in _ALWAYS or role in occurring]


def prompt_text(record: TrialRecord) -> str:
    """Say the trial's prompt in words: kind, count k, rank r; after an arrow the clamped ranks by layer."""
    prompt = record.config.get("prompt", {})
    kind = prompt.get("kind", "None")
    parts = []
    if kind not in {"None", "GPF"}:
        if kind != "LoRAP":
            parts.append(f"k = {prompt.get('node_count')} on nodes")
        if kind != "GPFPlus":
            parts.append(f"k = {prompt.get('count')}, r = {prompt.get('rank')}{_clamped(record)}")
    name = "no prompt" if kind == "None" else str(kind)
    return ", ".join([name, *parts])


def layer_bits(record: TrialRecord) -> dict[str, str]:
    """Return layer → bit widths of its sites: ``"4"`` where they agree, ``"4–8"`` where not."""
    widths: dict[str, set[float]] = {}
    for site, bits in (record.effective.get("bits") or {}).items():
        widths.setdefault(_layer(site), set()).add(float(bits))
    return {layer: "–".join(f"{end:g}" for end in sorted({min(found), max(found)})) for layer, found in widths.items()}


def command(spec: StudySpec, record: TrialRecord, file: str = "") -> str:
    """Return the shell command that trains the trial again, with its own seeds where it has been trained.

    ``file`` is the study as run, ``<name>.toml`` beside the report: the file that the study was
    started from may have changed since, or have been overridden.
    """
    settings = [f"--set {shlex.quote(f'{path}={_toml(value)}')}" for path, value in record.params.items()]
    seeds = [f"--seed {member.seed}" for member in record.members] or [f"--seeds {spec.replicas.search}"]
    return " ".join(["lorap-bench train", shlex.quote(file or f"{spec.name}.toml"), *settings, *seeds])


def tests_by_seed(record: TrialRecord) -> dict[int, float | None]:
    """Return seed → test metric; a member that ended otherwise than well has none."""
    return {member.seed: member.test for member in record.members}


def _bounded(record: TrialRecord, values: Iterable[float | None]) -> Interval | None:
    interval = t_interval(values)
    return interval.within(*metric_in(record.objectives).bounds) if interval is not None else None


def _upward(record: TrialRecord, other: TrialRecord) -> tuple[Tests, Tests]:
    """Return both records' test metrics so that the first less the second is the gain of ``record``."""
    own, theirs = tests_by_seed(record), tests_by_seed(other)
    return (own, theirs) if metric_in([*record.objectives, *other.objectives]).higher_is_better else (theirs, own)


def _clamped(record: TrialRecord) -> str:
    if not record.effective.get("clamped"):
        return ""
    return " → " + ", ".join(str(rank) for rank in record.effective.get("ranks", []))


def _layer(site: str) -> str:
    """Return the layer of a site: ``layers.0.weight`` → ``0``, ``head.weight`` → ``head``."""
    first, _, rest = site.partition(".")
    return rest.partition(".")[0] if first == "layers" else first


def _toml(value: Any) -> str:
    """Write a value so that ``--set`` reads it back: bare where nothing else could be meant."""
    if isinstance(value, str):
        return _toml_word(value)
    is_plain = type(value) is int or (type(value) is float and math.isfinite(value))
    return repr(value) if is_plain else json.dumps(value)  # the same for a number, and sooner


@lru_cache(maxsize=1024)
def _toml_word(value: str) -> str:
    try:
        tomllib.loads(f"value = {value}")
    except tomllib.TOMLDecodeError:
        return value
    return json.dumps(value)
