"""A suite as data: one configuration, the axes along which it varies, exceptions, and how often each cell is run."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema, model_validator

from lorap_bench.study.patterns import NAME, RULE
from lorap_bench.study.sections import SearchSpec
from lorap_bench.study.spec import ConfigSpec, ParameterSpec
from lorap_bench.study.values import Distinct, Listed, Scalar, Strict

__all__ = ["SHORT", "ChangeSpec", "RepeatSpec", "SkipSpec", "SuiteSpec", "TuneSpec", "path_of"]

SHORT = {
    "dataset": "task.dataset",
    "arch": "model.arch",
    "scheme": "quant.scheme",
    "prompt": "prompt.kind",
    "bits": "quant.bits",
}
"""Short names of axes, and the key paths that they stand for."""


def path_of(axis: str) -> str:
    """Return the key path of an axis, which may have a short name."""
    return SHORT.get(axis, axis)


def _plain(value: Any) -> Any:
    items = value if isinstance(value, list) else [value]
    if all(isinstance(item, bool | int | float | str) for item in items):
        return value
    raise ValueError("must be a number, text, true or false, or a list of them")


_Plain: TypeAlias = Annotated[
    Any, AfterValidator(_plain), WithJsonSchema({"type": ["boolean", "number", "string", "array"]})
]
_When: TypeAlias = Annotated[dict[str, Listed], Field(min_length=1)]


class ChangeSpec(Strict):
    """One ``[[override]]``: what is otherwise in the cells that have one of the values listed on every axis named.

    ``settings`` hold what the recipe says too, as it was when the file was read.
    """

    model_config = ConfigDict(
        populate_by_name=True, json_schema_extra={"anyOf": [{"required": ["set"]}, {"required": ["recipe"]}]}
    )

    when: _When
    recipe: str | None = None
    settings: Annotated[dict[str, _Plain], Field(alias="set")] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _changes_something(self) -> ChangeSpec:
        if self.settings or self.recipe:
            return self
        raise ValueError("needs set, a recipe, or both")


class SkipSpec(Strict):
    """One ``[[skip]]``: cells that are not run, and why."""

    when: _When
    reason: Annotated[str, Field(min_length=1)]


class RepeatSpec(Strict):
    """How often a cell is run: with ``seeds`` seeds; where a set has folds, on the first ``folds``, a seed each."""

    seeds: Annotated[int, Field(ge=1)] = 1
    folds: Annotated[int, Field(ge=1, le=10)] | None = None


class TuneSpec(Strict):
    """The search that every cell is tuned by before it is looked at on the test split: the same budget for all.

    ``trials`` are the cell's budget, ``seeds`` those of a trial; ``seed`` is the search's own.
    """

    trials: Annotated[int, Field(ge=1)]
    seeds: Annotated[int, Field(ge=1)] = 1
    seed: Annotated[int, Field(ge=0)] = 0
    space: Annotated[dict[str, ParameterSpec], Field(min_length=1)]
    constraints: dict[str, Annotated[str, Field(pattern=RULE)]] = Field(default_factory=dict)
    search: SearchSpec = Field(default_factory=SearchSpec)

    def to_mapping(self) -> dict[str, Any]:
        """Return plain values, ready for JSON, without those that are the defaults."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)


class SuiteSpec(ConfigSpec):
    """A whole suite file."""

    version: Literal[1]
    name: Annotated[str, Field(pattern=NAME, max_length=100)]
    description: str = ""
    axes: Annotated[dict[str, Annotated[tuple[Scalar, ...], Field(min_length=1), Distinct]], Field(min_length=1)]
    override: tuple[ChangeSpec, ...] = ()
    skip: tuple[SkipSpec, ...] = ()
    replicas: RepeatSpec = Field(default_factory=RepeatSpec)
    tune: TuneSpec | None = None

    def to_mapping(self) -> dict[str, Any]:
        """Return nested plain values, ready for JSON, with every default written out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @classmethod
    def from_mapping(cls, mapping: dict[str, Any]) -> SuiteSpec:
        """Build from what ``to_mapping`` gave (names are not checked again)."""
        return cls.model_validate_json(json.dumps(mapping))
