"""What a data directory lies on, and why a database there cannot be opened."""

import os
from pathlib import Path

from mcp_memory.errors import StoreUnusable

MAX_PATH_BYTES = 512 - len("-journal")  # SQLite's limit, and the longest name it makes beside the file
NETWORK = frozenset({
    "9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "gfs2", "glusterfs", "lustre", "nfs", "nfs4",
    "ocfs2", "prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs",
})  # fmt: skip
_MOUNTS = Path("/proc/self/mounts")


def file_system_of(path: Path) -> str:
    """Return the type of the file system that *path* lies on, such as `ext4`; "" where the machine does not say."""
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
        where = path.resolve()
    except OSError:
        return ""
    found, longest = "", -1
    for fields in (line.split() for line in lines):
        if len(fields) < 3:
            continue
        mount = fields[1].encode().decode("unicode_escape", "replace")  # blanks are written \040
        if where.is_relative_to(mount) and len(mount) >= longest:
            found, longest = fields[2], len(mount)
    return found


def notices_of(path: Path) -> list[str]:
    """Return what an operator should know of where *path* lies."""
    kind = file_system_of(path)
    if kind in NETWORK:
        return [
            f"{path.parent} is on a network file system ({kind}): two machines that write there at once can damage memory.db;"
            " use a local directory"
        ]
    return []


def require_short(path: Path) -> None:
    """Raise StoreUnusable when SQLite cannot open a file of so long a path."""
    length = len(os.fsencode(path))
    if length > MAX_PATH_BYTES:
        raise StoreUnusable(
            f"the path of memory.db has {length} bytes; SQLite opens up to {MAX_PATH_BYTES}",
            hint="Use a data directory with a shorter path.",
        )


def cause(path: Path) -> str:
    """Return why *path* cannot be opened or written, as far as looking tells."""
    folder = path.parent
    if not folder.is_dir():
        return f"{folder} is no directory"
    try:
        read_only = bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except (OSError, AttributeError):
        read_only = False
    kind = file_system_of(path)
    where = f" ({kind})" if kind else ""
    if read_only:
        return f"{folder} is on a read-only volume{where}"
    if kind in NETWORK:
        return f"{folder} is on a network file system{where}, which may lack the locks and the shared memory that SQLite needs"
    unwritable = next((p for p in (path, folder) if p.exists() and not os.access(p, os.W_OK)), None)
    return f"{unwritable} is not writable for this user" if unwritable else f"{folder}{where} does not let SQLite work"
