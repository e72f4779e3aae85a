"""Writes the pages that are made from the code: `python docs/generate.py`. A test fails when one is out of date."""

import argparse
import inspect
import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from mcp_memory import config, config_sources, remote_config
from mcp_memory.cli import main as cli
from mcp_memory.server.tools import CORE, FULL

FOLDER = Path(__file__).parent


def cli_page() -> str:
    """Return docs/cli.md: every command with its options."""
    lines = ["# The command line", "", "Made by `docs/generate.py` from the commands themselves.", ""]
    lines += ["| command | what for |", "|---|---|"]
    lines += [f"| [`{name}`](#{name}) | {command.summary} |" for name, command in cli.COMMANDS.items()]
    lines += ["", "Exit status: 0; 1 for an error of ours (`code: message`, then what to do); 2 for usage.", ""]
    for name, command in cli.COMMANDS.items():
        lines += [f"## {name}", "", command.summary[0].upper() + command.summary[1:] + ".", ""]
        lines += [_option(action) for action in cli.parser_of(name)._actions if not isinstance(action, argparse._HelpAction)]
        lines.append("")
    return "\n".join(lines)


def _option(action: argparse.Action) -> str:
    name = ", ".join(f"`{option}`" for option in action.option_strings) or f"`{action.metavar or action.dest}`"
    value = "" if action.nargs == 0 or not action.option_strings else f" {action.metavar or action.dest.upper()}"
    choices = f" ({', '.join(map(str, action.choices))})" if action.choices else ""
    return f"- {name}{value}{choices}" + (f": {action.help}" if action.help else "")


def settings_page() -> str:
    """Return docs/settings.md: every setting with its default and the comment beside it in config.py."""
    lines = ["# Settings", "", "Made by `docs/generate.py` from `mcp_memory/config.py`. The order in which they count: defaults, then the"]
    lines += ["TOML file (`--config` or `MCP_MEMORY_CONFIG`) with these sections, then `MCP_MEMORY_SECTION__KEY` in the environment"]
    lines += ["(short names: " + ", ".join(f"`MCP_MEMORY_{alias}`" for alias in config_sources.ALIASES) + "), then the command line."]
    lines += ["`mcp-memory config` prints the values in force and where each came from.", ""]
    for section, kind in config.SECTIONS.items():
        comments = _comments(inspect.getsource(kind))
        lines += [f"## {section}", "", f"{inspect.getdoc(kind)}", "", "| key | default | |", "|---|---|---|"]
        lines += [f"| `{item.name}` | `{item.default!r}` | {comments.get(item.name, '')} |" for item in fields(kind)]
        lines.append("")
    lines += [
        "## remote",
        "",
        "A shared log, in a table `[[remote]]` of its own for each ([sharing.md](sharing.md)). For one log the environment",
    ]
    lines += [
        f"is enough: `{remote_config.ENV_URL}`, and its token in `{remote_config.ENV_TOKEN}`.",
        f"`{remote_config.ENV_TEAM_KEY}` seals what is sent to all of them.",
        "",
    ]
    comments = _comments(inspect.getsource(remote_config.RemoteConfig))
    lines += ["| key | default | |", "|---|---|---|"]
    lines += [f"| `{name}` | {_default(name)} | {comments[name]} |" for name in remote_config.KEYS]
    return "\n".join([*lines, ""])


def _default(name: str) -> str:
    found = next(item.default for item in fields(remote_config.RemoteConfig) if item.name == name)
    return "" if found is MISSING else f"`{found!r}`"


def _comments(source: str) -> dict[str, str]:
    """Return the comment of each field of a dataclass, which stands on its line or inside its parentheses."""
    parts = re.split(r"^    (\w+): ", source, flags=re.MULTILINE)
    found = {name: re.search(r"#\s*(.*)", body) for name, body in zip(parts[1::2], parts[2::2], strict=True)}
    return {name: match.group(1).replace("|", "\\|") for name, match in found.items() if match}


def tools_page() -> str:
    """Return docs/tools.md: every tool with its arguments, and which set it is in."""
    lines = [
        "# Tools",
        "",
        "Made by `docs/generate.py` from the server's own list. `*` marks required arguments. The core set is the default on",
    ]
    lines += ["stdio, the full set on HTTP; `--tools` chooses.", ""]
    for tool in FULL:
        schema = tool.input_schema
        lines += [f"## {tool.name}", "", tool.description + (" (core)" if tool in CORE else ""), ""]
        lines += [_argument(name, body, name in schema.get("required", ())) for name, body in schema.get("properties", {}).items()]
        lines.append("")
    return "\n".join(lines)


def _argument(name: str, body: dict[str, Any], required: bool) -> str:
    values = body.get("enum") or body.get("items", {}).get("enum") or ()
    kind = body.get("type", "") + (f" of {body['items'].get('type', '')}s" if "items" in body else "")
    details = [kind, ", ".join(map(str, values)), body.get("description", "")]
    return f"- `{name}`{'*' if required else ''}: " + "; ".join(part for part in details if part)


PAGES = {"cli.md": cli_page, "settings.md": settings_page, "tools.md": tools_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
