from __future__ import annotations

import re
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from lorap_bench.cli.suite_progress import span
from lorap_bench.store.lock import DriverLock
from tests.suite.sittings import SUITE, comparable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., Any]


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Return a suite file of four short cells."""
    path = tmp_path / "few.toml"
    path.write_text(SUITE, encoding="utf-8")
    return path


def test_a_suite_from_dry_run_to_verification(lorap_bench: Command, few: Path, runs: Path) -> None:
    forecast = lorap_bench("suite", few, "--runs", runs, "--dry-run")
    assert forecast.code == 0
    assert "4 left; 4 cells of which no time is known yet" in forecast.err
    assert forecast.out.splitlines()[-1].split() == ["A2Q", "LoRAP", "2", "left"]
    assert not runs.exists()

    part = lorap_bench("suite", few, "--runs", runs, "--only", "scheme=QAT,prompt=None")
    page = runs / "few" / "report" / "index.html"
    assert (part.code, part.out) == (0, f"{runs / 'few' / 'table.csv'}\n{page}\n")
    assert "[1/1] QAT None: test 0." in part.err
    known = lorap_bench("suite", few, "--runs", runs, "--dry-run")
    assert "1 done, 3 left; " in known.err
    assert known.err.rstrip().endswith(" s left")
    assert lorap_bench("verify", runs / "few").code == 4

    whole = lorap_bench("suite", few, "--runs", runs, "--json")
    assert whole.code == 0
    assert whole.json["states"] == {"done": 4, "failed": 0, "left": 0, "skipped": 0}
    assert whole.json["schema_version"] == 1
    assert whole.err.count("\n") == 3  # a line a cell that was left
    verified = lorap_bench("verify", runs / "few")
    assert verified.code == 0
    states = re.findall(r"^(ok|warning|wrong) ", verified.out, re.MULTILINE)
    assert len(states) == 9
    assert states.count("ok") >= 8  # a checkout with changes in it has no one commit
    table = (runs / "few" / "table.csv").read_bytes()
    again = lorap_bench("suite", few, "--runs", runs, "--quiet")
    assert (again.code, again.err) == (0, "table:\nreport:\n")
    assert (runs / "few" / "table.csv").read_bytes() == table


def test_the_report_of_a_suite_by_file_name_and_folder(
    lorap_bench: Command, few: Path, runs: Path, tmp_path: Path, tiny: Path
) -> None:
    missing = lorap_bench("report", few, "--runs", runs)
    assert missing.code == 2
    assert "few" in missing.err
    ended = lorap_bench("suite", few, "--runs", runs, "--only", "scheme=QAT,prompt=None", "--no-report", "--quiet")
    assert (ended.code, ended.err) == (0, "table:\n")
    assert not (runs / "few" / "report").exists()
    for name in (few, "few", runs / "few"):
        ended = lorap_bench("report", name, "--runs", runs, "--format", "md,tex", "--out", tmp_path / "out")
        assert (ended.code, ended.out, ended.err) == (0, f"{tmp_path / 'out'}\n", "")
    assert "1 are done, 3 are left" in (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    ended = lorap_bench("report", "few", "--runs", runs, "--unverified", "--format", "csv")
    assert (ended.code, ended.out) == (0, f"{runs / 'few' / 'report'}\n")
    company = lorap_bench("report", "few", tiny, "--runs", runs)
    assert company.code == 2
    assert "a suite has a report of its own; nothing can stand beside it" in company.err


def test_a_study_has_no_figures_that_nobody_could_check(lorap_bench: Command, tiny: Path, runs: Path) -> None:
    ended = lorap_bench("report", tiny, "--runs", runs, "--unverified")
    assert ended.code == 2
    assert "--unverified: goes with a suite" in ended.err


def test_what_the_user_got_wrong_is_told(lorap_bench: Command, few: Path, runs: Path) -> None:
    def refused(*arguments: object) -> str:
        ended = lorap_bench("suite", few, "--runs", runs, *arguments)
        assert ended.code == 2
        assert not (runs / "few").exists()
        return str(ended.err)

    assert "did you mean 'A2Q'?" in refused("--only", "scheme=A2")
    few.write_text(SUITE.replace('["QAT", "A2Q"]', '["QAT", "A2Z"]'))
    assert "axes.scheme[1]: unknown scheme; got 'A2Z'" in refused()
    few.write_text(SUITE.replace('["QAT", "A2Q"]', "[]"))
    assert "axes.scheme: wrong number of values" in refused()
    few.write_text(SUITE.replace('["QAT", "A2Q"]', '["A2Q"]').replace("groups = 20", "groups = 0"))
    assert "no cell is left to run" in refused()
    few.write_text(SUITE + "[tuning]\ntrials = 3\n")
    assert "tune; did you mean 'tune'?" in refused()


def test_data_that_are_not_there_are_told_before_anything_runs(
    lorap_bench: Command, few: Path, runs: Path, tmp_path: Path
) -> None:
    few.write_text(SUITE.replace("[axes]", '[axes]\ndataset = ["Digits", "TUDataset/NOT-THERE"]\n'))
    (tmp_path / "mirror").mkdir()
    ended = lorap_bench("suite", few, "--runs", runs, "--raw-mirror", tmp_path / "mirror")
    assert ended.code == 5
    assert "NOT-THERE" in ended.err
    assert not (runs / "few").exists()


def test_a_cell_that_cannot_exist_is_listed_with_its_reason(lorap_bench: Command, few: Path, runs: Path) -> None:
    few.write_text(SUITE.replace("groups = 20", "groups = 0"))
    ended = lorap_bench("suite", few, "--runs", runs, "--dry-run", "--json")
    assert ended.json["states"] == {"done": 0, "failed": 0, "left": 2, "skipped": 2}
    assert "A2Q meets unseen graphs" in ended.json["cells"][-1]["reason"]


def test_two_suites_in_one_folder(lorap_bench: Command, few: Path, runs: Path) -> None:
    (runs / "few").mkdir(parents=True)
    with DriverLock(runs / "few" / "driver.lock"):
        ended = lorap_bench("suite", few, "--runs", runs)
    assert ended.code == 2
    assert "another process runs a suite in this folder; wait for it or stop it" in ended.err


def test_a_failed_training_is_told_by_the_exit_code(
    lorap_bench: Command, few: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lorap_bench.train import group

    def broken(*arguments: object, **named: object) -> None:
        raise RuntimeError("no such luck")

    monkeypatch.setattr(group, "train_together", broken)
    ended = lorap_bench("suite", few, "--runs", runs)
    assert ended.code == 3
    assert "user_error: RuntimeError: no such luck" in ended.err
    assert "4 cells with failed trainings; the table gives the reasons" in ended.err
    assert lorap_bench("verify", runs / "few").code == 0
    assert lorap_bench("suite", few, "--runs", runs, "--dry-run", "--json").json["states"]["failed"] == 4


def test_a_table_changed_by_hand_is_found_and_kept(lorap_bench: Command, few: Path, runs: Path) -> None:
    only = ("--only", "scheme=QAT,prompt=None")
    assert lorap_bench("suite", few, "--runs", runs, *only).code == 0
    table = runs / "few" / "table.csv"
    table.write_text(table.read_text().replace("complete", "better"))
    found = {check["name"]: check for check in lorap_bench("verify", runs / "few", "--json").json["checks"]}
    assert found["table"]["state"] == "wrong"
    assert "table.csv line 2 is not what the cells make" in found["table"]["found"][0]
    again = lorap_bench("suite", few, "--runs", runs, *only)
    assert again.code == 0
    assert "table.csv was changed by hand: it is kept as edited/table-" in again.err
    (kept,) = (runs / "few" / "edited").iterdir()
    assert "better" in kept.read_text()


def test_verify_takes_studies_and_refuses_other_folders(
    lorap_bench: Command, runs: Path, finished: Path, tmp_path: Path
) -> None:
    found = lorap_bench("verify", runs / "tiny", "--json")
    assert (found.code, found.json["kind"], found.json["counts"]["wrong"]) == (0, "study", 0)
    ended = lorap_bench("verify", tmp_path)
    assert (ended.code, ended.err) == (2, f"error: {tmp_path}: neither a suite's folder nor a study's\n")


@pytest.mark.parametrize(("seconds", "told"), [(0.4, "0 s"), (99, "99 s"), (150, "2 min"), (9000, "2.5 h")])
def test_a_time_is_told_in_few_digits(seconds: float, told: str) -> None:
    assert span(seconds) == told


def cells(folder: Path) -> int:
    return len(list(folder.glob("cells/*.json")))


def wait_for_a_cell(process: subprocess.Popen[str], folder: Path, more_than: int) -> None:
    while cells(folder) <= more_than:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
        assert process.poll() is None, process.communicate()


@pytest.mark.slow
def test_a_suite_killed_five_times_ends_with_the_same_table(
    lorap_bench: Command, start: Callable[..., subprocess.Popen[str]], few: Path, tmp_path: Path
) -> None:
    few.write_text(SUITE.replace("[axes]", '[axes]\narch = ["GCN", "GIN"]\nbits = [4, 8]\n'))
    assert lorap_bench("suite", few, "--runs", tmp_path / "whole", "--quiet").code == 0
    folder = tmp_path / "killed" / "few"
    for _ in range(5):
        process = start("suite", few, "--runs", tmp_path / "killed")
        wait_for_a_cell(process, folder, cells(folder))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    assert 5 <= cells(folder) < 16
    assert lorap_bench("suite", few, "--runs", tmp_path / "killed", "--quiet").code == 0
    found, wanted = comparable(folder), comparable(tmp_path / "whole" / "few")
    assert found[0] == wanted[0]
    pd.testing.assert_frame_equal(found[1], wanted[1])
    assert lorap_bench("verify", folder).code == 0


@pytest.mark.slow
def test_a_signal_lets_the_cell_end_and_the_same_command_goes_on(
    lorap_bench: Command, start: Callable[..., subprocess.Popen[str]], few: Path, runs: Path
) -> None:
    few.write_text(SUITE.replace("epochs = 2", "epochs = 8"))
    process = start("suite", few, "--runs", runs)
    wait_for_a_cell(process, runs / "few", 0)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate()
    assert process.returncode == 130
    assert "saved; the same command goes on from here" in err
    assert 1 <= cells(runs / "few") < 4
    assert lorap_bench("suite", few, "--runs", runs).code == 0
    assert cells(runs / "few") == 4
