"""Every outside judge of the MCP edge in one command: conformance suite, Inspector, TypeScript clients.

    python -m tests.conformance.run [--tools DIR] [--only conformance|product|inspector|clients]

Needs npm; Node itself comes pinned from npm's `node` package. The servers run over the scripted memory for the suite and over a real one
for the rest. Prints one line a check; exit status 1 when one fails.
"""

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
REQUIREMENTS = ("2025-11-25", "2026-07-28")
# Scenarios that need no fixture and so judge the product server itself.
FIXTURE_FREE = {
    "2025-11-25": (
        "server-initialize",
        "ping",
        "completion-complete",
        "tools-list",
        "server-sse-multiple-streams",
        "resources-list",
        "resources-subscribe",
        "resources-unsubscribe",
        "prompts-list",
        "dns-rebinding-protection",
        "server-session-lifecycle",
    ),
    "2026-07-28": (
        "completion-complete",
        "tools-list",
        "server-sse-multiple-streams",
        "resources-list",
        "sep-2164-resource-not-found",
        "prompts-list",
        "dns-rebinding-protection",
        "caching",
        "http-header-validation",
        "input-required-result-unsupported-methods",
    ),
}
_LINE = re.compile(r"^([✓✗]) ([\w-]+): (\d+) passed, (\d+) failed", re.MULTILINE)
_UNSCORED = re.compile(r"^  [✓✗] ([\w-]+) \(", re.MULTILINE)


class Report:
    """What passed, printed as it comes."""

    def __init__(self) -> None:
        self.failed = 0

    def add(self, name: str, passed: bool, detail: str = "") -> None:
        self.failed += not passed
        print(f"{'ok  ' if passed else 'FAIL'} {name}  {detail}", flush=True)


class Tools:
    """The pinned npm packages in a directory of their own."""

    def __init__(self, directory: Path) -> None:
        self.modules = directory / "node_modules"
        self.environment = os.environ | {"PATH": f"{self.modules / '.bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        if not (self.modules / ".bin" / "mcp-inspector").exists():
            directory.mkdir(parents=True, exist_ok=True)
            shutil.copy(HERE / "package.json", directory)
            for packages in (["node@24.21.0"], []):  # Node first: the others refuse to install under an older one
                npm = ["npm", "install", "--no-audit", "--no-fund", "--silent", *packages]
                subprocess.run(npm, cwd=directory, env=self.environment, check=True)
        shutil.copy(HERE / "walk.mjs", directory)
        self.directory = directory

    def run(self, *command: str, timeout_s: float = 300) -> "subprocess.CompletedProcess[str]":
        """Run a command with the pinned Node first on the path."""
        return subprocess.run(
            command, cwd=self.directory, env=self.environment, capture_output=True, text=True, timeout=timeout_s, check=False
        )


@contextmanager
def serving(*command: str, port: int, data_dir: Path) -> Iterator[str]:
    """Run a server until the block ends; yield its address."""
    environment = os.environ | {"MCP_MEMORY_DATA_DIR": str(data_dir), "MCP_MEMORY_PORT": str(port), "PYTHONPATH": str(ROOT)}
    with (data_dir / "server.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=environment, stderr=log, stdout=log)
        try:
            url = f"http://127.0.0.1:{port}"
            until = time.monotonic() + 60
            while not _answers(url):
                if time.monotonic() > until or process.poll() is not None:
                    raise RuntimeError(f"no server on {url}: {(data_dir / 'server.log').read_text()[-2000:]}")
                time.sleep(0.1)
            yield url
        finally:
            process.terminate()
            process.wait(30)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=5):
            return True
    except OSError:
        return False


def free_port() -> int:
    """Return a port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def conformance(tools: Tools, report: Report, scratch: Path) -> None:
    """Both requirement sets against our stack with the fixtures: every scored scenario must pass."""
    port = free_port()
    with serving("tests.conformance.fixtures", str(port), port=port, data_dir=scratch) as url:
        for requirements in REQUIREMENTS:
            done, scenarios, unscored = _suite(tools, url, requirements, scratch)
            scored = {name: result for name, result in scenarios.items() if name not in unscored}
            failing = [name for name, (_, failed) in scored.items() if failed]
            checks = sum(passed for passed, _ in scored.values())
            report.add(f"conformance {requirements}", done and not failing, f"{len(scored)} scenarios, {checks} checks; failing: {failing}")


def product(tools: Tools, report: Report, scratch: Path) -> None:
    """The scenarios that need no fixture, against the product server with a real memory."""
    port = free_port()
    with serving("mcp_memory", "serve", port=port, data_dir=scratch) as url:
        for requirements in REQUIREMENTS:
            _, scenarios, _ = _suite(tools, url, requirements, scratch)
            for name in FIXTURE_FREE[requirements]:
                passed, failed = scenarios.get(name, (0, 1))
                report.add(f"product {requirements} {name}", passed > 0 and not failed, f"{passed} checks")


def _suite(tools: Tools, url: str, requirements: str, scratch: Path) -> tuple[bool, dict[str, tuple[int, int]], set[str]]:
    entry = str(tools.modules / "@modelcontextprotocol" / "conformance" / "dist" / "index.js")
    done = tools.run("node", entry, "server", "--url", f"{url}/mcp", "--requirements", requirements, "-o", str(scratch / requirements))
    scenarios = {name: (int(passed), int(failed)) for _, name, passed, failed in _LINE.findall(done.stdout)}
    return done.returncode == 0, scenarios, set(_UNSCORED.findall(done.stdout))


def _stdio(*arguments: str) -> tuple[str, ...]:
    """Return the command of a stdio server of this tree; hosts pass on few environment variables, so it names the path itself."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from mcp_memory.cli.main import main; sys.exit(main({list(arguments)!r}))"
    return (sys.executable, "-c", code)


def inspector(tools: Tools, report: Report, scratch: Path) -> None:
    """The Inspector's command line: strict schema lint on three transports, the handshake in three eras, a call."""
    command = (str(tools.modules / ".bin" / "mcp-inspector"), "--cli")
    port = free_port()
    with serving("mcp_memory", "serve", port=port, data_dir=scratch) as url:
        targets = {
            "stdio": _stdio("stdio", "--tools", "full", "--data-dir", str(scratch)),
            "http": (f"{url}/mcp", "--transport", "http"),
            "sse": (f"{url}/sse", "--transport", "sse"),
        }
        for name, target in targets.items():
            linted = tools.run(*command, *target, "--method", "tools/list", "--strict", "--format", "json")
            report.add(f"inspector strict {name}", linted.returncode == 0 and "warning" not in linted.stderr, linted.stderr.strip()[-300:])
            for era in ("legacy", "auto", "modern"):
                greeted = tools.run(*command, *target, "--method", "initialize", "--protocol-era", era, "--format", "json")
                report.add(f"inspector initialize {name} {era}", greeted.returncode == 0, greeted.stderr.strip()[-300:])
            call = ("--method", "tools/call", "--tool-name", "start_episode", "--tool-arg", "task=inspect", "--format", "json")
            called = tools.run(*command, *target, *call)
            report.add(f"inspector call {name}", called.returncode == 0 and "episode_id" in called.stdout, called.stderr.strip()[-300:])


def clients(tools: Tools, report: Report, scratch: Path) -> None:
    """Both TypeScript clients: the whole walk on three transports."""
    port = free_port()
    with serving("mcp_memory", "serve", port=port, data_dir=scratch) as url:
        targets = {
            "stdio": _stdio("stdio", "--data-dir", str(scratch)),
            "http": (f"{url}/mcp",),
            "sse": (f"{url}/sse",),
        }
        for kind in ("v1", "v2-legacy", "v2-auto"):
            for name, target in targets.items():
                walked = tools.run("node", "walk.mjs", kind, name, *target, timeout_s=120)
                detail = walked.stdout.strip() or walked.stderr.strip()[-600:]
                report.add(f"client {kind} {name}", walked.returncode == 0 and json.loads(walked.stdout)["ok"], detail)


def main() -> int:
    """Run the parts asked for."""
    parts = {"conformance": conformance, "product": product, "inspector": inspector, "clients": clients}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", type=Path, default=ROOT / ".cache" / "conformance", help="where the npm packages are kept")
    parser.add_argument("--only", choices=parts, help="one part")
    arguments = parser.parse_args()
    tools, report = Tools(arguments.tools.absolute()), Report()
    for name, part in parts.items():
        if arguments.only in (None, name):
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
                part(tools, report, Path(scratch))
    print(f"{report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
