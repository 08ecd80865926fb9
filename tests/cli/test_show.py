"""Everything about one trial, and the same trial trained again."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.record import Outcome, Status, TrialRecord
from lorap_bench.store.folder import StudyFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., Any]


@pytest.fixture
def finished(finish: Callable[..., Path]) -> Path:
    """Return where the tiny study lies, two seeds a trial and its test split looked at."""
    return finish("replicas.search=2", "replicas.confirm=2", "optim.epochs=7")


def folder_of(study: Path) -> StudyFolder:
    return StudyFolder.open(study.parent, study.name)


def record_of(study: Path) -> TrialRecord:
    """Return the first confirmed trial: it is complete."""
    folder = folder_of(study)
    record = folder.read(next(iter(folder.confirmations())))
    assert record is not None
    return record


def amend(study: Path, number: int, **changes: Any) -> None:
    record = folder_of(study).read(number)
    assert record is not None
    (study / "trials" / f"{number:06d}.json").unlink()
    folder_of(study).write(Outcome(replace(record, **changes), {}))


def test_a_trial_is_shown_whole(lorap_bench: Command, finished: Path) -> None:
    record = record_of(finished)
    ended = lorap_bench("show", finished, record.number)
    assert (ended.code, ended.err) == (0, "")
    lines = [line.split() for line in ended.out.splitlines()]
    assert lines[0] == ["tiny:", "trial", str(record.number)]
    assert lines[1][:2] == ["status", "complete,"]
    assert ["digest", record.digest] in lines
    assert ["prompt.count", str(record.params["prompt.count"])] in lines
    assert ["model.hidden", "8"] in lines
    assert not any(line[:1] == ["quant.scheme"] for line in lines)
    assert ["average_bits", f"{record.costs['average_bits']:.4g}"] in lines
    member = record.members[1]
    assert [str(member.seed), "complete", f"{member.val:.4g}", str(member.best_epoch), "7"] in lines
    confirmed = folder_of(finished).confirmations()[record.number].record.members[0]
    told = [str(confirmed.seed), "complete", f"{confirmed.val:.4g}", str(confirmed.best_epoch), "7"]
    assert [*told, f"{confirmed.test:.4g}"] in lines
    assert any(line[:4] == ["gain", "over", "no", "prompt"] for line in lines)
    assert any(line[:1] == ["layers.0.weight"] for line in lines)
    assert [line[1] for line in lines if line[:1] == [str(member.seed)] and len(line) == 5][1:] == list("34567")
    assert f"  lorap-bench rerun {finished} {record.number} --check" in ended.out
    assert "  lorap-bench train tiny.toml --set prompt.count=" in ended.out


def test_the_whole_configuration_is_shown_when_asked(lorap_bench: Command, finished: Path) -> None:
    number = record_of(finished).number
    lines = lorap_bench("show", finished, number, "--config").out.splitlines()
    assert ["quant.scheme", "QAT"] in [line.split() for line in lines]


def test_a_trial_for_programs(lorap_bench: Command, finished: Path) -> None:
    record = record_of(finished)
    found = lorap_bench("show", finished, record.number, "--json").json
    assert (found["schema_version"], found["study"], found["number"]) == (1, "tiny", record.number)
    assert (found["config"], found["params"], found["front"]) == (record.config, record.params, True)
    assert [member["test"] for member in found["members"]] == [None, None]
    assert len(found["confirmation"]["members"]) == 2
    assert [line["epoch"] for line in found["log"]] == [3, 4, 5, 6, 7] * 2
    assert found["log"][4]["val_metric"] == folder_of(finished).curves(record.number)["val_metric"][0][-1]
    assert set(found["commands"]) == {"rerun", "train"}
    program, *words = shlex.split(found["commands"]["rerun"])
    assert (program, lorap_bench(*words).code) == ("lorap-bench", 0)


def test_the_train_command_names_a_file_that_is_there(
    lorap_bench: Command, finished: Path, tiny: Path, runs: Path
) -> None:
    number = record_of(finished).number
    found = lorap_bench("show", tiny, number, "--runs", runs, "--json").json["commands"]
    assert shlex.split(found["train"])[2] == str(tiny)
    assert found["rerun"] == shlex.join(f"lorap-bench rerun {tiny} {number} --runs {runs} --check".split())
    written = finished / "report" / "tiny.toml"
    written.parent.mkdir()
    written.write_text("", encoding="utf-8")
    found = lorap_bench("show", tiny, number, "--runs", runs, "--json").json["commands"]
    assert shlex.split(found["train"])[2] == str(written)


def test_a_trial_that_ended_badly_is_shown_without_empty_tables(lorap_bench: Command, finished: Path) -> None:
    record = record_of(finished)
    amend(
        finished,
        record.number,
        status=Status.OUT_OF_MEMORY,
        reason="no memory, see /home/me/log.txt",
        members=(),
        effective={},
        violations={"average_bits": 0.5},
        duplicate_of=1,
        attempt=1,
    )
    (finished / "curves" / f"{record.number:06d}.json").unlink(missing_ok=True)
    out = lorap_bench("show", finished, record.number).out
    assert "out of memory, infeasible" in out
    assert "no memory, see …/log.txt" in out
    assert "broken by 0.5" in out
    lines = [line.split() for line in out.splitlines()]
    assert ["repeats", "trial", "1"] in lines
    assert ["attempt", "2"] in lines
    assert not any(line[:1] in (["site"], ["layer"]) for line in lines)


def test_what_was_learned_is_shown(lorap_bench: Command, finished: Path) -> None:
    record = record_of(finished)
    widths = (3.0, 4.0)
    members = tuple(
        replace(member, bits={"layers.0.weight": bits}) for member, bits in zip(record.members, widths, strict=True)
    )
    amend(finished, record.number, members=members)
    lines = [line.split() for line in lorap_bench("show", finished, record.number).out.splitlines()]
    given = record.effective["bits"]["layers.0.weight"]
    assert ["site", "bits", "learned"] in lines
    assert ["layers.0.weight", f"{given:.4g}", "3.5"] in lines


@pytest.mark.parametrize("verb", ["show", "rerun"])
def test_a_trial_that_is_not_there_is_told(lorap_bench: Command, finished: Path, verb: str) -> None:
    numbers = [record.number for record in folder_of(finished).records()]
    ended = lorap_bench(verb, finished, 99)
    assert (ended.code, ended.out) == (2, "")
    assert f"trial 99 has no record; those from {numbers[0]} to {numbers[-1]} may have one" in ended.err
    assert lorap_bench(verb, finished, "best").code == 2
