from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lorap_bench.cli.wiring import catalog
from lorap_bench.errors import ConfigError
from lorap_bench.suite.file import load_suite
from lorap_bench.suite.spec import SuiteSpec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Load = Callable[[str], SuiteSpec]


def faults(load: Load, text: str) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        load(text)
    return {fault.path: str(fault) for fault in caught.value.faults}


def test_the_committed_suites_load_and_are_named_as_their_files(project_root: Path) -> None:
    paths = sorted((project_root / "studies" / "suites").glob("*.toml"))
    assert {"small", "small-tuned", "tiny"} <= {path.stem for path in paths}
    for path in paths:
        spec = load_suite(path, catalog=catalog())
        assert spec.name.removeprefix("suite-") == path.stem
        assert spec.description


def test_the_suite_of_the_documentation_loads(load: Load, project_root: Path) -> None:
    page = (project_root / "docs" / "suites.md").read_text("utf-8")
    whole, tuned = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert load(whole).name == "prompts-on-graphs"
    found = load(whole[: whole.index("[replicas]")] + tuned)
    assert found.tune is not None
    assert found.tune.trials == 30


def test_a_suite_survives_its_plain_values(load: Load, text: str) -> None:
    spec = load(
        text + '[[override]]\nwhen = { scheme = "A2Q" }\nset = { "optim.lr" = 0.1, "quant.candidates" = [2, 4] }\n'
    )
    assert SuiteSpec.from_mapping(spec.to_mapping()) == spec
    assert spec.override[0].when == {"scheme": ("A2Q",)}
    assert list(spec.axes) == ["scheme", "prompt"]


def test_keys_may_be_dotted_or_nested(load: Load, text: str) -> None:
    dotted = load(text.replace("[axes]", '[axes]\n"model.arch" = ["GCN"]\n'))
    nested = load(text.replace("[axes]", '[axes]\nmodel.arch = ["GCN"]\n'))
    assert dotted == nested
    assert "model.arch" in nested.axes


def test_all_faults_at_once(load: Load, text: str) -> None:
    broken = text.replace('["QAT", "A2Q"]', '["QAT", "A2"]').replace('prompt = ["None", "LoRAP"]', "prompt = []")
    broken = (
        broken.replace("seeds = 2", "seeds = 0\nfold = 3") + '[[override]]\nwhen = {}\nset = { "optim.lr" = "x" }\n'
    )
    found = faults(load, broken)
    assert "unknown scheme" in found["axes.scheme[1]"]
    assert "did you mean 'A2Q'?" in found["axes.scheme[1]"]
    assert "wrong number of values" in found["axes.prompt"]
    assert "out of range" in found["replicas.seeds"]
    assert "did you mean 'folds'?" in found["replicas.fold"]
    assert "wrong number of values" in found["override[0].when"]
    assert "wrong type" in found["override[0].set.optim.lr"]


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ("[axes]", "[axes]\nschema = [1]", "axes.schema", "unknown axis; got 'schema'; allowed: dataset, arch, scheme"),
        ("[axes]", '[axes]\n"model.hiden" = [1]', "axes.model.hiden", "did you mean 'model.hidden'?"),
        ("[axes]", '[axes]\n"quant.scheme" = ["QAT"]', "axes.scheme", "is the axis quant.scheme once more"),
        ("[axes]", "[axes]\nbits = [9]", "axes.bits[0]", "not an allowed value; got 9"),
        ("[axes]", "[axes]\nbits = [4, 4]", "axes.bits", "must not repeat a value"),
        ("[axes]", '[axes]\n"quant.layer_bits.x" = [4]', "axes.quant.layer_bits.x", "unknown layer"),
        ("[axes]", "[axes]\nbits = 4", "axes.bits", "wrong type; got 4; allowed: a list"),
        ('scheme = ["QAT", "A2Q"]\nprompt = ["None", "LoRAP"]', "", "axes", "wrong number of values"),
        ("version = 1", "version = 2", "version", "not an allowed value"),
        ("[model]", '[model]\narch = "GCNN"', "model.arch", "did you mean 'GCN'?"),
        ("seeds = 2", "folds = 11", "replicas.folds", "out of range"),
        ("seeds = 2", "folds = 3\n[task]\nfold = 1", "task.fold", "replicas.folds chooses the folds"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(load: Load, text: str, old: str, new: str, path: str, words: str) -> None:
    assert words in faults(load, text.replace(old, new, 1))[path]


@pytest.mark.parametrize(
    ("rule", "path", "words"),
    [
        ('[[skip]]\nwhen = { scheme = "A2Q" }', "skip[0].reason", "required key is missing"),
        ('[[skip]]\nwhen = { scheme = "FP32" }\nreason = "x"', "skip[0].when.scheme", "scheme never takes"),
        ('[[skip]]\nwhen = { schem = "A2Q" }\nreason = "x"', "skip[0].when.schem", "did you mean 'scheme'?"),
        ('[[override]]\nwhen = { scheme = "A2Q" }\nset = { prompt = "LoRAP" }', "override[0].set.prompt", "is an axis"),
        ('[[override]]\nwhen = { scheme = "A2Q" }\nset = { epochs = 3 }', "override[0].set.epochs", "unknown axis"),
        ('[[override]]\nwhen = { scheme = "A2Q" }\nsett = { "optim.lr" = 1 }', "override[0].sett", "unknown key"),
    ],
)
def test_what_is_wrong_with_a_rule_is_told(load: Load, text: str, rule: str, path: str, words: str) -> None:
    assert words in faults(load, f"{text}\n{rule}\n")[path]


def test_the_fold_is_chosen_once(load: Load, text: str) -> None:
    folds = text.replace("seeds = 2", "folds = 2")
    rule = '[[override]]\nwhen = { scheme = "A2Q" }\nset = { "task.fold" = 1 }\n'
    assert "override[0].set.task.fold" in faults(load, folds + rule)
    assert "axes.task.fold" in faults(load, folds.replace("[axes]", '[axes]\n"task.fold" = [0, 1]'))
    assert load(text.replace("[axes]", '[axes]\n"task.fold" = [0, 1]')).axes["task.fold"] == (0, 1)
