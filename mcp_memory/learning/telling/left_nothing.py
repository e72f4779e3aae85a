"""How attempts at a task ended that left no file changed that was there before, of one or of several alike: one sentence. Pure."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mcp_memory.domain.edit_arguments import EDITED_FILES
from mcp_memory.domain.episode import Episode, Step, Use
from mcp_memory.domain.identifiers import distinct_words
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.domain.step_roles import Role, role_of, runs_tests
from mcp_memory.domain.text import shorten_middle
from mcp_memory.learning.reading.brief import named_from_root
from mcp_memory.learning.reading.change_lines import change_line
from mcp_memory.learning.reading.changes import is_scratch
from mcp_memory.learning.reading.edit_mends import RefusedEdit
from mcp_memory.learning.reading.edits import DIFF, FILE_HEAD, MARKERS, Edit, edits_of, lines_asked, pieces, written_by
from mcp_memory.learning.reading.file_uses import files_of, same_file, touches_in, touches_of
from mcp_memory.learning.reading.left_changed import FileChange, hunks_asked, left_changed
from mcp_memory.learning.reading.listed_errors import refused_for
from mcp_memory.learning.reading.stopped import Stopped
from mcp_memory.learning.reading.written_files import may_write_unseen, opened_files
from mcp_memory.learning.telling.acts import acted, is_edit, own_names, runs_own
from mcp_memory.learning.telling.changes_told import BESIDE
from mcp_memory.learning.telling.errors_told import MAX_MESSAGE_CHARS
from mcp_memory.learning.telling.written import made, wrote
from mcp_memory.phrases import endings as phrases

_ROUTINE = re.compile(r"\w+:(?:cd|mkdir|chmod|sleep|export|source|python3? -c)$")
_PREAMBLE = re.compile(r"(?:[A-Za-z()']+ ){3,}[A-Za-z()']+: (?=\S)")  # of a message, before what was wrong
MAX_OWN, MAX_READ = 1, 2  # files that are told: of its own, and of those it read
MAX_TRIED_CHARS = 300  # of what a refused edit tried


NOWHERE = Stopped()


@dataclass(frozen=True, slots=True)
class LeftNothing:
    """What is known of a run that changed nothing: its refused edits, else what it put back, else what it made and had read, and where it
    stopped."""

    refused: phrases.Refused | None = None
    put_back: tuple[str, ...] = ()
    made: tuple[str, ...] = ()  # as it is told
    made_others: bool = False
    read: tuple[str, ...] = ()
    stopped: Stopped = NOWHERE

    @classmethod
    def of(cls, episode: Episode) -> "LeftNothing | None":
        """Read it off a run with its steps; None where it changed something, or may have, or where nothing can be told of it."""
        others = _changed_others(episode)
        if _may_have_changed(episode):
            return None
        if others:
            steps = episode.steps
            edited = [edit.path for i in range(len(steps)) for edit in edits_of(steps, i)]
            is_back = all(any(same_file(path, other) for other in edited) for path in others) and not left_changed(episode)
            return cls(put_back=tuple(named_from_root(steps, path) for path in others[:MAX_READ])) if is_back else None
        own = [path for file in files_of(episode) if file.use is Use.MADE and not is_scratch(path := file.path)]
        read = list[str]()
        for path in opened_files(episode, touches_in(episode.steps)):
            read += [] if any(same_file(path, other) for other in read) else [path]
        read.sort(key=lambda path: BESIDE.search(path) is not None)  # code comes before tests and texts
        # Of a file that it made to try something out nothing is told: nobody else has it.
        told = [said for path in own if not BESIDE.search(path) and (said := made(episode, path))][-MAX_OWN:]
        told = told or [path for path in own if BESIDE.search(path)][-MAX_OWN:]
        stopped = Stopped.of_run(episode, own_names(episode), read)
        found = cls(_refused(episode), (), tuple(told), bool(own), tuple(read), stopped)
        tells = told or read or stopped.script or stopped.typed
        return found if found.refused or (tells and not wrote(episode)) else None


def refused_as(run: Episode, endings: Sequence[LeftNothing]) -> bool:
    """Return whether a run's edits of a file were refused with the error and for what is told of one that left nothing, and none landed."""
    theirs = [one for ending in endings if (one := ending.refused)]
    mine = _refused(run) if theirs and any(step.failed for step in run.steps) else None
    if mine is None or not any(
        one.error == mine.error and one.tried in ("", mine.tried) and same_file(one.path, mine.path) for one in theirs
    ):
        return False
    return not any(same_file(change.path, mine.path) for change in left_changed(run))


def is_of_files(episode: Episode) -> bool:
    """Return whether a run was at work on files, or may have been: then how it ended tells nothing but what it left."""
    if _may_have_changed(episode) or _changed_others(episode) or opened_files(episode, touches_in(episode.steps)):
        return True
    return any(file.use is Use.MADE for file in files_of(episode))


def told_alike(endings: Sequence[LeftNothing]) -> str:
    """Return how attempts ended that all left nothing, in one sentence: what was refused them, else what they put back, or had read."""
    refused = {(one.path, one.error, one.tried): one for ending in endings if (one := ending.refused)}
    if refused:
        some = sum(ending.refused is not None for ending in endings)
        return phrases.refused(list(refused.values()), alone=len(endings) == 1, some=some if some < len(endings) else 0)
    if put_back := list(dict.fromkeys(path for ending in endings for path in ending.put_back)):
        return phrases.put_back(put_back[:MAX_READ])
    made = [said for ending in endings for said in ending.made]
    read = Counter(path for ending in endings for path in ending.read)
    most = [path for path, _ in sorted(read.items(), key=lambda item: (BESIDE.search(item[0]) is not None, -item[1]))]
    by_all = [path for path in most if read[path] == len(endings)]
    shown = by_all[:MAX_READ] or most[:1]
    by_one = bool(shown) and not by_all and read[shown[0]] == 1
    places = list(dict.fromkeys(one.place for one in (ending.stopped for ending in endings) if one.place))[:MAX_READ]
    ends = [phrases.Ended(one.typed, one.script, one.spent, one.of, one.error) for one in (ending.stopped for ending in endings)]
    one_stopped = sum(bool(ending.stopped.place) for ending in endings) == 1 < len(endings)
    makers = sum(ending.made_others for ending in endings)
    there = [path for path in shown if not any(place.rpartition(":")[0] == path for place in places)]
    one_made = makers == 1 < len(endings)
    made_others = makers > 0
    return phrases.left_alone(
        made[-MAX_OWN:], there, ends, places, made_others=made_others, by_one=by_one, one_made=one_made, one_stopped=one_stopped
    )


def _may_have_changed(episode: Episode) -> bool:
    """Return whether a call that worked may have changed something that nothing names.

    That is a command that is no test and runs no script of the run's own, or another tool's call that writes no file.
    """
    own = own_names(episode)
    return may_write_unseen(episode) or any(_acts_unseen(episode.steps, i, own) for i in range(len(episode.steps)))


def _acts_unseen(steps: Sequence[Step], i: int, own: Sequence[str]) -> bool:
    step = steps[i]
    if step.failed or role_of(step.key) is not Role.ACTS or runs_tests(step.key) or written_by(step) or _ROUTINE.match(step.key):
        return False
    if is_shell(step.tool):
        return not runs_own(step, own)
    return acted(steps, i) and all(touch.use is Use.READ for touch in touches_of(step))


def _changed_others(episode: Episode) -> list[str]:
    """Return the files that calls of a run wrote and it did not make; what a diff shows besides may be somebody else's."""
    steps = episode.steps
    own = [file.path for file in files_of(episode) if file.use is Use.MADE]
    found: dict[str, None] = {}
    for step, touches in zip(steps, touches_in(steps), strict=True):
        for touch in touches:
            found.update(dict.fromkeys(() if DIFF in step.observation else touch.patched))
            found.update(dict.fromkeys(path for path, _ in touch.paths if touch.use is not Use.READ))
    return [path for path in found if not is_scratch(path) and not any(same_file(path, mine) for mine in own)]


def _refused(episode: Episode) -> phrases.Refused | None:
    """Return the edits that were refused of the file where that was so last, which somebody else has, too; None where none was."""
    names = [file.path for file in files_of(episode) if file.use is not Use.MADE]
    by_path: dict[str, list[int]] = {}
    for i, step in enumerate(episode.steps):
        misplaced = any(not later.failed and later.arguments == step.arguments for later in episode.steps[i + 1 :])  # it went elsewhere
        if step.failed and not misplaced and not is_shell(step.tool) and is_edit(step) and (found := FILE_HEAD.search(step.observation)):
            path = next((name for name in sorted(names, key=len, reverse=True) if same_file(name, found[1])), "")
            if path and not is_scratch(path):
                by_path[path] = [*by_path.pop(path, ()), i]
    if not by_path:
        return None
    path, edits = next(reversed(by_path.items()))
    last = episode.steps[edits[-1]]
    asked = RefusedEdit.of(last)
    lines = "" if asked is None or not asked.first else f"{asked.first}-{asked.last}" if asked.last > asked.first else str(asked.first)
    error = shorten_middle(_PREAMBLE.sub("", refused_for(last), count=1), MAX_MESSAGE_CHARS)
    return phrases.Refused(path, len(edits), error, lines, _tried(episode, edits[-1], asked))


def _tried(episode: Episode, i: int, asked: RefusedEdit | None) -> str:
    """Return what an edit would have taken away and put there, the lines nearest the episode's task, "" where none tells."""
    step = episode.steps[i]
    head = FILE_HEAD.search(step.observation)
    assert head is not None
    text = _text_of(step)
    before = lines_asked(episode.steps[: i + 1], head[1], asked.first, asked.last) if asked and asked.first else None
    old = "\n".join(asked.old) if asked and asked.old else before
    hunks = hunks_asked(episode.steps, Edit(head[1], asked.first if asked else 0, old, text), i)
    said = change_line(FileChange("x.py", 0, tuple(hunks)), frozenset(distinct_words(episode.task)), MAX_TRIED_CHARS)
    return said.partition("x.py")[2].partition(": ")[2]


def _text_of(step: Step) -> str:
    """Return the text that an edit was to write: the longest that it was given, up to where some of it was cut out of the log."""
    texts = (value for name, value in step.arguments.items() if name not in EDITED_FILES and isinstance(value, str))
    return "\n".join(line for line in pieces(max(texts, key=len, default=""))[0] if line.strip() not in MARKERS)
