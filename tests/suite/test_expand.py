from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lorap_bench.config import TrialConfig
from lorap_bench.errors import ConfigError
from lorap_bench.suite.cell import Cell, Replica
from lorap_bench.suite.expand import expand, parse_only, select

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.suite.spec import SuiteSpec

    Load = Callable[[str], SuiteSpec]


def test_the_product_in_order_the_first_axis_slowest(load: Load, text: str) -> None:
    cells = expand(load(text))
    assert [cell.name for cell in cells] == ["QAT None", "QAT LoRAP", "A2Q None", "A2Q LoRAP"]
    assert [(cell.config.quant.scheme, cell.config.prompt.kind) for cell in cells] == [
        tuple(cell.axes.values()) for cell in cells
    ]
    assert {cell.config.optim.epochs for cell in cells} == {2}
    assert len({cell.key for cell in cells}) == 4


def test_overrides_apply_where_all_conditions_hold_and_the_last_wins(load: Load, text: str) -> None:
    rules = """
[[override]]
when = { scheme = ["QAT", "A2Q"] }
set = { "optim.epochs" = 3, "optim.lr" = 1 }
[[override]]
when = { scheme = "A2Q", "prompt.kind" = "LoRAP" }
set = { "optim.epochs" = 5, quant.layer_bits.0 = 2 }
"""
    cells = expand(load(text + rules))
    assert [cell.config.optim.epochs for cell in cells] == [3, 3, 3, 5]
    assert [cell.config.quant.layer_bits for cell in cells] == [{}, {}, {}, {"0": 2}]
    assert repr(cells[0].config.optim.lr) == "1.0"  # in the field's own type


def test_what_is_skipped_says_why(load: Load, text: str) -> None:
    rule = '[[skip]]\nwhen = { scheme = "A2Q", prompt = "LoRAP" }\nreason = "done elsewhere"\n'
    assert [cell.skipped for cell in expand(load(text + rule))] == ["", "", "", "done elsewhere"]
    with pytest.raises(ConfigError, match=r"every cell of the product is skipped: too dear"):
        expand(load(text + '[[skip]]\nwhen = { scheme = ["QAT", "A2Q"] }\nreason = "too dear"\n'))


def test_seeds_and_folds(load: Load, text: str) -> None:
    both = text.replace("seeds = 2", "seeds = 2\nfolds = 3").replace(
        "[axes]", '[axes]\ndataset = ["Digits", "MUTAG"]\n'
    )
    digits, *_, mutag = expand(load(both))
    assert digits.replicas == (Replica(0, 0), Replica(1, 0))
    assert mutag.replicas == (Replica(0, 0), Replica(1, 1), Replica(2, 2))
    assert digits.requests() == [(digits.config, (0, 1))]
    assert [(config.task.fold, seeds) for config, seeds in mutag.requests()] == [(0, (0,)), (1, (1,)), (2, (2,))]
    alone = expand(load(both.replace("folds = 3", "")))[-1]
    assert alone.replicas == (Replica(0, 0), Replica(1, 0))
    on_fold = expand(load(text.replace("[axes]", '[task]\ndataset = "MUTAG"\nfold = 7\n[axes]')))[0]
    assert on_fold.replicas == (Replica(0, 7), Replica(1, 7))


def test_a_key_is_of_the_configuration_and_the_replicas_alone() -> None:
    config = TrialConfig()
    one = Cell(axes={"bits": 8}, config=config, replicas=(Replica(0, 0),))
    assert one.key == replace(one, axes={"quant.bits": 8}, skipped="x").key == "546f2f60a17ea926"
    others = [
        replace(one, replicas=(Replica(1, 0),)),
        replace(one, replicas=(Replica(0, 1),)),
        replace(one, config=replace(config, optim=replace(config.optim, lr=0.02))),
    ]
    assert len({one.key, *(other.key for other in others)}) == 4


def test_only_chooses_cells(load: Load, text: str) -> None:
    spec = load(text.replace("[axes]", "[axes]\nbits = [4, 8]\n"))
    cells = expand(spec)

    def names(*only: str) -> list[str]:
        return [cell.name for cell in select(cells, parse_only(spec, only))]

    assert names("scheme=A2Q,prompt=None") == ["4 A2Q None", "8 A2Q None"]
    assert names("bits=8, quant.scheme=A2Q", "prompt=None,prompt=LoRAP") == ["8 A2Q None", "8 A2Q LoRAP"]
    assert len(names()) == 8


@pytest.mark.parametrize(
    ("only", "words"),
    [
        ("shceme=A2Q", r"no axis of this suite; got 'shceme=A2Q'; allowed: scheme, prompt; did you mean 'scheme'"),
        ("scheme=A2", r"a value that scheme never takes; got 'A2'; allowed: QAT, A2Q; did you mean 'A2Q'"),
        ("scheme", r"not axis=value"),
        ("dataset=Cora", r"no axis of this suite"),
    ],
)
def test_only_refuses_what_the_suite_has_not(load: Load, text: str, only: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_only(load(text), [only])
