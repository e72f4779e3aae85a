"""`mcp-memory token`: make, list and revoke bearer tokens. A token is shown once; the file that `serve --token-file` reads has its hash."""

import argparse
import sys

from mcp_memory.cli import render
from mcp_memory.cli.options import add_common, add_json


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE", help="the token file, for `serve --token-file FILE`; without it, only print")
    parser.add_argument("--name", default="", metavar="NAME", help="who will hold it; the audit log shows the name")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="list the file's tokens by name instead")
    what.add_argument("--revoke", metavar="NAME", help="take a token out of the file instead; a running server refuses it at once")
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    from mcp_memory.server import token_file

    if (args.list or args.revoke) and not args.file:
        args.fail("--list and --revoke need FILE")
    if args.list:
        entries = token_file.list_tokens(args.file)
        if args.json:
            render.print_json([{"name": entry.name, "created_at": entry.created_at} for entry in entries])
        else:
            render.print_table(("name", "created"), [(entry.name, entry.created_at or "-") for entry in entries])
        return 0
    if args.revoke:
        token_file.revoke_token(args.file, args.revoke)
        return _say({"revoked": args.revoke}, f"Revoked {args.revoke}.", args.json)
    if not args.file:
        token = token_file.new_token()
        entry = token_file.entry_of(token, args.name)
        return _show(token, {"entry": entry}, f"for a token file or MCP_MEMORY_TOKEN of the server: {entry}", args.json)
    name = args.name or token_file.free_name(args.file)
    return _show(token_file.create_token(args.file, name), {"name": name, "file": args.file}, f"in {args.file} as {name}", args.json)


def _show(token: str, about: dict[str, str], where: str, as_json: bool) -> int:
    if as_json:
        render.print_json({"token": token, **about})
        return 0
    print(token)
    print(f"Give the token above to the client, it is not shown again. Its hash: {where}", file=sys.stderr)
    return 0


def _say(data: dict[str, str], line: str, as_json: bool) -> int:
    if as_json:
        render.print_json(data)
    else:
        print(line)
    return 0
