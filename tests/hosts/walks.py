"""The real agent hosts, from npm, work by a script with our hooks installed: what was recorded is the work done, once, in order.

    python -m tests.hosts.walks [WALK ...] [--alone] [--tools DIR] [--limit SECONDS]

Needs npm. A scratch HOME, no account, a model of our own on the loopback address. A walk is a host's name (a repair, twice; what the first
one taught is in every request of the second) or one of Claude Code's. Prints one line a check; exit status 1 when one fails. A host that
npm cannot bring within the limit is left out, and that is said.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.hosts.clients import CLIENTS
from tests.hosts.dialects import Round
from tests.hosts.judges import ROOT
from tests.hosts.run import NODE, PACKAGES, Report, fetch
from tests.hosts.scripted_model import ScriptedModel
from tests.hosts.walking import BROKEN, Client, Episodes, Walk

FIXED = CLIENTS["claude-code"].fixed
_FIX = CLIENTS["claude-code"].fix
_TEST, _READ = _FIX[1], _FIX[2]
SCRIPTS: dict[str, list[Round]] = {
    "look": [_TEST],
    "startonly": [[("mcp__memory__start_episode", {"task": "Make add() add"})], *_FIX],
    "sub": [[("Bash", {"command": "cat none.txt; true"})], [("Bash", {"command": "echo sub"})]],
    "task": [[("Agent", {"description": "sub", "prompt": "SCRIPT:sub look", "subagent_type": "general-purpose"})], _TEST],
    "zoo": [
        [("Bash", {"command": "echo one; sleep 1"}), ("Bash", {"command": "ls /none"}), *_READ],
        [("Edit", {"file_path": "WORK/calc.py", "old_string": "nowhere", "new_string": "x"})],
        [("Grep", {"pattern": "def"})],
    ],
    "slow": [[("Bash", {"command": "echo before"})], [("Bash", {"command": "python3 -c 'import time; time.sleep(60)'"})]],
    "next": [[("Bash", {"command": "echo next"})]],
}
REPAIR = "SCRIPT:fix The unit test of calc fails. Please fix add()."
LESSON = "When add subtracts, look at its sign first"


def _repair_twice(walk: Walk, model: ScriptedModel, report: Report) -> Episodes:
    """Repair, be told by the person what to learn from it, repair again: the second time every request has it."""
    name = walk.client.name
    told = walk.say(REPAIR)
    first, before = walk.episodes()[0], len(model.requests)
    asked = [list(given.values()) for calls in model.scripts["fix"] for _, given in calls]
    kept = [list(step["arguments"].values()) for step in first["steps"]]
    report.add(f"{name}: with the arguments of the script", all(map(_has, kept, asked)) and len(kept) == len(asked), f"{kept} {told}")
    report.add(f"{name}: under the host's name, in the folder's project", _owner(first) == (name, walk.work.name), str(_owner(first)))
    walk.memory("label", walk.newest(), "success", "--lesson", LESSON)
    walk.write(walk.work, {"calc.py": BROKEN})
    with walk.window():
        told = walk.say(REPAIR)
    with_it = [LESSON in json.dumps(request) for request in model.requests[before:]]
    report.add(f"{name}: the lesson is in every request", all(with_it) and len(with_it) == len(asked) + 1, f"{told[-400:]} {with_it}")
    return [(walk.client.fixed, "success")] * 2


def _has(kept: list[object], asked: list[object]) -> bool:
    return all(value in kept for value in asked)


def _owner(episode: dict[str, Any]) -> tuple[str, str]:
    return episode["agent"], episode["project"].split("@")[0]


def _startonly(walk: Walk) -> Episodes:
    walk.say("SCRIPT:startonly The unit test of calc fails. Please fix add().")
    return [(FIXED, "success")]


def _task(walk: Walk) -> Episodes:
    walk.say("SCRIPT:task Have somebody look, then check.")
    return [([("Agent", "ok"), ("Bash", "error")], "failure"), ([("Bash", "ok"), ("Bash", "ok")], "partial")]


def _zoo(walk: Walk) -> Episodes:
    walk.say("SCRIPT:zoo Look around with every tool.")
    return [([("Bash", "ok"), ("Bash", "error"), ("Read", "ok"), ("Edit", "error"), ("Grep", "error")], "partial")]


def _command(walk: Walk) -> Episodes:
    walk.write(walk.work / ".claude" / "commands", {"fixit.md": "SCRIPT:fix Fix what fails. $ARGUMENTS"})
    walk.say("/fixit now")
    return [(FIXED, "success")]


def _resumed(walk: Walk) -> Episodes:
    walk.say(REPAIR)
    walk.say("SCRIPT:next Something else entirely, if you please", "--continue")
    return [(FIXED, "success"), ([("Bash", "ok")], "partial")]


def _interrupted(walk: Walk) -> Episodes:
    walk.stop("SCRIPT:slow Something that takes long", signal.SIGINT)
    return [([("Bash", "ok")], "partial")]


def _killed(walk: Walk) -> Episodes:
    walk.stop("SCRIPT:slow Something that takes long", signal.SIGKILL)
    walk.say("SCRIPT:look Another session, to see that the test fails")
    return [([("Bash", "ok")], "partial"), ([("Bash", "error")], "failure")]


WALKS: dict[str, Callable[[Walk], Episodes]] = {
    "startonly": _startonly, "task": _task, "zoo": _zoo, "command": _command,
    "resumed": _resumed, "interrupted": _interrupted, "killed": _killed,
}  # fmt: skip


def main() -> int:
    """Walk the walks asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("walks", nargs="*", metavar="WALK", help=f"of {', '.join([*CLIENTS, *WALKS])}; default: all")
    parser.add_argument("--alone", action="store_true", help="with the server that the host itself starts, and no other")
    parser.add_argument("--tools", type=Path, default=ROOT / ".cache" / "hosts", help="where the npm packages are kept")
    parser.add_argument("--limit", type=float, default=300, metavar="SECONDS", help="for one package to arrive")
    arguments = parser.parse_args()
    tools, report = arguments.tools.absolute(), Report()
    if unknown := set(arguments.walks) - {*CLIENTS, *WALKS}:
        parser.error(f"no such walk: {', '.join(unknown)}")
    if shutil.which("npm") is None:
        print("npm is not here: no host was run")
        return 0
    if not fetch(NODE, tools / "node", dict(os.environ), arguments.limit):
        print(f"npm did not bring {NODE} within {arguments.limit:.0f} s: no host was run")
        return 0
    node = tools / "node" / "node_modules" / "node" / "bin"
    path = os.environ | {"PATH": f"{node}{os.pathsep}{os.environ['PATH']}"}
    there: dict[str, bool] = {}
    for name in arguments.walks or [*CLIENTS, *WALKS]:
        client = CLIENTS[name if name in CLIENTS else "claude-code"]
        package = PACKAGES[client.name]
        if client.name not in there:
            there[client.name] = fetch(package, tools / client.name, path, arguments.limit)
        if there[client.name]:
            _walk(name, client, tools, report, alone=arguments.alone)
        else:
            print(f"     {name}: not walked, npm did not bring {package} within {arguments.limit:.0f} s")
    print(f"{report.failed} failed")
    return 1 if report.failed else 0


def _walk(name: str, client: Client, tools: Path, report: Report, *, alone: bool) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        scratch = Path(folder).resolve()
        scripts = json.loads(json.dumps(SCRIPTS | {"fix": list(client.fix)}).replace("WORK", str(scratch / "shop")))
        model = ScriptedModel(scripts)
        with model.served() as address:
            walk = Walk(client, tools, scratch, address, alone=alone)
            client.approve(walk)
            expected = WALKS[name](walk) if name in WALKS else _repair_twice(walk, model, report)
            report.add(f"{name}: recorded", (found := walk.recorded()) == expected, str(found))
            told = walk.memory("import", "--yes")
            report.add(f"{name}: imported, nothing is added", len(walk.recorded()) == len(expected), told)


if __name__ == "__main__":
    sys.exit(main())
