"""Options that several commands share, and how they become settings."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any

    from mcp_memory.config import Config

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def add_common(
    parser: "argparse.ArgumentParser", *, project: str = "the namespace (MCP_MEMORY_PROJECT)", several_projects: bool = False
) -> None:
    """Add the options of every command; *project* is the help of `--project`, which may be given several times if *several_projects*."""
    group = parser.add_argument_group("common options")
    group.add_argument("--data-dir", metavar="DIR", help="where the memory lives (MCP_MEMORY_DATA_DIR; else the user data directory)")
    group.add_argument("--project", metavar="NAME", help=project, action="append" if several_projects else "store")
    group.add_argument("--config", metavar="FILE", help="a TOML file of settings (MCP_MEMORY_CONFIG)")


def add_json(parser: "argparse.ArgumentParser") -> None:
    """Add --json, for a command that prints data."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def add_context(parser: "argparse.ArgumentParser") -> None:
    """Add what a task is about: domain, language, framework, kind, tags."""
    parser.add_argument("--domain", metavar="NAME")
    parser.add_argument("--language", metavar="NAME")
    parser.add_argument("--framework", metavar="NAME")
    parser.add_argument("--task-type", choices=words("WhereFields", "task_type"))
    parser.add_argument("--tag", action="append", default=[], metavar="TAG", dest="tags", help="may be given several times")


def add_span(parser: "argparse.ArgumentParser") -> None:
    """Add --outcome, --since and --until."""
    parser.add_argument("--outcome", choices=words("WhereFields", "outcome"))
    parser.add_argument("--since", metavar="TIME", type=moment, help="ISO 8601, or how long ago: 30m, 12h, 2d, 3w; inclusive")
    parser.add_argument("--until", metavar="TIME", type=moment, help="the same, exclusive")


def words(request: str, field: str) -> "tuple[str, ...]":
    """Return the words that a field of a request may hold."""
    from mcp_memory.domain import requests

    return requests.words_of(getattr(requests, request), field)


def moment(text: str) -> str:
    """Return a time as ISO 8601: as it is, or what was so long ago.

    >>> moment("2026-01-31")
    '2026-01-31'
    """
    from datetime import UTC, datetime, timedelta

    number, unit = text[:-1], text[-1:].lower()
    if not (number.isdecimal() and unit in _UNITS):
        return _iso(text)
    try:
        return (datetime.now(UTC) - timedelta(**{_UNITS[unit]: int(number)})).isoformat(timespec="milliseconds")
    except OverflowError:
        import argparse

        raise argparse.ArgumentTypeError(f"{text!r} is before all times") from None


def _iso(text: str) -> str:
    import argparse
    from datetime import datetime

    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time; write 2026-01-31, 2026-01-31T12:00:00Z, or how long ago: 30m, 12h, 2d, 3w"
        ) from None
    return text


def size_bytes(text: str) -> int:
    """Return a size in bytes: a number, or one with K, M, G or T (times 1,024 each).

    >>> size_bytes("10M"), size_bytes("1.5k"), size_bytes("7")
    (10485760, 1536, 7)
    """
    import argparse

    number = text.strip().lower().removesuffix("b").removesuffix("i")
    power = "kmgt".find(number[-1:]) + 1 if number[-1:] else 0
    try:
        size = float(number[:-1] if power else number) * 1024**power
        if 0 <= size < 2**63:
            return int(size)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is no size such as 500K, 10M or 2G")


def given(args: "argparse.Namespace", names: "Sequence[str]") -> "dict[str, Any]":
    """Return those of the named arguments that were given: keyword arguments of a call of the facade."""
    return {name: value for name in names if (value := getattr(args, name)) not in (None, [], "")}


CONTEXT = ("domain", "language", "framework", "task_type", "tags")
SPAN = ("outcome", "since", "until")


def settings_of(args: "argparse.Namespace", *, in_folder: bool = True, **flags: "Any") -> "Config":
    """Return the effective settings, with the working directory's project unless not *in_folder*. Raises ConfigError."""
    from mcp_memory.config_sources import load_config

    common = {"storage.data_dir": args.data_dir, "server.project": args.project}
    flags = common | {name.replace("__", "."): value for name, value in flags.items()}
    return load_config(file=args.config, flags=flags, folder=working_directory() if in_folder else "")


def working_directory() -> str:
    """Return the folder this process works in, "" where it was deleted."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def person() -> str:
    """Return the name of the account that gives a command, "" where it has none."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
