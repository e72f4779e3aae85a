"""`mcp-memory install [HOST]`: merge the server into the hosts' configuration files, or take it out again."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_memory.cli.install.entries import Launch
from mcp_memory.cli.install.hosts import HOSTS, Host
from mcp_memory.cli.options import add_common, settings_of
from mcp_memory.errors import McpMemoryError
from mcp_memory.user_data import expanded

if TYPE_CHECKING:
    from mcp_memory.cli.install.changes import Change
    from mcp_memory.cli.install.plans import Wish

SERVER_NAME = "memory"
_PLACES = {"data_dir": "MCP_MEMORY_DATA_DIR", "config": "MCP_MEMORY_CONFIG"}


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", nargs="?", choices=HOSTS, help="the agent host; without one, all that are found on this machine")
    parser.add_argument("--http", action="store_true", help="point it to a resident `mcp-memory serve` instead of starting its own")
    parser.add_argument("--with-token", action="store_true", help="with --http: send the bearer token in MCP_MEMORY_TOKEN")
    parser.add_argument("--hooks", action="store_true", help="also log every step by itself, through hooks, in the hosts that have them")
    parser.add_argument("--project-dir", metavar="DIR", help="edit the project's file there, not the user's")
    parser.add_argument("--name", default=SERVER_NAME, help=f"the entry's name (default: {SERVER_NAME})")
    parser.add_argument("--dry-run", action="store_true", help="show the difference and change nothing")
    parser.add_argument("--uninstall", action="store_true", help="take the entry (and the hooks) out")
    parser.add_argument("--yes", "-y", action="store_true", help="without a host: do not ask")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    wish = _wish(args)
    if args.host:
        _install(HOSTS[args.host], wish, args.dry_run)
        return 0
    return _install_all(args, wish)


def _install(host: Host, wish: "Wish", dry_run: bool) -> bool:
    """Make the change in one host's files, all or none as far as can be told before; return whether there was anything to do."""
    from mcp_memory.cli.install.changes import apply, plan
    from mcp_memory.cli.install.plans import edits, notes

    changes = [plan(edit) for edit in edits(host, wish)]
    for change in changes:
        if not dry_run:
            apply(change)
        print(_told(change, dry_run), end="")
    changed = any(not change.is_none for change in changes)
    if not dry_run:
        for note in notes(host, wish):
            print(f"  {note}")
        if changed:
            print(f"  Restart {host.name}, or reload its MCP servers, to make it see the change.")
    return changed


def _told(change: "Change", dry_run: bool) -> str:
    if change.is_none:
        return f"{change.path}: nothing to change\n"
    if dry_run:
        return change.diff or f"{change.path}: would be {'removed' if change.after is None else 'made'}, empty\n"
    if change.after is None:
        return f"{change.path}: removed, as there was none before\n"
    if change.uninstalls:
        return f"{change.path}: changed\n"
    kept = change.record.copy if change.record and change.record.before is not None else None
    return f"{change.path}: " + (f"changed; the old file is kept as {kept}\n" if kept else "made\n")


def _install_all(args: argparse.Namespace, wish: "Wish") -> int:
    """Offer every host that is on this machine; one that fails is said, and the others go on."""
    from dataclasses import replace

    from mcp_memory.cli.install.finding import found

    here = found(HOSTS.values())
    if not here:
        print("No agent host was found on this machine. Name one: mcp-memory install HOST.", file=sys.stderr)
        return 1
    print("Found on this machine:")
    for host, sign in here:
        print(f"  {host.name:<14}  {sign}")
    question = "Take the memory out of all of them?" if args.uninstall else "Add the memory to all of them?"
    if not (args.yes or args.dry_run or _agreed(question)):
        return 1
    failed = False
    for host, _ in here:
        print(f"\n{host.name}")
        try:
            _install(host, replace(wish, with_hooks=wish.with_hooks and _takes_hooks(host)), args.dry_run)
        except McpMemoryError as error:
            failed = True
            print(f"  {error.message}\n  {error.hint}")
    return int(failed)


def _agreed(question: str) -> bool:
    """Ask on the terminal; without one nothing is agreed to."""
    if not sys.stdin.isatty():
        print("Nothing was changed. Name a host, or say --yes.", file=sys.stderr)
        return False
    try:
        return input(f"{question} [Y/n] ").strip().lower() in ("", "y", "yes")
    except EOFError:
        return False


def _takes_hooks(host: Host) -> bool:
    from mcp_memory.cli.install.plans import check_hooks

    try:
        check_hooks(host)
    except McpMemoryError as error:
        print(f"  without hooks: {error.message}")
        return False
    return True


def _wish(args: argparse.Namespace) -> "Wish":
    from mcp_memory.cli.install.plans import Wish

    project = Path(expanded(args.project_dir)) if args.project_dir else None
    if project and not project.is_dir():
        args.fail(f"--project-dir {args.project_dir} is not a folder")
    options = [part for option in ("data_dir", "project", "config") if (value := _given(args, option)) for part in (_flag(option), value)]
    return Wish(_launch(args, options), args.name, project, args.hooks, options, args.uninstall)


def _given(args: argparse.Namespace, option: str) -> str:
    """Return what was given for an option, on the command line or, of what says where the memory is, in the environment.

    Codex among others does not hand its environment on to servers, so the server and the hooks would be at two memories. A file that
    others share takes no folder of this machine from it.
    """
    given = getattr(args, option) or ""
    if given or args.project_dir or option not in _PLACES:
        return str(given)
    told = os.environ.get(_PLACES[option], "")
    return expanded(told) if told else ""


def _launch(args: argparse.Namespace, options: list[str]) -> Launch:
    from mcp_memory.cli.install.launching import server_command

    if args.http:
        server = settings_of(args).server
        return Launch(url=f"http://{server.host}:{server.port}/mcp", with_token=args.with_token)
    return Launch(command=(*server_command(shared=bool(args.project_dir)), "stdio", *options))


def _flag(option: str) -> str:
    return "--" + option.replace("_", "-")
