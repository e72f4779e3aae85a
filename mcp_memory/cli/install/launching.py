"""The commands that hosts are given: to start the server, and to answer a hook."""

import json
import shutil
import site
import sys
from pathlib import Path

PACKAGE, PROGRAM, RUNNER = "mcp-episodic-memory", "mcp-memory", "uvx"
FIRST_START = (  # docs/design.md, section 3
    f"The first start fetches 95 MB: a third of it the model's runtime, a fifth the model. Some hosts do not wait for that long: run "
    f"`{RUNNER} {PACKAGE} --version` once beforehand."
)
_ROOT = str(Path(__file__).parents[3])
HOOK_CODE = "from mcp_memory.hooks.client import main; main()"


def server_command(shared: bool = False) -> tuple[str, ...]:
    """Return the command that runs this program again: this Python, or uvx where it keeps the environment only for a while.

    `-P`: a host starts it in the folder of a project, whose modules must not come before ours. *shared*: for a file that other people
    use, too, on whose machines only names on PATH mean the same.
    """
    if shared:
        return (PROGRAM,) if shutil.which(PROGRAM) and not shutil.which(RUNNER) else (RUNNER, PACKAGE)
    if "uv" in Path(sys.prefix).parts and any(part.startswith(("archive-v", "environments-v")) for part in Path(sys.prefix).parts):
        return (RUNNER, PACKAGE)
    return (sys.executable, "-P", "-m", "mcp_memory")


def hook_command(shared: bool = False) -> tuple[str, ...]:
    """Return the command that hooks begin with, the event's name follows.

    Not the installed script: what an installer writes into it (`re`, and finding the entry point) takes as long as the rest of the hook.
    `-I` keeps the environment, the working folder and a person's own modules out, `-S` the search for packages, which takes a quarter of a
    bare interpreter's time: ours is where it is, and needs no other. The code is on the command line, since a script file or
    module that is gone ends with status 2 or less clearly, and a host takes 2 for a veto: a missing import ends with 1.
    """
    command = server_command(shared)
    if command[0] != sys.executable:
        return (*command, "hook")
    if sys.platform == "win32":  # PowerShell takes the quotes out of an argument
        isolated = ("-P",) if _in_user_site() else ("-I",)  # -I does not look there
        return (sys.executable, *isolated, "-c", HOOK_CODE)
    return (sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({json.dumps(_ROOT)}); {HOOK_CODE}")


def _in_user_site() -> bool:
    return Path(site.getusersitepackages()) in Path(__file__).parents
