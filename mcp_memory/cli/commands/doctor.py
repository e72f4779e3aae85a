"""`mcp-memory doctor`: every check that tells a sound installation from a broken one. Exit status 1 when one fails."""

import argparse

from mcp_memory.cli import render
from mcp_memory.cli.checks import Check
from mcp_memory.cli.opening import with_memory
from mcp_memory.cli.options import add_common, add_json, settings_of


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--remote", action="store_true", help="also try what the shared logs' servers can do")
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    from mcp_memory.cli import checking

    checks = [Check(name, ok, detail) for name, ok, detail in with_memory(args, lambda memory: memory.doctor())]
    if args.remote:
        checks += [Check(name, ok, detail) for name, ok, detail in with_memory(args, lambda memory: memory.probe_remotes())]
    checks += [*checking.permissions(settings_of(args).data_dir), *checking.hosts()]
    if args.json:
        render.print_json([{"check": c.name, "ok": c.ok, "detail": c.detail, "fix": c.fix} for c in checks])
    else:
        for check in checks:
            mark = "FAIL" if not check.ok else "note" if check.fix else "ok"
            line = f"{mark:<4}  {check.name}: {render.one_line(check.detail, 2000)}"
            render.tell(line, "      ", mark=render.COLOURS[mark])
            if check.fix:
                print(f"      fix: {check.fix}")
    return 0 if all(check.ok for check in checks) else 1
