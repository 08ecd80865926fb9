"""The schemas that editors get: what loads fits them, and what they refuse does not load."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from lorap_bench.study.recipe import recipe_names
from lorap_bench.study.schema import study_schema
from lorap_bench.suite.schema import suite_schema
from tests.suite.test_recipes import TEXT

if TYPE_CHECKING:
    from pathlib import Path


def complaints(schema: dict[str, Any], data: dict[str, Any]) -> list[str]:
    """Return where a file does not fit."""
    jsonschema.Draft202012Validator.check_schema(schema)
    found = jsonschema.Draft202012Validator(json.loads(json.dumps(schema))).iter_errors(data)
    return [".".join(map(str, error.absolute_path)) for error in found]


def test_the_shipped_files_fit(project_root: Path) -> None:
    suites = sorted((project_root / "studies" / "suites").glob("*.toml"))
    assert suites
    for path in suites:
        assert complaints(suite_schema(), tomllib.loads(path.read_text("utf-8"))) == [], path.name
    for path in sorted((project_root / "studies").glob("*.toml")):
        assert complaints(study_schema(), tomllib.loads(path.read_text("utf-8"))) == [], path.name


def test_recipes_are_known_by_name() -> None:
    assert complaints(suite_schema(), tomllib.loads(TEXT)) == []
    for schema in (suite_schema(), study_schema()):
        assert schema["properties"]["recipe"]["enum"] == list(recipe_names())
    assert complaints(suite_schema(), tomllib.loads(TEXT.replace('"mixq-gcn-citeseer"', '"mixq"'))) == ["recipe"]
    assert "recipe" not in suite_schema()["required"]


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('name = "recipes"', "", ""),
        ("dropout = 0.1", "dropuot = 0.1", "model"),
        ("epochs = 3", "epochs = 0", "optim.epochs"),
        ('when = { scheme = "A2Q" }', "when = {}", "override.0.when"),
        ('recipe = "a2q-gcn-citeseer"', "", "override.0"),
        ('prompt = ["None", "LoRAP"]', 'prompt = "None"', "axes.prompt"),
    ],
)
def test_what_does_not_load_does_not_fit(old: str, new: str, place: str) -> None:
    assert old in TEXT
    assert complaints(suite_schema(), tomllib.loads(TEXT.replace(old, new, 1))) == [place]


def test_keys_may_be_nested() -> None:
    nested = TEXT.replace("bits = [2]", 'quant.bits = [2]\nmodel.arch = ["GCN"]').replace('"optim.lr"', "optim.lr")
    nested = nested.replace('when = { dataset = "Cora", scheme', 'when = { task.dataset = "Cora", scheme')
    assert complaints(suite_schema(), tomllib.loads(nested)) == []
