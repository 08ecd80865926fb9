"""Run every fault and make a table: ``python -m tests.faults.report [NAME…]``, kept under ``reports/faults``.

With names only those are run again; the others keep the rows they have.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import traceback
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.timing import machine
from tests.faults.cases import CASES

FOLDER = Path(__file__).resolve().parents[2] / "reports" / "faults"
COLUMNS = ("asked", "recorded", "lost", "repeated", "running", "retried", "continued")
HEAD = """# What a study survives

Each fault is done to a study of made-up or tiny trials with real processes; then the same command is run again. *Asked*
is the budget, *recorded* the trials that count in it; *lost* are finished trials whose record is gone or changed,
*repeated* those that were begun again after they had finished, *running* those that the sampler's memory still has on
their way, *retried* those that took more than one try (as they must where they had not finished). The study is sound if
asked = recorded, nothing is lost, repeated or running, and the command went on to the end.

Run by `python -m tests.faults.report`; the same faults are tests (`nox -s slow -- tests/faults`).

"""


def run(name: str) -> dict[str, Any]:
    """Do one fault; return its row."""
    begun = time.monotonic()
    row: dict[str, Any] = {"fault": (CASES[name].__doc__ or name).rstrip(".")}
    with tempfile.TemporaryDirectory(prefix="fault-") as folder:
        try:
            found = CASES[name](Path(folder))
            row |= {**asdict(found), "sound": found.sound}
        except Exception as error:  # noqa: BLE001  # a row, too
            traceback.print_exc()
            row |= dict.fromkeys(COLUMNS) | {"sound": False, "statuses": {}, "problem": type(error).__name__}
    return row | {"seconds": round(time.monotonic() - begun)}


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Return the rows in Markdown."""
    columns = ("fault", *COLUMNS, "statuses", "sound", "seconds")
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(_cell(row[column]) for column in columns) + " |" for row in rows.values()]
    return "\n".join(lines) + "\n"


def main(names: list[str]) -> int:
    """Run faults, write the report after each, and say whether all are sound."""
    file = FOLDER / "faults.json"
    old = json.loads(file.read_text(encoding="utf-8"))["rows"] if names and file.exists() else {}
    rows = {name: old[name] for name in CASES if name in old}
    FOLDER.mkdir(parents=True, exist_ok=True)
    facts = machine() | {"ray": version("ray"), "optuna": version("optuna")}
    for name in names or CASES:
        rows[name] = run(name)
        ordered = {known: rows[known] for known in CASES if known in rows}
        file.write_text(json.dumps({**facts, "rows": ordered}, indent=2) + "\n", encoding="utf-8")
        (FOLDER / "faults.md").write_text(HEAD + table(ordered) + f"\n{_told(facts)}\n", encoding="utf-8")
        print(f"{name}: {'sound' if rows[name]['sound'] else 'NOT SOUND'} ({rows[name]['seconds']} s)", flush=True)  # noqa: T201
    return int(not all(row["sound"] for row in rows.values()))


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count} {name}" for name, count in value.items())
    return {True: "yes", False: "no", None: "?"}[value] if value is None or isinstance(value, bool) else str(value)


def _told(facts: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {found}" for name, found in facts["versions"].items())
    return (
        f"{facts['cores']} cores of {facts['processor']}, {facts['memory GiB']} GiB, shared with other work; "
        f"{versions}, Ray {facts['ray']}, Optuna {facts['optuna']}."
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
