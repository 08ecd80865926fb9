"""From a suite to its cells: the product of the axes in their order, the first axis slowest."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from lorap_bench.data.load import canonical_name, splits_of
from lorap_bench.errors import ConfigError, Fault, nearest
from lorap_bench.study.distributions import Choices
from lorap_bench.study.space import overlay
from lorap_bench.suite.cell import Cell, Replica
from lorap_bench.suite.file import value_fault
from lorap_bench.suite.spec import path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lorap_bench.config import TrialConfig
    from lorap_bench.suite.spec import RepeatSpec, SuiteSpec

__all__ = ["expand", "parse_only", "select"]


def expand(spec: SuiteSpec) -> list[Cell]:
    """Return every cell of the product; those that the suite skips say why.

    Raises:
        ConfigError: all of them are skipped.
    """
    cells = [
        _cell(spec, dict(zip(spec.axes, values, strict=True))) for values in itertools.product(*spec.axes.values())
    ]
    if all(cell.skipped for cell in cells):
        reasons = "; ".join(dict.fromkeys(cell.skipped for cell in cells))
        raise ConfigError([Fault(path="skip", message=f"every cell of the product is skipped: {reasons}")])
    return cells


def parse_only(spec: SuiteSpec, texts: Iterable[str]) -> dict[str, tuple[Any, ...]]:
    """Return axis → values from ``dataset=Cora,scheme=A2Q``; an axis given again adds a value.

    Raises:
        ConfigError: an axis or a value is not the suite's; all at once.
    """
    chosen: dict[str, tuple[Any, ...]] = {}
    faults: list[Fault] = []
    names = {name: axis for axis in spec.axes for name in (axis, path_of(axis))}
    for text in (part.strip() for whole in texts for part in whole.split(",")):
        name, equals, wanted = (part.strip() for part in text.partition("="))
        axis = names.get(name)
        if not equals or axis is None:
            message = "no axis of this suite" if equals else "not axis=value"
            allowed, near = ", ".join(spec.axes), nearest(name, spec.axes)
            faults.append(Fault(path="--only", message=message, got=text, allowed=allowed, suggestion=near))
            continue
        found = [value for value in spec.axes[axis] if _text(value) == wanted]
        if found:
            chosen[axis] = (*chosen.get(axis, ()), *found)
        else:
            faults.append(value_fault(axis, wanted, map(_text, spec.axes[axis]), where="--only"))
    if faults:
        raise ConfigError(faults)
    return chosen


def select(cells: Sequence[Cell], chosen: Mapping[str, tuple[Any, ...]]) -> list[Cell]:
    """Return the cells that have one of the chosen values on each axis that is named."""
    return [cell for cell in cells if _holds(chosen, cell.axes)]


def _cell(spec: SuiteSpec, axes: dict[str, Any]) -> Cell:
    settings = {path_of(axis): value for axis, value in axes.items()}
    for change in spec.override:
        if _holds(change.when, axes):
            settings |= {path_of(name): value for name, value in change.settings.items()}
    config = overlay(spec.base, settings)
    skipped = next((rule.reason for rule in spec.skip if _holds(rule.when, axes)), "")
    return Cell(axes=axes, config=config, replicas=_replicas(spec.replicas, config), tune=spec.tune, skipped=skipped)


def _replicas(repeat: RepeatSpec, config: TrialConfig) -> tuple[Replica, ...]:
    """Return a cell's replicas: fold k trains with seed k, so that no two folds start from the same weights."""
    if repeat.folds is not None and splits_of(canonical_name(config.task.dataset)) > 1:
        return tuple(Replica(fold, fold) for fold in range(repeat.folds))
    return tuple(Replica(seed, config.task.fold) for seed in range(repeat.seeds))


def _holds(when: Mapping[str, Sequence[Any]], axes: Mapping[str, Any]) -> bool:
    values = {path_of(axis): value for axis, value in axes.items()}
    return all(values[path_of(axis)] in Choices(tuple(allowed)) for axis, allowed in when.items())


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
