"""The types that the sections of a study file are made of: strict, frozen models and plain values."""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, WithJsonSchema

__all__ = ["Distinct", "Listed", "Scalar", "Strict", "Together"]


def _scalar(value: Any) -> Any:
    if isinstance(value, bool | int | float | str):
        return value
    raise ValueError("must be a number, text, true or false")


def _distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if len({json.dumps(value) for value in values}) < len(values):
        raise ValueError("must not repeat a value")
    return values


def _listed(value: Any) -> tuple[Any, ...]:
    return tuple(_scalar(item) for item in value) if isinstance(value, list | tuple) else (_scalar(value),)


def _together(value: Any) -> Any:
    if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise ValueError('must be "auto" or a whole number of at least 1')


_SCALAR_SCHEMA = {"type": ["boolean", "number", "string"]}
Scalar: TypeAlias = Annotated[Any, AfterValidator(_scalar), WithJsonSchema(_SCALAR_SCHEMA)]
Listed: TypeAlias = Annotated[
    Any,
    AfterValidator(_listed),
    WithJsonSchema({"anyOf": [_SCALAR_SCHEMA, {"type": "array", "items": _SCALAR_SCHEMA, "minItems": 1}]}),
]
Distinct = AfterValidator(_distinct)
"""No value twice."""
Together: TypeAlias = Annotated[
    Any,
    AfterValidator(_together),
    WithJsonSchema({"anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 1}]}),
]


class Strict(BaseModel):
    """A section: no value is bent to fit, none may change, no key is unknown."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", validate_default=False)
