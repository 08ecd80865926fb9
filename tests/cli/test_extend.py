"""The verbs that change a study between runs: extend and merge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.store.folder import StudyFolder
from tests.cli.conftest import STUDY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., Any]


@pytest.fixture
def wider(tmp_path: Path) -> Path:
    """Return the tiny study's file with a new version of its space, in which a single prompt is none."""
    path = tmp_path / "wider.toml"
    path.write_text(STUDY.replace("choices = [1, 2, 4] }", "choices = [2, 4, 8] }").replace("trials = 3", "trials = 5"))
    return path


def counted(folder: StudyFolder) -> int:
    return sum(record.status.counts for record in folder.records())


def test_an_extended_study_goes_on_by_name_and_by_file(
    lorap_bench: Command, tiny: Path, runs: Path, finished: Path
) -> None:
    ended = lorap_bench("extend", "tiny", "--trials", "+2", "--runs", runs)
    assert (ended.code, ended.out) == (0, "tiny: 3 + 2 trials\n")
    assert "3 of 3 + 2 trials" in lorap_bench("status", "tiny", "--runs", runs).out
    assert lorap_bench("status", finished, "--json").json["budget"] == {
        "trials": 5,
        "counted": 3,
        "extension": {"trials": 2},
    }
    assert lorap_bench("run", "tiny", "--runs", runs, "--no-report").code == 0
    assert counted(StudyFolder(finished)) == 5
    again = lorap_bench("run", tiny, "--runs", runs, "--no-report")  # the file says 3, and 2 were added
    assert "tiny is finished: 5 of 3 + 2 trials" in again.err
    assert lorap_bench("extend", finished, "--trials", "1").out == "tiny: 3 + 3 trials\n"
    assert lorap_bench("run", tiny, "--runs", runs, "--no-report").code == 0
    assert counted(StudyFolder(finished)) == 6
    checked = lorap_bench("check", tiny, "--runs", runs)
    assert "3 + 3 trials" in checked.out
    assert lorap_bench("check", "tiny", "--runs", runs, "--json").json["trials"] == 6


def test_an_extension_while_it_runs_is_heeded(
    lorap_bench: Command, tiny: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lorap_bench.executors import local

    true_run, calls = local.run_local, list[int]()

    def run(broker: Any, train: Any, stop: Any, **_: Any) -> None:
        calls.append(broker.spec.budget.trials)
        if len(calls) == 1:
            ended = lorap_bench("extend", "tiny", "--trials", "+1", "--runs", runs)
            assert "its driver goes on with the larger budget" in ended.err
        true_run(broker, train, stop)

    monkeypatch.setattr(local, "run_local", run)
    ended = lorap_bench("run", tiny, "--runs", runs, "--no-report")
    assert ended.code == 0
    assert "it goes on to 4 trials" in ended.err
    assert calls == [3, 4]
    assert counted(StudyFolder.open(runs, "tiny")) == 4


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "nothing to extend; allowed: at least one of --trials"),
        (("--trials", "none"), "--trials: adds nothing to the budget; got 'none'"),
        (("--epochs", "+5", "--hours", "1"), "budget.hours: the study sets no such limit"),
        (("--space", "no-such.toml"), "cannot read the file"),
    ],
)
def test_what_cannot_be_extended_is_told(
    lorap_bench: Command, runs: Path, finished: Path, options: tuple[str, ...], told: str
) -> None:
    ended = lorap_bench("extend", "tiny", *options, "--runs", runs)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err
    assert StudyFolder(finished).manifest.extensions == ()


def test_overrides_go_with_a_file(lorap_bench: Command, runs: Path, finished: Path) -> None:
    ended = lorap_bench("run", "tiny", "--runs", runs, "--set", "budget.trials=9")
    assert ended.code == 2
    assert "--set: goes with a study file" in ended.err


def test_a_new_space_keeps_what_fits(lorap_bench: Command, runs: Path, finished: Path, wider: Path) -> None:
    old = StudyFolder(finished).records()
    fits = [record.number for record in old if record.params["prompt.count"] >= 2]
    assert 0 < len(fits) < 3
    ended = lorap_bench("extend", "tiny", "--space", wider, "--trials", "+1", "--runs", runs)
    assert ended.code == 0
    assert ended.out.splitlines() == [
        f"tiny: kept {len(fits)} of 3 trials of tiny.v1",
        f"  left {3 - len(fits)}: prompt.count outside the new space",
        "tiny: the old study is kept as tiny.v1",
        "tiny: 5 + 1 trials",
    ]
    assert StudyFolder.open(runs, "tiny.v1").records() == old
    assert lorap_bench("run", wider, "--runs", runs, "--no-report").code == 0
    assert counted(StudyFolder.open(runs, "tiny")) == 6
    status = lorap_bench("status", "tiny", "--runs", runs)
    assert f"tiny.v1 ({len(fits)} trial" in status.out
    report = lorap_bench("report", "tiny", "--runs", runs, "--out", runs / "page")
    study = (runs / "page" / "tiny.toml").read_text()
    assert report.code == 0
    assert study.startswith("# Extended since: lorap-bench extend tiny --trials +1\n# Trials 0 to ")
    assert lorap_bench("check", runs / "page" / "tiny.toml", "--runs", runs / "elsewhere").code == 0


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "tiny"', 'name = "other"', "name: a new space keeps the study's name; got 'other'; allowed: tiny"),
        ("hidden = 8", "hidden = 16", "model.hidden: 8 and 16"),
        ("trials = 3", "trials = 9", "the same study as before; there is no new space in it"),
        ("int = [1, 3]", "int = [5, 6]", "none of the trials of tiny.v1 fits: 3 prompt.rank outside the new space"),
    ],
)
def test_another_study_is_no_new_space(
    lorap_bench: Command, runs: Path, finished: Path, tmp_path: Path, old: str, new: str, told: str
) -> None:
    path = tmp_path / "new.toml"
    path.write_text(STUDY.replace(old, new))
    ended = lorap_bench("extend", "tiny", "--space", path, "--runs", runs)
    assert ended.code == 2
    assert told in ended.err
    assert [one.name for one in runs.iterdir()] == ["tiny"]


def test_a_study_that_runs_gets_no_new_space(lorap_bench: Command, runs: Path, finished: Path, wider: Path) -> None:
    with StudyFolder(finished).lock():
        ended = lorap_bench("extend", "tiny", "--space", wider, "--runs", runs)
    assert ended.code == 2
    assert "another process drives this study" in ended.err


def test_a_merge_is_a_study_of_its_own(lorap_bench: Command, runs: Path, finished: Path, wider: Path) -> None:
    other = wider.with_name("other.toml")
    other.write_text(STUDY.replace('"tiny"', '"other"').replace("version = 1", "version = 1\nseed = 4"))
    assert lorap_bench("run", other, "--runs", runs, "--no-report", "--set", "replicas.confirm=1").code == 0
    ended = lorap_bench("merge", "tiny", other, "--name", "both", "--runs", runs)
    assert ended.code == 0
    assert ended.out.startswith("both: kept 3 of 3 trials of tiny\nboth: kept ")
    assert "of 6 trials are there" in ended.out
    assert "other differs in seed; both has those of tiny" in ended.err
    assert "the test split of other was looked at 1 time" in ended.err

    run = lorap_bench("run", "both", "--runs", runs, "--no-report")
    assert run.code == 0
    assert counted(StudyFolder.open(runs, "both")) == 6
    assert "1 look by the studies" in lorap_bench("status", "both", "--runs", runs).out
    refused = lorap_bench("confirm", "both", "--seeds", "1", "--runs", runs)
    assert refused.code == 2
    assert "looked at already (by the studies its trials come from); --again" in refused.err
    again = lorap_bench("confirm", "both", "--seeds", "1", "--again", "--runs", runs, "--no-report", "--json")
    assert again.code == 0
    assert (again.json["look"]["number"], again.json["look"]["again"]) == (2, True)
    assert [len(StudyFolder.open(runs, name).records()) for name in ("tiny", "other")] == [3, 3]


def test_what_cannot_be_merged_is_told(lorap_bench: Command, runs: Path, finished: Path, wider: Path) -> None:
    different = wider.with_name("different.toml")
    different.write_text(STUDY.replace('"tiny"', '"different"').replace("hidden = 8", "hidden = 16"))
    assert lorap_bench("run", different, "--runs", runs, "--no-report", "--quiet").code == 0
    cases = {
        ("tiny", "different", "--name", "both"): "different: model.hidden: 8 and 16",
        ("tiny", "--name", "both"): "needs two or more different studies; got 'tiny'",
        ("tiny", "tiny", "--name", "both"): "needs two or more different studies; got 'tiny, tiny'",
        ("tiny", "different", "--name", "tiny"): "there is a study called 'tiny' already",
        ("tiny", "different", "--name", "a/b"): "--name: no name of a study; got 'a/b'; allowed: small letters",
        ("tiny", "diferent", "--name", "both"): "did you mean 'different'?",
    }
    for arguments, told in cases.items():
        ended = lorap_bench("merge", *arguments, "--runs", runs)
        assert (ended.code, ended.out) == (2, "")
        assert told in ended.err
    assert sorted(path.name for path in runs.iterdir()) == ["different", "tiny"]
