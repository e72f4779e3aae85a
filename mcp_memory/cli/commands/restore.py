"""`mcp-memory restore`: a backup becomes the memory of the data directory, as a new replica. Without --yes it is only verified."""

import argparse
from pathlib import Path

from mcp_memory.cli import render
from mcp_memory.cli.options import add_common, add_json, settings_of
from mcp_memory.user_data import expanded


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="what `mcp-memory backup` made")
    parser.add_argument("--yes", action="store_true", help="really restore; what is there is kept in a folder of the data directory")
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    from mcp_memory.bootstrap import restore_memory

    config = settings_of(args)
    done = restore_memory(config, Path(expanded(args.file)), verify_only=not args.yes)
    if args.json:
        render.print_json(done)
        return 0
    manifest = done.manifest
    counts = ", ".join(f"{n} {name}" for name, n in manifest.counts.items())
    render.tell(f"{args.file} is sound: made {render.iso(manifest.made_at_ms)} by version {manifest.program}, {counts or 'empty'}")
    if not args.yes:
        print(f"run it again with --yes to put it into {config.data_dir}")
    else:
        print(f"restored into {config.data_dir}, as replica {done.replica_id}")
        if done.kept:
            print(f"what was there is kept in {done.kept}")
    return 0
