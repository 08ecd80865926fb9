"""Read a study file, put command-line overrides in, and report all of its faults at once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorap_bench.errors import ConfigError, Fault
from lorap_bench.study.checks import check_configuration, check_study
from lorap_bench.study.overrides import apply_overrides, parse_overrides
from lorap_bench.study.reading import read_toml, refuse_alien_values
from lorap_bench.study.recipe import lay_recipe, named_recipe
from lorap_bench.study.spec import ConfigSpec, StudySpec
from lorap_bench.study.structure import structure_faults

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    faults = [*lay_recipe(data), *structure_faults(StudySpec, data)]
    faults += [*check_configuration(data, catalog), *check_study(data, catalog)]
    faults += _searched_and_set(data, changes)
    if data.get("space", {}) == {}:
        faults.append(Fault(path="space", message="nothing to search", allowed="at least one parameter"))
    _raise(faults, path, changes)
    return StudySpec.model_validate_json(json.dumps(data))


def load_config(
    path: Path | None, *, catalog: Catalog, overrides: Sequence[str] = (), recipe: str | None = None
) -> TrialConfig:
    """Return the base configuration of a study file, of a file with its five sections alone, or of a recipe.

    Args:
        path: the file; None: the recipe alone.
        catalog: the names it may use.
        overrides: ``key=value``, over the file's.
        recipe: laid under the file's sections instead of the one that it names.

    Raises:
        ConfigError: every fault of the file and the overrides, each with its key path.
    """
    changes = parse_overrides(overrides)
    data = _read(path, changes)
    if recipe is not None:
        data["recipe"] = named_recipe(recipe, where="--recipe").spec.name
    study = not _STUDY_KEYS.isdisjoint(data)
    model = StudySpec if study else ConfigSpec
    faults = [*lay_recipe(data), *structure_faults(model, data), *check_configuration(data, catalog)]
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


def _read(path: Path | None, changes: dict[str, Any]) -> dict[str, Any]:
    data = {} if path is None else read_toml(path)
    _flatten_space_of(data)  # before, so that an override finds its parameter however the file writes it
    apply_overrides(data, changes)
    _flatten_space_of(data)
    refuse_alien_values(data, path or Path("--set"))
    return data


def _flatten_space_of(data: dict[str, Any]) -> None:
    if isinstance(data.get("space"), dict):
        data["space"] = flatten_space(data["space"])


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


def _raise(faults: list[Fault], path: Path | None, changes: dict[str, Any]) -> None:
    distinct: list[Fault] = []
    for fault in faults:
        marked = replace(fault, path=f"{fault.path} (from --set)") if fault.path in changes else fault
        if marked not in distinct:
            distinct.append(marked)
    if distinct:
        raise ConfigError(distinct, where="" if path is None else str(path))
