"""``lorap-bench schema``: the JSON Schema of a study file."""

from lorap_bench.cli.screen import print_json

EXAMPLE = "Example: lorap-bench schema > study.schema.json"


def schema() -> None:
    """Print the JSON Schema of a study file, for editors."""
    from lorap_bench.study.schema import study_schema

    print_json(study_schema())
