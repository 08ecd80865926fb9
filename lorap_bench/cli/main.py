"""The console script: the verbs, and what is common to all of them."""

from importlib.metadata import version
from typing import Annotated

import typer

from lorap_bench.cli import (
    check,
    compare,
    confirm,
    dashboard,
    data,
    doctor,
    export,
    extend,
    merge,
    model,
    predict,
    recipes,
    repair,
    report,
    rerun,
    run,
    schema,
    show,
    status,
    stop,
    suite,
    train,
    verify,
)
from lorap_bench.cli.group import Guarded

app = typer.Typer(
    cls=Guarded,
    name="lorap-bench",
    help="Search and benchmark quantized graph neural networks with LoRAP prompts.",
    epilog="Example: lorap-bench run studies/quickstart.toml",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(epilog=run.EXAMPLE)(run.run)
app.command(epilog=check.EXAMPLE)(check.check)
app.command(epilog=confirm.EXAMPLE)(confirm.confirm)
app.command(epilog=status.EXAMPLE)(status.status)
app.command(epilog=extend.EXAMPLE)(extend.extend)
app.command(epilog=stop.EXAMPLE)(stop.stop)
app.command(epilog=repair.EXAMPLE)(repair.repair)
app.command(epilog=merge.EXAMPLE)(merge.merge)
app.command(epilog=doctor.EXAMPLE)(doctor.doctor)
app.command(epilog=dashboard.EXAMPLE)(dashboard.dashboard)
app.command(epilog=train.EXAMPLE)(train.train)
app.command(epilog=show.EXAMPLE)(show.show)
app.command(epilog=rerun.EXAMPLE)(rerun.rerun)
app.command(epilog=suite.EXAMPLE)(suite.suite)
app.command(epilog=verify.EXAMPLE)(verify.verify)
app.command(epilog=report.EXAMPLE)(report.report)
app.command(epilog=compare.EXAMPLE)(compare.compare)
app.command(epilog=export.EXAMPLE)(export.export)
app.command(epilog=model.EXAMPLE)(model.model)
app.command(epilog=predict.EXAMPLE)(predict.predict)
app.add_typer(data.app, name="data")
app.command(epilog=recipes.EXAMPLE)(recipes.recipes)
app.command(epilog=schema.EXAMPLE)(schema.schema)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lorap-bench {version('lorap-bench')}")
        raise typer.Exit


@app.callback()
def common(
    wanted: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Search and benchmark quantized graph neural networks with LoRAP prompts."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    app()
