"""What `doctor` looks at beside the memory itself: who can read the files, and what the agent hosts of this machine are set up to do."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from mcp_memory import plain_files as files
from mcp_memory.cli.checks import Check
from mcp_memory.cli.install import hooks
from mcp_memory.cli.install.finding import found
from mcp_memory.cli.install.hosts import HOSTS, Host
from mcp_memory.cli.install.jsonc import parse
from mcp_memory.domain.hosts import HOOK_HOSTS
from mcp_memory.errors import McpMemoryError

_OURS = ("mcp_memory", "mcp-memory", "mcp-episodic-memory")


def permissions(data_dir: Path) -> Iterator[Check]:
    """Yield what is wrong with who owns the memory's files and who else may read them; one line where nothing is."""
    wrong = list(_wrong_permissions(data_dir)) if hasattr(os, "geteuid") else []
    yield from wrong or [Check("permissions", True, "the memory's files are yours, and nobody else can read them")]


def _wrong_permissions(data_dir: Path) -> Iterator[Check]:
    is_closed = not stat.S_IMODE(data_dir.stat().st_mode) & 0o077
    for path in (data_dir, *sorted(data_dir.iterdir())):
        state = path.lstat()
        if state.st_uid != os.geteuid():
            yield Check("permissions", False, f"{path} belongs to user {state.st_uid}", f"sudo chown -R {os.geteuid()} {data_dir}")
            return
        if not is_closed and stat.S_IMODE(state.st_mode) & 0o007 and not stat.S_ISSOCK(state.st_mode):
            yield Check("permissions", True, f"other users of this machine can read {path}", f"chmod -R go= {data_dir}")
            return


def hosts() -> Iterator[Check]:
    """Yield one check an agent host that is on this machine: whether it starts the memory, and whether its hooks record."""
    try:
        here = found(HOSTS.values())
    except McpMemoryError as error:
        yield Check("agent hosts", True, error.message, error.hint)
        return
    if not here:
        yield Check("agent hosts", True, "none was found on this machine")
    for name, host in {host.name: host for host, _ in here}.items():
        try:
            yield _of(name, host)
        except (McpMemoryError, OSError, ValueError) as error:
            detail = getattr(error, "message", None) or str(error)
            yield Check(
                name, False, f"its settings cannot be read: {detail}", getattr(error, "hint", "") or "Mend the file, or move it away."
            )


def _of(name: str, host: Host) -> Check:
    file = host.file(None)
    if not _starts_us(host, file):
        return Check(name, True, f"does not know the memory yet ({file})", f"mcp-memory install {name}")
    hook_host = HOOK_HOSTS.get(name)
    if hook_host is None or not hook_host.ready:
        return Check(name, True, f"starts the memory ({file}); it has no hooks")
    where = hooks.hooks_file(hook_host, None)
    text = _text(where)
    if not text.strip() or hooks.remove_hooks(text, hook_host) == text:
        return Check(name, True, f"starts the memory ({file}); nothing is recorded by itself", f"mcp-memory install {name} --hooks")
    if hooks.are_off(text, hook_host):
        return Check(name, False, f"starts the memory; its hooks are there, and switched off in {where}", "Switch hooks on in that file.")
    return Check(name, True, f"starts the memory ({file}), and its hooks record ({where})")


def _starts_us(host: Host, file: Path) -> bool:
    """Return whether a server in the host's file is ours; a folder's name elsewhere in it says nothing."""
    text = _text(file)
    if file.suffix.startswith(".json") and text.strip():
        root = parse(text).value
        text = json.dumps(root.get(host.key)) if isinstance(root, dict) else ""
    return any(word in text for word in _OURS)


def _text(path: Path) -> str:
    return (files.read(path) or b"").decode("utf-8", "replace")
