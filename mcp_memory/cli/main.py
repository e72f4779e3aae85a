"""The command table. A command's file is imported when the command is named, and heavy libraries only when it runs."""

import os
import sys

from mcp_memory import __version__
from mcp_memory.errors import McpMemoryError

TYPE_CHECKING = False  # as type checkers know it: this module runs with every hook, and `typing` alone would take a third of its time
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence
    from typing import NoReturn, Protocol

    class CommandModule(Protocol):
        def options(self, parser: argparse.ArgumentParser) -> None: ...

        def run(self, args: argparse.Namespace) -> int: ...


USAGE_ERROR = 2  # as argparse exits
INTERRUPTED = 130  # 128 + SIGINT, as shells report it


class Command:
    """One row of the table: the module in `cli/commands/` and the line shown by --help."""

    __slots__ = ("module", "summary")

    def __init__(self, module: str, summary: str) -> None:
        self.module, self.summary = module, summary


COMMANDS = {
    "stdio": Command("stdio", "serve MCP on stdin and stdout (what an agent host starts; the default)"),
    "serve": Command("serve", "serve MCP over HTTP: /mcp, /sse and /healthz on one port"),
    "ui": Command("ui", "see in a browser what the memory knows, and steer it"),
    "demo": Command("demo", "watch a scripted agent work, fail, recover and remember"),
    "recall": Command("recall", "what the memory knows about a task"),
    "episodes": Command("episodes", "list episodes"),
    "show": Command("show", "one episode or pattern in full"),
    "patterns": Command("patterns", "list what was learned"),
    "lessons": Command("lessons", "the best-supported lessons as Markdown"),
    "teach": Command("teach", "a guide for agents, printed or kept in an AGENTS.md"),
    "stats": Command("stats", "counts, latencies, caches, the model's state"),
    "import": Command("import_", "read episodes from JSON Lines or from another tool's transcripts"),
    "export": Command("export", "write episodes as JSON Lines"),
    "forget": Command("forget", "delete episodes and everything learned from them"),
    "prune": Command("prune", "retention: let go of old, poor or too many episodes, archived first"),
    "correct": Command("correct", "correct or contradict a pattern or an episode's lesson"),
    "quarantine": Command("quarantine", "take everything of an agent or a session out of all answers, and bring it back"),
    "label": Command("label", "say how an episode ended, where the outcome was inferred or wrong"),
    "backup": Command("backup", "copy the memory into one file, while it is in use"),
    "restore": Command("restore", "put a backup into the memory's place, which is kept aside"),
    "check": Command("check", "compare everything stored with everything else; --repair makes again what can be derived"),
    "compact": Command("compact", "give the space of what was deleted back to the disk"),
    "doctor": Command("doctor", "check the installation and the data directory"),
    "install": Command("install", "add the server to an agent host's configuration"),
    "hook": Command("hook", "answer an agent host's lifecycle hook (JSON on stdin)"),
    "remote": Command("remote", "share this memory with other machines: set up, list, try, take out shared logs"),
    "sync": Command("sync", "bring this memory into step with its shared logs now"),
    "token": Command("token", "make a bearer token for `serve`"),
    "config": Command("config", "the settings in force and where each came from; a file to begin with, or looked over"),
    "completion": Command("completion", "print the completion script of a shell"),
    "man": Command("man", "print the manual page"),
    "help": Command("help", "what there is to type, or the options of one command"),
}
DEFAULT_COMMAND = "stdio"
_VALUE_OPTIONS = ("--data-dir", "--project", "--config")  # may stand before the command, too


def main(argv: "Sequence[str] | None" = None) -> int:
    """Run one command and return its exit status: 0, 1 for our errors, 2 for usage."""
    _use_utf8()
    # Read when numpy is loaded, by whichever command does: our products are too small for a second thread to pay.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        if argv is None and (told := _hook(sys.argv[1:])):
            from mcp_memory.hooks import client

            client.main(told)
        return _run(list(sys.argv[1:] if argv is None else argv))
    except McpMemoryError as error:
        return _report(error)
    except BaseExceptionGroup as group:
        ours = group.subgroup(McpMemoryError)
        if ours is None:
            raise
        return _report(_first(ours))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def split(argv: "Sequence[str]") -> tuple[str | None, list[str]]:
    """Return the command named in *argv* (None: none is) and the other arguments in order."""
    rest = list(argv)
    position = 0
    while position < len(rest) and rest[position].startswith("-"):
        position += 2 if rest[position] in _VALUE_OPTIONS else 1
    if position >= len(rest):
        return None, rest
    return rest[position], rest[:position] + rest[position + 1 :]


def parser_of(name: str) -> "argparse.ArgumentParser":
    """Return the parser of one command, importing only that command's file."""
    import argparse

    command = COMMANDS[name]

    class Parser(argparse.ArgumentParser):
        """Says of a typing error what was probably meant."""

        def error(self, message: str) -> "NoReturn":
            what = message + _suggestion(message, self._option_string_actions)  # argparse would say all options before it
            self.exit(USAGE_ERROR, f"{self.prog}: error: {what}\n`{self.prog} --help` lists what it takes\n")

    parser = Parser(prog=f"mcp-memory {name}", description=_sentence(command.summary), allow_abbrev=False)
    parser.set_defaults(run=load(name).run, fail=parser.error)
    load(name).options(parser)
    return parser


def load(name: str) -> "CommandModule":
    """Import a command's file."""
    from importlib import import_module

    module: CommandModule = import_module(f"mcp_memory.cli.commands.{COMMANDS[name].module}")
    return module


def help_text() -> str:
    """Return what `mcp-memory --help` prints."""
    width = max(map(len, COMMANDS))
    rows = "\n".join(f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items())
    return (
        "usage: mcp-memory [COMMAND] [OPTIONS]\n\n"
        "Self-learning episodic memory for AI agents, as an MCP server.\n\n"
        f"commands:\n{rows}\n\n"
        "`mcp-memory COMMAND --help` lists a command's options. Every command takes --data-dir, --project and --config.\n"
    )


def _run(argv: list[str]) -> int:
    name, rest = split(argv)
    if name is None and any(flag in rest for flag in ("-h", "--help")):
        print(help_text(), end="")
        return 0
    if name is None and "--version" in rest:
        print(f"mcp-memory {__version__}")
        return 0
    if name is not None and name not in COMMANDS:
        print(f"mcp-memory: there is no command {name!r}{_meant(name, COMMANDS)}\n`mcp-memory help` lists them", file=sys.stderr)
        return USAGE_ERROR
    if told := _hook(argv):
        from mcp_memory.hooks import client

        return client.run(told)
    if name == "help" and not (rest and rest[0].startswith("-")):
        return _help(rest)
    args = parser_of(name or DEFAULT_COMMAND).parse_args(rest)
    return int(args.run(args))


def _hook(argv: "Sequence[str]") -> list[str]:
    """Return the arguments of the hook that is to answer an event, none where *argv* asks for something else."""
    name, rest = split(argv)
    return rest if name == "hook" and not {"drain", "-h", "--help"} & set(rest) else []


def _help(names: list[str]) -> int:
    if not names:
        print(help_text(), end="")
        return 0
    return _run([names[0], "--help"])


def _meant(given: str, known: "Iterable[str]") -> str:
    """Return a question for what was probably meant, "" where nothing is like it."""
    from difflib import get_close_matches

    close = get_close_matches(given, list(known), 1)
    return f"; did you mean `{close[0]}`?" if close else ""


def _report(error: McpMemoryError) -> int:
    from mcp_memory.cli.wording import for_people

    print(for_people(f"{error.code}: {error.message}\n{error.hint}"), file=sys.stderr)
    return 1


def _first(group: BaseExceptionGroup[McpMemoryError]) -> McpMemoryError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


def _suggestion(message: str, options: "Iterable[str]") -> str:
    """Return what was probably meant, from what argparse says is wrong: an option it does not know, or a word that is no choice."""
    wrong, has_choices, choices = message.partition(" (choose from ")
    if has_choices:
        return _meant(wrong.rpartition(": ")[2].strip("'"), choices.rstrip(")").replace("'", "").split(", "))
    _, is_unknown, words = message.partition("unrecognized arguments: ")
    first = words.split(" ")[0].partition("=")[0]
    return _meant(first, options) if is_unknown and first.startswith("-") else ""


def _sentence(summary: str) -> str:
    return summary[0].upper() + summary[1:] + "."


def _use_utf8() -> None:
    """Make prints of any character safe on consoles with another encoding (Windows)."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and (stream.encoding or "").lower().replace("-", "") != "utf8":
            reconfigure(encoding="utf-8", errors="replace")
