"""What a run wrote itself where it changed nothing that was there before: the result that its task names, or the script. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import dropwhile

from mcp_memory.domain.commands import command_in, simple_commands, stopped_short
from mcp_memory.domain.edit_arguments import WHOLE
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.identifiers import distinct_words
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.domain.text import shorten
from mcp_memory.learning.advice.acts import told_as_call
from mcp_memory.learning.reading.changes import is_scratch
from mcp_memory.learning.reading.code_lines import telling
from mcp_memory.learning.reading.documents import documents_in
from mcp_memory.learning.reading.edits import GAP, NEXT, edits_of, pieces, written_by
from mcp_memory.learning.reading.file_uses import paths_in, same_file, touches_of
from mcp_memory.learning.reading.work_lines import is_version, work_of
from mcp_memory.phrases import points as phrases

MAX_TEXT_CHARS, MAX_LOST_CHARS = 400, 180  # of a success; of an attempt that was none a hint
MIN_WORDS = 2  # of its task, from which what a run wrote is about it
MAX_NAMED, MAX_TOLD = 3, 2  # files that a script names, texts that are told
_TRYING = re.compile(r"(?:^|[/_-])(?:tests?|validat\w*|verif\w*|check\w*|debug\w*|demo|inspect\w*)(?=[_.-])[^/]*$", re.I)
_RUNNER = re.compile(r"(?:\S*/)?(?:python[\d.]*|pypy3?|node|deno|ruby|perl|bash|sh|zsh|julia|Rscript|lua|php)$")
_CODE = re.compile(r"\.(?:py|sh|js|mjs|ts|rb|pl|go|rs|c|cpp|java|jl|r|lua|vim)$", re.I)
_INLINE = re.compile(r"(\S+ -[ce])\s+([\"'])(.*?\n.*)\2", re.S)  # a program that is given its script as an argument
_GOES_ON = re.compile(r"(?:else|elif|except|finally|fi|done|esac|end)\b|[)\]}]")  # what was begun before


@dataclass(frozen=True, slots=True)
class _Text:
    """A text that a step wrote to a file as a whole, or, without a path, fed to a program."""

    step: int
    path: str
    lines: tuple[str, ...]


def wrote(episode: Episode) -> tuple[tuple[int, str], ...]:
    """Return what a run wrote that did its task, with the steps that did: what the task names, else the last script that ran and worked.

    Nothing that was only to try something out, and no draft that a later call wrote over.
    Each text with its lines nearest the task, a script with the command that ran it.
    """
    steps = episode.steps
    found = list(_texts(steps))
    last = {text.path: text for text in found if text.path}
    asked = [text for text in last.values() if _name(text.path).search(episode.task)]
    over = {text.path: _written_over(steps, text, found) for text in asked}
    kept = [(text.step, _told(episode, text, found)) for text in asked if over[text.path] is None]
    kept += [(i, _inline(episode, i, found)) for i in over.values() if i is not None]
    if named := sorted((step, said) for step, said in kept if said):
        return tuple(named[-MAX_TOLD:])
    for text in sorted(last.values(), key=lambda text: -text.step):
        tried = is_scratch(text.path) or _TRYING.search(text.path)
        if not tried and (run := _run_of(steps, text)) is not None and (said := _told(episode, text, found)):
            return (text.step, said), (run, phrases.did([told_as_call(steps[run])]))
    return tuple((text.step, said) for text in found[-1:] if not text.path and (said := _fed(episode, text, found)))


def made(episode: Episode, path: str) -> str:
    """Return a file that a run made with the lines of it that tell, of the longest text it wrote there; "" where none is of its task."""
    steps, words = episode.steps, frozenset(distinct_words(episode.task))
    texts = [text for text in _texts(steps) if text.path and same_file(text.path, path)]
    texts += [
        _Text(i, edit.path, tuple(edit.after.splitlines()))
        for i in range(len(steps))
        for edit in edits_of(steps, i)
        if same_file(edit.path, path)
    ]
    longest = max(texts, key=lambda text: len(text.lines), default=None)
    said = _said(episode, replace(longest, path=path), texts) if longest else ""
    return said if len(words & frozenset(distinct_words(said.removeprefix(path)))) >= MIN_WORDS else ""


def _texts(steps: Sequence[Step]) -> Iterator[_Text]:
    """Yield every text in order."""
    for i, step in enumerate(steps):
        if not step.failed and is_shell(step.tool):
            yield from (_Text(i, found.path, found.lines) for found in documents_in(command_in(step.arguments)))
        elif not step.failed and (path := written_by(step)):
            text = next((value for name in WHOLE if isinstance(value := step.arguments.get(name), str)), "")
            yield _Text(i, path, tuple(text.splitlines()))


def _name(path: str) -> re.Pattern[str]:
    """Return what finds the name of a file in a text."""
    return re.compile(rf"(?<![\w.]){re.escape(path.rpartition('/')[2])}(?!\w)")


def _run_of(steps: Sequence[Step], text: _Text) -> int | None:
    """Return the last step that ran a script after it was written, and worked; None where none did."""
    for i in range(len(steps) - 1, text.step, -1):
        command = command_in(steps[i].arguments)
        ran = not steps[i].failed and not stopped_short(command, steps[i].observation)
        if ran and "\n" not in command.strip() and any(_runs(part, text.path) for part in simple_commands(command)):
            return i
    return None


def _written_over(steps: Sequence[Step], text: _Text, texts: Sequence[_Text]) -> int | None:
    """Return the last call that worked and wrote a file after its *text* was written; None where none did."""
    name = _name(text.path).pattern
    writes = re.compile(
        rf"open\(\s*['\"][^'\"\n]*?{name}['\"]\s*,\s*['\"][wx]|(?<![>-])>\s*['\"]?[^\s;&|<>'\"]*?{name}|\b(?:cp|mv)\s[^\n;&|]*\s\S*?{name}['\"]?\s*(?:$|[;&|\n])"
    )
    says = re.compile(rf"\b(?:saved|wrote|written|exported)\b[^\n]{{0,40}}{name}", re.I)
    makers = [other for other in texts if other.path and other.path != text.path and writes.search("\n".join(other.lines))]
    for i in range(len(steps) - 1, text.step, -1):
        command = command_in(steps[i].arguments)
        if steps[i].failed or "<<" in command:
            continue
        runs = any(_RUNNER.match(word) for word in command.split("\n")[0].split())
        made = any(_runs(part, other.path) for other in makers if other.step < i for part in simple_commands(command))
        if made or writes.search(command) or (runs and says.search(steps[i].observation)):
            return i
    return None


def _inline(episode: Episode, i: int, texts: Sequence[_Text]) -> str:
    """Return the program of a call with the lines that tell of the script among its arguments, "" without."""
    given = _INLINE.search(command_in(episode.steps[i].arguments))
    said = _code_line(episode, _Text(i, "", tuple(given[3].splitlines())), texts).partition(": ")[2] if given else ""
    return phrases.fed(f"`{given[1]} …`", said) if given and said else ""


def _runs(part: str, path: str) -> bool:
    words = part.split()
    at = next((i for i, word in enumerate(words) if _name(path).search(word)), -1)
    return at == 0 or (at > 0 and any(_RUNNER.match(word) for word in words[:at]))


def _told(episode: Episode, text: _Text, texts: Sequence[_Text]) -> str:
    """Return that a file was written with what tells of it, and the files of before that it names; "" without."""
    lines = [line for part in pieces("\n".join(text.lines)) for line in part]
    earlier = [full for step in episode.steps[: text.step] if not step.failed for touch in touches_of(step) for _, full in touch.paths]
    names = [path for path in _paths(lines) if any(same_file(path, full) for full in earlier) and not same_file(path, text.path)]
    return phrases.wrote(said, names[:MAX_NAMED]) if (said := _said(episode, text, texts)) else ""


def _said(episode: Episode, text: _Text, texts: Sequence[_Text]) -> str:
    """Return a file with the lines that tell, of what is no code from its beginning; "" without."""
    if _CODE.search(text.path):
        return _code_line(episode, text, texts)
    first = pieces("\n".join(text.lines))[0]
    return f"{text.path}: {shorten(NEXT.join(line.rstrip() for line in first), MAX_TEXT_CHARS)}" if any(map(str.strip, first)) else ""


def _fed(episode: Episode, text: _Text, texts: Sequence[_Text]) -> str:
    """Return the program that was fed a text, with the lines that tell, "" without."""
    said = _code_line(episode, text, texts).partition(": ")[2]
    return phrases.fed(told_as_call(episode.steps[text.step]), said) if said else ""


def _code_line(episode: Episode, text: _Text, texts: Sequence[_Text]) -> str:
    """Return the lines of a script that do the task's work, with the number of the first where that is known; "" without."""
    first, *behind = pieces("\n".join(text.lines))
    lines = telling(first, is_plain=False)
    for part in behind:
        lines += [GAP, *telling([*dropwhile(_is_of_cut_block, part)], is_plain=False)]
    before = [other.lines for other in texts if other.step < text.step and is_version(text.lines, other.lines)][-1:]
    earlier = frozenset(line.strip() for version in before for line in version)
    room = MAX_TEXT_CHARS if episode.success else MAX_LOST_CHARS
    at, said = work_of(lines, frozenset(distinct_words(episode.task)), earlier, room)
    line = next((n for n, other in enumerate(first, 1) if said and other.strip() == lines[at]), 0)
    return said and f"{text.path}{f':{line}' if line else ''}: {said}"


def _is_of_cut_block(line: str) -> bool:
    """Return whether a line behind a cut is of a block whose beginning was cut: a branch that may never have run."""
    return not line.strip() or line[0].isspace() or _GOES_ON.match(line) is not None


def _paths(lines: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(path for line in lines for path in paths_in(line)))
