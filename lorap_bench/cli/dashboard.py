"""``lorap-bench dashboard``: optuna-dashboard on a study's records, on this machine alone."""

import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lorap_bench.cli.options import Runs, StudyOrName
from lorap_bench.cli.screen import message, print_text
from lorap_bench.cli.wiring import open_study
from lorap_bench.errors import MissingResource, StoreError

if TYPE_CHECKING:
    from wsgiref.simple_server import WSGIServer

    from lorap_bench.search.mirror import Mirror

EXAMPLE = "Example: lorap-bench dashboard quickstart --port 8080"
HOST = "127.0.0.1"
_PAUSE = 2.0
"""Seconds between two looks for new records."""


def dashboard(
    study: StudyOrName,
    runs: Runs = Path("runs"),
    port: Annotated[int, typer.Option("--port", min=0, max=65535, metavar="N", help="Port; 0: any free one.")] = 8080,
) -> None:
    """Show a study in optuna-dashboard, also while it runs, until Ctrl-C. It needs the extra `dashboard`.

    The dashboard shows a copy in memory that follows the study's records: what is changed or noted in the browser
    is forgotten at the end, and never reaches the study. It answers this machine only.
    """
    from lorap_bench.search.mirror import Mirror

    folder, spec = open_study(study, runs)
    mirror = Mirror(spec, folder)
    mirror.follow()
    server = serve(mirror, port)
    stopped = threading.Event()
    follower = threading.Thread(target=_follow, args=(mirror, stopped), daemon=True)
    follower.start()
    print_text(f"http://{HOST}:{server.server_port}/dashboard/")
    message("Ctrl-C ends it")
    with suppress(KeyboardInterrupt):
        server.serve_forever()
    stopped.set()
    server.server_close()


def serve(mirror: "Mirror", port: int) -> "WSGIServer":
    """Return a server of the dashboard on this machine's own address, not yet serving.

    Raises:
        MissingResource: optuna-dashboard is not installed, or the port is taken.
    """
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    try:
        from optuna_dashboard import wsgi
    except ImportError as error:
        hint = "python -m pip install 'lorap-bench[dashboard]'"
        raise MissingResource(f"optuna-dashboard is not installed; {hint}", where="dashboard") from error

    class Quiet(WSGIRequestHandler):
        """Answers without a line on stderr for each request."""

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            del format, args

    try:
        return make_server(HOST, port, wsgi(mirror.storage), handler_class=Quiet)
    except OSError as error:
        raise MissingResource(f"cannot listen: {error.strerror}", where=f"--port {port}") from error


def _follow(mirror: "Mirror", stopped: threading.Event) -> None:
    while not stopped.wait(_PAUSE):
        with suppress(StoreError):  # a record that is just being repaired; the next look has it
            mirror.follow()
