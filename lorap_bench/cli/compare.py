"""``lorap-bench compare``: two studies of one task against each other, from their folders alone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lorap_bench.cli.options import Json, Runs
from lorap_bench.cli.report import refuse_same
from lorap_bench.cli.screen import message, print_json, print_path, print_table
from lorap_bench.cli.wiring import open_study

if TYPE_CHECKING:
    from lorap_bench.report.compare import Best, Compared, Row
    from lorap_bench.report.score import Score

EXAMPLE = "Example: lorap-bench compare cora-prompts cora-random --out reports/prompts-against-random"
_STUDY = "Study file (TOML), or a study's name under --runs, or its folder."


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help=_STUDY, show_default=False)],
    second: Annotated[str, typer.Argument(metavar="B", help=_STUDY, show_default=False)],
    runs: Runs = Path("runs"),
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Also write a page and its data.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Print what two studies of the same task and objectives reached: bests, fronts, hypervolume, attainment.

    Differences are A − B (of errors B − A): more than 0 speaks for A. The best trials under each bit budget are tested
    seed by seed where they trained with the
    same seeds, else as two samples, with Holm's correction over the rows.
    """
    from lorap_bench.report.compare import compare as compared_with
    from lorap_bench.report.compare_page import write_comparison
    from lorap_bench.report.stored import material_of

    one, other = (open_study(study, runs) for study in (first, second))
    refuse_same([first, second], [one[0], other[0]])
    material = material_of(one, others=[other])
    compared = compared_with(material, material.others[0])
    page = write_comparison(material, material.others[0], out) if out is not None else None
    if as_json:
        print_json(compared.to_mapping())
    else:
        _show(compared)
    if page is not None:
        if as_json:
            message(f"page: {page}")
        else:
            print_path("page", page)


def _show(compared: "Compared") -> None:
    one, other = compared.first, compared.second
    pairs = [
        ("complete trials", str(one.trials), str(other.trials)),
        ("hypervolume", f"{one.hypervolume:.4f}", f"{other.hypervolume:.4f}"),
        ("front trials", str(one.front), str(other.front)),
        ("of them dominated by the other", str(one.dominated), str(other.dominated)),
    ]
    if one.more_often is not None and other.more_often is not None:
        pairs += [
            ("runs: seed positions of its trials", str(one.runs), str(other.runs)),
            ("more of them attain, % of the box", f"{100 * one.more_often:.2f}", f"{100 * other.more_often:.2f}"),
        ]
    print_table([f"reference box {compared.reference}", f"A: {one.name}", f"B: {other.name}"], pairs)
    if not compared.rows:
        message("no best trials: neither study has a feasible complete one")
        return
    written = compared.score
    named = (written.means("A"), written.means("B"), written.gains(written.less("A", "B")))
    heads = [f"\n{column.label}" for column in named]
    columns = ["\nbits", "\non", *heads, "\nn", "\ntest", "\np", "\nHolm", "\nd"]
    print_table(columns, [_cells(row, written) for row in compared.rows])
    if any(row.measured == "validation" for row in compared.rows):
        message(
            f"validation {written.name} chose these trials and flatters them; "
            "`lorap-bench confirm` looks at the test split"
        )


def _cells(row: "Row", written: "Score") -> list[str]:
    from lorap_bench.report.compare_verdict import budget_text
    from lorap_bench.report.format import number_text, p_text

    found, measured = row.comparison, row.measured.removesuffix("idation")
    start = [budget_text(row.budgets), measured, _best(row.first, written), _best(row.second, written)]
    if found is None:
        return [*start, *["–"] * 6]
    n = str(found.n) if found.paired else f"{found.n}, {found.n_other}"
    kind = "paired t" if found.paired else "Welch"
    return [
        *start,
        written.gain(found.difference),
        n,
        kind,
        p_text(found.t_test),
        p_text(row.p_holm),
        number_text(found.d),
    ]


def _best(best: "Best | None", written: "Score") -> str:
    return written.text(best.score.mean if best is not None else None)
