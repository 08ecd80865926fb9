"""What a front trial is confirmed against: configurations derived from its own.

``NO_PROMPT``: the same scheme, model and training without a prompt. ``FP32``: the same model and
training without a prompt and without quantization. A trial that is its own baseline has none.

The rungs between, where a ladder is asked for, have the trial's scheme and the simpler prompts below its own:
``GPF`` the node prompts alone, ``LORAP`` the aggregation prompts alone, each with the trial's counts, rank and rates.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lorap_bench.config import PromptConfig, QuantConfig
from lorap_bench.errors import ConfigError, StoreError
from lorap_bench.store.look import Baseline, Subject
from lorap_bench.study.space import overlay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.config import TrialConfig
    from lorap_bench.record import TrialRecord
    from lorap_bench.search.objective import Planner
    from lorap_bench.store.look import Look
    from lorap_bench.study.spec import StudySpec

__all__ = ["baselines", "configurations", "rungs", "subject"]

_UNPROMPTED = PromptConfig(kind="None")
_SIMPLER = {"LoRAP": (Baseline.GPF,), "GPFLoRAP": (Baseline.GPF, Baseline.LORAP)}
_KINDS = {Baseline.GPF: "GPFPlus", Baseline.LORAP: "LoRAP"}


def baselines(config: TrialConfig) -> dict[Baseline, TrialConfig]:
    """Return the baselines of a configuration, itself among them where it is one."""
    plain = config if config.prompt.kind == _UNPROMPTED.kind else replace(config, prompt=_UNPROMPTED)
    return {Baseline.NO_PROMPT: plain, Baseline.FP32: replace(plain, quant=QuantConfig(scheme="FP32"))}


def rungs(config: TrialConfig) -> dict[Baseline, TrialConfig]:
    """Return the same configuration with each prompt that is simpler than its own; none for the simplest ones."""
    return {
        role: replace(config, prompt=replace(config.prompt, kind=_KINDS[role]))
        for role in _SIMPLER.get(config.prompt.kind, ())
    }


def subject(number: int, config: TrialConfig, planner: Planner, *, ladder: bool = False) -> Subject:
    """Return a front trial and its baselines by digest: those that train alike have one and the same.

    ``ladder`` adds the rungs to the baselines.

    Raises:
        ConfigError: the trial's own configuration is impossible.
    """
    digest = planner(config).digest
    found: dict[Baseline, str] = {}
    impossible: dict[Baseline, str] = {}
    for name, derived in (baselines(config) | (rungs(config) if ladder else {})).items():
        try:
            found[name] = planner(derived).digest
        except ConfigError as error:  # such as a width for a tensor that only the prompt brings in
            impossible[name] = str(error)
    others = {name: known for name, known in found.items() if known != digest}
    return Subject(number=number, digest=digest, baselines=others, impossible=impossible)


def configurations(spec: StudySpec, records: Sequence[TrialRecord], look: Look) -> dict[str, TrialConfig]:
    """Return what a look runs: digest → configuration, in the look's order.

    Raises:
        StoreError: the record of one of its trials is gone.
    """
    points = {record.number: record.params for record in records}
    configs: dict[str, TrialConfig] = {}
    for one in look.subjects:
        if one.number not in points:
            raise StoreError(
                f"the record of trial {one.number} is gone, which look {look.number} is at", where=spec.name
            )
        config = overlay(spec.base, points[one.number])
        derived = baselines(config) | rungs(config)
        configs.setdefault(one.digest, config)
        for name, digest in one.baselines.items():
            configs.setdefault(digest, derived[name])
    return configs
