from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from lorap_bench.cli.main import app
from lorap_bench.data.raw import MIRROR_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable

STUDY = """
version = 1
name = "tiny"
objectives = ["accuracy", "average_bits", "overhead"]
[prompt]
kind = "LoRAP"
[model]
hidden = 8
[optim]
epochs = 1
[space]
"prompt.count" = { choices = [1, 2, 4] }
"prompt.rank" = { int = [1, 3] }
"quant.layer_bits.0" = { choices = [2, 4, 8] }
[search]
sampler = "Random"
[budget]
trials = 3
"""
MAIN = "import sys; from lorap_bench.cli.main import main; sys.argv[0] = 'lorap-bench'; main()"


@pytest.fixture(autouse=True)
def _mirror_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the variable that ``--raw-mirror`` sets back what it was: commands run in this process."""
    before = os.environ.get(MIRROR_VARIABLE)
    monkeypatch.setenv(MIRROR_VARIABLE, before or "")
    if before is None:
        monkeypatch.delenv(MIRROR_VARIABLE)


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def lorap_bench() -> Callable[..., Ended]:
    """Run a command in this process."""

    def call(*arguments: object) -> Ended:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    return call


@pytest.fixture
def start() -> Callable[..., subprocess.Popen[str]]:
    """Start a command in a process of its own."""

    def popen(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", MAIN, *map(str, arguments)]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, stdout=pipe, stderr=pipe, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
        )

    return popen


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Return a study file of three short trials."""
    path = tmp_path / "tiny.toml"
    path.write_text(STUDY, encoding="utf-8")
    return path


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Train the tiny study with some settings, once a session; return its folder, which no test may change."""

    @cache
    def train(*settings: str) -> Path:
        folder = tmp_path_factory.mktemp("trained")
        (folder / "tiny.toml").write_text(STUDY, encoding="utf-8")
        command = ["run", str(folder / "tiny.toml"), "--runs", str(folder / "runs"), "--no-report", "--quiet"]
        result = CliRunner().invoke(app, command + [word for each in settings for word in ("--set", each)])
        assert result.exit_code == 0, result.output
        [study] = (folder / "runs").iterdir()
        return study

    return train


@pytest.fixture
def finish(trained: Callable[..., Path], tiny: Path, runs: Path) -> Callable[..., Path]:
    """Put the tiny study among the runs, finished with some settings; return where it lies."""

    def copy(*settings: str) -> Path:
        study = trained(*settings)
        return Path(shutil.copytree(study, runs / study.name))

    return copy


@pytest.fixture
def finished(finish: Callable[..., Path]) -> Path:
    """Return where the finished tiny study lies."""
    return finish()
