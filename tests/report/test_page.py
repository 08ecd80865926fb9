"""The page as a file: complete, small, escaped, and the same each time."""

from __future__ import annotations

import json
import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.errors import StoreError
from lorap_bench.record import Status
from lorap_bench.report.assemble import assemble
from lorap_bench.report.html import MOST_BYTES
from lorap_bench.report.material import Material
from lorap_bench.report.sections.trials import ROWS_SHOWN
from lorap_bench.report.write import write_report
from lorap_bench.study.spec import StudySpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorap_bench.record import TrialRecord
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.store.look import Confirmation

    Make = Callable[..., TrialRecord]
    MakeConfirmation = Callable[..., Confirmation]
    MakeSpec = Callable[..., StudySpec]
    MakeFolder = Callable[..., StudyFolder]
    MakeStudy = Callable[..., list[TrialRecord]]

VOID = {"meta", "link", "br"}
SECTIONS = ("verdict", "pareto", "progress", "prompts", "trials", "reproduce")


class Checker(HTMLParser):
    """Reads a page, keeps its ids and outward references, and that every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        values = dict(attrs)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.references += [value for name in ("src", "href") if (value := values.get(name))]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in {"script", "style"}:
            self.text.append(data)


def read(path: Path) -> tuple[Checker, str, dict[str, Any]]:
    """Return the parsed page, its visible text and its embedded data."""
    source = path.read_text(encoding="utf-8")
    checker = Checker()
    checker.feed(source)
    assert checker.open == []
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', source, re.DOTALL)
    assert match is not None
    return checker, " ".join(" ".join(checker.text).split()), json.loads(match[1])


def test_a_whole_study(
    make_spec: MakeSpec,
    make_study: MakeStudy,
    make_folder: MakeFolder,
    make_confirmation: MakeConfirmation,
    tmp_path: Path,
) -> None:
    spec, records = make_spec(), make_study(40)
    folder = make_folder(spec, records, [make_confirmation(records[2])])
    path = write_report((folder, spec), tmp_path / "out")
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "data.csv",
        "data.json",
        "index.html",
        "made-up.toml",
        "report.json",
        "tables",
    ]
    assert path.stat().st_size < 8_000_000
    checker, text, data = read(path)
    assert set(SECTIONS) <= set(checker.ids)
    assert len(checker.ids) == len(set(checker.ids))
    outward = {ref for ref in checker.references if not ref.startswith("#")}
    assert outward == {"data:,", "data.csv", "data.json", "made-up.toml"}
    assert {ref[1:] for ref in checker.references if ref.startswith("#")} <= set(checker.ids)
    assert {"pareto", "space", "progress-trials", "progress-epochs", "progress-seconds"} <= set(data["figures"])
    assert {"prompt-count", "prompt-rank", "slopes"} <= set(data["figures"])
    assert set(data["figures"]) == {
        name.removeprefix("figure-") for name in checker.ids if name.startswith("figure-")
    } - set(data["parallel"])
    assert set(data["trials"]) == {str(record.number) for record in Material(spec, records).drawn}
    assert data["files"]["data.csv"] == (path.parent / "data.csv").read_text(encoding="utf-8")
    assert data["files"]["data.json"] == (path.parent / "data.json").read_text(encoding="utf-8")
    assert "Validation accuracy selected these points" in text
    assert "reference point version 1" in text
    assert spec.identity in text
    assert "0123abc" in text
    assert "/home/" not in path.read_text(encoding="utf-8")
    assert data["files"]["made-up.toml"] == (path.parent / "made-up.toml").read_text(encoding="utf-8")
    assert StudySpec.from_mapping(tomllib.loads(data["files"]["made-up.toml"])) == spec


def test_gains_stand_in_the_front_table_and_on_the_cards(
    make_spec: MakeSpec, make_record: Make, make_folder: MakeFolder, make_confirmation: MakeConfirmation, tmp_path: Path
) -> None:
    spec, records = make_spec(), [make_record(0, 0.8, 4.0), make_record(1, 0.7, 3.0)]
    folder = make_folder(spec, records, [make_confirmation(records[0])])
    _, text, _ = read(write_report((folder, spec), tmp_path / "out"))
    assert "Gain over no prompt, points Gain over FP32, points" in text
    assert "+2.0 [+2.0, +2.0] n = 10 -1.0 [-1.1, -0.9] n = 10" in text
    assert "Prompt gain +2.0 [+2.0, +2.0] points, n = 10, p < 0.001" in text
    assert "minus that of the same configuration without its prompt, or of the same model in FP32" in text
    _, text, _ = read(write_report((make_folder(make_spec(name="plain"), records), spec), tmp_path / "plain"))
    assert "Gain over" not in text


def test_the_same_study_gives_the_same_bytes(
    make_spec: MakeSpec, make_study: MakeStudy, make_folder: MakeFolder, tmp_path: Path
) -> None:
    spec = make_spec()
    folder = make_folder(spec, make_study(20))
    first = write_report((folder, spec), tmp_path / "one").read_bytes()
    assert write_report((folder, spec), tmp_path / "two").read_bytes() == first
    assert write_report((folder, spec), tmp_path / "one").read_bytes() == first


def test_commands_name_the_file_beside_the_page(
    make_spec: MakeSpec,
    make_record: Make,
    make_folder: MakeFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = make_spec()
    folder = make_folder(spec, [make_record(0)])
    monkeypatch.chdir(tmp_path)
    for out, file in ((Path("out"), "out/made-up.toml"), (tmp_path / "a b", "'a b/made-up.toml'")):
        _, text, data = read(write_report((folder, spec), out))
        assert f"lorap-bench run {file}" in text
        assert f"lorap-bench train {file} --set" in text
        assert f"lorap-bench train {file} --set" in data["files"]["data.csv"]
        assert f"lorap-bench train {file} --set" in data["files"]["data.json"]
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    path = write_report((folder, spec), tmp_path / "out")
    assert "lorap-bench run made-up.toml" in read(path)[1]
    assert str(tmp_path) not in path.read_text(encoding="utf-8")


def test_two_seeds_show_no_interval(
    make_spec: MakeSpec, make_record: Make, make_folder: MakeFolder, tmp_path: Path
) -> None:
    record = make_record(0)
    two = make_record(0, members=record.members[:2])
    _, text, _ = read(write_report((make_folder(make_spec(), [two]), make_spec()), tmp_path / "out"))
    assert "± 0.7, n = 2 seeds, validation" in text
    assert "PyTorch 2.13.0" in text


def test_an_empty_study_is_refused(make_spec: MakeSpec, make_folder: MakeFolder, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="made-up: the study has no trials yet"):
        write_report((make_folder(make_spec(), []), make_spec()), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_all_failed_says_so(make_spec: MakeSpec, make_record: Make, make_folder: MakeFolder, tmp_path: Path) -> None:
    failed: dict[str, Any] = {"members": (), "objectives": {}, "costs": {}, "effective": {}}
    records = [
        make_record(0, status=Status.DIVERGED, reason="loss is not finite", **failed),
        make_record(1, status=Status.OUT_OF_MEMORY, **failed),
    ]
    _, text, data = read(write_report((make_folder(make_spec(), records), make_spec()), tmp_path / "out"))
    assert set(data["figures"]) <= {"timeline-bars"}
    assert "No feasible trial completed, so there is nothing to recommend." in text
    assert "2 trials ended as: diverged (1), out of memory (1)." in text
    assert "2 of 2: diverged (1), out of memory (1)" in text
    assert "there is no front to draw" in text
    assert "the hypervolume is 0" in text
    assert "loss is not finite" in text


@pytest.mark.parametrize(
    "objectives", [["accuracy"], ["overhead"], ["accuracy", "overhead"], ["average_bits", "overhead"]]
)
def test_every_subset_of_objectives(
    make_spec: MakeSpec, make_study: MakeStudy, make_folder: MakeFolder, tmp_path: Path, objectives: list[str]
) -> None:
    spec = make_spec(objectives=objectives)
    _, text, data = read(write_report((make_folder(spec, make_study(15)), spec), tmp_path / "out"))
    assert "pareto" in data["figures"]
    count = len(objectives)
    assert f"the front in {count} objective{'s' if count != 1 else ''} (" in text
    assert ("The line is the best" in text) == (count > 1)


def test_one_trial_of_one_seed_without_prompt_parameters(
    make_spec: MakeSpec, make_record: Make, make_folder: MakeFolder, tmp_path: Path
) -> None:
    record = make_record(0)
    alone = make_record(0, members=record.members[:1], params={"optim.lr": 0.01}, started="", provenance={})
    spec = make_spec(description="", replicas={"search": 1}, space={"optim.lr": {"float": [0.001, 0.1]}})
    checker, text, _ = read(write_report((make_folder(spec, [alone]), spec), tmp_path / "out"))
    assert "prompts" not in checker.ids
    assert "n = 1 seed, validation" in text
    assert "no test accuracy has been measured" in text


def test_hostile_strings_stay_text(
    make_spec: MakeSpec, make_record: Make, make_folder: MakeFolder, tmp_path: Path
) -> None:
    hostile = "</script><script>alert('x')</script>\"'&ü<b>" + "x" * 300
    spec = make_spec(description=hostile)
    records = [
        make_record(0, params={"prompt.kind": hostile}, provenance={"note": hostile}),
        make_record(1, status=Status.DIVERGED, reason=hostile, members=(), objectives={}),
    ]
    path = write_report((make_folder(spec, records), spec), tmp_path / "out")
    _, text, data = read(path)
    assert "<script>alert" not in path.read_text(encoding="utf-8")
    assert hostile in text
    assert hostile in unescaped(data["files"]["made-up.toml"])


def unescaped(text: str) -> str:
    """Return TOML text with its escaped quotes plain."""
    return text.replace('\\"', '"')


def test_values_that_are_missing_or_infinite(
    make_spec: MakeSpec, make_record: Make, make_folder: MakeFolder, tmp_path: Path
) -> None:
    records = [
        make_record(0, objectives={"accuracy": 0.8, "average_bits": 4.0}),
        make_record(1, members=()),
        make_record(2, overhead=1e300),
    ]
    _, text, data = read(write_report((make_folder(make_spec(), records), make_spec()), tmp_path / "out"))
    assert "pareto" in data["figures"]
    assert "nan" not in text.split()


def test_what_does_not_fit_stands_beside_the_page(
    make_spec: MakeSpec,
    make_study: MakeStudy,
    make_folder: MakeFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    records = make_study(ROWS_SHOWN + 20)
    folder = make_folder(make_spec(), records)
    path = write_report((folder, make_spec()), tmp_path / "out")
    assert path.stat().st_size < MOST_BYTES < 8_000_000
    monkeypatch.setattr("lorap_bench.report.html.MOST_BYTES", 5_000_000)
    path = write_report((folder, make_spec()), tmp_path / "small")
    _, text, data = read(path)
    assert data["files"] == {}
    assert "too large to embed" in text or "beside this page" in text
    assert f"The first {ROWS_SHOWN} of {ROWS_SHOWN + 20}" in text


def test_what_is_searched_shows_its_choices(make_spec: MakeSpec, make_record: Make) -> None:
    space = {
        "prompt.kind": {"choices": ["None", "LoRAP"]},
        "model.hidden": {"int": [16, 64]},
    }
    spec = make_spec(space=space)
    facts = dict(assemble(Material(spec, [make_record(0)])).facts)
    assert facts["Prompt"] == "None, LoRAP"
    assert facts["Model"] == "GCN, layers 2, width searched"
    assert facts["Objectives"] == "accuracy ↑, average bits ↓, overhead ↓"
    assert facts["Trials"] == "1, 3 seeds each"


def test_repeated_trials_and_screening_stand_in_the_facts(make_spec: MakeSpec, make_record: Make) -> None:
    spec = make_spec(replicas={"search": 3, "screen": 1})
    records = [make_record(0), make_record(1, status=Status.DUPLICATE, duplicate_of=0)]
    assert dict(assemble(Material(spec, records)).facts)["Trials"] == "1 of 2 proposed, 1 or 3 seeds each"


def test_trials_outside_the_reference_box_are_counted(
    make_spec: MakeSpec, make_record: Make, make_folder: MakeFolder, tmp_path: Path
) -> None:
    records = [make_record(0), make_record(1, overhead=100.0), make_record(2, 0.9, overhead=150.0), make_record(3, 0.0)]
    _, text, _ = read(write_report((make_folder(make_spec(), records), make_spec()), tmp_path / "out"))
    assert "3 of 4 complete trials lie at or beyond the worst corner and add nothing" in text


def test_a_folder_that_cannot_be_written(
    make_spec: MakeSpec, make_record: Make, make_folder: MakeFolder, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot write the report"):
        write_report((make_folder(make_spec(), [make_record(0)]), make_spec()), tmp_path / "out")


def test_duplicates_name_their_original(
    make_spec: MakeSpec, make_record: Make, make_folder: MakeFolder, tmp_path: Path
) -> None:
    spec = make_spec()
    records = [make_record(0), make_record(1, status=Status.DUPLICATE, duplicate_of=0, digest="x")]
    _, text, data = read(write_report((make_folder(spec, records), spec), tmp_path / "out"))
    assert "duplicate 80.0 [77.5, 82.5] n = 3" in text
    assert "of trial 0" in text
    assert set(data["trials"]) == {"0"}
