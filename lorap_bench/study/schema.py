"""The JSON Schema of a study file, for editors and for whoever writes studies by program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lorap_bench.study.recipe import recipe_names
from lorap_bench.study.spec import StudySpec

if TYPE_CHECKING:
    from lorap_bench.study.spec import ConfigSpec

__all__ = ["file_schema", "study_schema"]


def file_schema(model: type[ConfigSpec], title: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a file that may name recipes."""
    schema = model.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = title
    recipe = {"title": "Recipe", "enum": list(recipe_names())}
    for part in (schema, *schema["$defs"].values()):
        if "recipe" in part.get("properties", {}):
            part["properties"]["recipe"] = recipe
    return schema


def study_schema() -> dict[str, Any]:
    """Return the JSON Schema of a study file, nested ``[space]`` tables included."""
    schema = file_schema(StudySpec, "lorap-bench study")
    line = {"$ref": "#/$defs/ParameterSpec"}
    nested = {"type": "object", "additionalProperties": {"anyOf": [line, {"$ref": "#/$defs/SpaceTable"}]}}
    schema["$defs"]["SpaceTable"] = nested
    schema["properties"]["space"] = {**nested, "title": "Space"}
    return schema
