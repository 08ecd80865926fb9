"""``lorap-bench show``: everything about one trial."""

import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lorap_bench.cli.options import Json, Runs, StudyOrName
from lorap_bench.cli.recorded import TrialNumber, recorded_trial
from lorap_bench.cli.screen import print_json
from lorap_bench.cli.wiring import open_study

if TYPE_CHECKING:
    from lorap_bench.record import TrialRecord
    from lorap_bench.report.log_tail import Logged
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.store.look import Confirmation
    from lorap_bench.study.spec import StudySpec

EXAMPLE = "Example: lorap-bench show studies/quickstart.toml 7"
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A trial with all that its study knows of it; ``front`` tells whether it is on the front."""

    spec: "StudySpec"
    record: "TrialRecord"
    front: bool
    confirmation: "Confirmation | None"
    log: "list[Logged]"
    commands: dict[str, str]


def show(
    study: StudyOrName,
    trial: TrialNumber,
    config: Annotated[
        bool, typer.Option("--config", help="Print the whole configuration, not only what is no default.")
    ] = False,
    runs: Runs = Path("runs"),
    as_json: Json = False,
) -> None:
    """Print a trial: how it ended, its configuration, figures, seeds, bits, last epochs, and how to train it again.

    Figures on the test split are those of its confirmation, if it has one.
    """
    from lorap_bench.cli.trial_tables import print_trial

    folder, spec = open_study(study, runs)
    shown = _gathered(study, runs, folder, spec, recorded_trial(folder, trial))
    if as_json:
        print_json(_mapping(shown))
    else:
        print_trial(shown, whole_config=config)


def _gathered(study: str, runs: Path, folder: "StudyFolder", spec: "StudySpec", record: "TrialRecord") -> Shown:
    from lorap_bench.report.log_tail import log_tail
    from lorap_bench.report.table import front_records
    from lorap_bench.report.trial import command

    written = folder.root / "report" / f"{spec.name}.toml"
    file = str(written) if written.exists() else study if study.endswith(".toml") else ""
    where = [] if runs == Path("runs") else ["--runs", str(runs)]
    return Shown(
        spec=spec,
        record=record,
        front=any(each.number == record.number for each in front_records(spec, folder.records())),
        confirmation=folder.confirmations().get(record.number),
        log=log_tail(record, folder.curves(record.number)),
        commands={
            "rerun": shlex.join(["lorap-bench", "rerun", study, str(record.number), *where, "--check"]),
            "train": command(spec, record, file),
        },
    )


def _mapping(shown: Shown) -> dict[str, Any]:
    from lorap_bench.report.export import trial_mapping

    trial = trial_mapping(shown.spec, shown.record, shown.confirmation)
    del trial["command"]
    return {
        "schema_version": SCHEMA_VERSION,
        "study": shown.spec.name,
        **trial,
        "front": shown.front,
        "log": [asdict(line) for line in shown.log],
        "commands": shown.commands,
    }
