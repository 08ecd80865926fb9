"""The JSON Schema of a study file, for editors and for whoever writes studies by program."""

from __future__ import annotations

from typing import Any

from lorap_bench.study.spec import StudySpec

__all__ = ["study_schema"]


def study_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a study file, nested ``[space]`` tables included."""
    schema = StudySpec.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "lorap-bench study"
    line = {"$ref": "#/$defs/ParameterSpec"}
    nested = {"type": "object", "additionalProperties": {"anyOf": [line, {"$ref": "#/$defs/SpaceTable"}]}}
    schema["$defs"]["SpaceTable"] = nested
    schema["properties"]["space"] = {**nested, "title": "Space"}
    return schema
