"""The real agent hosts, from npm, judge what `install` writes: their own lists, their checks of our packages, every file back as it was.

    python -m tests.hosts.run [HOST ...] [--tools DIR] [--limit SECONDS]

Needs npm. Each host runs with a scratch HOME and no account; nothing asks a model. Prints one line a check; exit status 1 when one fails. A
host that npm cannot bring within the limit is skipped, and that is said.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from mcp_memory.cli.install.formats import format_of
from mcp_memory.cli.install.hosts import HOSTS
from mcp_memory.domain.hosts import HOOK_HOSTS
from tests.hosts.judges import JUDGES, ROOT, says

PACKAGES: dict[str, str] = json.loads((Path(__file__).parent / "packages.json").read_text(encoding="utf-8"))
NODE = "node@22.23.3"  # the hosts refuse older ones
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Report:
    """What passed, printed as it comes."""

    def __init__(self) -> None:
        self.failed = 0

    def add(self, name: str, passed: bool, detail: str = "") -> None:
        self.failed += not passed
        print(f"{'ok  ' if passed else 'FAIL'} {name}{'' if passed else '  ' + detail[-800:]}", flush=True)


class Bench:
    """One host: its program, a scratch home, a scratch folder to work in."""

    def __init__(self, name: str, tools: Path, scratch: Path) -> None:
        self.name, self.judge, self.home, self.work = name, JUDGES[name], scratch / "home", scratch / "work"
        self.program = tools / name / "node_modules" / ".bin" / self.judge.program
        paths = [str(tools / "node" / "node_modules" / "node" / "bin"), "/usr/local/bin", "/usr/bin", "/bin"]
        self.environment = {"HOME": str(self.home), "PATH": os.pathsep.join(paths), "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
        self.environment |= {"MCP_MEMORY_EMBEDDING__PROVIDER": "off", **self.judge.environment}
        self.work.mkdir(parents=True)
        for file, text in self.judge.before.items():
            (self.home / file).parent.mkdir(parents=True, exist_ok=True)
            (self.home / file).write_text(text, encoding="utf-8")

    def ask(self, *arguments: str, timeout_s: float = 120) -> str:
        """Return what the host prints."""
        return self._run([str(self.program), *arguments], timeout_s)

    def install(self, *options: str) -> str:
        """Run our own command, and return what it prints."""
        return self._run([sys.executable, "-m", "mcp_memory", "install", self.name, *options], 60)

    def changed(self) -> list[str]:
        """Return the files that are not as the person left them."""
        return [file for file, text in self.judge.before.items() if (self.home / file).read_text(encoding="utf-8") != text]

    def _run(self, command: list[str], timeout_s: float) -> str:
        try:
            done = subprocess.run(
                command, cwd=self.work, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s
            )
        except subprocess.TimeoutExpired:
            return f"no answer in {timeout_s:.0f} s"
        return _COLOUR.sub("", done.stdout + done.stderr)


def fetch(package: str, folder: Path, environment: dict[str, str], limit_s: float) -> bool:
    """Install an npm package, once; return whether it is there."""
    if (folder / "package-lock.json").exists() and package in (folder / "fetched").read_text(encoding="utf-8"):
        return True
    folder.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder), package]
    try:
        subprocess.run(command, cwd=folder, env=environment, check=True, timeout=limit_s)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return False
    (folder / "fetched").write_text(package, encoding="utf-8")
    return True


def judge(bench: Bench, report: Report) -> None:
    """Install, ask the host, take out, compare; then the package."""
    name, host = bench.name, bench.judge
    version = bench.ask("--version").strip().splitlines()
    print(f"     {name}: {version[0] if version else 'no version'}")
    hooks = ["--hooks"] if name in HOOK_HOSTS and HOOK_HOSTS[name].ready else []
    report.add(f"{name} install", ": changed" in (told := bench.install(*hooks)), told)
    report.add(f"{name} again", "nothing to change" in (told := bench.install(*hooks)), told)
    if host.unchecked:
        print(f"     {name}: not asked, {host.unchecked}")
    for arguments, pattern in host.checks:
        report.add(f"{name} {' '.join(arguments)}", says(told := bench.ask(*arguments), pattern), told)
    bench.install(*hooks)  # a check may have been the host's own way to take it out
    told = bench.install("--uninstall")
    _compare(bench, report, told)
    for arguments, pattern in host.package:
        short = " ".join(argument.replace(str(ROOT), ".") for argument in arguments)
        report.add(f"{name} {short}", says(told := bench.ask(*arguments), pattern), told)


def _compare(bench: Bench, report: Report, told: str) -> None:
    """Every file is as it was; where the host has written into it meanwhile, its servers are those of before."""
    host = HOSTS[bench.name]
    for file in bench.changed():
        value = format_of(bench.home / file).value
        before, after = (value(text)[host.key] for text in (bench.judge.before[file], (bench.home / file).read_text(encoding="utf-8")))
        print(f"     {bench.name}: the host itself has written into {file}")
        report.add(f"{bench.name} uninstall, {file}", before == after, told + str(after))
    report.add(f"{bench.name} uninstall", "changed" in told, told)


def main() -> int:
    """Judge the hosts asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hosts", nargs="*", metavar="HOST", help=f"of {', '.join(JUDGES)}; default: all")
    parser.add_argument("--tools", type=Path, default=ROOT / ".cache" / "hosts", help="where the npm packages are kept")
    parser.add_argument("--limit", type=float, default=300, metavar="SECONDS", help="for one package to arrive")
    arguments = parser.parse_args()
    tools, report = arguments.tools.absolute(), Report()
    if shutil.which("npm") is None:
        print("npm is not here: no host was asked")
        return 0
    if not fetch(NODE, tools / "node", dict(os.environ), arguments.limit):
        print(f"npm did not bring {NODE} within {arguments.limit:.0f} s: no host was asked")
        return 0
    path = f"{tools / 'node' / 'node_modules' / 'node' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    if unknown := set(arguments.hosts) - set(JUDGES):
        parser.error(f"no such host: {', '.join(unknown)}")
    for name in arguments.hosts or JUDGES:
        if not fetch(PACKAGES[name], tools / name, os.environ | {"PATH": path}, arguments.limit):
            print(f"     {name}: skipped, npm did not bring {PACKAGES[name]} within {arguments.limit:.0f} s")
            continue
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:  # what a host left running may still write there
            judge(Bench(name, tools, Path(scratch)), report)
    print(f"{report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
