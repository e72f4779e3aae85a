"""`mcp-memory token`: make, list and revoke bearer tokens. A token is shown once; the file keeps only its hash.

With --project, which may be given several times, it is for those projects alone, whatever its holder asks for.
"""

import argparse
import sys

from mcp_memory.cli import render
from mcp_memory.cli.options import add_common, add_json


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE", help="the token file, for `serve --token-file FILE` (default: only print)")
    parser.add_argument("--name", metavar="NAME", help="who will hold it; the audit log shows the name")
    parser.add_argument("--list", action="store_true", help="list the tokens of FILE")
    parser.add_argument("--revoke", metavar="NAME", help="take a token out of FILE; a running server refuses it at once")
    add_json(parser)
    add_common(parser, project="a project it may see, with FILE; may be given several times (default: all)", several_projects=True)


def run(args: argparse.Namespace) -> int:
    from mcp_memory.server import token_file

    if (args.list or args.revoke) and not args.file:
        args.fail("name the token file")
    if args.project and not args.file:
        args.fail("a token for some projects needs a token file")
    if args.list:
        return _list(args)
    if args.revoke:
        token_file.revoke_token(args.file, args.revoke)
        render.print_json({"revoked": args.revoke}) if args.json else print(f"revoked {args.revoke}")
        return 0
    projects = list(dict.fromkeys(args.project or ()))
    if args.file:
        name = args.name or token_file.free_name(args.file)
        token = token_file.create_token(args.file, name, projects)
        told = f"{args.file} holds its hash, as {name}" + (f", for {', '.join(projects)}" if projects else "")
    else:
        token, name = token_file.new_token(), args.name or ""
        told = f"for MCP_MEMORY_TOKEN of the server, the token or its hash: {token_file.entry_of(token, name)}"
    if args.json:
        render.print_json({"token": token, "entry": token_file.entry_of(token, name, projects)})
        return 0
    print(token)
    print(f"Give this to the client; it is not shown again ({told}).", file=sys.stderr)
    return 0


def _list(args: argparse.Namespace) -> int:
    from mcp_memory.server import token_file

    entries = token_file.list_tokens(args.file)
    if args.json:
        render.print_json({"tokens": entries})
    else:
        rows = [(entry.name, entry.created_at, ", ".join(entry.projects) or "all") for entry in entries]
        render.print_table(("name", "created", "projects"), rows)
    return 0
