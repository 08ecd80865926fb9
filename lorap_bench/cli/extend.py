"""``lorap-bench extend``: a larger budget, or a new version of the space that keeps what fits it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lorap_bench.cli.budget import with_extension
from lorap_bench.cli.kept import tell_kept
from lorap_bench.cli.options import RawMirror, Runs, StudyOrName, use_mirror
from lorap_bench.cli.screen import message, print_text
from lorap_bench.cli.wiring import catalog, open_study, stored_study, task_shape
from lorap_bench.errors import ConfigError, Fault

if TYPE_CHECKING:
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.study.extension import Extension
    from lorap_bench.study.spec import StudySpec

EXAMPLE = "Example: lorap-bench extend quickstart --trials +100"
_WORDS = {"trials": "trials", "epochs": "epochs", "gpu_hours": "GPU hours", "hours": "hours"}


def extend(
    study: StudyOrName,
    trials: Annotated[
        str | None, typer.Option("--trials", metavar="+N", help="Add trials to the budget.", show_default=False)
    ] = None,
    epochs: Annotated[
        str | None, typer.Option("--epochs", metavar="+N", help="Add epochs.", show_default=False)
    ] = None,
    gpu_hours: Annotated[
        str | None, typer.Option("--gpu-hours", metavar="+H", help="Add GPU hours.", show_default=False)
    ] = None,
    hours: Annotated[str | None, typer.Option("--hours", metavar="+H", help="Add hours.", show_default=False)] = None,
    space: Annotated[
        Path | None,
        typer.Option("--space", metavar="FILE", help="A study file with another space.", show_default=False),
    ] = None,
    runs: Runs = Path("runs"),
    raw_mirror: RawMirror = None,
) -> None:
    """Add to a study's budget, or give it a new space and keep the trials that are points of it.

    What is added is kept beside the study file's own budget, so `run` with that file goes on to both. With
    --space the trials that fit are copied into a new folder, and the old one is kept as NAME.v1.
    """
    use_mirror(raw_mirror)
    from lorap_bench.study.extension import Extension, parse_more

    wanted = {"trials": trials, "epochs": epochs, "gpu_hours": gpu_hours, "hours": hours}
    given = {limit: text for limit, text in wanted.items() if text is not None}
    by = Extension.from_mapping({limit: parse_more(limit, text) for limit, text in given.items()})
    if not by.to_mapping() and space is None:
        options = "--trials, --epochs, --gpu-hours, --hours, --space"
        raise ConfigError([Fault(path="", message="nothing to extend", allowed=f"at least one of {options}")])
    folder, spec = open_study(study, runs)
    _refuse_unlimited(spec, by)
    if space is not None:
        folder = _new_space(folder, space)
    if by.to_mapping():
        _extend(folder, by)


def _extend(folder: "StudyFolder", by: "Extension") -> None:
    """Add to the budget, and print what it is now."""
    from datetime import UTC, datetime

    folder.extend(by, datetime.now(UTC).isoformat(timespec="seconds"))
    spec, whole = stored_study(folder), folder.manifest.extension
    for limit in by.to_mapping():
        print_text(f"{spec.name}: {with_extension(getattr(spec.budget, limit), getattr(whole, limit))} {_WORDS[limit]}")
    if folder.driven:
        message("its driver goes on with the larger budget when the old one is spent")
    else:
        message("`lorap-bench run` goes on with it")


def _refuse_unlimited(spec: "StudySpec", by: "Extension") -> None:
    """Raise where a limit is to grow that the study does not have."""
    faults = [
        Fault(path=f"budget.{limit}", message="the study sets no such limit, so there is nothing to add to")
        for limit in by.to_mapping()
        if getattr(spec.budget, limit) is None
    ]
    if faults:
        raise ConfigError(faults, where=spec.name)


def _new_space(folder: "StudyFolder", file: Path) -> "StudyFolder":
    """Put a new version of the study in the place of the old one; return its folder."""
    from lorap_bench.search.adopt import Source, differences
    from lorap_bench.search.objective import default_planner
    from lorap_bench.search.plan import refuse_infeasible
    from lorap_bench.search.version import NewStudy
    from lorap_bench.store.folder import StudyFolder
    from lorap_bench.store.versions import old_name
    from lorap_bench.study.file import load_study

    spec = load_study(file, catalog=catalog())
    with folder.lock():
        old, runs, name = stored_study(folder), folder.root.parent, folder.root.name
        _refuse_other(spec, old, differences(old, spec), str(file))
        planner = default_planner(task_shape(spec))
        refuse_infeasible(spec, planner)
        source = Source(old_name(runs, name), folder, old)
        new = NewStudy(runs=runs, spec=spec, sources=[source], planner=planner, extensions=folder.manifest.extensions)
        built = new.build()
    tell_kept(spec.name, built.origins)
    print_text(f"{spec.name}: the old study is kept as {built.aside}")
    return StudyFolder.open(runs, name)


def _refuse_other(spec: "StudySpec", old: "StudySpec", differ: list[str], file: str) -> None:
    """Raise where a file does not hold a new version of the study."""
    faults = [Fault(path="", message=one) for one in differ]
    if spec.name != old.name:
        faults.append(Fault(path="name", message="a new space keeps the study's name", got=spec.name, allowed=old.name))
    if spec.identity == old.identity:
        faults.append(Fault(path="space", message="the same study as before; there is no new space in it"))
    if faults:
        raise ConfigError(faults, where=file)
