"""`mcp-memory remote`: shared logs, set up for everything that uses this data directory. Tokens stay in the environment or the keyring."""

import argparse
import os
from typing import TYPE_CHECKING

from mcp_memory.cli import render
from mcp_memory.cli.opening import with_memory, with_settings
from mcp_memory.cli.options import add_common, add_json, settings_of

if TYPE_CHECKING:
    from mcp_memory.remote_config import RemoteConfig

ACTIONS = ("add", "list", "remove", "test", "new-key")


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("url", nargs="?", metavar="URL", help="libsql:// or https:// (Turso, sqld), postgresql://")
    parser.add_argument("--token-env", default="", metavar="NAME", help="add: the environment's name for the token or the password")
    parser.add_argument(
        "--keyring", action="store_true", help="add: keep the token in the platform's keyring; it is read from standard input"
    )
    parser.add_argument("--projects", default="", metavar="NAMES", help="add: share only these projects, comma-separated")
    parser.add_argument("--ack", choices=("local", "remote"), default="local", help="add: remote lets writes wait until the log has them")
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    if args.action in ("add", "remove") and not args.url:
        args.fail("name the URL of the shared log")
    return {"add": _add, "list": _list, "remove": _remove, "test": _test, "new-key": _new_key}[args.action](args)


def _add(args: argparse.Namespace) -> int:
    from mcp_memory import remote_config

    projects = [name.strip() for name in args.projects.split(",") if name.strip()]
    table = {"url": args.url, "token_env": args.token_env, "keyring": args.keyring, "projects": projects, "ack": args.ack}
    (added,) = remote_config.remotes_of([table], "the command line", os.environ)
    if added.address != added.url and "@" in added.url:
        args.fail("leave the password out of the URL; name where it is in the environment with --token-env, or use --keyring")
    if added.keyring:
        _keep_token(args, added.address)
    remote_config.note(settings_of(args).data_dir, added)
    print(
        f"{added.address}: noted for everything that uses {settings_of(args).data_dir}; servers that run hear of it when they are restarted"
    )
    return _test(args)


def _keep_token(args: argparse.Namespace, address: str) -> None:
    """Ask for a token and put it into the keyring."""
    import sys

    from mcp_memory.bootstrap import keyring_tokens

    tokens = keyring_tokens()
    if sys.stdin.isatty():
        from getpass import getpass

        token = getpass(f"the token (of PostgreSQL the password) for {address}: ").strip()
    else:
        token = sys.stdin.readline().strip()
    if not token:
        args.fail("give the token, or the password, on standard input")
    tokens.store(address, token)


def _new_key(args: argparse.Namespace) -> int:
    import sys

    from mcp_memory.replication.team_key import new_key

    print(new_key())
    print("Set MCP_MEMORY_TEAM_KEY to this on every machine of the team; who has it reads what is in the log.", file=sys.stderr)
    return 0


def _list(args: argparse.Namespace) -> int:
    found = with_memory(args, lambda memory: memory.memory_status()).replication
    if args.json:
        render.print_json(found)
        return 0
    by_address = {remote.address: remote for remote in settings_of(args).remotes}
    rows = [(r.url, r.state, str(r.pending), _projects(by_address.get(r.url)), r.last_error) for r in found.remotes]
    render.print_table(("log", "state", "to send", "projects", "last error"), rows) if rows else print("this memory is not shared")
    return 0


def _projects(remote: "RemoteConfig | None") -> str:
    return "" if remote is None else ", ".join(remote.projects) or "all"


def _remove(args: argparse.Namespace) -> int:
    from dataclasses import replace

    from mcp_memory import remote_config

    config, address = settings_of(args), remote_config.public_address(args.url)
    if any(remote.address == address and remote.keyring for remote in config.remotes):
        from mcp_memory.bootstrap import keyring_tokens

        keyring_tokens().remove(address)
    was_noted = remote_config.take_out(config.data_dir, address)
    others = tuple(remote for remote in config.remotes if remote.address != address)
    was_known = with_settings(replace(config, remotes=others), lambda memory: memory.share_no_more(address))
    print(f"{address}: {'no longer shared with' if was_noted or was_known else 'was not shared with'}")
    if any(remote.address == address and remote.origin != str(config.data_dir / remote_config.NOTED_FILE) for remote in config.remotes):
        print("a settings file or the environment still names it: take it out there, or it is shared with again")
    return 0 if was_noted or was_known else 1


def _test(args: argparse.Namespace) -> int:
    from dataclasses import replace

    config = settings_of(args)
    if args.url:
        from mcp_memory.remote_config import public_address

        config = replace(config, remotes=tuple(r for r in config.remotes if r.address == public_address(args.url)))
    if not config.remotes:
        print("there is no such shared log; `mcp-memory remote list` shows them")
        return 1
    checks = with_settings(config, lambda memory: memory.probe_remotes())
    if args.json:
        render.print_json([{"check": what, "ok": fine, "detail": detail} for what, fine, detail in checks])
    for what, fine, detail in checks if not args.json else ():
        render.tell(f"{'ok' if fine else 'FAIL':<4}  {what}: {detail}", "      ")
    return 0 if all(fine for _, fine, _ in checks) else 1
