"""Read a suite file and report all of its faults at once."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lorap_bench.errors import ConfigError, Fault, nearest
from lorap_bench.store.flat import flat
from lorap_bench.study.checks import check_configuration, check_study, key_fault, value_faults
from lorap_bench.study.distributions import Choices
from lorap_bench.study.file import flatten_space
from lorap_bench.study.reading import read_toml, refuse_alien_values
from lorap_bench.study.recipe import lay_recipe, named_recipe
from lorap_bench.study.slots import slot_of
from lorap_bench.study.structure import structure_faults
from lorap_bench.suite.spec import SHORT, SuiteSpec, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from lorap_bench.study.catalog import Catalog

__all__ = ["load_suite", "value_fault"]

_FOLD = "task.fold"


def load_suite(path: Path, *, catalog: Catalog) -> SuiteSpec:
    """Return the suite that a file describes.

    Raises:
        ConfigError: every fault of the file, each with its key path.
    """
    data = read_toml(path)
    refuse_alien_values(data, path)
    _flatten(data)
    found = [*lay_recipe(data), *_lay_recipes(data)]
    found += [*structure_faults(SuiteSpec, data), *check_configuration(data, catalog)]
    found += [*_check_axes(_axes(data), catalog), *_check_rules(data, catalog), *_check_folds(data)]
    found += _check_tune(data, catalog)
    faults: list[Fault] = []
    for fault in found:
        if fault not in faults:
            faults.append(fault)
    if faults:
        raise ConfigError(faults, where=str(path))
    return SuiteSpec.model_validate_json(json.dumps(data))


def value_fault(axis: str, value: Any, values: Iterable[Any], *, where: str) -> Fault:
    """Return the fault of a value that an axis never takes."""
    allowed = [str(one) for one in values]
    message = f"a value that {axis} never takes"
    near = nearest(str(value), allowed)
    return Fault(path=where, message=message, got=value, allowed=", ".join(allowed), suggestion=near)


def _flatten(data: dict[str, Any]) -> None:
    """Give axes, conditions, settings and the space dotted keys, whether they were written so or as nested tables."""
    if isinstance(_table(data, "tune").get("space"), dict):
        data["tune"]["space"] = flatten_space(data["tune"]["space"])
    if isinstance(data.get("axes"), dict):
        data["axes"] = dict(flat(data["axes"]))
    for _, rule in _rules(data):
        rule.update({name: dict(flat(rule[name])) for name in ("when", "set") if isinstance(rule.get(name), dict)})


def _lay_recipes(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Put what the recipes of overrides say under what they set, but for axes; yield the names that are wrong."""
    axes = {path_of(axis) for axis in _axes(data)}
    for place, rule in _rules(data):
        if not place.startswith("override") or not isinstance(rule.get("recipe"), str):
            continue
        try:
            said = named_recipe(rule["recipe"], where=f"{place}.recipe").settings
        except ConfigError as error:
            yield from error.faults
            continue
        given = axes | {path_of(name) for name in _table(rule, "set")}
        if isinstance(rule.setdefault("set", {}), dict):
            rule["set"] = {path: value for path, value in said.items() if path not in given} | rule["set"]


def _axes(data: Mapping[str, Any]) -> dict[str, list[Any]]:
    axes = data.get("axes")
    return {name: one for name, one in axes.items() if isinstance(one, list)} if isinstance(axes, dict) else {}


def _rules(data: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every override and skip, with its place in the file."""
    for kind in ("override", "skip"):
        rules = data.get(kind)
        for index, rule in enumerate(rules if isinstance(rules, list) else ()):
            if isinstance(rule, dict):
                yield f"{kind}[{index}]", rule


def _table(rule: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = rule.get(name)
    return table if isinstance(table, dict) else {}


def _check_axes(axes: dict[str, list[Any]], catalog: Catalog) -> Iterator[Fault]:
    paths: dict[str, str] = {}
    for axis, values in axes.items():
        where, path = f"axes.{axis}", path_of(axis)
        if path in paths:
            yield Fault(path=where, message=f"is the axis {paths[path]} once more")
        paths[path] = axis
        places = {f"{where}[{index}]": value for index, value in enumerate(values)}
        yield from _check_values(path, where, places, catalog)


def _check_values(path: str, where: str, values: Mapping[str, Any], catalog: Catalog) -> Iterator[Fault]:
    """Yield the faults of a key path that stands at ``where``, and of each value for it by its own place."""
    if "." not in path:
        allowed = ", ".join([*SHORT, "or a key path such as model.hidden"])
        yield Fault(path=where, message="unknown axis", got=path, allowed=allowed, suggestion=nearest(path, SHORT))
        return
    try:
        slot = slot_of(path, where=where)
    except ConfigError as error:
        yield from error.faults
        return
    if fault := key_fault(slot, where, catalog):
        yield fault
    for place, value in values.items():
        yield from value_faults(slot, value, place, catalog)


def _check_rules(data: Mapping[str, Any], catalog: Catalog) -> Iterator[Fault]:
    axes = _axes(data)
    known = {path_of(axis): axis for axis in axes}
    for place, rule in _rules(data):
        for name, values in _table(rule, "when").items():
            where, axis = f"{place}.when.{name}", known.get(path_of(name))
            if axis is None:
                allowed, near = ", ".join(axes), nearest(name, axes)
                yield Fault(path=where, message="no axis", got=name, allowed=allowed, suggestion=near)
                continue
            for value in values if isinstance(values, list) else [values]:
                if value not in Choices(tuple(axes[axis])):
                    yield value_fault(axis, value, axes[axis], where=where)
        for name, value in _table(rule, "set").items():
            where = f"{place}.set.{name}"
            if path_of(name) in known:
                yield Fault(path=where, message="is an axis, and has its value from there", got=value)
            else:
                yield from _check_values(path_of(name), where, {where: value}, catalog)


def _check_folds(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield where something else chooses the fold, although the replicas are folds."""
    if not _table(data, "replicas").get("folds"):
        return
    message = "replicas.folds chooses the folds"
    if _table(data, "task").get("fold"):
        yield Fault(path=_FOLD, message=message, got=_table(data, "task")["fold"])
    if _FOLD in _axes(data):
        yield Fault(path=f"axes.{_FOLD}", message=message)
    for place, rule in _rules(data):
        if _FOLD in _table(rule, "set"):
            yield Fault(path=f"{place}.set.{_FOLD}", message=message)


def _check_tune(data: Mapping[str, Any], catalog: Catalog) -> Iterator[Fault]:
    """Yield what is wrong with the search of the cells, by itself and beside the axes."""
    tune = _table(data, "tune")
    for fault in check_study(tune, catalog):
        yield replace(fault, path=f"tune.{fault.path}")
    axes = {path_of(axis) for axis in _axes(data)}
    for path in _table(tune, "space"):
        if path in axes:
            yield Fault(path=f"tune.space.{path}", message="is an axis, and has its value from there")
    if tune and _table(data, "replicas").get("folds"):
        message = "what one fold chooses has seen the test parts of others; with task.fold as an axis each is tuned"
        yield Fault(path="replicas.folds", message=message, got=_table(data, "replicas")["folds"])
