"""What agents' tools call the arguments that name a file and hold its text. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

FILES = (
    "path",
    "file",
    "file_path",
    "filepath",
    "filename",
    "file_name",
    "notebook_path",
    "target_file",
    "relative_path",
    "absolute_path",
)  # the first that is given counts
EDITED_FILES = (*FILES, "filePath", "TargetFile")  # of a call that edits
FOLDERS = ("cwd", "workdir", "dir", "directory", "folder")
# What stood there, and what stands there now.
PAIRS = (
    *(("old_str", "new_str"), ("old_string", "new_string"), ("oldString", "newString"), ("oldText", "newText"), ("old_text", "new_text")),
    *(("old", "new"), ("search", "replace"), ("find", "replace"), ("TargetContent", "ReplacementContent")),
)
SEVERAL = ("edits", "replacements", "changes")  # several pairs in one call
WHOLE = ("content", "file_text", "contents")  # all that the file is to hold
TEXTS = (
    *("text", *WHOLE, "old_str", "new_str", "old_string", "new_string", "insert_text", "new_content", "patch", "diff"),
    *SEVERAL,
)  # what is written, or written over
CODE_TEXTS = (*TEXTS, "replacement", "code_edit", "new_source")


def edited_parts(arguments: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield what may hold a pair, each with the file it is of: the call's own arguments, and each of several edits in it.

    >>> [path for path, _ in edited_parts({"path": "a.py", "edits": [{"old": "x", "new": "y"}, {"file": "b.py"}]})]
    ['a.py', 'a.py', 'b.py']
    """
    path = path_in(arguments)
    yield path, arguments
    for name in SEVERAL:
        for part in arguments[name] if isinstance(arguments.get(name), list) else ():
            if isinstance(part, Mapping):
                yield path_in(part) or path, part


def path_in(arguments: Mapping[str, Any]) -> str:
    """Return the file that a call which edits names, "" where it names none."""
    return next((str(arguments[name]) for name in EDITED_FILES if arguments.get(name)), "")
