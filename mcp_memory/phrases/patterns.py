"""What a pattern says, in a sentence or a title. Pure."""

from collections.abc import Sequence

from mcp_memory.domain.pattern import ArgumentChange

MAX_VALUE_CHARS = 60  # of a value that is shown
_CHANGES = {
    ArgumentChange.LISTED: "give `{0}` a value that the error names",
    ArgumentChange.FEWER_WORDS: "give `{0}` fewer words",
    ArgumentChange.MORE_WORDS: "give `{0}` more words",
    ArgumentChange.INDENTED: "give the same `{0}` with its lines indented otherwise",
    ArgumentChange.WITHOUT_FOLDER: "give `{0}` without its folder",
    ArgumentChange.WITH_FOLDER: "give `{0}` with its folder",
    ArgumentChange.OPTION_ADDED: "add `{0}`",
    ArgumentChange.OPTION_LEFT_OUT: "leave out `{0}`",
    ArgumentChange.ARGUMENT_ADDED: "give `{0}` as well",
    ArgumentChange.ARGUMENT_LEFT_OUT: "leave out `{0}`",
}


def failing(tool: str, message: str, error: str) -> str:
    """Return that a tool fails with an error; where *error* stands for more than one message, *message* is told as one of them.

    >>> failing("bash:python", "AttributeError: 'A' object has no attribute 'b'", "AttributeError: <q> object has no attribute <q>")
    "when bash:python fails with an error like “AttributeError: 'A' object has no attribute 'b'”"
    >>> failing("cat", "No such file.", "No such file")
    'when cat fails with “No such file.”'
    """
    return f"when {tool} fails with {quoted(message, is_one=is_one(message, error))}"


def is_one(message: str, error: str) -> bool:
    """Return whether an error's signature stands for this message alone."""
    return " ".join(message.split()).strip(" .:;-") == error


def quoted(message: str, *, is_one: bool) -> str:
    """Return a message as a quotation, or as an example where its error has others, too."""
    return f"“{message}”" if is_one else f"an error like “{message}”"


def argument_change(tool: str, message: str, error: str, change: ArgumentChange, argument: str, before: str, after: str) -> str:
    """Return how a failed call was made again.

    >>> argument_change("search", "No page", "No page", ArgumentChange.FEWER_WORDS, "query", "Gator Country guitarist", "Gator Country")
    'when search fails with “No page”, give `query` fewer words (“Gator Country” instead of “Gator Country guitarist”)'
    """
    short = 0 < max(len(before), len(after)) <= MAX_VALUE_CHARS
    example = f" (“{after}” instead of “{before}”)" if short else ""
    return f"{failing(tool, message, error)}, {changed(change, argument)}{example}"


def changed(change: ArgumentChange, argument: str) -> str:
    """Return what is to be different in a call.

    >>> changed(ArgumentChange.OPTION_ADDED, "--user")
    'add `--user`'
    """
    return _CHANGES[change].format(argument)


def recovery(tool: str, message: str, error: str, tried: str, *, instead: bool) -> str:
    """Return what answers an error.

    >>> recovery("bash:python", "No module named yaml", "No module named yaml", "bash:pip install", instead=False)
    'when bash:python fails with “No module named yaml”, fix it with bash:pip install'
    """
    failed = failing(tool, message, error)
    if instead:
        return f"{failed}, others got on with {tried}"
    how = f"{tool} with other arguments" if tried == tool else tried
    return f"{failed}, fix it with {how}"


def decision(kind: str, after: Sequence[str], chosen: str) -> str:
    """Return which tool was chosen after which others."""
    return f"{kind}: after {' → '.join(after)}, choose {chosen}"


def sequence(tools: Sequence[str]) -> str:
    """Return tools in their order."""
    return " → ".join(tools)


def approach(kind: str, tools: Sequence[str]) -> str:
    """Return the tools that did most of the work on a kind of task."""
    return f"{kind}: worked mostly with {', '.join(tools)}"
