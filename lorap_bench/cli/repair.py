"""``lorap-bench repair``: mend what a crash or a careless hand left in a study's folder."""

from pathlib import Path

from lorap_bench.cli.options import Runs, StudyOrName
from lorap_bench.cli.screen import message, print_text
from lorap_bench.cli.wiring import open_study, stored_study

EXAMPLE = "Example: lorap-bench repair quickstart"


def repair(study: StudyOrName, runs: Runs = Path("runs")) -> None:
    """Mend a study that nobody drives, and print each deed. Nothing is deleted: what is damaged is set aside.

    Damaged records go to `damaged/` in the study's folder, and their trials run again with the next `run`; the
    sampler's history is mended, or made anew from the records; trials left running are queued again.
    """
    from lorap_bench.executors.stop import withdraw
    from lorap_bench.search.repair import repair_storage
    from lorap_bench.store.repair import repair_files
    from lorap_bench.store.versions import left_over, remove_left_over

    folder, spec = open_study(study, runs)
    deeds = 0

    def tell(deed: str) -> None:
        nonlocal deeds
        deeds += 1
        print_text(deed)

    with folder.lock():
        for deed in repair_files(folder):
            tell(deed)
        for deed in repair_storage(stored_study(folder), folder):
            tell(deed)
        if withdraw(folder.stop_request):
            tell("removed a request to stop that nobody was left to hear")
        for path in left_over(folder.root.parent, folder.root.name):
            remove_left_over(path)
            tell(f"removed {path.name}: copies, from an extend or a merge that did not end")
    message(f"{spec.name}: mended; `lorap-bench run` goes on with it" if deeds else f"{spec.name}: nothing to mend")
