"""Recipes in a suite: under its sections, and under what an override sets; an axis wins over both."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lorap_bench.errors import ConfigError
from lorap_bench.study.recipe import named_recipe
from lorap_bench.suite.expand import expand
from lorap_bench.suite.spec import SuiteSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    Load = Callable[[str], SuiteSpec]

TEXT = """
version = 1
name = "recipes"
recipe = "mixq-gcn-citeseer"
[model]
dropout = 0.1
[optim]
epochs = 3
[axes]
dataset = ["Cora", "CiteSeer"]
scheme = ["A2Q", "MixQ"]
prompt = ["None", "LoRAP"]
bits = [2]
[[override]]
when = { scheme = "A2Q" }
recipe = "a2q-gcn-citeseer"
[[override]]
when = { dataset = "Cora", scheme = "A2Q" }
recipe = "a2q-gcn-cora"
set = { "optim.lr" = 0.5, quant.lr_bits = 0.25 }
"""


def faults(load: Load, text: str) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        load(text)
    return {fault.path: str(fault) for fault in caught.value.faults}


def test_recipes_are_laid_under_sections_and_settings_and_axes_win(load: Load) -> None:
    cells = {tuple(cell.axes.values()): cell.config for cell in expand(load(TEXT))}
    mixq, cora = cells["CiteSeer", "MixQ", "None", 2], cells["Cora", "A2Q", "LoRAP", 2]
    assert (mixq.model.dropout, mixq.model.hidden, mixq.optim.epochs) == (0.1, 128, 3)
    assert mixq.quant.candidates == [2, 4, 8]
    recipe = named_recipe("a2q-gcn-cora").base
    assert (cora.task.dataset, cora.quant.scheme, cora.quant.bits, cora.prompt.kind) == ("Cora", "A2Q", 2, "LoRAP")
    assert (cora.optim.lr, cora.quant.lr_bits) == (0.5, 0.25)
    assert (cora.model, cora.optim.epochs, cora.quant.memory_weight) == (recipe.model, 200, 2.5)
    citeseer = cells["CiteSeer", "A2Q", "None", 2]
    assert (citeseer.quant.memory_weight, citeseer.task.features, citeseer.task.dataset) == (1.5, "raw", "CiteSeer")


def test_a_suite_is_what_its_recipes_said_when_it_was_read(load: Load) -> None:
    spec = load(TEXT)
    again = SuiteSpec.from_mapping(spec.to_mapping())
    assert again == spec
    assert [cell.key for cell in expand(again)] == [cell.key for cell in expand(spec)]
    assert [change.recipe for change in spec.override] == ["a2q-gcn-citeseer", "a2q-gcn-cora"]
    assert not {"quant.scheme", "quant.bits", "task.dataset"} & set(spec.override[0].settings)
    written = "\n".join(f'"{path}" = {json.dumps(value)}' for path, value in spec.override[0].settings.items())
    start = TEXT.index("[[override]]")
    other = f'{TEXT[:start]}[[override]]\nwhen = {{ scheme = "A2Q" }}\n[override.set]\n{written}\n'
    keys = {cell.name: cell.key for cell in expand(load(other))}
    named = {cell.name: cell.key for cell in expand(spec)}
    assert all(named[name] == key for name, key in keys.items() if "CiteSeer" in name)


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ('recipe = "mixq-gcn-citeseer"', 'recipe = "mixq-gcn-citesear"', "recipe", "mean 'mixq-gcn-citeseer'?"),
        ('recipe = "a2q-gcn-cora"', 'recipe = "a2q-gcn-coar"', "override[1].recipe", "mean 'a2q-gcn-cora'?"),
        ('recipe = "a2q-gcn-citeseer"', "", "override[0]", "needs set, a recipe, or both"),
        ('recipe = "a2q-gcn-citeseer"', "recipe = 1", "override[0].recipe", "wrong type"),
        ('recipe = "a2q-gcn-citeseer"', 'recip = "x"', "override[0].recip", "did you mean 'recipe'?"),
        ('recipe = "a2q-gcn-cora"\nset = {', 'recipe = "a2q-gcn-cora"\nset = { dataset = "Cora",', "*", "is an axis"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(load: Load, old: str, new: str, path: str, words: str) -> None:
    assert old in TEXT
    found = faults(load, TEXT.replace(old, new, 1))
    assert words in (found["override[1].set.dataset"] if path == "*" else found[path])


def test_a_skip_has_no_recipe(load: Load) -> None:
    rule = '[[skip]]\nwhen = { scheme = "A2Q" }\nreason = "x"\nrecipe = "a2q-gcn-cora"\n'
    assert "unknown key" in faults(load, TEXT + rule)["skip[0].recipe"]
