"""``lorap-bench recipes``: published hyperparameters by name."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column

from lorap_bench.cli.options import Json, RawMirror, use_mirror
from lorap_bench.cli.screen import message, print_json, print_table, print_text

if TYPE_CHECKING:
    from lorap_bench.study.recipe import Recipe

EXAMPLE = "Example: lorap-bench recipes a2q-gcn-cora"
SCHEMA_VERSION = 1


def recipes(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Show this one whole.", show_default=False)] = None,
    tuned: Annotated[
        Path | None,
        typer.Option("--tuned", metavar="DIR", help="Write one of a tuned cell of this suite's.", show_default=False),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="AXIS=VALUE,…", help="--tuned: which cell.", show_default=False),
    ] = None,
    raw_mirror: RawMirror = None,
    as_json: Json = False,
) -> None:
    """List the recipes, or show one: where it is from, what it sets, and what of its protocol is not done here.

    With --tuned a recipe file is printed: what a suite's search chose for one cell, and what it came to.
    """
    if tuned is not None:
        from lorap_bench.suite.folder import SuiteFolder
        from lorap_bench.suite.recipe_of import recipe_of

        use_mirror(raw_mirror)
        print_text(recipe_of(SuiteFolder(tuned), only or ()).rstrip())
        return
    from lorap_bench.study.recipe import named_recipe, recipe_names

    chosen = recipe_names() if name is None else (name,)
    found = [named_recipe(one, where="NAME") for one in chosen]
    if as_json:
        print_json({"schema_version": SCHEMA_VERSION, "recipes": [recipe.to_mapping() for recipe in found]})
    elif name is None:
        lines = [recipe.summary for recipe in found]
        columns = [Column(label, no_wrap=label == "name") for label in lines[0]]
        print_table(columns, [list(line.values()) for line in lines])
        message("`lorap-bench recipes NAME` shows one whole")
    else:
        _show(found[0])


def _show(recipe: "Recipe") -> None:
    about = recipe.spec
    print_text(f"{about.name}: {about.citation}")
    for label in ("source", "evidence", "protocol"):
        print_text(f"{label}: {getattr(about, label)}")
    print_text("departures:" + ("" if about.departures else " none known"))
    for departure in about.departures:
        print_text(f"- {departure}")
    print_text("")
    print_table(["key", "value"], [[path, _text(value)] for path, value in recipe.settings.items()])


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
