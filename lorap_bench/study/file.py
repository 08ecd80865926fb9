"""Read a study file, put command-line overrides in, and report all of its faults at once."""

from __future__ import annotations

import json
import math
import tomllib
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from lorap_bench.errors import ConfigError, Fault, nearest
from lorap_bench.study.checks import check_configuration, check_study
from lorap_bench.study.faults import fault_of, join_path
from lorap_bench.study.overrides import apply_overrides, parse_overrides
from lorap_bench.study.spec import ConfigSpec, StudySpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lorap_bench.config import TrialConfig
    from lorap_bench.study.catalog import Catalog

__all__ = ["flatten_space", "load_config", "load_study", "parse_overrides", "study_name"]

_LEAF_KEYS = frozenset({"choices", "int", "float"})
_STUDY_KEYS = frozenset({"version", "name", "objectives", "budget"})


def load_study(path: Path, *, catalog: Catalog, overrides: Sequence[str] = ()) -> StudySpec:
    """Return the study that a file describes, with ``--set`` overrides put in.

    Raises:
        ConfigError: every fault of the file and the overrides, each with its key path.
    """
    changes = parse_overrides(overrides)
    data = _read(path, changes)
    faults = [*_structure(StudySpec, data), *check_configuration(data, catalog), *check_study(data, catalog)]
    faults += _searched_and_set(data, changes)
    if data.get("space", {}) == {}:
        faults.append(Fault(path="space", message="nothing to search", allowed="at least one parameter"))
    _raise(faults, path, changes)
    return StudySpec.model_validate_json(json.dumps(data))


def load_config(path: Path, *, catalog: Catalog, overrides: Sequence[str] = ()) -> TrialConfig:
    """Return the base configuration of a study file, or of a file with its five sections alone.

    Raises:
        ConfigError: every fault of the file and the overrides, each with its key path.
    """
    changes = parse_overrides(overrides)
    data = _read(path, changes)
    study = not _STUDY_KEYS.isdisjoint(data)
    model = StudySpec if study else ConfigSpec
    faults = [*_structure(model, data), *check_configuration(data, catalog)]
    faults += check_study(data, catalog) if study else []
    _raise(faults, path, changes)
    return model.model_validate_json(json.dumps(data)).base


def study_name(path: Path) -> str:
    """Return the name that a study file gives its study, whatever else is in the file.

    Raises:
        ConfigError: the file cannot be read or has no name.
    """
    name = _read(path, {}).get("name")
    if not isinstance(name, str):
        raise ConfigError([Fault(path="name", message="required key is missing", got=name)], where=str(path))
    return name


def flatten_space(table: dict[str, Any]) -> dict[str, Any]:
    """Return ``[space]`` with dotted paths as keys, whether it was written so or as nested tables."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict) and value and _is_nested(value):
            flat.update({f"{key}.{rest}": line for rest, line in flatten_space(value).items()})
        elif isinstance(value, dict) and isinstance(value.get("when"), dict):
            flat[key] = {**value, "when": _flatten(value["when"])}
        else:
            flat[key] = value
    return flat


def _flatten(table: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        deeper = _flatten(value) if isinstance(value, dict) else {}
        flat.update({f"{key}.{rest}": item for rest, item in deeper.items()} or {key: value})
    return flat


def _is_nested(value: dict[str, Any]) -> bool:
    leaf = any(key in _LEAF_KEYS and not isinstance(item, dict) for key, item in value.items())
    return not leaf and all(isinstance(item, dict) for item in value.values())


def _read(path: Path, changes: dict[str, Any]) -> dict[str, Any]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([Fault(path="", message=f"not valid TOML: {error}")], where=str(path)) from error
    except UnicodeDecodeError as error:
        raise ConfigError([Fault(path="", message="not a text file in UTF-8")], where=str(path)) from error
    except OSError as error:
        raise ConfigError([_unreadable(path, error)], where=str(path)) from error
    _flatten_space_of(data)  # before, so that an override finds its parameter however the file writes it
    apply_overrides(data, changes)
    _flatten_space_of(data)
    alien = list(_alien_values(data, ()))
    if alien:
        raise ConfigError(alien, where=str(path))
    return data


def _flatten_space_of(data: dict[str, Any]) -> None:
    if isinstance(data.get("space"), dict):
        data["space"] = flatten_space(data["space"])


def _unreadable(path: Path, error: OSError) -> Fault:
    folder = path.parent
    stems = [item.stem for item in folder.glob("*.toml") if item.is_file()] if folder.is_dir() else []
    found = nearest(path.stem, stems)
    reason = (error.strerror or "cannot be read").lower()
    return Fault(path="", message=f"cannot read the file: {reason}", suggestion=f"{found}.toml" if found else "")


def _alien_values(value: Any, location: tuple[int | str, ...]) -> Iterator[Fault]:
    """Yield a fault for each value that has no place in a study: dates, infinities, not-a-numbers."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _alien_values(item, (*location, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _alien_values(item, (*location, index))
    elif isinstance(value, float) and not math.isfinite(value):
        yield Fault(path=join_path(location), message="not a finite number", got=value)
    elif not isinstance(value, bool | int | float | str):
        yield Fault(path=join_path(location), message="a date or time has no meaning here", got=str(value))


def _structure(model: type[ConfigSpec], data: dict[str, Any]) -> list[Fault]:
    """Return the faults of keys and types."""
    try:
        model.model_validate_json(json.dumps(data))
    except ValidationError as error:
        return [
            fault_of(detail, join_path(detail["loc"]), _keys_at(model, detail["loc"][:-1]))
            for detail in error.errors(include_url=False)
        ]
    return []


def _keys_at(model: type[Any], location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the table at ``location`` knows."""
    kind: Any = model
    for part in location:
        annotation = _annotations(kind).get(str(part))
        if annotation is None:  # the key of a free table: what counts is the table's value type
            continue
        kind = next((item for item in (annotation, *getattr(annotation, "__args__", ())) if _is_record(item)), None)
    return list(_annotations(kind))


def _annotations(kind: Any) -> dict[str, Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {item.alias or name: item.annotation for name, item in kind.model_fields.items()}
    if is_dataclass(kind):
        return {item.name: item.type for item in fields(kind)}
    return {}


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, BaseModel))


def _searched_and_set(data: dict[str, Any], changes: dict[str, Any]) -> list[Fault]:
    space = data.get("space")
    return [
        Fault(
            path=path,
            message="is searched, so a value set here is never used",
            got=value,
            allowed=f"--set 'space.{path}={{ choices = [...] }}'",
        )
        for path, value in changes.items()
        if isinstance(space, dict) and path in space
    ]


def _raise(faults: list[Fault], path: Path, changes: dict[str, Any]) -> None:
    distinct: list[Fault] = []
    for fault in faults:
        marked = replace(fault, path=f"{fault.path} (from --set)") if fault.path in changes else fault
        if marked not in distinct:
            distinct.append(marked)
    if distinct:
        raise ConfigError(distinct, where=str(path))
