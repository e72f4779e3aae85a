"""Which agent hosts this machine has: by their files, and by their commands on PATH."""

import shutil
from collections.abc import Iterable

from mcp_memory.cli.install.host_paths import host_path
from mcp_memory.cli.install.hosts import Host


def found(hosts: Iterable[Host]) -> list[tuple[Host, str]]:
    """Return the hosts that are here, each with what it was found by. Raises ConfigError: there is no home directory."""
    seen = [(host, _sign(host)) for host in hosts]
    return [(host, sign) for host, sign in seen if sign]


def _sign(host: Host) -> str:
    files = (str(path) for sign in host.signs if (path := host_path(sign)).exists())
    programs = (program for program in host.programs if shutil.which(program))
    return next(files, "") or next(programs, "")
