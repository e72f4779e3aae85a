"""What a step is called in everything that is learnt: made by us from tool, program and verb, whoever logged it.

An agent's `action` is a description. It is part of the key only where it is a plain name of what was run (`pip install`), because
sentences ("Run the tests for the date parser") would make every step a thing of its own.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from mcp_memory.domain.commands import command_in, program_of

SHELL = "bash"  # what the one tool of many names is called in keys
_SHELL_NAMES_TEXT = """
bash shell sh zsh terminal execute_bash bash_tool exec_command shell_command local_shell run_shell_command run_in_terminal run_terminal_cmd
run_terminal_command execute_command run_command run_bash unified_exec execute_shell_command container.exec powershell pwsh
exec shell_exec exec_shell run_shell execute_shell bash_exec run_shell_cmd execute_in_terminal
"""
_SHELL_NAMES = frozenset(_SHELL_NAMES_TEXT.split())
_OF = re.compile(r"^(?:mcp__.+?__|[\w-]+?__|[\w-]+[./:])(?=\w)")  # whose tool it is
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:@/-]{0,39}")  # one word that names a thing to do
_ACTION = re.compile(r"^[^\S\n]*Action:\s*", re.M)  # as agents write it that say their thought before it
_PLACE = re.compile(r"(?:step|turn|round|iteration|action)\W{0,2}\d+\W?", re.I)  # which says when, not what
_COMMAND_CHARS = 2_000
_MAX_WORDS = 3  # of a label such as `python3 -m venv`
_KEPT = 20_000


@lru_cache(maxsize=10_000)
def is_shell(tool: str) -> bool:
    """Return whether agents' hosts give their shell tool this name, whatever server or group of tools stands before it.

    >>> [is_shell(tool) for tool in ("Bash", "functions.exec", "mcp__desktop__execute_command", "sql.execute", "run_tests")]
    [True, True, True, False, False]
    """
    name = tool.lower()
    return name in _SHELL_NAMES or _OF.sub("", name, count=1) in _SHELL_NAMES


def step_key(tool: str, action: str | None, arguments: Mapping[str, Any] | None = None) -> str:
    """Return the tool, or `tool:what` where that says more; every shell tool counts as one.

    >>> step_key("bash", "pytest"), step_key("edit", "edit"), step_key("edit", "")
    ('bash:pytest', 'edit', 'edit')
    >>> {step_key(tool, "Run the tests", {"command": "pytest -q"}) for tool in ("Bash", "shell", "exec_command")}
    {'bash:pytest'}
    >>> step_key("read_file", "Now look at the parser"), step_key("editor", "", {"command": "view", "path": "a.py"})
    ('read_file', 'editor:view')
    """
    return _key(tool, action or "", command_in(arguments)[:_COMMAND_CHARS] if arguments else "")


@lru_cache(maxsize=_KEPT)
def _key(tool: str, action: str, command: str) -> str:
    name = SHELL if is_shell(tool) else tool
    if action == tool:
        action = ""
    what = action if _is_label(action, command) else program_of(command)
    return f"{name}:{what}" if what and what != tool else name


def description(tool: str, action: str | None, arguments: Mapping[str, Any]) -> str:
    """Return the sentence that alone says what a step did, as of an agent that logs no arguments; "" where it has some, or has no sentence.

    >>> description("agent", "Asked Maria for the figure", {}), description("bash", "Run the tests", {"command": "pytest"})
    ('Asked Maria for the figure', '')
    >>> description("clock", "", {}), description("editor", "undo", {}), description("agent", "Step 3", {})
    ('', '', '')
    >>> description("react", "Thought: I need a lamp\\nAction: search[red lamp]", {})
    'search[red lamp]'
    """
    action = _ACTION.split(action)[-1].partition("\nObservation")[0].strip() if action and "ction:" in action else action
    if (
        not action
        or action == tool
        or _PLACE.fullmatch(action)
        or any(str(value).strip() for value in arguments.values())
        or _is_label(action, "")
    ):
        return ""
    return " ".join(action.split())


def _is_label(action: str, command: str) -> bool:
    """Return whether *action* names what was run, not describes it: words of the command, or without a command one plain name."""
    words = action.split()
    if not words or len(words) > _MAX_WORDS:
        return False
    if command:
        said = f" {command} "
        return all(re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", said) for word in words)
    return len(words) == 1 and bool(_NAME.fullmatch(action))


def joined(tool: str, action: str) -> str:
    """Return the key that `tool_and_action` took apart."""
    return f"{tool}:{action}" if action and action != tool else tool


def tool_and_action(key: str) -> tuple[str, str]:
    """Return what `step_key` was made from; a step without an action has its tool's name as one.

    >>> tool_and_action("bash:pytest"), tool_and_action("edit")
    (('bash', 'pytest'), ('edit', 'edit'))
    """
    tool, _, action = key.partition(":")
    return tool, action or tool
