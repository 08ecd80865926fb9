"""``lorap-bench merge``: a new study with the trials of two or more."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lorap_bench.cli.kept import tell_kept
from lorap_bench.cli.options import RawMirror, Runs, use_mirror
from lorap_bench.cli.screen import counted, message, print_text
from lorap_bench.cli.wiring import open_study, stored_study, task_shape
from lorap_bench.errors import ConfigError, Fault, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorap_bench.search.adopt import Source
    from lorap_bench.study.sections import BudgetSpec
    from lorap_bench.study.spec import StudySpec

EXAMPLE = "Example: lorap-bench merge cora-a cora-b --name cora"
_BESIDE = ("space", "constraints", "search", "early_stopping", "seed", "storage")


def merge(
    studies: Annotated[
        list[str], typer.Argument(metavar="STUDY STUDY…", help="Two or more studies, as elsewhere.", show_default=False)
    ],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Name of the new study.", show_default=False)],
    runs: Runs = Path("runs"),
    raw_mirror: RawMirror = None,
) -> None:
    """Make a new study of the trials of others, which stay as they are.

    Objectives, task, seeds a trial and base configuration must be the same. Space, sampler and all else are the
    first study's, the budget is the sum. A configuration that several have comes once, from the one named first.
    """
    use_mirror(raw_mirror)
    from lorap_bench.search.adopt import Source
    from lorap_bench.search.objective import default_planner
    from lorap_bench.search.version import NewStudy
    from lorap_bench.store.folder import StudyFolder

    _refuse_name(name)
    if StudyFolder.known(runs, name):
        raise StoreError(f"there is a study called {name!r} already; a merge makes a new one", where=str(runs))
    sources = [Source(folder.root.name, folder, spec) for folder, spec in (open_study(one, runs) for one in studies)]
    _refuse_same(sources)
    spec = _merged(name, [source.spec for source in sources])
    _refuse_different(sources)
    new = NewStudy(runs=runs, spec=spec, sources=sources, planner=default_planner(task_shape(spec)))
    tell_kept(name, new.build().origins)
    folder = StudyFolder.open(runs, name)
    spent = sum(record.status.counts for record in folder.records())
    print_text(f"{name}: {spent} of {counted(stored_study(folder).budget.trials, 'trial')} are there")


def _merged(name: str, specs: "Sequence[StudySpec]") -> "StudySpec":
    """Return the first study under another name, with the budgets of all."""
    first = specs[0]
    for other in specs[1:]:
        taken = [part for part in _BESIDE if getattr(other, part) != getattr(first, part)]
        if taken:
            message(f"{other.name} differs in {', '.join(taken)}; {name} has those of {first.name}")
    budget = _sum([spec.budget for spec in specs])
    return first.model_copy(update={"name": name, "budget": budget})


def _sum(budgets: "Sequence[BudgetSpec]") -> "BudgetSpec":
    """Return the first budget with the limits of all added up; a limit that one of them lacks is none."""
    grown = {}
    for limit in ("trials", "epochs", "gpu_hours", "hours"):
        found = [getattr(budget, limit) for budget in budgets]
        grown[limit] = None if None in found else sum(found)
    return budgets[0].model_copy(update=grown)


def _refuse_name(name: str) -> None:
    from lorap_bench.study.patterns import NAME, WORDS

    if not re.match(NAME, name):
        raise ConfigError([Fault(path="--name", message="no name of a study", got=name, allowed=WORDS[NAME])])


def _refuse_same(sources: "Sequence[Source]") -> None:
    if len({source.folder.root.resolve() for source in sources}) < max(2, len(sources)):
        got = ", ".join(source.name for source in sources)
        raise ConfigError([Fault(path="STUDY", message="needs two or more different studies", got=got)])


def _refuse_different(sources: "Sequence[Source]") -> None:
    """Raise where trials of one study could never be trials of another."""
    from lorap_bench.search.adopt import differences

    first = sources[0]
    faults = [
        Fault(path=other.name, message=difference)
        for other in sources[1:]
        for difference in differences(first.spec, other.spec)
    ]
    if faults:
        raise ConfigError(faults, where=f"{first.name} and the others are different studies")
