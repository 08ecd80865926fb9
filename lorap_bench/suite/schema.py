"""The JSON Schema of a suite file, for editors and for whoever writes suites by program."""

from __future__ import annotations

from typing import Any

from lorap_bench.study.schema import file_schema
from lorap_bench.suite.spec import SuiteSpec

__all__ = ["suite_schema"]

# The tables of free keys, which may be dotted or nested: the part of the schema that has it, its name.
_FREE = (("", "axes"), ("ChangeSpec", "when"), ("ChangeSpec", "set"), ("SkipSpec", "when"))


def suite_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a suite file."""
    schema = file_schema(SuiteSpec, "lorap-bench suite")
    parts = schema["$defs"]
    for part, name in _FREE:
        table = (parts[part] if part else schema)["properties"][name]
        nested = f"{part}{name.title()}Table"
        table["additionalProperties"] = {"anyOf": [table["additionalProperties"], {"$ref": f"#/$defs/{nested}"}]}
        parts[nested] = {"type": "object", "additionalProperties": table["additionalProperties"]}
    return schema
