"""What the types of a study file cannot say: names, paths, values and conditions that must exist.

Every check takes plain nested values as read, skips what has the wrong shape (the types report
that), and returns faults. So one reading of a file finds all that is wrong with it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lorap_bench.config import SECTIONS, TaskConfig
from lorap_bench.errors import ConfigError, Fault
from lorap_bench.study.catalog import Catalog
from lorap_bench.study.distributions import Choices, FloatRange, IntRange
from lorap_bench.study.slots import Slot, lookup, slot_of
from lorap_bench.study.space import Parameter, Space
from lorap_bench.study.spec import COSTS, OBJECTIVES, ParameterSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_configuration", "check_study", "key_fault", "value_faults"]

_NAMED = ("task.dataset", "model.arch", "quant.scheme", "prompt.kind")
_ONE_TASK = frozenset({"dataset", "features", "fold"})
_LAYER = re.compile(r"\d+|head")
_TRIED_ONE_BY_ONE = 4096


def check_configuration(data: dict[str, Any], catalog: Catalog) -> list[Fault]:
    """Return the faults of names and table keys in the five configuration sections."""
    sections = {name: value for name, value in data.items() if name in SECTIONS and isinstance(value, dict)}
    faults = [catalog.fault(path, lookup(sections, path), where=path) for path in _NAMED]
    for table in ("layer_bits", "component_bits"):
        keys = sections.get("quant", {}).get(table)
        for key in keys if isinstance(keys, dict) else ():
            slot = Slot("quant", table, key)
            faults.append(key_fault(slot, slot.path, catalog))
    return [fault for fault in faults if fault is not None]


def check_study(data: dict[str, Any], catalog: Catalog) -> list[Fault]:
    """Return the faults of everything a study has beside its configuration sections."""
    found = [_check_search(data, catalog), _check_metrics(data, catalog), _check_constraints(data)]
    return [*(fault for faults in found for fault in faults), *_check_space(data, catalog)]


def _check_search(data: dict[str, Any], catalog: Catalog) -> list[Fault]:
    search = data.get("search")
    if not isinstance(search, dict):
        return []
    sampler, arguments = search.get("sampler", "EHVI"), search.get("arguments")
    fault = catalog.fault("search.sampler", sampler, where="search.sampler")
    names = arguments if isinstance(arguments, dict) else {}
    return [*filter(None, [fault]), *catalog.argument_faults(sampler, names, where="search.arguments")]


def _check_metrics(data: dict[str, Any], catalog: Catalog) -> list[Fault]:
    """Refuse a metric that the data set is not scored by."""
    dataset = lookup(data, "task.dataset") or TaskConfig().dataset
    objectives, rules = data.get("objectives"), data.get("constraints")
    places = [("objectives", name) for name in (objectives if isinstance(objectives, list) else ())]
    places += [(f"constraints.{name}", name) for name in (rules if isinstance(rules, dict) else ())]
    if not isinstance(dataset, str):
        return []
    found = (catalog.metric_fault(name, dataset, where=where) for where, name in places if isinstance(name, str))
    return [fault for fault in found if fault is not None]


def _check_constraints(data: dict[str, Any]) -> list[Fault]:
    rules = data.get("constraints")
    known = dict.fromkeys([*OBJECTIVES, *COSTS])
    return [
        Catalog.unknown("cost or objective", name, known, where=f"constraints.{name}")
        for name in (rules if isinstance(rules, dict) else ())
        if name not in known
    ]


def _check_space(data: dict[str, Any], catalog: Catalog) -> list[Fault]:
    space = data.get("space")
    parameters, faults = dict[str, Parameter](), list[Fault]()
    for path, line in (space if isinstance(space, dict) else {}).items():
        try:
            spec = ParameterSpec.model_validate_json(json.dumps(line))
            parameters[path] = Parameter(path, spec.distribution, dict(spec.when))
        except ValidationError:
            continue  # the types report it
    for parameter in parameters.values():
        faults.extend(_check_parameter(parameter, catalog))
        faults.extend(_check_conditions(parameter, parameters, catalog))
    try:
        Space(tuple(parameters.values()))
    except ConfigError as error:
        faults.extend(error.faults)
    return faults


def _check_parameter(parameter: Parameter, catalog: Catalog) -> list[Fault]:
    """Try the values a parameter can take against the field it names."""
    where = f"space.{parameter.path}"
    try:
        slot = slot_of(parameter.path, where=where)
    except ConfigError as error:
        return list(error.faults)
    found = [key_fault(slot, where, catalog), _task_fault(slot, where)]
    faults = [fault for fault in found if fault is not None]
    for place, value in _trials(parameter):
        faults.extend(value_faults(slot, value, f"{where}.{place}", catalog))
        if faults and not isinstance(parameter.distribution, Choices):
            break  # one end of a range is enough: the other mostly says the same
    return faults


def _check_conditions(parameter: Parameter, known: dict[str, Parameter], catalog: Catalog) -> list[Fault]:
    faults: list[Fault] = []
    for path, values in parameter.when.items():
        where = f"space.{parameter.path}.when.{path}"
        if path not in known:
            try:
                slot = slot_of(path, where=where)
            except ConfigError as error:
                faults.extend(error.faults)
                continue
            for value in values:
                faults.extend(value_faults(slot, value, where, catalog))
            continue
        parent = known[path].distribution
        if isinstance(parent, FloatRange):
            message = "a condition needs a parameter with choices or whole numbers"
            faults.append(Fault(path=where, message=message, got="float"))
            continue
        faults.extend(
            Fault(path=where, message=f"a value that {path} never takes", got=value, allowed=_shown(parent))
            for value in values
            if value not in parent
        )
    return faults


def key_fault(slot: Slot, where: str, catalog: Catalog) -> Fault | None:
    """Return what is wrong with the key of a table's entry; None where nothing is, or the slot is no entry."""
    if slot.key is None:
        return None
    if slot.field == "component_bits":
        return catalog.component_fault(slot.key, where=where)
    if slot.field == "layer_bits" and not _LAYER.fullmatch(slot.key):
        return Fault(path=where, message="unknown layer", got=slot.key, allowed="0, 1, 2, ... or head")
    return None


def _task_fault(slot: Slot, where: str) -> Fault | None:
    """Refuse to search over what makes trials incomparable: data, and folds, of which the luckiest would win."""
    if slot.section != "task" or slot.field not in _ONE_TASK:
        return None
    return Fault(path=where, message="a study is about one task; write a study for each", got=slot.path)


def value_faults(slot: Slot, value: Any, where: str, catalog: Catalog) -> list[Fault]:
    """Return what is wrong with a value for a slot: its type, its range, a name that nobody knows."""
    try:
        slot.accept(value, where=where)
    except ConfigError as error:
        return list(error.faults)
    fault = catalog.fault(slot.path, value, where=where)
    return [fault] if fault else []


def _trials(parameter: Parameter) -> Iterator[tuple[str, Any]]:
    """Yield (place in the line, value) for what is tried: each value of a short list, else the ends."""
    match parameter.distribution:
        case Choices(values):
            yield from ((f"choices[{index}]", value) for index, value in enumerate(values))
        case IntRange(low, high) as numbers:
            yield from (("int[0]", low), ("int[1]", high))
            if numbers.size <= _TRIED_ONE_BY_ONE:
                yield from (("int", value) for value in numbers)
        case FloatRange(low, high):
            yield from (("float[0]", low), ("float[1]", high))


def _shown(distribution: Choices | IntRange) -> str:
    if isinstance(distribution, Choices):
        return ", ".join(str(value) for value in distribution.values)
    return f"{distribution.low} to {distribution.high}"
