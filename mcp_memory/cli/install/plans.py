"""What installing into one host means: which files, what goes in, what comes out again, and what to tell the person."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mcp_memory.cli.install import hooks
from mcp_memory.cli.install.changes import Edit, TextEdit
from mcp_memory.cli.install.entries import Launch
from mcp_memory.cli.install.formats import format_of
from mcp_memory.cli.install.hosts import TOKEN_INPUT, Host
from mcp_memory.cli.install.jsonc import append_item, parse, prune, remove_items
from mcp_memory.cli.install.launching import FIRST_START, RUNNER, hook_command
from mcp_memory.domain.hosts import HOOK_HOSTS
from mcp_memory.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asked for."""

    launch: Launch
    name: str  # the entry's
    project: Path | None = None
    with_hooks: bool = False
    options: Sequence[str] = ()  # that say where the memory is: the server and the hooks must mean the same one
    uninstalls: bool = False


def edits(host: Host, wish: Wish) -> list[Edit]:
    """Return the edits, one a file. Raises InvalidInput: the host cannot do that."""
    if wish.with_hooks and not wish.uninstalls:
        check_hooks(host)
    file = host.file(wish.project)
    put, take_out = _entry_edits(host, wish, file)
    by_path: dict[Path, tuple[list[TextEdit], list[TextEdit]]] = {file: (put, take_out)}
    hook_host = HOOK_HOSTS.get(host.name)
    if hook_host and hook_host.ready:  # else none were ever installed, and the file may be another host's
        puts, takes = by_path.setdefault(hooks.hooks_file(hook_host, wish.project), ([], []))
        takes.append(partial(hooks.remove_hooks, host=hook_host))
        if wish.with_hooks and not wish.uninstalls:
            program = hook_command(shared=wish.project is not None)
            puts.append(partial(hooks.add_hooks, host=hook_host, program=program, options=wish.options))
    planned = [Edit(path, puts, takes, within=wish.project) for path, (puts, takes) in by_path.items() if puts or wish.uninstalls]
    return planned[::-1] if wish.uninstalls else planned  # the first made the folders


def check_hooks(host: Host) -> None:
    """Raise InvalidInput unless the host has hooks that this version understands."""
    hook_host = HOOK_HOSTS.get(host.name)
    if hook_host is None:
        raise InvalidInput(f"{host.name} has no hooks", hint=f"Hooks are for {', '.join(name for name in HOOK_HOSTS)}.")
    if not hook_host.ready:
        hint = hook_host.trust or "Install without --hooks."
        raise InvalidInput(f"there are no hooks of {host.name}'s own that this version installs", hint=hint)


def notes(host: Host, wish: Wish) -> list[str]:
    """Return what the person has to do or to know after the change."""
    if wish.uninstalls:
        return []
    told = [host.project_approval if wish.project else host.approval]
    if wish.launch.command[:1] == (RUNNER,):
        told.append(FIRST_START)
    if wish.with_hooks:
        hook_host = HOOK_HOSTS[host.name]
        told.append(hook_host.trust)
        file = hooks.hooks_file(hook_host, wish.project)
        if file.exists() and hooks.are_off(file.read_text(encoding="utf-8"), hook_host):
            told.append(f"Hooks are switched off: see `{'.'.join(hook_host.off[0])}` in {file}.")
    if wish.project and any(Path(option).is_absolute() for option in wish.options):
        told.append("This file is shared, and it names a folder of this machine: leave out --data-dir and --config, or tell the others.")
    return [note for note in told if note]


def _entry_edits(host: Host, wish: Wish, file: Path) -> tuple[list[TextEdit], list[TextEdit]]:
    form = format_of(file)
    takes: list[TextEdit] = [lambda text: form.take_out(text, host.key, wish.name)]
    if host.name == "vscode":
        takes.append(_without_input)
    if wish.uninstalls:
        return [], takes
    entry = host.entry(wish.launch)
    puts: list[TextEdit] = [lambda text: form.put(text, host.key, wish.name, entry)]
    if host.name == "vscode" and wish.launch.with_token:
        puts.append(_with_input)
    return puts, takes


def _with_input(text: str) -> str:
    """Return VS Code's settings with the question for the token."""
    if any(map(_is_our_input, parse(text).value.get("inputs") or [])):
        return text
    prompt = {"type": "promptString", "id": TOKEN_INPUT, "description": "Bearer token of mcp-memory", "password": True}
    return append_item(text, ("inputs",), prompt)


def _without_input(text: str) -> str:
    without = remove_items(text, ("inputs",), lambda _, item: _is_our_input(item)) if text.strip() else text
    return prune(without, ("inputs",)) if without != text else text


def _is_our_input(item: Any) -> bool:
    return isinstance(item, dict) and item.get("id") == TOKEN_INPUT
