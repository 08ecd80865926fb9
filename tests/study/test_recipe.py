"""Recipes: every file is whole, and means what it says once it is laid under another's values."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.cli.wiring import catalog
from lorap_bench.config import TrialConfig
from lorap_bench.cost.shape import TaskShape
from lorap_bench.data.families import BY_NAME
from lorap_bench.errors import ConfigError
from lorap_bench.models import blueprint
from lorap_bench.study import recipe as module
from lorap_bench.study.file import load_config, load_study
from lorap_bench.study.recipe import Recipe, lay_recipe, load_recipe, named_recipe, recipe_names

if TYPE_CHECKING:
    from lorap_bench.models import Blueprint

NAMES = recipe_names()
# What a recipe must say so that it means the same over any file and with any later default.
ALWAYS = {
    "task": {"dataset", "features"},
    "model": {"arch", "hidden", "layers", "dropout", "batch_norm", "residual"},
    "quant": {"scheme", "bits"},
    "optim": {"epochs", "lr", "weight_decay", "halve_every", "plateau", "selection", "eval_every"},
}
OBSERVED = {"observer", "momentum", "percentile", "sample", "gradient", "rounding", "messages"} | {
    *("weight_per_channel", "weight_symmetric", "activation_symmetric"),
}
READ = {
    "QAT": OBSERVED,
    "DegreeQuant": OBSERVED | {"p_min", "p_max"},
    "A2Q": {"sites", "step_init", "memory_target", "memory_weight", "groups"}
    | {"lr_bits", "lr_weight_step", "lr_feature_step", "lr_row_step"},
    "MixQ": {"sites", "candidates", "bit_penalty", "search_epochs", "pretrain_epochs", "lr_choice", "lr_scale"}
    | {"protect", "p_min", "p_max"},
}
STUDY = """
version = 1
name = "one"
objectives = ["accuracy"]
{}
[space]
"prompt.rank" = {{ int = [1, 2] }}
[budget]
trials = 2
"""


def planned(recipe: Recipe) -> Blueprint:
    """Resolve a recipe on a task of its data set's sizes."""
    name = recipe.base.task.dataset
    family = BY_NAME[name]
    counts = family.sets[name]
    citation = name in {"Cora", "CiteSeer"}
    shape = TaskShape(
        name=name,
        level=family.level,
        nodes=(counts.nodes or 70 * counts.graphs) / counts.graphs,
        edges=(counts.edges or 2 * (counts.listed or 280 * counts.graphs)) / counts.graphs,
        features=counts.features,
        classes=counts.classes,
        binary=citation and recipe.base.task.features == "raw",
        two_valued=citation,
        nonnegative=name != "REDDIT-BINARY",
    )
    return blueprint(recipe.base, shape)


def faults(call: Any, *arguments: Any, **options: Any) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        call(*arguments, **options)
    return {fault.path: str(fault) for fault in caught.value.faults}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Read recipes from a folder of its own."""
    monkeypatch.setattr(module, "_FOLDERS", (tmp_path / "nowhere", tmp_path / "recipes"))
    (tmp_path / "recipes").mkdir()
    return tmp_path / "recipes"


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_is_possible_on_a_task_of_its_sizes(name: str) -> None:
    recipe = named_recipe(name)
    assert load_config(None, catalog=catalog(), recipe=name) == recipe.base  # the names that it uses exist
    plan = planned(recipe)
    assert plan.costs["operations"] > 0
    assert plan.epochs >= recipe.base.optim.epochs


def unread(base: TrialConfig) -> set[str]:
    """Return what the observer of a scheme does not read."""
    defaults = {"QAT": "MovingAverage", "DegreeQuant": "Percentile"}
    observer = base.quant.observer if base.quant.observer != "auto" else defaults.get(base.quant.scheme)
    averages = {"MovingAverage", "MovingPercentile"}
    ordered = {"Percentile", "MovingPercentile"}
    return (set() if observer in averages else {"momentum"}) | (
        set() if observer in ordered else {"percentile", "sample"}
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_says_all_that_its_training_reads(name: str) -> None:
    recipe = named_recipe(name)
    base, said = recipe.base, {section: set(values) for section, values in recipe.sections.items()}
    prompts = {"prompt"} if recipe.spec.evidence == "confirmed here" else set()
    assert set(said) == {*ALWAYS, *prompts}, "what is published says nothing of prompts, ours does"
    wanted = {section: set(fields) for section, fields in ALWAYS.items()}
    wanted["quant"] |= READ[base.quant.scheme] - unread(base)
    if BY_NAME[base.task.dataset].level == "graph":
        wanted["task"] |= {"batch_size"}
        wanted["model"] |= {"readout", "head", "head_dropout"}
    else:
        assert base.task.sampling in {"whole", "nodes"}, "a recipe leaves no estimate to choose"
        wanted["task"] |= {"sampling"}
    if base.task.sampling == "nodes":
        wanted["task"] |= {"batch_size", "fan_outs", "draw_every"}
    if base.model.arch == "GAT":
        wanted["model"] |= {"heads"}
    missing = {section: fields - said[section] for section, fields in wanted.items() if fields - said[section]}
    assert not missing
    assert "fold" not in said["task"]
    assert {"bits", "layer_bits", "site_bits", "component_bits"} | READ[base.quant.scheme] >= said["quant"] - {"scheme"}


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_can_be_cited(name: str) -> None:
    about = named_recipe(name).spec
    assert about.citation.endswith(".")
    assert (about.evidence == "seen in code") == (" at " in about.source), "code that was seen has a commit"
    assert about.departures
    assert all(text.endswith(".") for text in about.departures)
    if about.evidence == "confirmed here":
        assert name.startswith("ours-")
        assert "fresh seeds" in about.protocol
        return
    method = {"dq": "DegreeQuant", "qat": "QAT", "a2q": "A2Q", "mixq": "MixQ"}[name.partition("-")[0]]
    parts = [method, about.model.arch.lower(), about.task.dataset.lower()]
    assert about.quant.scheme == parts[0]
    assert "-".join(parts[1:]) in name


def test_the_published_sizes_come_out() -> None:
    # Degree-Quant's repository counts 42,503 parameters on REDDIT-BINARY, five of them epsilons that are fixed here.
    assert planned(named_recipe("dq-gin-reddit-binary-int8")).costs["parameters"] == 42_503 - 5
    # MixQ's logs count 503,439,616 operations on Cora.
    assert planned(named_recipe("mixq-gcn-cora")).costs["operations"] == 503_439_616
    # A²Q's first layer on Cora stays as it is: its 1.70 bits are those of the second layer's input alone.
    assert set(planned(named_recipe("a2q-gcn-cora")).ledger.bits) >= {"layers.0.input", "layers.1.input"}
    assert planned(named_recipe("a2q-gcn-cora")).ledger.bits["layers.0.input"] == 1
    assert planned(named_recipe("a2q-gcn-pubmed")).ledger.bits["layers.0.input"] == 32


def test_an_unknown_name_is_told_with_the_nearest(tmp_path: Path) -> None:
    assert "did you mean 'a2q-gcn-cora'?" in faults(named_recipe, "a2q-gcn-cra")["recipe"]
    assert "unknown recipe" in faults(load_config, None, catalog=catalog(), recipe="x")["--recipe"]
    path = tmp_path / "study.toml"
    path.write_text(STUDY.format('recipe = "mixq-gcn-coral"\n[model]\narch = "GCNN"'))
    found = faults(load_study, path, catalog=catalog())
    assert "did you mean 'mixq-gcn-cora'?" in found["recipe"]
    assert "did you mean 'GCN'?" in found["model.arch"]
    path.write_text(STUDY.format("recipe = 3"))
    assert "wrong type" in faults(load_study, path, catalog=catalog())["recipe"]


def test_what_a_file_says_wins_over_its_recipe_and_settings_over_both(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(STUDY.format('recipe = "a2q-gcn-cora"\n[model]\nhidden = 32\n[optim]\nlr = 0.3'))
    base = load_study(path, catalog=catalog(), overrides=["optim.lr=0.4", "optim.epochs=7"]).base
    recipe = named_recipe("a2q-gcn-cora").base
    assert (base.model.hidden, base.optim.lr, base.optim.epochs) == (32, 0.4, 7)
    assert (base.quant, base.task) == (recipe.quant, recipe.task)
    assert base.model.dropout == 0.35
    assert load_config(path, catalog=catalog(), recipe="mixq-gcn-cora").quant.scheme == "MixQ"
    assert load_study(path, catalog=catalog(), overrides=["recipe=mixq-gcn-cora"]).base.model.hidden == 32


def test_tables_are_laid_entry_by_entry(folder: Path) -> None:
    shutil.copy(module._HERE.parents[1] / "studies" / "recipes" / "dq-gin-reddit-binary-int4.toml", folder)
    data: dict[str, Any] = {
        "recipe": "dq-gin-reddit-binary-int4",
        "quant": {"site_bits": {"layers.0.mlp.0.input": 8, "layers.1.input": 2}},
    }
    assert lay_recipe(data) == []
    assert data["quant"]["site_bits"] == {
        "layers.0.mlp.0.input": 8,
        "layers.1.input": 2,
        "layers.0.mlp.0.weight": 32,
        "layers.0.mlp.0.output": 32,
    }
    assert data["quant"]["scheme"] == "DegreeQuant"
    settings = named_recipe("dq-gin-reddit-binary-int4").settings
    assert settings["quant.site_bits.layers.0.mlp.0.input"] == 32
    assert settings["task.dataset"] == "REDDIT-BINARY"


def test_a_study_with_a_recipe_is_the_study_written_out(tmp_path: Path) -> None:
    paths = [tmp_path / "named.toml", tmp_path / "written.toml"]
    text = (module._folder() / "mixq-gcn-cora.toml").read_text("utf-8")
    sections = text[text.index("[task]") :]
    for path, content in zip(paths, ('recipe = "mixq-gcn-cora"', sections), strict=True):
        path.write_text(STUDY.format(content))
    named, written = (load_study(path, catalog=catalog()) for path in paths)
    assert named.base == written.base
    assert named.identity == written.identity
    assert named.recipe == "mixq-gcn-cora"
    assert "recipe" not in written.to_mapping()
    assert type(named).from_mapping(named.to_mapping()) == named


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ('evidence = "seen in code"', 'evidence = "heard"', "evidence", "not an allowed value"),
        ('name = "a2q-gcn-cora"', 'name = "other"', "name", "is not the file's; got 'other'; allowed: a2q-gcn-cora"),
        ("hidden = 16", "hiden = 16", "model.hiden", "did you mean 'hidden'?"),
        ("departures = [", "departure = [", "departures", "required key is missing"),
        ("version = 1", 'version = 1\nrecipe = "a2q-gcn-citeseer"', "recipe", "unknown key"),
        ("[optim]", "[search]\n[optim]", "search", "unknown key"),
    ],
)
def test_what_is_wrong_with_a_recipe_is_told(folder: Path, old: str, new: str, path: str, words: str) -> None:
    text = (module._HERE.parents[1] / "studies" / "recipes" / "a2q-gcn-cora.toml").read_text("utf-8")
    assert old in text
    (folder / "a2q-gcn-cora.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    assert words in faults(load_recipe, folder / "a2q-gcn-cora.toml")[path]


def test_an_installed_package_has_its_recipes_beside_the_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(__file__).resolve().parents[2]
    build = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]
    ((source, target),) = build["wheel"]["force-include"].items()
    assert sorted(path.stem for path in (root / source).iterdir()) == list(NAMES)
    assert root / target == module._FOLDERS[0]
    assert "studies" in build["sdist"]["include"]
    installed = tmp_path / "recipes"
    shutil.copytree(root / source, installed)
    monkeypatch.setattr(module, "_FOLDERS", (installed, tmp_path / "none"))
    assert recipe_names() == NAMES
    monkeypatch.setattr(module, "_FOLDERS", (tmp_path / "no", tmp_path / "none"))
    assert recipe_names() == ()


def test_a_file_without_a_recipe_is_left_alone() -> None:
    data: dict[str, Any] = {"model": {"hidden": 3}}
    assert lay_recipe(data) == []
    assert data == {"model": {"hidden": 3}}
    data = {"recipe": "a2q-gcn-cora", "model": 3}
    assert lay_recipe(data) == []
    assert data["model"] == 3
    assert TrialConfig() == TrialConfig.from_mapping({})


def test_every_recipe_is_documented() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "recipes.md").read_text("utf-8")
    rows = [
        line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `") and line.count("|") == 7
    ]
    told = {cells[0].strip("`"): cells[1:] for cells in rows}
    assert list(told) == list(NAMES)
    for name, cells in told.items():
        recipe = named_recipe(name)
        assert cells == [*list(recipe.summary.values())[1:-1], recipe.spec.evidence]
