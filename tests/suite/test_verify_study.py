from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from lorap_bench.cli.main import app
from lorap_bench.cli.wiring import stored_study
from lorap_bench.store.folder import StudyFolder
from lorap_bench.suite.check import Check, State
from lorap_bench.suite.verify_study import verify_study

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STUDY = """
version = 1
name = "short"
objectives = ["accuracy", "average_bits"]
[model]
hidden = 4
layers = 1
[optim]
epochs = 2
[space]
"quant.bits" = { choices = [2, 4, 8] }
[search]
sampler = "Random"
[replicas]
search = 2
confirm = 2
[budget]
trials = 2
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished and confirmed study, which no test may change."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "short.toml").write_text(STUDY, encoding="utf-8")
    command = ["run", str(folder / "short.toml"), "--runs", str(folder), "--no-report", "--quiet"]
    assert CliRunner().invoke(app, command).exit_code == 0
    return folder / "short"


@pytest.fixture
def study(trained: Path, tmp_path: Path) -> StudyFolder:
    shutil.copytree(trained, tmp_path / "short")
    return StudyFolder.open(tmp_path, "short")


def checked(study: StudyFolder) -> dict[str, Check]:
    return {check.name: check for check in verify_study(study, stored_study(study, written=True))}


def wrong(study: StudyFolder) -> dict[str, tuple[str, ...]]:
    return {name: check.found for name, check in checked(study).items() if check.state is State.WRONG}


def change(path: Path, how: Callable[[Any], object]) -> None:
    stored = json.loads(path.read_text())
    how(stored)
    path.write_text(json.dumps(stored))


def test_a_whole_study_is_verified(study: StudyFolder) -> None:
    found = checked(study)
    assert list(found) == ["study", "files", "points", "seeds", "selection", "looks", "unfinished", "origins"]
    assert wrong(study) == {}
    assert {check.state for name, check in found.items() if name != "origins"} == {State.OK}


@pytest.mark.parametrize(
    ("how", "name", "words"),
    [
        (lambda one: one["members"][0].update(test=0.9), "selection", "trial 0 was measured on the test split"),
        (lambda one: one["objectives"].update(accuracy=0.99), "selection", "trial 0: the objective accuracy, 0.99"),
        (lambda one: one["members"][0].update(best_epoch=5), "selection", "best on validation is epoch"),
        (lambda one: one["params"].update({"quant.bits": 7}), "points", "its point says 7"),
        (lambda one: one["members"].pop(), "seeds", "the study asks for 2"),
        (lambda one: one.update(schema_version=8), "files", "record schema 8"),
        (lambda one: one.update(number=9), "files", "000000.json holds trial 9"),
        (lambda one: one.update(digest="0" * 16, duplicate_of=1), "points", "repeats trial 1, whose digest is another"),
    ],
)
def test_a_trial_changed_by_hand_is_found(
    study: StudyFolder, how: Callable[[Any], object], name: str, words: str
) -> None:
    change(study.root / "trials" / "000000.json", how)
    assert any(words in text for text in wrong(study)[name])


def test_another_study_in_the_folder_is_found(study: StudyFolder) -> None:
    change(study.root / "study.json", lambda one: one["spec"].update(seed=3))
    assert "its study makes" in wrong(study)["study"][0]


def test_a_look_that_does_not_fit_is_found(study: StudyFolder) -> None:
    look = study.root / "looks" / "000001.json"
    record = next((study.root / "confirmed" / "000001").iterdir())
    whole = record.read_text()
    record.unlink()
    assert "is not there" in wrong(study)["looks"][0]
    record.write_text(whole)
    change(record, lambda one: one["members"][0].update(seed=1))
    assert "of another configuration or other seeds" in wrong(study)["looks"][0]
    record.write_text(whole)
    first = study.records()[0].members[0].seed
    change(look, lambda one: one.update(seeds=[first, 1]))
    assert f"has seeds that were trained before: [{first}]" in wrong(study)["looks"][0]


def test_a_look_that_was_cut_short_is_a_warning(study: StudyFolder) -> None:
    change(study.root / "looks" / "000001.json", lambda one: one.update(finished=""))
    assert checked(study)["unfinished"].state is State.WARNING
    assert wrong(study) == {}
