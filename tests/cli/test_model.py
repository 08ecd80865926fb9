"""From a finished study to a saved network, and from the network to its predictions."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.record import Outcome, Status
from lorap_bench.report.provenance import redact
from lorap_bench.store.folder import StudyFolder

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., Any]

CORA = """
version = 1
name = "cora"
objectives = ["accuracy"]
[task]
dataset = "Cora"
[quant]
bits = 4
groups = 10
search_epochs = 2
pretrain_epochs = 1
[prompt]
kind = "LoRAP"
[optim]
epochs = 4
[space]
"quant.scheme" = { choices = ["QAT", "DegreeQuant", "A2Q", "MixQ", "FP32"] }
"model.arch" = { choices = ["GCN", "GAT"] }
[search]
sampler = "Random"
[budget]
trials = 4
[replicas]
search = 2
"""


@pytest.fixture
def finished(finish: Callable[..., Path]) -> Path:
    """Return where the tiny study lies, finished with two seeds a trial."""
    return finish("replicas.search=2")


def first_complete(study: Path) -> int:
    records = StudyFolder.open(study.parent, study.name).records()
    return next(record.number for record in records if record.status is Status.COMPLETE)


def amend(study: Path, number: int, **changes: Any) -> None:
    """Rewrite a record, as another version or machine would have written it."""
    folder = StudyFolder.open(study.parent, study.name)
    record = folder.read(number)
    assert record is not None
    (study / "trials" / f"{number:06d}.json").unlink()
    folder.write(Outcome(replace(record, **changes), {}))


def test_a_trial_becomes_a_model_that_predicts_what_was_recorded(
    lorap_bench: Command, finished: Path, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    number, out = first_complete(finished), tmp_path / "deep" / "winner"
    record = StudyFolder.open(finished.parent, "tiny").read(number)
    assert record is not None
    ended = lorap_bench("model", finished, number, "--seed-index", 1, "--out", out, "--quiet")
    assert (ended.code, ended.out) == (0, f"{out}\n")
    member = record.members[1]
    assert f"seed {member.seed}: val {member.val:.4g} at epoch {member.best_epoch}, as recorded" in ended.err
    assert "bytes at their widths" in ended.err
    text = (out / "config.json").read_text(encoding="utf-8")
    config = json.loads(text)
    assert (config["study"], config["trial"], config["seed_index"], config["seed"]) == ("tiny", number, 1, member.seed)
    assert (config["metrics"]["val"], config["best_epoch"]) == (member.val, member.best_epoch)
    assert (config["config"], config["digest"]) == (record.config, record.digest)
    assert config["effective"] == record.effective
    assert (config["reproduced"], config["differences"], config["causes"]) == (True, [], [])
    assert config["provenance"]["versions"] == record.provenance["versions"]
    assert redact(text) == text
    elsewhere = start("predict", out)
    printed, said = elsewhere.communicate(timeout=120)
    assert (float(printed), elsewhere.returncode) == (member.val, 0)
    assert "accuracy on 200 graphs of the val split" in said
    assert "config.json says" not in said
    assert 0 <= float(lorap_bench("predict", out, "--split", "train").out) <= 1


def test_the_test_split_cannot_be_predicted(lorap_bench: Command, finished: Path, tmp_path: Path) -> None:
    assert lorap_bench("model", finished, first_complete(finished), "--out", tmp_path / "winner").code == 0
    assert lorap_bench("predict", tmp_path / "winner", "--split", "test").code == 2


def test_predict_says_where_it_differs_from_the_saved_figure(
    lorap_bench: Command, finished: Path, tmp_path: Path
) -> None:
    out = tmp_path / "winner"
    assert lorap_bench("model", finished, first_complete(finished), "--out", out).code == 0
    config = json.loads((out / "config.json").read_text(encoding="utf-8"))
    config["metrics"]["val"] = 0.125
    (out / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert "config.json says 0.125: another backend, version or processor" in lorap_bench("predict", out).err


def test_a_model_is_replaced_only_by_force(lorap_bench: Command, finished: Path, tmp_path: Path) -> None:
    number, out = first_complete(finished), tmp_path / "winner"
    call = ("model", finished, number, "--out", out)
    assert lorap_bench(*call).code == 0
    again = lorap_bench(*call)
    assert again.code == 2
    assert "a model is saved here already; --force replaces it" in again.err
    assert lorap_bench(*call, "--seed-index", 1, "--force").code == 0
    assert json.loads((out / "config.json").read_text(encoding="utf-8"))["seed_index"] == 1
    (out / "notes").write_text("mine")
    assert "the folder holds 'notes'" in lorap_bench(*call, "--force").err


def test_a_network_that_is_not_the_recorded_one_is_told(lorap_bench: Command, finished: Path, tmp_path: Path) -> None:
    number = first_complete(finished)
    record = StudyFolder.open(finished.parent, "tiny").read(number)
    assert record is not None
    members = tuple(replace(member, val=0.125) for member in record.members)
    amend(finished, number, members=members)
    ended = lorap_bench("model", finished, number, "--out", tmp_path / "one")
    assert ended.code == 4
    assert "this is not the recorded network: val " in ended.err
    assert "here, 0.125 recorded" in ended.err
    assert "the cause may be: another processor, which sums in another order" in ended.err
    versions = record.provenance["versions"] | {"torch": "1.0"}
    amend(finished, number, provenance=record.provenance | {"versions": versions})
    ended = lorap_bench("model", finished, number, "--out", tmp_path / "two")
    assert (ended.code, ended.out) == (4, f"{tmp_path / 'two'}\n")
    assert f"the cause may be: torch {record.provenance['versions']['torch']} here, 1.0 recorded" in ended.err
    config = json.loads((tmp_path / "two" / "config.json").read_text(encoding="utf-8"))
    assert (config["reproduced"], len(config["differences"]), len(config["causes"])) == (False, 1, 1)


def test_what_has_no_model_is_refused_before_any_training(
    lorap_bench: Command, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lorap_bench.train.again.fit", None)
    number, out = first_complete(finished), tmp_path / "winner"
    there = [record.number for record in StudyFolder.open(finished.parent, "tiny").records()]
    absent = lorap_bench("model", finished, 99, "--out", out)
    assert absent.code == 2
    assert f"trial 99 has no record; those from {there[0]} to {there[-1]} may have one" in absent.err
    seed = lorap_bench("model", finished, number, "--seed-index", 2, "--out", out)
    assert (seed.code, "got 2; allowed: 0 to 1" in seed.err) == (2, True)
    amend(finished, number, status=Status.DIVERGED, reason="1 of 2 members diverged")
    diverged = lorap_bench("model", finished, number, "--out", out)
    assert (diverged.code, "ended diverged (1 of 2 members diverged)" in diverged.err) == (2, True)
    assert "no study called 'nowhere'" in lorap_bench("model", "nowhere", 0, "--out", out).err
    assert not out.exists()


def test_a_study_without_records_is_told(lorap_bench: Command, finished: Path, tmp_path: Path) -> None:
    for path in (finished / "trials").iterdir():
        path.unlink()
    assert (
        "trial 0 has no record; no trial has one yet" in lorap_bench("model", finished, 0, "--out", tmp_path / "w").err
    )


@pytest.mark.usefixtures("raw_mirror")
def test_trials_of_every_kind_on_a_real_graph(lorap_bench: Command, tmp_path: Path, runs: Path) -> None:
    (tmp_path / "cora.toml").write_text(CORA, encoding="utf-8")
    study = (tmp_path / "cora.toml", "--runs", runs)
    assert lorap_bench("run", *study, "--no-report", "--quiet").code == 0
    for record in StudyFolder.open(runs, "cora").records():
        if record.status is Status.COMPLETE:
            out = tmp_path / str(record.number)
            saved = lorap_bench("model", "cora", record.number, "--runs", runs, "--out", out)
            assert saved.code == 0, saved.err
            covered = record.config["model"]["arch"] == "GCN" and record.config["quant"]["scheme"] in {
                *("QAT", "DegreeQuant")
            }
            assert (out / "integer.safetensors").exists() == covered
            assert ("no integer form: " in saved.err) != covered
            assert float(lorap_bench("predict", out).out) == record.members[0].val


def test_predict_of_a_folder_without_a_model(lorap_bench: Command, tmp_path: Path) -> None:
    ended = lorap_bench("predict", tmp_path / "nowhere")
    assert (ended.code, ended.out) == (2, "")
    assert "no model here: there is no config.json" in ended.err
