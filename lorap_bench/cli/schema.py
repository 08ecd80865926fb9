"""``lorap-bench schema``: the JSON Schema of a study file, or of a suite file."""

from typing import Annotated

import typer

from lorap_bench.cli.screen import print_json

EXAMPLE = "Example: lorap-bench schema > study.schema.json"


def schema(
    of_suites: Annotated[bool, typer.Option("--suite", help="Of a suite file instead.")] = False,
) -> None:
    """Print the JSON Schema of a study file, for editors."""
    from lorap_bench.study.schema import study_schema
    from lorap_bench.suite.schema import suite_schema

    print_json(suite_schema() if of_suites else study_schema())
