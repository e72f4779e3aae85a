"""`mcp-memory install HOST`: merge the server into the host's configuration file, or take it out again."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_memory.cli.install.hosts import HOSTS, Host, Launch
from mcp_memory.cli.options import add_common, settings_of

if TYPE_CHECKING:
    from mcp_memory.cli.install.apply import Change

SERVER_NAME = "memory"


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", choices=HOSTS, help="the agent host")
    parser.add_argument("--http", action="store_true", help="point it to a resident `mcp-memory serve` instead of starting its own")
    parser.add_argument("--with-token", action="store_true", help="with --http: send the bearer token in MCP_MEMORY_TOKEN")
    parser.add_argument("--hooks", action="store_true", help="claude-code: also log every step by itself, through hooks")
    parser.add_argument("--project-dir", metavar="DIR", help="edit the project's file there, not the user's")
    parser.add_argument("--name", default=SERVER_NAME, help=f"the entry's name (default: {SERVER_NAME})")
    parser.add_argument("--dry-run", action="store_true", help="show the difference and change nothing")
    parser.add_argument("--uninstall", action="store_true", help="take the entry (and the hooks) out")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    from mcp_memory.cli.install.apply import apply, plan

    host = HOSTS[args.host]
    if args.hooks and host.name != "claude-code":
        args.fail("--hooks is for claude-code")
    project = Path(args.project_dir).expanduser() if args.project_dir else None
    changes = [plan(host.file(project), lambda text: _edited(text, host, args))]
    if args.hooks or (args.uninstall and host.name == "claude-code"):
        changes.append(_hooks_change(args, project))
    for change in changes:
        if args.dry_run:
            print(change.diff or f"{change.path}: nothing to change", end="" if change.diff else "\n")
            continue
        backup = apply(change)
        print(
            f"{change.path}: "
            + ("changed" if change.diff else "nothing to change")
            + (f"; the old file is {backup.name}" if backup else "")
        )
    if not args.dry_run and any(change.diff for change in changes):
        print("Restart the host, or reload its MCP servers, to make it see the change.")
    return 0


def _edited(text: str, host: Host, args: argparse.Namespace) -> str:
    from mcp_memory.cli.install.jsonc import append_item, parse, remove_items, set_member

    if args.uninstall:
        return remove_items(text, (host.key,), lambda key, _: key == args.name) if text.strip() else text
    launch = _launch(args)
    text = set_member(text, (host.key, args.name), host.entry(launch))
    for array, item in host.extras(launch).items():
        present = parse(text).value.get(array) or []
        if not any(isinstance(other, dict) and other.get("id") == item["id"] for other in present):
            text = append_item(text, (array,), item)
    return text


def _hooks_change(args: argparse.Namespace, project: Path | None) -> "Change":
    from mcp_memory.cli.install import claude_hooks
    from mcp_memory.cli.install.apply import hook_command, plan

    file = claude_hooks.settings_file(project)
    if args.uninstall:
        return plan(file, claude_hooks.remove_hooks)
    return plan(file, lambda text: claude_hooks.add_hooks(text, hook_command(), _kept_options(args)))


def _launch(args: argparse.Namespace) -> Launch:
    from mcp_memory.cli.install.apply import python_command

    if args.http:
        server = settings_of(args).server
        return Launch(url=f"http://{server.host}:{server.port}/mcp", with_token=args.with_token)
    return Launch(command=(*python_command(), "stdio", *_kept_options(args)))


def _kept_options(args: argparse.Namespace) -> list[str]:
    """Return the options that say where the memory is: the server and the hooks must mean the same one."""
    return [part for option in ("data_dir", "project", "config") if (value := getattr(args, option)) for part in (_flag(option), value)]


def _flag(option: str) -> str:
    return "--" + option.replace("_", "-")
