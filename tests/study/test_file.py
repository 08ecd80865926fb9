from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lorap_bench.config import TrialConfig
from lorap_bench.errors import ConfigError, Fault
from lorap_bench.metric import Metric
from lorap_bench.study.file import flatten_space, load_config, load_study, study_name
from lorap_bench.study.space import Choices, FloatRange, IntRange
from tests.study.conftest import MINIMAL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.study.catalog import Catalog

    Write = Callable[..., Path]

SPACE = '\n"prompt.rank" = {line}\n'


def faults_of(path: Path, catalog: Catalog, *overrides: str) -> dict[str, Fault]:
    with pytest.raises(ConfigError) as caught:
        load_study(path, catalog=catalog, overrides=overrides)
    assert str(path) in str(caught.value)
    return {fault.path: fault for fault in caught.value.faults}


def test_a_minimal_study_takes_the_defaults(study_file: Write, catalog: Catalog) -> None:
    spec = load_study(study_file(), catalog=catalog)
    assert spec.base == TrialConfig()
    assert spec.objectives == ("accuracy", "average_bits")
    assert (spec.search.sampler, spec.replicas.search, spec.replicas.confirm) == ("EHVI", 1, 0)
    assert [p.path for p in spec.parameters.parameters] == ["prompt.count"]


def test_every_section_reaches_the_study(study_file: Write, catalog: Catalog) -> None:
    extra = """
"prompt.rank" = { int = [1, 16], log = true }
"prompt.node_count" = { int = [1, 9], step = 4 }
"optim.lr" = { float = [1, 1e-0], log = false }
"quant.layer_bits.head" = { choices = [2, 32] }
"prompt.gate" = { choices = ["linear"], when = { "prompt.kind" = ["LoRAP", "GPF"], "prompt.count" = 2 } }
[task]
dataset = "TUDataset/MUTAG"
[model]
dropout = 0
[prompt]
kind = "LoRAP"
[quant.site_bits]
"layers.0.weight" = 4
[constraints]
average_bits = "<= 4.5"
accuracy = " >= .5e0 "
[search]
sampler = "TPE"
arguments = { n_startup_trials = 3 }
"""
    spec = load_study(study_file(extra), catalog=catalog)
    found = {p.path: (p.distribution, p.when) for p in spec.parameters.parameters}
    assert found["prompt.rank"] == (IntRange(1, 16, log=True), {})
    assert found["prompt.node_count"] == (IntRange(1, 9, step=4), {})
    assert found["optim.lr"] == (FloatRange(1.0, 1.0), {})
    assert found["quant.layer_bits.head"] == (Choices((2, 32)), {})
    assert found["prompt.gate"][1] == {"prompt.kind": ("LoRAP", "GPF"), "prompt.count": (2,)}
    assert isinstance(spec.base.model.dropout, float)
    assert spec.base.quant.site_bits == {"layers.0.weight": 4}
    assert [rule.violation(5.0) for rule in spec.constraint_rules] == [0.5, -4.5]


def test_nested_tables_and_dotted_keys_are_the_same_space() -> None:
    dotted = tomllib.loads('"a.b" = { int = [1, 2], when = { "c.d" = 1 } }\n"a.e.f" = { choices = [1] }')
    nested = tomllib.loads("[a]\nb = { int = [1, 2], when.c.d = 1 }\n[a.e]\nf = { choices = [1] }")
    assert flatten_space(dotted) == flatten_space(nested)
    assert set(flatten_space(nested)) == {"a.b", "a.e.f"}


def test_overrides_reach_every_section(study_file: Write, catalog: Catalog) -> None:
    overrides = ["budget.trials=9", "prompt.kind=LoRAP", "space.prompt.rank={ choices = [1] }", "optim.epochs=2"]
    spec = load_study(study_file(), catalog=catalog, overrides=overrides)
    assert (spec.budget.trials, spec.base.prompt.kind, spec.base.optim.epochs) == (9, "LoRAP", 2)
    assert set(spec.space) == {"prompt.count", "prompt.rank"}


def test_faults_of_an_override_say_so(study_file: Write, catalog: Catalog) -> None:
    found = faults_of(study_file(), catalog, "optim.epoch=2", "prompt.count=2")
    assert found["optim.epoch (from --set)"].suggestion == "epochs"
    assert "is searched" in found["prompt.count (from --set)"].message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version = 1\nname = \n", "not valid TOML.*line 2"),
        ("a = 1\na = 2", "not valid TOML"),
    ],
)
def test_a_syntax_error_has_its_line(study_file: Write, catalog: Catalog, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_study(study_file(text=text), catalog=catalog)


def test_a_file_that_is_not_there_names_the_nearest(study_file: Write, catalog: Catalog) -> None:
    path = study_file(name="cora-gcn.toml")
    with pytest.raises(ConfigError, match=r"no such file.*did you mean 'cora-gcn.toml'"):
        load_study(path.with_name("cora-gnc.toml"), catalog=catalog)
    with pytest.raises(ConfigError, match="cannot read the file"):
        load_study(path.parent / "nowhere" / "x.toml", catalog=catalog)
    with pytest.raises(ConfigError, match="cannot read the file"):
        load_study(path.parent, catalog=catalog)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path, catalog: Catalog) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_study(path, catalog=catalog)


def test_all_faults_come_at_once(study_file: Write, catalog: Catalog) -> None:
    text = """
nam = "x"
name = "Bad Name"
objectives = ["accuracy", "acuracy"]
[task]
dataset = "Coraa"
fold = 20
[quant]
bits = 9
component_bits = { weigth = 4 }
layer_bits = { O = 4 }
[model]
hidden = "16"
[optim]
epoch = 3
[constraints]
average_bit = "<= 4"
overhead = "< 4"
[search]
sampler = "TPEE"
[replicas]
search = 0
confirm = 1.5
[budget]
[storage]
kind = "jurnal"
[space]
"prompt.cuont" = { choices = [1] }
"""
    found = faults_of(study_file(text=text), catalog)
    assert set(found) == {
        "version",
        "nam",
        "name",
        "objectives[1]",
        "task.dataset",
        "task.fold",
        "quant.bits",
        "quant.component_bits.weigth",
        "quant.layer_bits.O",
        "model.hidden",
        "optim.epoch",
        "constraints.average_bit",
        "constraints.overhead",
        "search.sampler",
        "replicas.search",
        "replicas.confirm",
        "budget.trials",
        "storage.kind",
        "space.prompt.cuont",
    }
    assert found["version"].message == "required key is missing"
    assert found["nam"].suggestion == "name"
    assert found["objectives[1]"].suggestion == "accuracy"
    assert found["task.fold"].allowed == "<= 19"
    assert found["model.hidden"].allowed == "a whole number"
    assert found["optim.epoch"].suggestion == "epochs"
    assert found["optim.epoch"].allowed.startswith("epochs, lr")
    assert found["constraints.overhead"].allowed == '"<= number" or ">= number"'
    assert found["search.sampler"].suggestion == "TPE"
    assert found["storage.kind"].suggestion == "journal"


@pytest.mark.parametrize(
    ("line", "place", "message"),
    [
        ("{ int = [0, 4] }", ".int[0]", "out of range"),
        ("{ int = [4, 2] }", "", "lower end 4 is above"),
        ("{ int = [1, 4], step = 2 }", "", "do not reach 4"),
        ("{ int = [1, 4], step = 0 }", "", "step must be at least 1"),
        ("{ int = [1, 4, 5] }", ".int", "wrong number of values"),
        ("{ int = [1] }", ".int[1]", "required key is missing"),
        ("{ int = [1, 2.5] }", ".int[1]", "wrong type"),
        ("{ float = [1.5, 2.5] }", ".float[0]", "wrong type"),
        ("{ float = [2, 4], step = 2 }", "", "step goes with int only"),
        ("{ choices = [1], log = true }", "", "log goes with int and float only"),
        ("{ choices = [] }", ".choices", "wrong number of values"),
        ("{ choices = [2, 2] }", ".choices", "must not repeat"),
        ("{ choices = [1, [2]] }", ".choices[1]", "must be a number, text"),
        ("{ choices = [1, 0] }", ".choices[1]", "out of range"),
        ("{ choices = ['4'] }", ".choices[0]", "wrong type"),
        ("{ choices = [1], int = [1, 2] }", "", "has choices and int"),
        ("{ step = 2 }", "", "has none"),
        ("{ chioces = [2] }", ".chioces", "unknown key"),
        ("3", "", "wrong type"),
        ("{ choices = [1], when = { 'prompt.knd' = 1 } }", ".when.prompt.knd", "unknown configuration path"),
        ("{ choices = [1], when = { 'prompt.kind' = 'LoRap' } }", ".when.prompt.kind", "unknown prompt"),
        ("{ choices = [1], when = { 'model.hidden' = 'x' } }", ".when.model.hidden", "wrong type"),
        ("{ choices = [1], when = { 'prompt.count' = 3 } }", ".when.prompt.count", "never takes"),
        ("{ choices = [1], when = { 'prompt.rank' = 1 } }", "circle", "conditions form a circle"),
        ("{ choices = [1], when = { 'prompt.kind' = [[1]] } }", ".when.prompt.kind", "must be a number, text"),
    ],
)
def test_impossible_parameters(study_file: Write, catalog: Catalog, line: str, place: str, message: str) -> None:
    found = faults_of(study_file(SPACE.format(line=line)), catalog)
    path = "space" if place == "circle" else f"space.prompt.rank{place}"
    assert message in found[path].message


def test_a_range_with_holes_in_its_field_is_refused(study_file: Write, catalog: Catalog) -> None:
    found = faults_of(study_file('"quant.bits" = { int = [8, 32] }\n'), catalog)
    assert found["space.quant.bits.int"].got == 9


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ('"quant.scheme" = { choices = ["QAT", "QTA"] }', "space.quant.scheme.choices[1]"),
        ('"quant.layer_bits.hed" = { choices = [2] }', "space.quant.layer_bits.hed"),
        ('"quant.component_bits.wight" = { choices = [2] }', "space.quant.component_bits.wight"),
        ('"quant.bits" = { choices = [1, 2] }', "space.quant.bits.choices[0]"),
        ('"prompt" = 3', "space.prompt"),
        ('"task.fold" = { int = [0, 9] }', "space.task.fold"),
        ('"task.dataset" = { choices = ["Cora", "Croa"] }', "space.task.dataset.choices[1]"),
    ],
)
def test_names_and_keys_of_the_space_are_checked(study_file: Write, catalog: Catalog, line: str, path: str) -> None:
    assert path in faults_of(study_file(line + "\n"), catalog)


def test_a_condition_on_real_numbers_or_with_a_wide_parent(study_file: Write, catalog: Catalog) -> None:
    text = """
"optim.lr" = { float = [0.1, 1.0] }
"prompt.rank" = { choices = [1], when = { "optim.lr" = 0.1 } }
"prompt.node_count" = { int = [1, 100000] }
"prompt.temperature" = { choices = [1.0], when = { "prompt.node_count" = 0 } }
"""
    found = faults_of(study_file(text), catalog)
    assert "choices or whole numbers" in found["space.prompt.rank.when.optim.lr"].message
    assert found["space.prompt.temperature.when.prompt.node_count"].allowed == "1 to 100000"


@pytest.mark.parametrize("value", ["inf", "nan", "2024-01-01"])
def test_values_without_a_meaning_are_refused(study_file: Write, catalog: Catalog, value: str) -> None:
    found = faults_of(study_file(f'"optim.lr" = {{ float = [0.1, {value}] }}\n'), catalog)
    assert set(found) == {"space.optim.lr.float[1]"}


@pytest.mark.parametrize("extra", ["", "[search]\nsampler = 3\narguments = 2\n"])
def test_sections_of_the_wrong_shape_do_not_hide_others(study_file: Write, catalog: Catalog, extra: str) -> None:
    text = 'version = 2\nname = "x"\nobjectives = []\nspace = 3\nconstraints = 1\nquant = 3\n' + extra
    found = faults_of(study_file(text=text), catalog)
    assert {"version", "objectives", "space", "constraints", "quant", "budget"} <= set(found)


def test_a_study_needs_something_to_search(study_file: Write, catalog: Catalog) -> None:
    path = study_file(text='version = 1\nname = "x"\nobjectives = ["accuracy"]\nbudget = { trials = 1 }\n')
    assert faults_of(path, catalog)["space"].message == "nothing to search"
    assert load_config(path, catalog=catalog) == TrialConfig()


def test_a_config_file_has_the_five_sections_alone(study_file: Write, catalog: Catalog) -> None:
    path = study_file(text='[prompt]\nkind = "LoRAP"\n[optim]\nepochs = 5\n')
    config = load_config(path, catalog=catalog, overrides=["optim.epochs=7"])
    assert (config.prompt.kind, config.optim.epochs) == ("LoRAP", 7)


def test_faults_of_a_config_file(study_file: Write, catalog: Catalog) -> None:
    path = study_file(text='[promt]\nkind = "LoRAP"\n[quant]\nscheme = "QTA"\n')
    with pytest.raises(ConfigError) as caught:
        load_config(path, catalog=catalog)
    assert [(fault.path, fault.suggestion) for fault in caught.value.faults] == [
        ("promt", "prompt"),
        ("quant.scheme", "QAT"),
    ]


def test_a_searched_path_may_be_set_for_a_single_training(study_file: Write, catalog: Catalog) -> None:
    assert load_config(study_file(), catalog=catalog, overrides=["prompt.count=3"]).prompt.count == 3


def test_the_name_of_a_study_whatever_else_is_wrong(study_file: Write) -> None:
    assert study_name(study_file("[quant]\nbits = 99\n")) == "tiny"
    with pytest.raises(ConfigError, match="name"):
        study_name(study_file(text="seed = 3"))


def test_the_order_of_keys_is_kept_for_the_space(study_file: Write, catalog: Catalog) -> None:
    spec = load_study(
        study_file('"optim.lr" = { choices = [0.1] }\n"prompt.rank" = { choices = [1] }\n'), catalog=catalog
    )
    assert list(spec.space) == ["prompt.count", "optim.lr", "prompt.rank"]


@pytest.mark.parametrize(
    "setting",
    [
        "space={model.hidden={choices=[8,16]}}",
        'space={"model.hidden"={choices=[8,16]}}',
        "space.model={hidden={choices=[8,16]}}",
        'space."model.hidden"={choices=[8,16]}',
        "space.model.hidden={choices=[8,16]}",
    ],
)
def test_a_space_may_be_set_nested_or_dotted(study_file: Write, catalog: Catalog, setting: str) -> None:
    spec = load_study(study_file(), catalog=catalog, overrides=[setting])
    assert list(spec.space)[-1] == "model.hidden"
    assert ("prompt.count" in spec.space) == setting.startswith("space.")  # the whole table, or one line of it


def test_an_override_meets_its_line_however_either_is_written(study_file: Write, catalog: Catalog) -> None:
    path = study_file("[space.optim]\nlr = { choices = [0.1] }\n")
    for setting in ("space.optim.lr={choices=[0.2]}", "space.optim={lr={choices=[0.2]}}"):
        spec = load_study(path, catalog=catalog, overrides=[setting])
        assert spec.space["optim.lr"].choices == (0.2,)


def test_a_byte_order_mark_is_read_over(study_file: Write, catalog: Catalog) -> None:
    path = study_file()
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_study(path, catalog=catalog).name == "tiny"


def test_a_folder_in_place_of_a_file_does_not_suggest_itself(tmp_path: Path, catalog: Catalog) -> None:
    path = tmp_path / "dir.toml"
    path.mkdir()
    with pytest.raises(ConfigError, match="is a directory") as caught:
        load_study(path, catalog=catalog)
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("dataset", "metric", "right", "what"),
    [
        ("ZINC", "accuracy", "mae", "values"),
        ("Molecules/ZINC", "accuracy", "mae", "values"),
        ("Cora", "mae", "accuracy", "classes"),
    ],
)
def test_a_metric_goes_with_what_is_predicted(
    study_file: Write, catalog: Catalog, dataset: str, metric: str, right: str, what: str
) -> None:
    chemistry = replace(
        catalog, datasets=(*catalog.datasets, "ZINC"), families=("Molecules",), metrics={"ZINC": Metric.MAE}
    )
    text = (
        MINIMAL.replace('"accuracy"', f'"{metric}"')
        + f"""
[task]
dataset = "{dataset}"
[constraints]
{metric} = "<= 2"
"""
    )
    found = faults_of(study_file(text=text), chemistry)
    assert set(found) == {"objectives", f"constraints.{metric}"}
    assert found["objectives"].message == f"{what} are predicted on {dataset}"
    assert (found["objectives"].got, found["objectives"].allowed) == (metric, right)
    spec = load_study(study_file(text=text.replace(metric, right)), catalog=chemistry)
    assert spec.metric.value == right
