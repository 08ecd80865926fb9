from __future__ import annotations

import json
import sys
import threading
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from lorap_bench.cli.dashboard import HOST, serve
from lorap_bench.cli.wiring import open_study
from lorap_bench.errors import MissingResource
from lorap_bench.search.mirror import Mirror

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., Any]


@pytest.fixture
def mirror(runs: Path, finished: Path) -> Mirror:
    """Run the tiny study; return what the dashboard shows of it."""
    folder, spec = open_study("tiny", runs)
    return Mirror(spec, folder)


def fetch(address: str) -> str:
    with urllib.request.urlopen(address, timeout=60) as answer:
        assert answer.status == 200
        return str(answer.read().decode())


def test_the_page_and_the_study_are_served_on_this_machine_alone(mirror: Mirror) -> None:
    pytest.importorskip("optuna_dashboard")
    assert mirror.follow() == 3
    server = serve(mirror, 0)
    assert server.server_address[0] == HOST == "127.0.0.1"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        address = f"http://{HOST}:{server.server_port}"
        assert "<html" in fetch(f"{address}/dashboard/").lower()
        (study,) = json.loads(fetch(f"{address}/api/studies"))["study_summaries"]
        assert study["study_name"] == "tiny"
        shown = json.loads(fetch(f"{address}/api/studies/{study['study_id']}"))
        assert [trial["state"] for trial in shown["trials"]] == ["Complete"] * 3
        with pytest.raises(MissingResource, match=f"--port {server.server_port}: cannot listen"):
            serve(mirror, server.server_port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_without_the_extra_it_says_what_to_install(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)
    with pytest.raises(MissingResource, match=r"python -m pip install 'lorap-bench\[dashboard\]'") as caught:
        serve(mirror, 0)
    assert caught.value.exit_code == 5


def test_ctrl_c_ends_it(lorap_bench: Command, mirror: Mirror, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Server:
        server_port = 4321
        closed = False

        def serve_forever(self) -> None:
            raise KeyboardInterrupt

        def server_close(self) -> None:
            type(self).closed = True

    monkeypatch.setattr("lorap_bench.cli.dashboard.serve", lambda mirror, port: Server())
    ended = lorap_bench("dashboard", "tiny", "--port", "4321", "--runs", runs)
    assert (ended.code, ended.out) == (0, "http://127.0.0.1:4321/dashboard/\n")
    assert Server.closed
