"""`mcp-memory token`: a new bearer token. It is shown once; the file that `serve --token-file` reads keeps only its hash."""

import argparse
import hashlib
import os
import secrets
import sys
from pathlib import Path

from mcp_memory.cli import render
from mcp_memory.cli.options import add_common, add_json

TOKEN_BYTES = 32


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE", help="add the hash to this file, for `serve --token-file FILE`")
    parser.add_argument("--name", default="", metavar="NAME", help="who will hold it; the audit log shows the name")
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    if args.name and not args.name.replace("-", "").replace("_", "").isalnum():
        args.fail("--name takes letters, digits, - and _")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    entry = (f"{args.name}=" if args.name else "") + "sha256:" + hashlib.sha256(token.encode()).hexdigest()
    if args.file:
        _append(Path(args.file).expanduser(), entry)
    if args.json:
        render.print_json({"token": token, "entry": entry})
        return 0
    print(token)
    where = f"added to {args.file}" if args.file else f"for a token file or MCP_MEMORY_TOKEN of the server: {entry}"
    print(f"Give the token above to the client, it is not shown again. Its hash: {where}", file=sys.stderr)
    return 0


def _append(path: Path, entry: str) -> None:
    """Add a line to a file that only its owner may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
        file.write(entry + "\n")
