from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.cli.wiring import catalog
from lorap_bench.config import digest_of
from lorap_bench.suite.check import State
from lorap_bench.suite.file import load_suite
from lorap_bench.suite.folder import SuiteFolder
from lorap_bench.suite.sitting import open_sitting
from lorap_bench.suite.verify import verify_suite
from tests.suite.sittings import SUITE, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lorap_bench.suite.sitting import Sitting

    Sit = Callable[..., Sitting]
    Change = Callable[[dict[str, Any]], None]


def wrong(root: Path) -> dict[str, tuple[str, ...]]:
    checks = verify_suite(SuiteFolder(root))
    return {check.name: check.found for check in checks if check.state is State.WRONG}


def change(path: Path, how: Change, *, sign: bool = False) -> None:
    """Change a JSON file; ``sign`` makes its checksum fit, as a forger would."""
    stored = json.loads(path.read_text())
    how(stored)
    if sign:
        stored["checksum"] = digest_of({name: value for name, value in stored.items() if name != "checksum"})
    path.write_text(json.dumps(stored))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished suite's folder, which no test may change."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "few.toml").write_text(SUITE, encoding="utf-8")
    sitting = open_sitting(load_suite(folder / "few.toml", catalog=catalog()), folder, ())
    assert run(sitting)
    return sitting.folder.root


@pytest.fixture
def finished(sit: Sit, text: str, trained: Path) -> Sitting:
    shutil.copytree(trained, sit(text).folder.root)
    return sit(text)


def test_a_whole_suite_is_verified(finished: Sitting) -> None:
    checks = verify_suite(finished.folder)
    assert [check.name for check in checks] == [
        "suite",
        "files",
        "cells",
        "other cells",
        "replicas",
        "selection",
        "costs",
        "table",
        "origins",
    ]
    assert wrong(finished.folder.root) == {}
    assert "against the curves of 4 of 4 cells" in checks[5].found[0]
    assert {check.state for check in checks[:-1]} == {State.OK}


def test_cells_that_cannot_exist_or_are_skipped_are_not_missed(sit: Sit, text: str) -> None:
    rule = '[[skip]]\nwhen = { scheme = "QAT", prompt = "LoRAP" }\nreason = "too dear"\n'
    sitting = sit(text.replace("groups = 20", "groups = 0") + rule)
    assert run(sitting)
    assert wrong(sitting.folder.root) == {}
    assert run(sit(text.replace("groups = 20", "groups = 0") + rule, "prompt=None"))
    assert wrong(sitting.folder.root) == {}  # what an earlier run found impossible is still known


def test_missing_cells_are_named(sit: Sit, text: str) -> None:
    sitting = sit(text, "scheme=QAT")
    assert run(sitting)
    assert wrong(sitting.folder.root) == {"cells": ("A2Q None is not there", "A2Q LoRAP is not there")}


def test_a_cell_changed_by_hand_is_found(finished: Sitting) -> None:
    root = finished.folder.root
    path = root / "cells" / f"{finished.cells[0].key}.json"
    whole = path.read_text()

    def better(stored: dict[str, Any]) -> None:
        stored["records"][0]["members"][0]["test"] = 1.0

    change(path, better)
    assert "its checksum does not fit" in wrong(root)["files"][0]
    path.write_text(whole)
    change(path, better, sign=True)  # then the table tells
    assert set(wrong(root)) == {"table"}


@pytest.mark.parametrize(
    ("how", "name", "words"),
    [
        (lambda cell: cell["records"][0]["members"][0].update(val=0.99), "selection", "is not the mean of"),
        (
            lambda cell: cell["records"][0]["members"][0].update(best_epoch=17),
            "selection",
            "best on validation is epoch",
        ),
        (lambda cell: cell["costs"][0].update(average_bits=1.0), "costs", "not the mean of its replicas'"),
        (lambda cell: cell["axes"].update(scheme="FP32"), "replicas", "says that it is"),
        (lambda cell: cell["costs"].pop(), "files", "damaged cell (costs of 1 replicas, records of 2)"),
        (lambda cell: cell["records"][0].update(schema_version=9), "files", "record schema 9"),
        (lambda cell: cell.update(schema_version=9), "files", "cell schema 9"),
        (lambda cell: cell["records"][0]["members"][0].update(seed=5), "files", "which its name does not say"),
        (lambda cell: cell["records"][0]["config"]["optim"].update(lr=0.5), "files", "which its name does not say"),
        (lambda cell: cell["records"][0].pop("members"), "files", "damaged record"),
        (lambda cell: cell.pop("axes"), "files", "damaged cell"),
        (lambda cell: cell["records"][0]["config"].pop("task"), "files", "does not fit this version"),
        (lambda cell: cell["records"][0]["config"]["model"].update(x=1), "files", "does not fit this version"),
    ],
)
def test_what_does_not_fit_together_is_found(finished: Sitting, how: Change, name: str, words: str) -> None:
    root = finished.folder.root
    change(root / "cells" / f"{finished.cells[0].key}.json", how, sign=True)
    assert words in wrong(root)[name][0]


def test_a_table_changed_by_hand_is_found(finished: Sitting) -> None:
    root = finished.folder.root
    lines = (root / "table.csv").read_text().splitlines()
    lines[2] = lines[2].replace("complete", "Complete")
    (root / "table.csv").write_text("\n".join(lines) + "\n")
    assert wrong(root) == {"table": ("table.csv line 3 is not what the cells make (1 in all)",)}
    (root / "table.parquet").unlink()
    assert wrong(root)["table"][1] == "table.parquet is missing"


def test_a_broken_suite_file_ends_the_checks(finished: Sitting) -> None:
    path = finished.folder.root / "suite.json"
    change(path, lambda stored: stored["spec"].update(axes={}))
    assert "does not fit this version" in wrong(path.parent)["suite"][0]
    change(path, lambda stored: stored["spec"].update(axes={"dataset": ["Nowhere"]}, replicas={"seeds": 1, "folds": 2}))
    assert "unknown data set" in wrong(path.parent)["suite"][0]
    change(path, lambda stored: stored.update(schema_version=2))
    assert "suite folder of schema 2" in wrong(path.parent)["suite"][0]


def test_a_suite_that_names_an_axis_more_keeps_its_cells(finished: Sitting, sit: Sit, text: str) -> None:
    wider = sit(text.replace("[axes]", "[axes]\nbits = [8]\n"))  # as it was without saying so
    assert wider.results.keys() == finished.results.keys()
    assert run(wider)
    assert wrong(wider.folder.root) == {}


def test_other_cells_and_other_versions_are_warnings(finished: Sitting) -> None:
    root = finished.folder.root
    (root / "cells" / "0123456789abcdef.json").write_text("{}")
    path = root / "cells" / f"{finished.cells[0].key}.json"
    change(path, lambda cell: cell["records"][0]["provenance"]["versions"].update(torch="1.0"), sign=True)
    checks = {check.name: check for check in verify_suite(finished.folder)}
    assert checks["other cells"].state is State.WARNING
    assert "0123456789abcdef" in checks["other cells"].found[0]
    assert checks["origins"].state is State.WARNING
    assert any(text.startswith("versions.torch differs: 1.0, ") for text in checks["origins"].found)
    assert "versions" not in wrong(root)


def test_curves_that_are_not_kept_are_said_so(finished: Sitting) -> None:
    for path in (finished.folder.root / "curves").iterdir():
        path.unlink()
    assert wrong(finished.folder.root) == {}
    selection = next(check for check in verify_suite(finished.folder) if check.name == "selection")
    assert "curves of 0 of 4 cells" in selection.found[0]


@pytest.mark.parametrize(
    ("curves", "told"),
    [
        ('{"val_metric": []}', "damaged: not a list of curves"),
        ("[3]", "damaged: not a list of curves"),
        ("[{}, {}]", "curves of 2 trainings, records of 1"),
    ],
)
def test_curves_that_are_none_are_told(finished: Sitting, curves: str, told: str) -> None:
    next((finished.folder.root / "curves").iterdir()).write_text(curves)
    (found,) = wrong(finished.folder.root)["selection"]
    assert told in found
