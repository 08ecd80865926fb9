"""Sensible points to begin with: full precision, one width everywhere, no prompt, the papers' settings.

Each wish is brought to the nearest point of the space: a parameter it speaks of takes the nearest admissible value,
any other the one nearest to the base configuration's. Wishes that come to a configuration already among them, or to
one that cannot be trained within the constraints, are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lorap_bench.errors import ConfigError, Fault
from lorap_bench.search.encoding import nearest_value, value_at
from lorap_bench.study.slots import lookup

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lorap_bench.search.candidates import Candidates
    from lorap_bench.study.spec import StudySpec

__all__ = ["WISHES", "check_warm_start", "warm_points"]

_SHARE = 4
"""The warm start takes at most one trial in so many of the budget."""

_WIDTHS = ("quant.bits", "quant.layer_bits.", "quant.component_bits.", "quant.site_bits.")
_NO_PROMPT: dict[str, Any] = {"prompt.kind": "None"}
_LORAP: dict[str, Any] = {"prompt.kind": "LoRAP", "prompt.count": 8, "prompt.rank": 4}
_GPF: dict[str, Any] = {"prompt.kind": "GPFLoRAP", "prompt.node_count": 5, "prompt.count": 8, "prompt.rank": 4}

WISHES: tuple[dict[str, Any], ...] = (
    {"quant.scheme": "FP32", "bits": 32, **_NO_PROMPT},
    {"bits": 8, **_NO_PROMPT},
    {"bits": 4, **_NO_PROMPT},
    {"bits": 4, **_LORAP},
    {"bits": 2, **_NO_PROMPT},
    {"bits": 8, **_LORAP},
    {"bits": 2, **_LORAP},
    {"quant.scheme": "DegreeQuant", "bits": 8, "quant.p_min": 0.0, "quant.p_max": 0.1, "optim.lr": 5e-3, **_NO_PROMPT},
    {"quant.scheme": "DegreeQuant", "bits": 4, "quant.p_min": 0.1, "quant.p_max": 0.2, "optim.lr": 1e-3, **_NO_PROMPT},
    {"quant.scheme": "A2Q", "bits": 4, "optim.lr": 1e-2, **_NO_PROMPT},
    {"quant.scheme": "MixQ", "optim.lr": 1e-2, **_NO_PROMPT},
    {"bits": 4, **_GPF},
)
"""The wishes, the most useful first. ``bits`` stands for every width that the space has.

Source: Degree-Quant (Tailor et al. 2021), REDDIT-BINARY at 8 and 4 bits; A²Q (Zhu et al. 2023) and MixQ (Moustafa et
al. 2025), Cora; GPF (Fang et al. 2023), 5 prompts; LoRAP gives no settings: prompts and rank are this suite's defaults.
"""


def check_warm_start(spec: StudySpec) -> None:
    """Refuse a warm start of a grid, which tries every point anyway.

    Raises:
        ConfigError: the study wants both.
    """
    if spec.search.warm_start and spec.search.sampler == "Grid":
        message = "a grid tries every point in its own order"
        raise ConfigError([Fault(path="search.warm_start", message=message, got=True, allowed="false")])


def warm_points(spec: StudySpec, candidates: Candidates) -> list[dict[str, Any]]:
    """Return the points that a study's budget bears, at most a quarter of its trials."""
    found: dict[str, dict[str, Any]] = {}
    for wish in _wishes(spec):
        params = _nearest(spec, wish)
        if candidates.of(params) is not None:
            found.setdefault(candidates.identity(params), params)
    return list(found.values())[: spec.budget.trials // _SHARE]


def _wishes(spec: StudySpec) -> Iterator[Mapping[str, Any]]:
    """Yield the wishes that name nothing which the study neither searches nor has."""
    base = spec.base.to_mapping()
    for wish in WISHES:
        named = {path: wish[path] for path in ("quant.scheme", "prompt.kind") if path in wish}
        if all(_has(spec, base, path, value) for path, value in named.items()):
            yield wish


def _has(spec: StudySpec, base: Mapping[str, Any], path: str, value: Any) -> bool:
    line = spec.space.get(path)
    return lookup(base, path) == value if line is None else value in line.distribution


def _nearest(spec: StudySpec, wish: Mapping[str, Any]) -> dict[str, Any]:
    base, space = spec.base.to_mapping(), spec.parameters
    params: dict[str, Any] = {}
    for parameter in space.parameters:
        if not space.active(parameter, base, params):
            continue
        wanted = wish.get("bits") if parameter.path.startswith(_WIDTHS) else wish.get(parameter.path)
        if wanted is None and parameter.path.startswith(_WIDTHS):
            wanted = spec.base.quant.bits
        value = None if wanted is None else nearest_value(parameter.distribution, wanted)
        if value is None:
            value = nearest_value(parameter.distribution, lookup(base, parameter.path))
        params[parameter.path] = value_at(parameter.distribution, 0.5) if value is None else value
    return params
