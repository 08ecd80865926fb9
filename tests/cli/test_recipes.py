from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lorap_bench.study.recipe import named_recipe, recipe_names

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., Any]


def test_all_recipes_are_listed(lorap_bench: Command) -> None:
    ended = lorap_bench("recipes")
    assert ended.code == 0
    head, *lines = ended.out.splitlines()
    assert head.split() == ["name", "data", "set", "arch", "scheme", "bits", "source"]
    assert [line.split()[0] for line in lines] == list(recipe_names())
    (line,) = [line for line in lines if line.startswith("mixq-gcn-cora ")]
    assert line.split() == [
        *("mixq-gcn-cora", "Cora", "GCN", "MixQ", "2,", "4,", "8"),
        *("SamirMoustafa/MixQ", "at", "c5be56e"),
    ]


def test_one_recipe_is_shown_whole(lorap_bench: Command) -> None:
    ended = lorap_bench("recipes", "a2q-gat-pubmed")
    assert ended.code == 0
    recipe = named_recipe("a2q-gat-pubmed")
    assert all(f"- {text}\n" in ended.out for text in recipe.spec.departures)
    assert recipe.spec.citation in ended.out
    assert set(recipe.settings) <= {line.split()[0] for line in ended.out.splitlines() if line}
    found = lorap_bench("recipes", "a2q-gat-pubmed", "--json").json
    assert found["schema_version"] == 1
    (shown,) = found["recipes"]
    assert shown == recipe.to_mapping()
    assert (shown["name"], shown["sections"]["model"]["hidden"]) == ("a2q-gat-pubmed", 64)
    assert {"source", "citation", "evidence", "protocol", "departures"} < set(shown)
    assert len(lorap_bench("recipes", "--json").json["recipes"]) == len(recipe_names())


def test_a_name_that_nobody_knows(lorap_bench: Command) -> None:
    ended = lorap_bench("recipes", "a2q-gcn-coar")
    assert ended.code == 2
    assert "did you mean 'a2q-gcn-cora'?" in ended.err


def test_a_recipe_is_trained_alone_or_under_a_file(lorap_bench: Command, tmp_path: Path) -> None:
    small = ("--set", "task.dataset=Digits", "--set", "optim.epochs=1", "--set", "model.hidden=4", "--json")
    alone = lorap_bench("train", "--recipe", "dq-gin-mnist-int4", *small)
    assert alone.code == 0, alone.err
    config = alone.json["config"]
    assert (config["quant"]["scheme"], config["quant"]["bits"], config["model"]["residual"]) == ("DegreeQuant", 4, True)
    assert (config["model"]["hidden"], config["task"]["dataset"]) == (4, "Digits")
    (tmp_path / "mine.toml").write_text("[model]\nlayers = 2\n[prompt]\nkind = 'LoRAP'\n")
    under = lorap_bench("train", tmp_path / "mine.toml", "--recipe", "dq-gin-mnist-int4", *small).json["config"]
    assert (under["model"]["layers"], under["prompt"]["kind"]) == (2, "LoRAP")
    assert under["quant"] == config["quant"]


def test_training_needs_a_file_or_a_recipe(lorap_bench: Command) -> None:
    ended = lorap_bench("train")
    assert ended.code == 2
    assert "give a file, --recipe NAME, or both" in ended.err
    ended = lorap_bench("train", "--recipe", "dq-gin-mnist-int5")
    assert ended.code == 2
    assert "--recipe: unknown recipe" in ended.err
    ended = lorap_bench("train", "--recipe", "dq-gin-mnist-int4", "--set", "model.dropout=nan")
    assert ended.code == 2
    assert "not a finite number" in ended.err


def test_the_schema_of_suites_is_json(lorap_bench: Command) -> None:
    schema = lorap_bench("schema", "--suite").json
    assert schema["title"] == "lorap-bench suite"
    assert {"axes", "override", "skip", "replicas", "recipe"} <= set(schema["properties"])
