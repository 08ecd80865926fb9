"""Faults of the keys and types of a file, against the model that it should fit."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from lorap_bench.study.faults import fault_of, join_path

if TYPE_CHECKING:
    from lorap_bench.errors import Fault

__all__ = ["structure_faults"]


def structure_faults(model: type[BaseModel], data: dict[str, Any]) -> list[Fault]:
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
