"""The verbs that only read: check, status, report, export, schema, data."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
import pandas as pd
import pytest

from lorap_bench.cli.screen import print_path
from lorap_bench.study.file import load_study
from tests.cli.conftest import MAIN

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., Any]


def test_check_tells_size_ranges_and_forecast(lorap_bench: Command, tiny: Path, runs: Path) -> None:
    ended = lorap_bench("check", tiny, "--runs", runs, "--json")
    plan = ended.json
    assert ended.code == 0
    assert (plan["name"], plan["size"], plan["exact"], plan["infeasible"]) == ("tiny", 27, True, 0.0)
    assert plan["ranges"]["average_bits"][0] < plan["ranges"]["average_bits"][1]
    assert (plan["trials"], plan["members"], plan["member_epochs"], plan["seconds"]) == (3, 3, 3, None)
    assert plan["together"] == 10  # small graphs, a random sampler, one seed a trial
    assert not runs.exists()


def test_check_in_words(lorap_bench: Command, tiny: Path, runs: Path) -> None:
    with tiny.open("a", encoding="utf-8") as file:
        file.write('[constraints]\naverage_bits = "<= 7"\n')
    out = lorap_bench("check", tiny, "--runs", runs).out
    assert "broken: average_bits by" in out
    assert "not known before the first trial" in out
    assert "up to 10 trials of equal shapes" in out
    assert "trained together" not in lorap_bench("check", tiny, "--runs", runs, "--set", "search.together=1").out


def test_check_of_an_endless_space(lorap_bench: Command, tiny: Path, runs: Path) -> None:
    setting = "space.optim.lr={ float = [0.01, 0.1], log = true }"
    out = lorap_bench("check", tiny, "--runs", runs, "--set", setting).out
    assert "infinitely many" in out
    assert "1,024 points drawn evenly" in out


@pytest.mark.usefixtures("finished")
def test_check_forecasts_from_the_trials_that_ran(lorap_bench: Command, tiny: Path, runs: Path) -> None:
    plan = lorap_bench("check", tiny, "--runs", runs, "--set", "budget.trials=9", "--json").json
    assert plan["measured"] == 3
    assert plan["seconds"] > 0
    assert "from 3 trials" in lorap_bench("check", tiny, "--runs", runs).out
    other = lorap_bench("check", tiny, "--runs", runs, "--set", "optim.epochs=2", "--json").json
    assert other["measured"] == 0


def test_check_of_an_impossible_study(lorap_bench: Command, tiny: Path) -> None:
    ended = lorap_bench("check", tiny, "--set", "search.arguments.n=3", "--set", "search.sampler=TPEE")
    assert ended.code == 2
    assert "unknown sampler" in ended.err
    assert "did you mean 'TPE'?" in ended.err


def test_a_study_by_file_by_name_and_by_folder(lorap_bench: Command, tiny: Path, finished: Path) -> None:
    runs = finished.parent
    told = [lorap_bench("status", study, "--runs", runs, "--json").json for study in (tiny, "tiny", finished)]
    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize("verb", ["status", "report", "export"])
def test_a_study_that_is_not_there(lorap_bench: Command, tiny: Path, runs: Path, verb: str) -> None:
    ended = lorap_bench(verb, tiny, "--runs", runs)
    assert (ended.code, ended.out) == (2, "")
    assert "no study called 'tiny'" in ended.err


def test_a_name_means_the_study_under_runs_before_a_folder_here(
    lorap_bench: Command, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    shutil.copytree(finished, here / "tiny")
    shutil.rmtree(here / "tiny" / "trials")
    monkeypatch.chdir(here)
    counts = {
        study: lorap_bench("status", study, "--runs", runs, "--json").json["states"]["complete"]
        for study, runs in (("tiny", finished.parent), ("./tiny", finished.parent), (here / "tiny", finished.parent))
    }
    assert list(counts.values()) == [3, 0, 0]
    assert lorap_bench("status", "tiny", "--runs", tmp_path / "none", "--json").json["states"]["complete"] == 0


@pytest.mark.parametrize("place", ["study.json", "trials/000000.json", "trials"])
def test_a_folder_that_cannot_be_read_is_told(lorap_bench: Command, finished: Path, place: str) -> None:
    path = finished / place
    if path.is_file():
        path.unlink()
        path.mkdir()
    else:
        shutil.rmtree(path)
        path.write_text("")
    ended = lorap_bench("status", "tiny", "--runs", finished.parent)
    assert ended.code == 2
    assert f"{path}: cannot read: " in ended.err


def test_status_without_a_front_and_of_a_cut_budget(lorap_bench: Command, tiny: Path, finished: Path) -> None:
    assert lorap_bench("run", tiny, "--runs", finished.parent, "--no-report", "--set", "budget.trials=2").code == 0
    assert "3 trials, of a budget since cut to 2" in lorap_bench("status", finished).out
    shutil.rmtree(finished / "trials")
    ended = lorap_bench("status", finished)
    assert "front trial" not in ended.out
    assert "no feasible trial is complete" in ended.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full here")
@pytest.mark.parametrize("verb", ["schema", "data list"])
def test_a_stdout_that_is_full_is_told(verb: str) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", MAIN, *verb.split()], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (ended.returncode, ended.stderr) == (1, "error: stdout: cannot write: No space left on device\n")


def test_a_reader_who_leaves_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-c", MAIN, "schema"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert ended.stderr == ""


def test_a_path_shares_a_line_with_its_label_in_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    print_path("report", Path("a/b"))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    print_path("report", Path("a/b"))
    told = capsys.readouterr()
    assert (told.out, told.err) == ("a/b\na/b\n", "report:\nreport: ")


def test_check_tells_of_clamped_ranks(lorap_bench: Command, tiny: Path) -> None:
    found = lorap_bench("check", tiny, "--set", 'space={"prompt.rank"={choices=[1,99]}}', "--json").json
    assert found["clamped"] == 0.5
    out = lorap_bench("check", tiny, "--set", 'space={"prompt.rank"={choices=[1,99]}}').out
    assert "50.0% of the points that make a configuration" in out


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("quant.layer_bits.9=4", "quant.layer_bits.9: this model has no such entry"),
        ("model.arch=no_such.module:Arch", "model.arch: cannot import architecture"),
    ],
)
@pytest.mark.parametrize("extra", ["seed=0", "space.optim.lr={float=[0.1,1.0]}"])
@pytest.mark.parametrize("verb", ["check", "run"])
def test_an_impossible_base_is_told_as_such(
    lorap_bench: Command, tiny: Path, runs: Path, setting: str, told: str, extra: str, verb: str
) -> None:
    ended = lorap_bench(verb, tiny, "--runs", runs, "--set", setting, "--set", extra)
    assert ended.code == 2
    assert "tiny: its configuration is impossible: 1 fault\n" in ended.err
    assert told in ended.err
    assert "every point" not in ended.err
    assert not runs.exists()


def test_a_misspelt_name_gets_the_nearest(lorap_bench: Command, finished: Path) -> None:
    ended = lorap_bench("status", "tinny", "--runs", finished.parent)
    assert ended.code == 2
    assert "did you mean 'tiny'?" in ended.err


def test_a_study_of_another_version_is_told_so(lorap_bench: Command, finished: Path) -> None:
    path = finished / "study.json"
    stored = json.loads(path.read_text())
    stored["spec"]["search"]["strange"] = 1
    path.write_text(json.dumps(stored))
    ended = lorap_bench("status", finished)
    assert ended.code == 2
    assert "does not fit this version" in ended.err


def test_a_running_study_counts_what_runs(lorap_bench: Command, finished: Path) -> None:
    from lorap_bench.store.folder import StudyFolder

    with StudyFolder(finished).lock():
        states = lorap_bench("status", finished, "--json").json["states"]
    assert (states["complete"], states["running"]) == (3, 0)


def test_export_as_csv_and_to_a_file(lorap_bench: Command, finished: Path, tmp_path: Path) -> None:
    csv = lorap_bench("export", finished, "--format", "csv").out
    assert csv.splitlines()[0].startswith("number,status,")
    out = tmp_path / "trials.csv"
    ended = lorap_bench("export", finished, "--format", "csv", "--out", out)
    assert (ended.code, ended.out) == (0, "")
    assert out.read_text(encoding="utf-8") == csv
    assert lorap_bench("export", finished, "--json").json["name"] == "tiny"


@pytest.mark.parametrize("form", ["parquet", "journal"])
def test_export_for_other_programs(lorap_bench: Command, finished: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / f"trials.{form}"
    refused = lorap_bench("export", finished, "--format", form)
    assert (refused.code, refused.out) == (2, "")
    assert f"--out: {form} is no text for a screen" in refused.err
    assert lorap_bench("export", finished, "--format", form, "--out", out).code == 0
    first = out.read_bytes()
    assert lorap_bench("export", finished, "--format", form, "--out", out).code == 0
    assert out.read_bytes() == first
    if form == "parquet":
        assert len(pd.read_parquet(out)) == 3
    else:
        storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(out)))
        assert len(optuna.load_study(study_name="tiny", storage=storage).trials) == 3


def test_export_that_cannot_be(lorap_bench: Command, finished: Path, tmp_path: Path) -> None:
    ended = lorap_bench("export", finished, "--format", "jsn")
    assert ended.code == 2
    assert "did you mean 'json'?" in ended.err
    ended = lorap_bench("export", finished, "--out", tmp_path / "nowhere" / "x.json")
    assert ended.code == 2
    assert "cannot write" in ended.err


def test_report_elsewhere_and_of_an_empty_study(lorap_bench: Command, finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "pages"
    ended = lorap_bench("report", finished, "--out", out)
    assert (ended.code, ended.out) == (0, f"{out / 'index.html'}\n")
    assert {"index.html", "data.csv", "data.json", "tiny.toml"} < {path.name for path in out.iterdir()}
    shutil.rmtree(finished / "trials")
    (finished / "trials").mkdir()
    ended = lorap_bench("report", finished)
    assert ended.code == 2
    assert "no trials yet" in ended.err


def test_schema_is_json(lorap_bench: Command) -> None:
    schema = lorap_bench("schema").json
    assert schema["title"] == "lorap-bench study"
    assert {"task", "model", "quant", "prompt", "optim", "space", "constraints"} <= set(schema["properties"])


def test_data_of_no_mirror(lorap_bench: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LORAP_BENCH_RAW", "")
    monkeypatch.setenv("LORAP_BENCH_CACHE", str(tmp_path))
    listed = lorap_bench("data", "list", "--json").json["datasets"]
    assert {"name": "Digits", "family": "", "level": "graph", "place": "embedded"} in listed
    shown = lorap_bench("data", "list")
    assert "Cora" in shown.out
    assert "TUDataset/<name>" in shown.err
    verified = lorap_bench("data", "verify", "--json")
    assert (verified.code, verified.json["datasets"][0]["name"]) == (0, "Digits")
    ended = lorap_bench("data", "verify", "Cora")
    assert ended.code == 4
    assert "Cora" in ended.out
    assert "1 of 1 data set not whole: Cora" in ended.err


def test_data_prepare(lorap_bench: Command) -> None:
    (digits,) = lorap_bench("data", "prepare", "Digits", "--json").json["datasets"]
    assert (digits["graphs"], digits["classes"]) == (1797, 10)
    assert "1797" in lorap_bench("data", "prepare", "Digits").out
    ended = lorap_bench("data", "prepare", "Digts")
    assert ended.code == 2
    assert "did you mean 'Digits'?" in ended.err
    assert "task.dataset" not in ended.err  # a key the user never wrote


def test_a_mirror_that_is_no_folder(lorap_bench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORAP_BENCH_RAW", "")
    ended = lorap_bench("data", "list", "--raw-mirror", tmp_path / "nowhere")
    assert ended.code == 5
    assert "no such folder" in ended.err


def test_the_mirror_holds_cora(lorap_bench: Command, raw_mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORAP_BENCH_RAW", "")
    listed = lorap_bench("data", "list", "--raw-mirror", raw_mirror, "--json").json["datasets"]
    assert {item["name"]: item["place"] for item in listed}["Cora"] == "mirror"


@pytest.mark.parametrize(
    "name", ["quickstart", "cora-gcn-qat-lorap", "digits-prompts", "cora-prompts", "proteins-prompts"]
)
def test_committed_studies_are_valid(project_root: Path, name: str) -> None:
    from lorap_bench.cli.wiring import catalog

    spec = load_study(project_root / "studies" / f"{name}.toml", catalog=catalog())
    assert spec.name == name
    assert spec.description.endswith(("?", "."))
    assert spec.objectives == ("accuracy", "average_bits", "overhead")
    assert (spec.parameters.size(spec.base) or 0) > spec.budget.trials
