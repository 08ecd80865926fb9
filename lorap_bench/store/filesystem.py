"""Whether a folder lies on a file system that several machines write, where a lock may not reach all of them."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["NETWORK", "filesystem", "network_filesystem"]

_MOUNTS = Path("/proc/self/mounts")

_PLAIN = """
afs beegfs beegfs_nodev ceph cifs davfs fhgfs gfs2 glusterfs gpfs lustre ncpfs nfs nfs4 ocfs2 orangefs panfs pvfs2
smb2 smb3 smbfs wekafs
"""
_FUSE = "afs beegfs ceph ceph-fuse dfs gcsfuse glusterfs goofys juicefs mount-s3 rclone s3fs seaweedfs sshfs"
NETWORK = frozenset([*_PLAIN.split(), *(f"fuse.{name}" for name in _FUSE.split())])
"""Types of file systems, as the kernel names them, that several machines may have mounted at once."""


def filesystem(path: Path, mounts: str | None = None) -> str:
    """Return the type of the file system that ``path`` lies on; empty where the system does not tell.

    Args:
        path: a file or folder, there or still to be made.
        mounts: the table of mounts; the system's own by default.
    """
    if mounts is None:
        if not _MOUNTS.exists():
            return ""
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    place, best, kind = path.resolve(), -1, ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        point = Path(_unescaped(fields[1]))
        # Of two mounts on one point the later covers the earlier.
        if (point == place or point in place.parents) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[2]
    return kind


def network_filesystem(path: Path) -> str:
    """Return the type of the network file system that ``path`` lies on; empty where it is on none."""
    kind = filesystem(path)
    return kind if kind in NETWORK else ""


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
