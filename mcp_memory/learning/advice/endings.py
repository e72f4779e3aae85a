"""How an attempt at this very task ended that left nothing: its edits refused or put back, nothing but files of its own. Pure."""

import re
from collections.abc import Sequence

from mcp_memory.domain import facts
from mcp_memory.domain.edit_arguments import EDITED_FILES
from mcp_memory.domain.episode import Episode, Step, Use
from mcp_memory.domain.identifiers import distinct_words
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.domain.step_roles import Role, role_of, runs_tests
from mcp_memory.domain.text import shorten_middle
from mcp_memory.learning.advice.acts import MAX_CALL_CHARS, acted, is_edit, own_names, runs_own
from mcp_memory.learning.advice.changes_told import BESIDE
from mcp_memory.learning.advice.deeds import ended
from mcp_memory.learning.advice.errors_told import MAX_MESSAGE_CHARS
from mcp_memory.learning.advice.written import made, wrote
from mcp_memory.learning.reading.calls_told import call_told
from mcp_memory.learning.reading.change_lines import change_line
from mcp_memory.learning.reading.changes import is_scratch
from mcp_memory.learning.reading.edits import DIFF, FILE_HEAD, GAP, MARKERS, Hunk, edits_of, lines_kept, lines_seen, pieces, written_by
from mcp_memory.learning.reading.failed_tests import failed_tests
from mcp_memory.learning.reading.file_uses import files_of, same_file, touches_in, touches_of
from mcp_memory.learning.reading.left_changed import FileChange, left_changed
from mcp_memory.learning.reading.run import error_text, message_of
from mcp_memory.learning.reading.signatures import signature
from mcp_memory.learning.reading.written_files import may_write_unseen, opened_files
from mcp_memory.phrases import points as phrases

_ROUTINE = re.compile(r"\w+:(?:cd|mkdir|chmod|sleep|export|source|python3? -c)$")
MAX_OWN, MAX_READ = 1, 2  # files that are told: of its own, and of those it read
MAX_TRIED_CHARS, MAX_TESTS = 160, 3


def refused(episode: Episode) -> str:
    """Return that a run changed nothing because its edits were refused, with what the last of them tried; "" where that is not so."""
    found = _refused_edits(episode)
    if found is None or _changed_others(episode) or _may_have_changed(episode):
        return ""
    path, edits = found
    return phrases.refused(
        path,
        len(edits),
        shorten_middle(message_of(edits[-1]), MAX_MESSAGE_CHARS),
        _tried(episode, edits[-1]),
        alike=len({signature(error_text(edit)) for edit in edits}) == 1,
    )


def ending(episode: Episode, similarity: float) -> str:
    """Return how a run ended of which nothing else is told, "" where its steps do not say.

    Args:
        episode: That did not succeed, with its steps.
        similarity: Of its task to the query.
    """
    steps = episode.steps
    if written := [text for _, text in wrote(episode)]:
        return written[0]
    others = _changed_others(episode)
    if others and not _may_have_changed(episode):
        edited = [edit.path for i in range(len(steps)) for edit in edits_of(steps, i)]
        if all(any(same_file(path, other) for other in edited) for path in others) and not left_changed(episode):
            return phrases.put_back(others[:MAX_READ])
    if others or _may_have_changed(episode):
        return ""
    own = [file.path for file in files_of(episode) if file.use is Use.MADE]
    kept = [path for path in own if not is_scratch(path)]
    read = list[str]()
    for path in opened_files(episode, touches_in(steps)):
        read += [] if any(same_file(path, other) for other in read) else [path]
    read.sort(key=lambda path: BESIDE.search(path) is not None)  # code comes before tests and texts
    if own or read:  # of a file that it made to try something out nothing is told: nobody else has it
        told = [said for path in kept if not BESIDE.search(path) and (said := made(episode, path))][-MAX_OWN:]
        return phrases.left_alone(told, read[:MAX_READ], made_others=bool(kept)) if told or read else ""
    return next(iter(ended(episode, similarity)), "") or _last_call(episode)


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


def tests_failed(episode: Episode, said: facts.TestsFailed) -> str:
    """Return how many tests failed in a run's end, and which of them its output names."""
    output = episode.steps[said.step].observation if said.step < len(episode.steps) else ""
    return phrases.tests_failed(said.failed, said.total, failed_tests(output)[:MAX_TESTS])


def missed(episode: Episode) -> list[str]:
    """Return the tests that failed in a run's end, where its output names them."""
    last = [said for said in (episode.reflection.improvements if episode.reflection else ()) if isinstance(said, facts.TestsFailed)]
    return [
        tests_failed(episode, said)
        for said in last
        if said.step < len(episode.steps) and failed_tests(episode.steps[said.step].observation)
    ]


def _last_call(episode: Episode) -> str:
    """Return the call that failed in the end, of a tool that takes arguments, else the last look."""
    called = [step for step in episode.steps if role_of(step.key) is not Role.PASSES]
    if not called or (called[-1].failed and is_shell(called[-1].tool)):
        return ""
    call = call_told(called[-1], MAX_CALL_CHARS)
    if called[-1].failed:
        return phrases.ended_with(call, shorten_middle(message_of(called[-1]), MAX_MESSAGE_CHARS))
    return phrases.only_looked(call) if all(role_of(step.key) is Role.LOOKS for step in called) else ""


def _changed_others(episode: Episode) -> list[str]:
    """Return the files that calls of a run wrote and it did not make; what a diff shows besides may be somebody else's."""
    steps = episode.steps
    made = [file.path for file in files_of(episode) if file.use is Use.MADE]
    found: dict[str, None] = {}
    for step, touches in zip(steps, touches_in(steps), strict=True):
        for touch in touches:
            found.update(dict.fromkeys(() if DIFF in step.observation else touch.patched))
            found.update(dict.fromkeys(path for path, _ in touch.paths if touch.use is not Use.READ))
    return [path for path in found if not is_scratch(path) and not any(same_file(path, own) for own in made)]


def _refused_edits(episode: Episode) -> tuple[str, list[Step]] | None:
    """Return the file whose edits were refused last, with those edits; None where none was, of a file that somebody else has."""
    names = [file.path for file in files_of(episode) if file.use is not Use.MADE]
    by_path: dict[str, list[Step]] = {}
    for i, step in enumerate(episode.steps):
        misplaced = any(not later.failed and later.arguments == step.arguments for later in episode.steps[i + 1 :])  # it went elsewhere
        if step.failed and not misplaced and not is_shell(step.tool) and is_edit(step) and (found := FILE_HEAD.search(step.observation)):
            path = next((name for name in sorted(names, key=len, reverse=True) if same_file(name, found[1])), "")
            if path and not is_scratch(path):
                by_path[path] = [*by_path.pop(path, ()), step]
    return next(reversed(by_path.items()), None)


def _tried(episode: Episode, edit: Step) -> str:
    """Return the lines of an edit's text that are nearest the episode's task, "" where none tells; not what its file showed before."""
    steps = episode.steps
    texts = (value for name, value in edit.arguments.items() if name not in EDITED_FILES and isinstance(value, str))
    lines = [line for line in pieces(max(texts, key=len, default=""))[0] if line.strip() not in MARKERS]
    stood = lines_seen(steps, head[1]) | lines_kept(steps, head[1]) if (head := FILE_HEAD.search(edit.observation)) else frozenset()
    new = [GAP if " ".join(line.split()) in stood else line for line in lines]
    hunk = Hunk(0, (), tuple(new if any(line not in ("", GAP) for line in new) else lines))
    said = change_line(FileChange("x.py", 0, (hunk,)), frozenset(distinct_words(episode.task)), MAX_TRIED_CHARS)
    return said.partition(": + ")[2]
