"""Whether a run has made what its task asks for: then how another one's script made it is no advice any more. Pure."""

import re

from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.learning.reading.edits import written_by
from mcp_memory.learning.telling.acts import own_names, runs_own

_FILE = re.compile(r"(?<![\w/.-])[\w-]+(?:\.[\w-]+)*\.[a-z][a-z\d]{0,4}\b")  # in a text, without its folder
_CODE = re.compile(r"\.(?:py|sh|js|ts|rb|pl|go|rs|c|cpp|h|java)$")


def has_made(run: Episode) -> bool:
    """Return whether a run ran a script of its own, and then saw each file that its task names and that was not there before.

    That is a file, not of code, which no answer showed before that script ran and no call wrote by itself.
    """
    steps, own = run.steps, own_names(run)
    ran = next((i for i, step in enumerate(steps) if not step.failed and is_shell(step.tool) and runs_own(step, own)), None)
    if ran is None:
        return False
    before = " ".join(step.observation for step in steps[:ran])
    wanted = {name for name in _FILE.findall(run.task) if not _CODE.search(name) and name not in before}
    wanted -= {path.rpartition("/")[2] for step in steps if (path := written_by(step))}
    after = [_said(step) for step in steps[ran:] if not step.failed]
    return bool(wanted) and all(any(name in said for said in after[1:]) for name in wanted)


def _said(step: Step) -> str:
    return f"{dict(step.arguments)} {step.observation}"
