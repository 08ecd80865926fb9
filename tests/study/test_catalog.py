from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lorap_bench.study.catalog import Catalog


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("task.dataset", "Cora"),
        ("task.dataset", "TUDataset/NCI1"),
        ("model.arch", "their_pkg.models:Net"),
        ("quant.scheme", "QAT"),
        ("prompt.kind", "pkg:Prompt"),
        ("search.sampler", "TPE"),
        ("prompt.rank", "not a catalogued path"),
        ("quant.scheme", 3),
    ],
)
def test_known_names_have_no_fault(catalog: Catalog, path: str, name: object) -> None:
    assert catalog.fault(path, name, where="here") is None


@pytest.mark.parametrize(
    ("path", "name", "suggestion"),
    [
        ("task.dataset", "cora", "Cora"),
        ("task.dataset", "TUDataset/", ""),
        ("task.dataset", "Nowhere/NCI1", ""),
        ("model.arch", "GCNN", "GCN"),
        ("quant.scheme", "pkg.mod:", ""),
        ("search.sampler", "pkg.mod:Sampler", ""),
        ("search.sampler", "TEP", "TPE"),
    ],
)
def test_unknown_names_come_with_the_nearest(catalog: Catalog, path: str, name: str, suggestion: str) -> None:
    fault = catalog.fault(path, name, where="here")
    assert fault is not None
    assert (fault.path, fault.got, fault.suggestion) == ("here", name, suggestion)


def test_components_and_arguments(catalog: Catalog) -> None:
    assert catalog.component_fault("weight", where="w") is None
    assert catalog.component_fault("wieght", where="w") is not None
    assert catalog.argument_faults("Nobody", {"a": 1}, where="s") == []
    assert catalog.argument_faults(None, {"a": 1}, where="s") == []
    faults = catalog.argument_faults("TPE", {"n_startup_trials": "3", "n_startup": 3}, where="s")
    assert [(fault.path, fault.message) for fault in faults] == [
        ("s.n_startup_trials", "wrong value"),
        ("s.n_startup", "unknown argument of TPE"),
    ]
    (fault,) = catalog.argument_faults("Random", {"n": 1}, where="s")
    assert fault.allowed == "none"
