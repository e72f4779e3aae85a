"""All commands at once: one parser with a subparser each, and the manual page, made from the commands themselves."""

import argparse

from mcp_memory.cli.main import COMMANDS, load


def whole_parser() -> argparse.ArgumentParser:
    """Return one parser with every command."""
    parser = argparse.ArgumentParser(prog="mcp-memory", description="Self-learning episodic memory for AI agents, as an MCP server.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, command in COMMANDS.items():
        below = commands.add_parser(name, help=command.summary, allow_abbrev=False)
        load(name).options(below)
        for action in below._actions:
            if action.choices is not None:
                action.choices = tuple(action.choices)  # shtab takes a dict for subcommands
    return parser


def man_page() -> str:
    """Return the manual page, section 1, in troff."""
    lines = ['.TH MCP-MEMORY 1 "" "mcp-memory" "User Commands"', ".SH NAME", "mcp-memory \\- self-learning episodic memory for AI agents"]
    lines += [".SH SYNOPSIS", ".B mcp-memory", "[COMMAND] [OPTIONS]", ".SH COMMANDS"]
    for name, command in COMMANDS.items():
        lines += [f".SS {_text(name)}", _text(command.summary[0].upper() + command.summary[1:]) + "."]
        parser = argparse.ArgumentParser(add_help=False)
        load(name).options(parser)
        for action in parser._actions:
            called = ", ".join(action.option_strings) or str(action.metavar or action.dest)
            value = "" if action.nargs == 0 or not action.option_strings else f" {action.metavar or action.dest.upper()}"
            choices = f" ({', '.join(map(str, action.choices))})" if action.choices else ""
            lines += [".TP", f".B {_text(called + value)}", _text((action.help or "") + choices) or "\\&"]
    lines += [".SH EXIT STATUS", "0; 1 for an error of ours, which says what to do; 2 for usage.", ".SH ENVIRONMENT"]
    lines += [
        _text("MCP_MEMORY_DATA_DIR, MCP_MEMORY_PROJECT, MCP_MEMORY_CONFIG; `mcp-memory config` lists all settings. NO_COLOR: no colours.")
    ]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """Return a text as troff takes it: no line of it is a request."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("%%", "%")
    return "\\&" + escaped if escaped.startswith((".", "'")) else escaped
