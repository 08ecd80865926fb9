from __future__ import annotations

from pathlib import Path

import pytest

from lorap_bench.store import filesystem as module
from lorap_bench.store.filesystem import filesystem, network_filesystem

MOUNTS = """\
/dev/sda / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
tmpfs /home/me/scratch tmpfs rw 0 0
sshfs#host: /mnt/with\\040space fuse.sshfs rw 0 0
/dev/sdb /over ext4 rw 0 0
server:/over /over cifs rw 0 0
broken
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/runs", "ext4"),
        ("/home", "nfs4"),
        ("/home/me/runs/study", "nfs4"),
        ("/home/me/scratch/runs", "tmpfs"),
        ("/homes", "ext4"),
        ("/mnt/with space/runs", "fuse.sshfs"),
        ("/over/runs", "cifs"),
    ],
)
def test_the_deepest_and_last_mount_counts(path: str, kind: str) -> None:
    assert filesystem(Path(path), MOUNTS) == kind


def test_only_network_file_systems_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    monkeypatch.setattr(module, "_MOUNTS", mounts)
    assert network_filesystem(Path("/home/x")) == "nfs4"
    assert network_filesystem(Path("/var")) == ""
    monkeypatch.setattr(module, "_MOUNTS", tmp_path / "gone")
    assert filesystem(Path("/home")) == ""
