from __future__ import annotations

import html
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorap_bench.cli.train import Part, _show
from lorap_bench.cli.wiring import catalog
from lorap_bench.data.published import PUBLISHED
from lorap_bench.record import Status, TrialRecord
from lorap_bench.study.file import load_study
from lorap_bench.train.provenance import provenance
from tests.data.mag import write_communities

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    Command = Callable[..., Any]

HETEROGENEOUS = """
[task]
dataset = "ogbn-mag-hetero"
[model]
arch = "RGCN"
hidden = 8
dropout = 0.0
[quant]
scheme = "DegreeQuant"
bits = 4
messages = true
site_bits = { "layers.0.relations.3.weight" = 8 }
[prompt]
kind = "LoRAP"
count = 4
rank = 2
[optim]
epochs = 30
lr = 0.05
"""


def test_one_configuration_outside_any_study(lorap_bench: Command, tiny: Path) -> None:
    ended = lorap_bench("train", tiny, "--set", "prompt.count=2", "--seeds", 2, "--json")
    found = ended.json
    assert ended.code == 0
    assert (found["schema_version"], found["status"], found["split"]) == (1, "complete", "val")
    assert [member["seed"] for member in found["members"]] == [0, 1]
    assert all(0 <= member["val"] <= 1 and "test" not in member for member in found["members"])
    assert 2 <= found["costs"]["average_bits"] <= 32
    assert found["objectives"]["average_bits"] == found["costs"]["average_bits"]
    assert found["objectives"]["accuracy"] == sum(member["val"] for member in found["members"]) / 2
    assert {"digest", "effective", "seconds", "config"} <= set(found)
    assert not (tiny.parent / "runs").exists()


def test_the_test_split_is_looked_at_only_when_asked(lorap_bench: Command, tiny: Path) -> None:
    found = lorap_bench("train", tiny, "--split", "test", "--json").json
    assert found["split"] == "test"
    assert 0 <= found["members"][0]["test"] <= 1
    shown = lorap_bench("train", tiny, "--split", "test")
    assert shown.code == 0
    assert shown.out.split()[:4] == ["seed", "val", "test", "best_epoch"]
    assert "average_bits" in shown.out


def test_a_graph_of_several_kinds_from_its_raw_files(
    lorap_bench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(PUBLISHED, "ogbn-mag-hetero")  # so that a small set may bear its name
    monkeypatch.setenv("LORAP_BENCH_CACHE", str(tmp_path / "cache"))
    write_communities(tmp_path / "mirror" / "ogbn_mag")
    path = tmp_path / "config.toml"
    path.write_text(HETEROGENEOUS, encoding="utf-8")
    found = lorap_bench("train", path, "--raw-mirror", tmp_path / "mirror", "--split", "test", "--json").json
    assert found["status"] == "complete"
    assert found["members"][0]["test"] > 0.5  # the authors and fields of a paper tell its class
    assert {f"layers.0.relations.{relation}.weight" for relation in range(7)} <= set(found["effective"]["bits"])
    assert found["effective"]["bits"]["layers.0.relations.3.weight"] == 8


def test_a_clamped_rank_is_told(lorap_bench: Command, tiny: Path) -> None:
    call = ("train", tiny, "--set", "prompt.rank=99", "--set", "prompt.count=8", "--set", "model.hidden=7")
    assert lorap_bench(*call).err == "rank 99 is clamped to [7, 7] (prompt count, layer widths)\n"
    assert lorap_bench(*call, "--set", "prompt.rank=7").err == ""


def test_seeds_by_name(lorap_bench: Command, tiny: Path) -> None:
    found = lorap_bench("train", tiny, "--seed", 5, "--seed", 1, "--json").json
    assert [member["seed"] for member in found["members"]] == [5, 1]


def test_a_studys_trial_trains_again_to_the_same_figures(lorap_bench: Command, tiny: Path, tmp_path: Path) -> None:
    assert lorap_bench("run", tiny, "--runs", tmp_path, "--no-report", "--quiet").code == 0
    trial = next(t for t in lorap_bench("export", tiny, "--runs", tmp_path, "--json").json["trials"] if t["members"])
    settings = [word for path, value in trial["params"].items() for word in ("--set", f"{path}={value}")]
    seeds = [word for member in trial["members"] for word in ("--seed", str(member["seed"]))]
    again = lorap_bench("train", tiny, *settings, *seeds, "--json").json
    assert again["digest"] == trial["digest"]
    assert [member["val"] for member in again["members"]] == [member["val"] for member in trial["members"]]


def test_a_file_with_the_five_sections_alone(lorap_bench: Command, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[optim]\nepochs = 1\n[quant]\nscheme = "FP32"\n', encoding="utf-8")
    found = lorap_bench("train", path, "--json").json
    assert found["costs"]["average_bits"] == 32


def test_a_diverged_training_ends_with_three(lorap_bench: Command, tiny: Path) -> None:
    ended = lorap_bench("train", tiny, "--set", "optim.lr=1e38", "--set", "optim.epochs=3", "--json")
    assert ended.code == 3
    assert ended.json["status"] == "diverged"
    assert "diverged" in ended.err


def test_faults_of_a_configuration(lorap_bench: Command, tiny: Path) -> None:
    ended = lorap_bench("train", tiny, "--set", "quant.bits=9", "--set", "promt.rank=2", "--set", "nonsense")
    assert ended.code == 2
    assert "nonsense" in ended.err
    ended = lorap_bench("train", tiny, "--set", "quant.bits=9", "--set", "promt.rank=2")
    assert "2 faults" in ended.err
    assert "did you mean 'prompt'?" in ended.err
    ended = lorap_bench("train", tiny.parent / "tinny.toml")
    assert ended.code == 2
    assert "did you mean 'tiny.toml'?" in ended.err


def test_a_terminal_gets_a_bar_of_epochs(lorap_bench: Command, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes this for a terminal
    ended = lorap_bench("train", tiny, "--json")
    assert ended.code == 0
    assert "epoch" in ended.err
    assert "\x1b" not in ended.out


def test_ctrl_c_ends_at_once(lorap_bench: Command, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: Any, **kwargs: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("lorap_bench.train.trial.run_trial", interrupted)
    ended = lorap_bench("train", tiny)
    assert (ended.code, ended.err) == (130, "stopped\n")


def test_a_command_of_the_page_trains_a_trial_again(
    lorap_bench: Command, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    elsewhere = tiny.rename(tmp_path / "mine.toml")
    settings = ("--set", "optim.epochs=2", "--set", "model.hidden=12", "--set", "replicas.search=2")
    assert lorap_bench("run", elsewhere, *settings, "--quiet").code == 0
    report = Path("runs/tiny/report")
    again = load_study(report / "tiny.toml", catalog=catalog())
    assert again == load_study(elsewhere, catalog=catalog(), overrides=settings[1::2])
    trials = json.loads((report / "data.json").read_text(encoding="utf-8"))["trials"]
    page = html.unescape((report / "index.html").read_text(encoding="utf-8"))
    for trial in (trial for trial in trials if trial["status"] == "complete"):
        program, *words = shlex.split(trial["command"])
        assert (program, words[1]) == ("lorap-bench", "runs/tiny/report/tiny.toml")
        found = lorap_bench(*words, "--json").json
        assert (found["digest"], found["objectives"]) == (trial["digest"], trial["values"])
        assert [m["val"] for m in found["members"]] == [m["val"] for m in trial["members"]]
    assert any(f"<code>{trial['command']}</code>" in page for trial in trials)
    finished = lorap_bench("run", "runs/tiny/report/tiny.toml")
    assert "tiny is finished" in finished.err


def test_backend_and_device_are_chosen_and_recorded(
    lorap_bench: Command, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("LORAP_BENCH_BACKEND", "LORAP_BENCH_DEVICE"):
        monkeypatch.setenv(variable, "auto")  # given back afterwards
    provenance.cache_clear()
    try:
        found = lorap_bench("train", tiny, "--backend", "reference", "--device", "cpu", "--json").json
    finally:
        provenance.cache_clear()
    assert (found["provenance"]["backend"], found["provenance"]["device"]) == ("reference", "cpu")


def test_an_unknown_backend_and_device_are_both_told(lorap_bench: Command, tiny: Path) -> None:
    ended = lorap_bench("train", tiny, "--backend", "natve", "--device", "gpu")
    assert ended.code == 2
    assert "--backend: no such name; got 'natve'; allowed: auto, native, triton, reference; did you mean" in ended.err
    assert "--device: no such name; got 'gpu'; allowed: auto, cpu, cuda" in ended.err


def test_batches_of_a_large_graph_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    batches = {"kind": "clusters", "parts": 32, "joined": 4, "draw_every": 10}
    record = TrialRecord(status=Status.COMPLETE, config={}, digest="", effective={"sampling": batches})
    _show(record, Part.VAL)
    assert capsys.readouterr().err == "trained on batches of clusters: parts = 32, joined = 4, draw_every = 10\n"
