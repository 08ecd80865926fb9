"""Environment, redaction and the study as TOML."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from lorap_bench.report.provenance import Fact, environment, redact, study_toml
from lorap_bench.study.spec import StudySpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import TrialRecord


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see /home/me/runs/log.txt.", "see …/log.txt."),
        ("'/data/raw/Cora', then", "'…/Cora', then"),
        ("~/runs/a", "…/a"),
        (r"C:\Users\me\log.txt", "…/log.txt"),
        ("TUDataset/NCI1 and k/r", "TUDataset/NCI1 and k/r"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("1/2 of all", "1/2 of all"),
        ("", ""),
    ],
)
def test_absolute_paths_lose_their_folders(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_environment_counts_trials(make_record: Callable[..., TrialRecord]) -> None:
    records = [
        make_record(0, provenance={"versions": {"torch": "2.13"}, "device": "cpu"}),
        make_record(1, provenance={"versions": {"torch": "2.13"}, "device": "cuda"}),
        make_record(2, provenance={"versions": {"torch": "2.12"}, "home": "/home/me/x"}),
    ]
    facts = {fact.name: fact.values for fact in environment(records)}
    labels = {fact.name: fact.label for fact in environment(records)}
    assert labels == {"versions.torch": "PyTorch", "device": "Device", "home": "Home"}
    assert Fact("versions.lorap-bench", ()).label == "lorap-bench"
    assert facts["versions.torch"] == (("2.13", 2), ("2.12", 1))
    assert facts["device"] == (("cpu", 1), ("cuda", 1))
    assert facts["home"] == (("…/x", 1),)


def test_a_study_survives_its_toml(make_spec: Callable[..., StudySpec]) -> None:
    space = {
        "prompt.gate": {"choices": ["softmax", "linear"], "when": {"prompt.kind": ["LoRAP"]}},
        "optim.lr": {"float": [1e-05, 0.1], "log": True},
    }
    spec = make_spec(description='quotes " and \\, \x7f and ünïcode 𝄞', space=space)
    assert StudySpec.from_mapping(tomllib.loads(study_toml(spec.to_mapping()))) == spec


def test_toml_leaves_out_what_toml_cannot_say() -> None:
    text = study_toml({"a": None, "b": {}, "c": {"d": None, "e e": [1, {"f": True}]}, "g": float("inf")})
    assert tomllib.loads(text) == {"g": float("inf"), "c": {"e e": [1, {"f": True}]}}
