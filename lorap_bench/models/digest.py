"""The canonical form of a configuration: what decides the training, and nothing else.

Fields that a configuration does not read leave no trace, so configurations that train alike are equal.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lorap_bench.models.archs import ARCHS
from lorap_bench.models.sampling import settings_of
from lorap_bench.prompts import PROMPTS
from lorap_bench.quant import SCHEMES
from lorap_bench.quant.scheme import ALLOCATION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lorap_bench.models.blueprint import Blueprint

__all__ = ["canonical"]

# Fields that only some configurations read.
_OBSERVER_FIELDS = {
    "momentum": {"MovingAverage", "MovingPercentile"},
    "percentile": {"Percentile", "MovingPercentile"},
    "sample": {"Percentile", "MovingPercentile"},
}
_UNUSED_PROMPT_FIELDS = {
    "None": {
        "count",
        "node_count",
        "gate",
        "factorize",
        "inject",
        "temperature",
        "lr",
        "weight_decay",
    },
    "GPF": {"count", "node_count", "gate", "factorize", "inject", "temperature"},
    "GPFPlus": {"count", "gate", "factorize", "inject", "temperature"},
    "LoRAP": {"node_count"},
}
# Absent at these values, which are the whole of what there was before the fields: digests outlive a new field.
_PLAIN_HEAD = {"head": "linear", "head_dropout": 0.0}
_PLAIN = _PLAIN_HEAD | {"residual": False}
# What they come to is told by ``settings_of``, which tells nothing of a whole graph.
_SAMPLING_FIELDS = ("sampling", "parts", "joined", "fan_outs", "draw_every", "memory_gib")


def canonical(plan: Blueprint) -> dict[str, Any]:
    """Return a blueprint's configuration as plain values, without what does not decide the training."""
    config = plan.trial.to_mapping()
    quant, prompt = config["quant"], config["prompt"]
    # A data set and a class may each go by two names.
    config["task"]["dataset"] = plan.shape.name
    quant["scheme"] = _public_name(plan.scheme, SCHEMES)
    prompt["kind"] = _public_name(plan.prompt, PROMPTS)
    config["quant"] = _quant(plan) | {"scheme": quant["scheme"]}
    if not plan.scheme.quantizes:
        config["quant"], prompt["inject"] = {"scheme": quant["scheme"]}, None
    unused = {"rank"} | _UNUSED_PROMPT_FIELDS.get(prompt["kind"], set())
    config["prompt"] = {name: value for name, value in prompt.items() if name not in unused}
    config["prompt"]["ranks"] = plan.effective["ranks"]
    config["model"] = _model(plan)
    if not config["optim"]["plateau"]:
        del config["optim"]["plateau"]
    if plan.shape.level == "node":
        config["task"]["batch_size"] = None
    for name in _SAMPLING_FIELDS:
        del config["task"][name]
    if batches := settings_of(plan):
        config["task"]["sampling"] = batches
    return config


def _model(plan: Blueprint) -> dict[str, Any]:
    model = asdict(plan.trial.model) | {"arch": _public_name(plan.conv, ARCHS)}
    if not plan.conv.uses_heads:
        model["heads"] = None
    if plan.shape.level == "node":
        model |= _PLAIN_HEAD | {"readout": None}
    model["residual"] = bool(plan.residuals)
    return {name: value for name, value in model.items() if name not in _PLAIN or value != _PLAIN[name]}


def _quant(plan: Blueprint) -> dict[str, Any]:
    resolved = asdict(plan.scheme.resolved(plan.trial.quant))
    read = {name: value for name, value in resolved.items() if name in plan.scheme.reads - ALLOCATION}
    for name, observers in _OBSERVER_FIELDS.items():
        if name in read and read["observer"] not in observers:
            read[name] = None
    return read | {"bits": plan.effective["bits"]}


def _public_name(found: type[Any], known: Mapping[str, type[Any]]) -> str:
    """Return the name a class has in its namespace, or its path if it is a stranger's."""
    names = [name for name, kind in known.items() if kind is found]
    return names[0] if names else f"{found.__module__}:{found.__qualname__}"
