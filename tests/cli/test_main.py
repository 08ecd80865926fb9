from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., Any]

VERBS = [
    "run",
    "confirm",
    "check",
    "status",
    "train",
    "show",
    "rerun",
    "report",
    "compare",
    "export",
    "model",
    "predict",
    "recipes",
    "schema",
    "suite",
    "verify",
    "extend",
    "stop",
    "repair",
    "merge",
    "dashboard",
    "doctor",
    "data list",
    "data prepare",
    "data verify",
]
HEAVY = {"torch", "torch_geometric", "optuna", "ray", "pandas", "plotly", "sklearn"}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(lorap_bench: Command, verb: str) -> None:
    ended = lorap_bench(*verb.split(), "--help")
    assert ended.code == 0
    assert f"Example: lorap-bench {verb}" in " ".join(ended.out.split())


def test_every_verb_is_tested_above(lorap_bench: Command) -> None:
    assert "Example: lorap-bench data" in " ".join(lorap_bench("data", "--help").out.split())
    names = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    assert names | {"data"} == {verb.split()[0] for verb in VERBS}


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from lorap_bench.cli.main import app; "
        "CliRunner().invoke(app, ['run', '--help']); "
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_version(lorap_bench: Command) -> None:
    ended = lorap_bench("--version")
    assert (ended.code, ended.out) == (0, f"lorap-bench {version('lorap-bench')}\n")


def test_a_misspelt_verb_or_option_is_a_usage_error(lorap_bench: Command) -> None:
    assert lorap_bench("rnu").code == 2
    assert lorap_bench("status", "x", "--jsn").code == 2
