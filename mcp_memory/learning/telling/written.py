"""What a run wrote itself where it changed nothing that was there before: the result that its task names, or the script. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import dropwhile

from mcp_memory.domain.commands import command_in, simple_commands
from mcp_memory.domain.edit_arguments import WHOLE
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.identifiers import distinct_words
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.domain.text import shorten
from mcp_memory.learning.reading.changes import is_scratch
from mcp_memory.learning.reading.code_lines import telling
from mcp_memory.learning.reading.documents import documents_in
from mcp_memory.learning.reading.edits import GAP, NEXT, edits_of, pieces, written_by
from mcp_memory.learning.reading.file_uses import paths_in, same_file, touches_of
from mcp_memory.learning.reading.script_facts import script_facts
from mcp_memory.learning.reading.script_lines import script_lines
from mcp_memory.learning.reading.work_lines import is_version
from mcp_memory.learning.telling.acts import told_as_call
from mcp_memory.learning.telling.script_runs import RUNNER, ScriptRuns
from mcp_memory.learning.telling.stand_in import stand_in
from mcp_memory.phrases import points as phrases

MAX_TEXT_CHARS, MAX_SCRIPT_CHARS, MAX_FACTS_CHARS = 400, 200, 140  # of a text; of a script, of which so many of what it calls
MAX_MADE_CHARS = 110  # of what a run made beside what it was to do
MIN_WORDS = 2  # of its task, from which what a run wrote is about it
MAX_NAMED, MAX_TOLD = 3, 2  # files that a script names, texts that are told
_TRYING = re.compile(r"(?:^|[/_-])(?:tests?|validat\w*|verif\w*|check\w*|debug\w*|demo|inspect\w*)(?=[_.-])[^/]*$", re.I)
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
    for text, runs in _scripts(steps, last.values())[:1]:  # where nothing tells of it, an earlier one did not do the task either
        if invented := stand_in(episode, text.step, text.path, text.lines):
            return ((text.step, invented),)
        if said := _told(episode, text, found, steps[runs.last].observation):
            ran = runs.told(steps)
            return ((text.step, said), (runs.last, ran)) if ran else ((text.step, said),)
    return tuple((text.step, said) for text in found[-1:] if not text.path and (said := _fed(episode, text, found)))


def made_up(episode: Episode) -> bool:
    """Return whether what a run wrote is told as what it made up."""
    texts = {text.path: text for text in _texts(episode.steps) if text.path}
    invented = [text for text in texts.values() if stand_in(episode, text.step, text.path, text.lines)]
    told = wrote(episode)
    return any(text.step == step for text in invented for step, _ in told)


def _scripts(steps: Sequence[Step], texts: Iterable[_Text]) -> list[tuple[_Text, ScriptRuns]]:
    """Return the scripts that ran and worked, but those to try something out, with their runs: the last first, but those that did less."""
    own = (text for text in texts if not is_scratch(text.path) and not _TRYING.search(text.path))
    found = [(text, runs) for text in own if (runs := ScriptRuns.of(steps, text.step, partial(_runs, path=text.path)))]
    ends = max((i for i, step in enumerate(steps) if not step.failed and role_of(step.key) is Role.ACTS), default=0)
    found = [(text, runs) for text, runs in found if runs.last > text.step or runs.last >= ends]  # else it only prepared or tried something
    return sorted(found, key=lambda one: (one[1].said_lost(steps), -one[0].step))


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
    said = _said(episode, longest, texts) if longest else ""
    return f"{path}: {shorten(said, MAX_MADE_CHARS)}" if len(words & frozenset(distinct_words(said))) >= MIN_WORDS else ""


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
        runs = any(RUNNER.match(word) for word in command.split("\n")[0].split())
        made = any(_runs(part, other.path) for other in makers if other.step < i for part in simple_commands(command))
        if made or writes.search(command) or (runs and says.search(steps[i].observation)):
            return i
    return None


def _inline(episode: Episode, i: int, texts: Sequence[_Text]) -> str:
    """Return the program of a call with the lines that tell of the script among its arguments, "" without."""
    given = _INLINE.search(command_in(episode.steps[i].arguments))
    said = _code_told(episode, _Text(i, "", tuple(given[3].splitlines())), texts) if given else ""
    return phrases.fed(f"`{given[1]} …`", said) if given and said else ""


def _runs(part: str, path: str) -> bool:
    words = part.split()
    at = next((i for i, word in enumerate(words) if _name(path).search(word)), -1)
    return at == 0 or (at > 0 and any(RUNNER.match(word) for word in words[:at]))


def _told(episode: Episode, text: _Text, texts: Sequence[_Text], output: str = "") -> str:
    """Return that a file was written with what tells of it, and the files of before that it, or the *output* of its run, names.

    Nothing of what its task names.
    """
    said = _said(episode, text, texts)
    kept = pieces("\n".join(text.lines))
    lines = [line for part in kept for line in part] + (output.splitlines() if len(kept) > 1 else [])  # which names what was cut
    told = said + episode.task
    named = [path for path in _paths(lines) if path.rpartition("/")[2] not in told and not same_file(path, text.path)]
    names = [path for path in named if _was_there(episode.steps[: text.step], path)][:MAX_NAMED]
    return phrases.wrote(f"{text.path}: {said}" if said else text.path, names) if said or set(names) & {*_paths(text.lines)} else ""


def _was_there(steps: Sequence[Step], path: str) -> bool:
    """Return whether a call that worked was about a file, or, of a path with its folder, showed it."""
    touched = (full for step in steps if not step.failed for touch in touches_of(step) for _, full in touch.paths)
    return any(same_file(path, full) for full in touched) or ("/" in path and any(path in step.observation for step in steps))


def _said(episode: Episode, text: _Text, texts: Sequence[_Text]) -> str:
    """Return the lines of a file that tell, of what is no code from its beginning; "" without."""
    if _CODE.search(text.path):
        return _code_told(episode, text, texts)
    first = pieces("\n".join(text.lines))[0]
    return shorten(NEXT.join(line.rstrip() for line in first), MAX_TEXT_CHARS) if any(map(str.strip, first)) else ""


def _fed(episode: Episode, text: _Text, texts: Sequence[_Text]) -> str:
    """Return the program that was fed a text, with the lines that tell, "" without."""
    said = _code_told(episode, text, texts)
    return phrases.fed(told_as_call(episode.steps[text.step]), said) if said else ""


def _code_told(episode: Episode, text: _Text, texts: Sequence[_Text]) -> str:
    """Return the lines of a script that say how it works, and what it runs, calls, reads and writes; "" where none does."""
    first, *behind = pieces("\n".join(text.lines))
    lines = telling(first, is_plain=False)
    for part in behind:
        lines += [GAP, *telling([*dropwhile(_is_of_cut_block, part)], is_plain=False)]
    before = [other.lines for other in texts if other.step < text.step and is_version(text.lines, other.lines)][-1:]
    earlier = frozenset(line.strip() for version in before for line in version)
    code = [line for part in (first, *behind) for line in part]
    facts = shorten("; ".join(script_facts(code, episode.task)), MAX_FACTS_CHARS)
    said = script_lines(lines, episode.task, earlier, MAX_SCRIPT_CHARS - len(facts), "; ".join(script_facts(code)))
    return "; ".join(filter(None, (said.rstrip(","), facts)))


def _is_of_cut_block(line: str) -> bool:
    """Return whether a line behind a cut is of a block whose beginning was cut: a branch that may never have run."""
    return not line.strip() or line[0].isspace() or _GOES_ON.match(line) is not None


def _paths(lines: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(path for line in lines for path in paths_in(line)))
