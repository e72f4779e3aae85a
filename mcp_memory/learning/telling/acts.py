"""Which calls of a run did something that another can do again, and how they are told. Pure."""

import re
from collections.abc import Sequence
from functools import lru_cache

from mcp_memory.domain.commands import command_in, hides_exit, is_piped, program_of, stopped_short
from mcp_memory.domain.episode import Episode, Step, Use
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.domain.step_roles import Role, gives_answer, role_of, runs_tests
from mcp_memory.learning.reading.calls_told import call_told
from mcp_memory.learning.reading.changes import change_of, is_scratch
from mcp_memory.learning.reading.edits import written_by
from mcp_memory.learning.reading.file_uses import as_path, files_of, words_of
from mcp_memory.learning.reading.shown_elements import goes_to_page, works_on_page

MAX_CALLS, MAX_CALL_CHARS = 6, 150
MAX_VALUES_CHARS = 380  # of a call that is no command: of its values each is needed
MAX_STEPS = 400  # of a longer run, its end
MAX_NAMED_CHARS = 300  # of an argument in which files are named: a longer one is a text
_ROUTINE_TEXT = "mkdir touch chmod rm echo sleep kill pkill cp mv git true export test man cd"  # which prepare, clear up or only tell
_ROUTINE = frozenset(_ROUTINE_TEXT.split())
_NO_WORK = re.compile(
    r"(?:for|while|until|do|done|if|then|else|elif|fi|case|esac|function)\b|[A-Za-z_]\w*=\S*$|[{}]$"
)  # of a script's lines
_FETCHES = re.compile(r"\s*curl\b(?!.* (?:-X|-d|--data\S*|-F|-T|-o|-O|--output)\b)")  # and keeps nothing of it: a look
TEST_FILE = r"(?:^|/)(?:tests?/|test[_-])|_test\.\w+$|[._]spec\.\w+$"  # in the path of one
_TEST = re.compile(TEST_FILE)
_TEXT = re.compile(r"\.(?:md|rst|txt|adoc|log)$", re.I)  # which tells of the work
_FILE = re.compile(r"(?<!\S)\S*\w\.\w+")
_EDITING = frozenset(["edit", "create", "write", "insert", "replace", "patch", "append"])
_OF_TEXTS_TEXT = """
edit create write insert replace patch append apply make put save add update modify multi str string text texts line lines file files
content contents code cell notebook editor edits diff block in into to at a the and or new existing whole range search regex fs
filesystem ide workspace project repo document source
"""
_OF_TEXTS = frozenset(_OF_TEXTS_TEXT.split())  # the words of tools that edit a text
_OF_SHEETS = frozenset(["sheet", "sheet_name", "sheetName", "worksheet", "spreadsheet_id", "spreadsheetId"])  # whose cells are no text
_PLACE = re.compile(r"^\s*\d+:\d+|\w\.\w|/")  # lines of a file, or a file


def acts(episode: Episode) -> Sequence[int]:
    """Return the last steps that did something that another attempt can do again, each call once; a test where nothing else did.

    Nothing before the last script or change of the run: what came of the task may have been its doing. At most one more than is told.
    """
    return episode.once(_acts)


def _acts(episode: Episode) -> Sequence[int]:
    steps, own = episode.steps, own_names(episode)
    found: dict[tuple[str, str], int] = {}
    tests: list[int] = []
    for i in range(len(steps) - 1, max(-1, len(steps) - 1 - MAX_STEPS), -1):
        step = steps[i]
        if goes_to_page(step) and any(map(works_on_page, steps)):
            found.setdefault((step.key, str(step.arguments)), i)
            continue
        if step.failed or role_of(step.key) is not Role.ACTS or " -c " in (command := command_in(step.arguments).strip()):
            continue
        if len(found) > MAX_CALLS:
            break
        if runs_tests(step.key):
            tests += [i] if acted(steps, i) and not runs_own(step, own) else []
        elif change_of(steps, i) is not None or ("\n" in command and not telling_command(command)):
            if not any(is_scratch(name) or _TEST.search(name) or _TEXT.search(name) for name in _names(step, command)):
                break
        elif acted(steps, i) and not runs_own(step, own) and not any(map(_TEST.search, _names(step, command))):
            found.setdefault((step.key, step.description or str(step.arguments)), i)
    return tuple(sorted(found.values()) or tests[:1])


def acts_but_tests(episode: Episode) -> list[int]:
    """Return the same without a test."""
    return [i for i in acts(episode) if not runs_tests(episode.steps[i].key)]


def _names(step: Step, command: str) -> list[str]:
    """Return what a call names that looks like a file."""
    return _FILE.findall(command.split("\n")[0] or " ".join(map(str, step.arguments.values())))


def acted(steps: Sequence[Step], i: int) -> bool:
    """Return whether a step is known to have done something that another attempt can do again as it is."""
    step = steps[i]
    if step.failed or role_of(step.key) is not Role.ACTS or gives_answer(step.key):
        return False
    command = command_in(step.arguments)
    if stopped_short(command, step.observation):
        return False
    if not command or not is_shell(step.tool):
        says = bool(step.description) or any(str(value).strip() for value in step.arguments.values())
        return says and change_of(steps, i) is None and not is_edit(step)
    return bool(telling_command(command)) and not _FETCHES.match(command)


def telling_command(command: str) -> str:
    """Return what of a shell command can be run again: all of it, of a loop the line that does the work; "" where nothing can.

    >>> telling_command("for f in data/*; do\\n  n=$(basename $f)\\n  encrypt -p rev -o out/$n $f\\n  echo $n\\ndone")
    'encrypt -p rev -o out/$n $f'
    >>> [telling_command(c) for c in ("make", "make || true", "mkdir out", "python3 -c 'import x'", "cat > a.py <<'EOF'\\nx\\nEOF")]
    ['make', '', '', '', '']
    """
    if "<<" in command or "||" in command or hides_exit(command) or is_piped(command):
        return ""
    lines = [line.strip() for line in command.strip().splitlines()]
    kept = [line for line in lines if (name := program_of(line)) and name.partition(" ")[0] not in _ROUTINE and not _NO_WORK.match(line)]
    return kept[0] if len(kept) == 1 and " -c " not in kept[0] else ""


def gave_command(episode: Episode, text: str) -> bool:
    """Return whether a *text* is a command of several words that the run gave to do something, whatever folder it went to first."""
    said = " ".join(text.split())
    if " " not in said or len(said) > MAX_CALL_CHARS:
        return False
    given = (step for step in episode.steps if said in command_in(step.arguments))
    return any(is_shell(step.tool) and role_of(step.key) is Role.ACTS and told_as_call(step) == f"`{said}`" for step in given)


def own_names(episode: Episode) -> Sequence[str]:
    """Return the names of the files that a run made itself, which nobody else has."""
    return episode.once(_own_names)


def _own_names(episode: Episode) -> Sequence[str]:
    made = [file.path for file in files_of(episode) if file.use is Use.MADE]
    return tuple(name for path in (*made, *map(written_by, episode.steps)) if (name := path.rpartition("/")[2]))


def runs_own(step: Step, own: Sequence[str]) -> bool:
    """Return whether a call is about one of a run's *own* files, or one made to try something out; a cell is of a workbook there was."""
    if not _OF_SHEETS.isdisjoint(step.arguments):
        return False
    named = " ".join(str(value) for value in step.arguments.values() if len(str(value)) <= MAX_NAMED_CHARS)
    return any(name in named for name in own) or any(is_scratch(path) for word in named.split() if (path := as_path(word.strip("'\""))))


def is_edit(step: Step) -> bool:
    """Return whether a step writes a text into a file: without its change it tells nothing.

    >>> edit, note = Step("edit", arguments={"args": "3:9"}), Step("create", arguments={"args": "src/a.py"})
    >>> is_edit(edit), is_edit(note), is_edit(Step("str_replace_editor", "insert", {"path": "src/Makefile"}))
    (True, True, True)
    >>> mail, event = {"to": "ann@acme.io"}, {"start": "2026-12-03T10:30", "notes": "see a.md"}
    >>> is_edit(Step("create_draft", arguments=mail)), is_edit(Step("create_event", arguments=event))
    (False, False)
    >>> is_edit(Step("write_cell", arguments={"filename": "q1.xlsx", "sheet": "Sales", "cell": "B4"}))
    False
    """
    if not _OF_SHEETS.isdisjoint(step.arguments):
        return False
    return _is_of_files(step.key) and any(_PLACE.search(str(value)[:MAX_NAMED_CHARS]) for value in step.arguments.values())


@lru_cache(maxsize=4096)
def _is_of_files(key: str) -> bool:
    """Return whether a key's words edit a text or a file, not a thing of another kind that can be created or replaced as well."""
    words = words_of(key)
    return not _EDITING.isdisjoint(words) and words <= _OF_TEXTS


def told_as_call(step: Step) -> str:
    """Return a call in a few words, of a loop in a shell the line that does the work."""
    return step.once(_told_as_call)


def _told_as_call(step: Step) -> str:
    command = command_in(step.arguments)
    line = telling_command(command) if "\n" in command.strip() else ""
    return call_told(step, MAX_CALL_CHARS if command else MAX_VALUES_CHARS, {"command": line} if line else None)
