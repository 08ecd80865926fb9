from __future__ import annotations

import csv
import io
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from lorap_bench.errors import StoreError
from lorap_bench.prompts import PROMPTS
from lorap_bench.published.result import Definition, Metric, Reliability
from lorap_bench.published.table import COLUMNS, published, read_results
from lorap_bench.quant import SCHEMES

if TYPE_CHECKING:
    from lorap_bench.published.result import PublishedResult

TEXT = files("lorap_bench.published").joinpath("results.csv").read_text(encoding="utf-8")
ROW = {
    "paper": "A paper",
    "framework": "MixQ",
    "prompt": "None",
    "arch": "GCN",
    "dataset": "Cora",
    "metric": "accuracy %",
    "bits": "mixed",
    "average_bits": "7.69",
    "bits_definition": "MixQ: mean over quantizers",
    "value": "81.58",
    "std": "0.75",
    "runs": "10",
    "protocol": "split=public; folds=3; selection=validation; data=full; pool=max; hidden=128; layers=2",
    "source": "a/repository@0123abc:a/path",
    "reliability": "log",
    "note": "lambda 1",
}


def table(*rows: dict[str, str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def found(dataset: str, **wanted: object) -> list[PublishedResult]:
    return [
        result
        for result in published(dataset, unverified=True)
        if all(getattr(result, name) == value for name, value in wanted.items())
    ]


def test_every_row_is_valid_and_has_its_source() -> None:
    results = read_results(TEXT)
    assert len(results) == len(TEXT.splitlines()) - 1 == 317
    assert [result.line for result in results] == list(range(2, 319))
    for result in results:
        assert result.source
        assert (result.reliability is Reliability.MEMORY) == result.note.startswith("from memory, unverified")
        if result.metric is Metric.ACCURACY:
            assert 0 < result.value < 1
            assert result.std is None or result.std < 0.25


def test_our_schemes_and_prompts_go_by_our_names() -> None:
    results = read_results(TEXT)
    assert {result.framework for result in results} == {*SCHEMES, "MixQ+DQ", "unknown"}
    assert {result.prompt for result in results} - set(PROMPTS) == {"best LoRAP/GPF-LoRAP entry"}


def test_no_figure_stands_twice() -> None:
    lines = TEXT.splitlines()
    assert len(set(lines)) == len(lines)


@pytest.mark.parametrize(
    ("dataset", "framework", "bits", "value", "std"),
    [
        ("Cora", "MixQ", 7.69, 0.8158, 0.0075),
        ("Cora", "MixQ", 5.82, 0.7772, 0.0285),
        ("Cora", "MixQ+DQ", 3.69, 0.7234, 0.0128),
        ("CiteSeer", "MixQ", 3.44, 0.6087, 0.0872),
        ("PubMed", "MixQ", 7.36, 0.7833, 0.0024),
        ("ogbn-arxiv", "MixQ", 8.0, 0.7061, 0.0004),
        ("REDDIT-BINARY", "DegreeQuant", 4.0, 0.862, 0.032),
        ("REDDIT-BINARY", "DegreeQuant", 4.0, 0.834, 0.0492),
        ("REDDIT-BINARY", "A2Q", 4.35, 0.88851, 0.02164),
        ("PROTEINS", "DegreeQuant", 4.0, 0.73145, 0.04064),
        ("DD", "MixQ", 4.912, 0.6962, 0.1081),
        ("ogbn-products", "MixQ", 7.182, 0.6343, 0.0393),
    ],
)
def test_figures_are_those_of_logs_and_pages(
    dataset: str, framework: str, bits: float, value: float, std: float
) -> None:
    near = [
        result for result in found(dataset, framework=framework, average_bits=bits) if abs(result.value - value) < 1e-9
    ]
    assert [result.std for result in near] == [pytest.approx(std)]
    assert near[0].reliability is Reliability.LOG


def test_protocols_tell_what_decides_a_figure() -> None:
    [rerun] = found("REDDIT-BINARY", framework="A2Q", reliability=Reliability.LOG)
    assert (rerun.protocol.folds, rerun.protocol.selection, rerun.protocol.data) == (3, "test", "full")
    assert (rerun.runs, rerun.definition) == (3, Definition.A2Q)
    for one in found("PROTEINS", framework="MixQ"):
        assert (one.protocol.folds, one.protocol.data, one.protocol.pool, one.runs) == (10, "cleaned", "max", 10)
        assert one.protocol.selection == "validation"
    [best] = found("Cora", framework="QAT", average_bits=5.556)
    assert best.protocol.selection == "test"
    assert str(best.protocol) == "split public, selection test, hidden 128, layers 2"
    shared = found("ogbn-arxiv", framework="FP32", reliability=Reliability.LOG)
    assert {(one.std, one.runs) for one in shared} == {(None, 1)}  # the log prints one model's figure ten times


def test_errors_of_regression_are_as_printed() -> None:
    [one] = found("ZINC", framework="A2Q")
    assert (one.metric, one.value, one.std) == (Metric.MAE, 0.492, 0.056)
    assert not one.metric.higher_is_better


def test_figures_from_memory_have_to_be_asked_for() -> None:
    assert [one.framework for one in published("ZINC")] == ["unknown"]
    everything = read_results(TEXT)
    names = {one.dataset for one in everything}
    asked = [one for name in names for one in published(name, unverified=True)]
    default = [one for name in names for one in published(name)]
    assert (len(asked), len(default)) == (len(everything), len(everything) - 112)
    assert all(one.reliability is not Reliability.MEMORY for one in default)
    assert published("Digits", unverified=True) == []


def test_empty_cells_are_not_known() -> None:
    empty = dict.fromkeys(("average_bits", "std", "runs", "protocol", "note"), "")
    [one] = read_results(table(ROW | empty | {"bits": "unknown", "bits_definition": "not stated"}))
    assert (one.average_bits, one.std, one.runs, one.note) == (None, None, None, "")
    assert (one.definition.cost, str(one.protocol)) == ("", "")


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        (
            {"metric": "accuracy"},
            "metric: damaged; got 'accuracy'; allowed: accuracy %, MAE; did you mean 'accuracy %'?",
        ),
        ({"reliability": "logs"}, "reliability: damaged; got 'logs'; allowed: log, page, memory; did you mean 'log'?"),
        ({"bits_definition": "mean"}, "bits_definition: damaged; got 'mean'; allowed: uniform, A2Q"),
        ({"value": ""}, "value: damaged; got ''; allowed: a finite number"),
        ({"value": "nan"}, "value: damaged; got 'nan'; allowed: a finite number"),
        ({"value": "x"}, "value: damaged; got 'x'; allowed: a number"),
        ({"value": "100.5"}, "value: damaged; got '100.5'; allowed: 0 to 100"),
        ({"value": "-1"}, "value: damaged; got '-1'"),
        ({"std": "0"}, "std: damaged; got '0'; allowed: a finite number above 0"),
        ({"runs": "0"}, "runs: damaged; got '0'; allowed: a whole number from 1 on"),
        ({"runs": "2.5"}, "runs: damaged; got '2.5'"),
        ({"average_bits": ""}, "average_bits: damaged; got ''"),
        ({"bits": "4"}, "average_bits: damaged; got '7.69'; allowed: 4, the width of every tensor"),
        ({"bits": "some"}, "bits: damaged; got 'some'"),
        ({"bits": "8", "average_bits": "8"}, "bits_definition: damaged; got 'MixQ: mean over quantizers'"),
        ({"bits_definition": "uniform"}, "bits_definition: damaged; got 'uniform'"),
        ({"source": ""}, "source: damaged; got ''"),
        ({"dataset": "Cora "}, "dataset: damaged; got 'Cora '"),
        (
            {"protocol": "selecton=test"},
            "protocol: damaged; got 'selecton'; allowed: each once: split, folds, selection",
        ),
        ({"protocol": "folds=3; folds=3"}, "protocol: damaged; got 'folds'"),
        ({"protocol": "selection=tests"}, "got 'tests'; allowed: selection=validation or test; did you mean 'test'?"),
        ({"protocol": "folds=ten"}, "protocol: damaged; got 'ten'"),
        ({"protocol": "hidden="}, "protocol: damaged; got ''; allowed: hidden=a whole number from 1 on"),
    ],
)
def test_a_damaged_cell_is_named(spoilt: dict[str, str], told: str) -> None:
    assert read_results(table(ROW, ROW))[1].line == 3
    with pytest.raises(StoreError) as caught:
        read_results(table(ROW, ROW | spoilt), "there.csv")
    assert str(caught.value).startswith("there.csv:3: ")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "results.csv: no results"),
        (table(), "results.csv: no results"),
        ("paper,value\n", "results.csv:1: other columns"),
        (table(ROW) + "a,b\n", "results.csv:3: another number of cells; got 2; allowed: 16"),
        (table(ROW) + '"a', "results.csv:3: damaged"),
    ],
)
def test_a_damaged_table_is_named(text: str, told: str) -> None:
    with pytest.raises(StoreError) as caught:
        read_results(text)
    assert str(caught.value).startswith(told)
