"""Edits and deletions of episodes that are there. Each function runs inside one transaction."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mcp_memory.domain.edits import LESSON, OUTCOME, TAG, TASK, edit_fields, label_of
from mcp_memory.domain.episode import Episode, EpisodeState, Json, imported_id, trace_of
from mcp_memory.domain.query import ChangeKind
from mcp_memory.domain.segmenting import indexed_words
from mcp_memory.domain.shared_facts import FactKind
from mcp_memory.errors import InvalidInput
from mcp_memory.ports import Completion
from mcp_memory.storage.codec import load_trace
from mcp_memory.storage.completion_writes import add_text, add_votes, refresh_surroundings, remove_text, rewrite_trace, thread_rows
from mcp_memory.storage.evidence_writes import add_evidence, recount, remove_evidence
from mcp_memory.storage.link_writes import settle_cycles, stamped
from mcp_memory.storage.tables import Transaction

# What goes with an episode, by the name it is counted under. `:row` and `:id` are the episode's.
_DELETIONS = (
    ("steps", "DELETE FROM step WHERE episode_row = :row"),
    ("checkpoints", "DELETE FROM checkpoint WHERE episode_row = :row"),
    ("links", "DELETE FROM link WHERE from_row = :row OR to_row = :row"),
    ("corrections", "DELETE FROM correction WHERE target_id = :id"),
    (
        "feedback",
        "DELETE FROM feedback WHERE episode_id = :id"
        " OR recommendation_row IN (SELECT recommendation_row FROM recommendation WHERE episode_id = :id)",
    ),
    ("recommendations", "DELETE FROM recommendation WHERE episode_id = :id"),
    ("edits", "DELETE FROM episode_edit WHERE episode_row = :row"),
    ("homes", "DELETE FROM away WHERE episode_row = :row"),
    ("claims", "DELETE FROM claim WHERE episode_row = :row"),
    ("echoes", "DELETE FROM echoed WHERE episode_row = :row"),
    ("tags", "DELETE FROM episode_tag WHERE tag IN (SELECT tag FROM episode_tag WHERE episode_row = :row) AND episode_row = :row"),
    ("quarantined", "DELETE FROM quarantined_episode WHERE episode_row = :row"),
    ("unfinished", "DELETE FROM unfinished_text WHERE rowid = :row"),
    ("episodes", "DELETE FROM episode WHERE episode_row = :row"),
)
_INTERNAL = ("edits", "homes", "claims", "echoes", "tags", "quarantined", "unfinished")  # not counted to the caller
COUNTED = ("episodes", "steps", "vectors", "evidence", "patterns", "links", "checkpoints", "feedback", "recommendations", "corrections")


def update_episode(
    tx: Transaction,
    episode_id: str,
    add_tags: Sequence[str],
    remove_tags: Sequence[str],
    metadata: Mapping[str, Json] | None,
    task: str | None,
    add_lessons: Sequence[str],
) -> None:
    """Store the edits, and bring what is derived from tags, task and lessons up to date."""
    tx.episode_row(episode_id)
    fields = edit_fields(add_tags, remove_tags, metadata, task, add_lessons)
    if not fields:
        return
    stamp = tx.stamp()
    merge_edits(tx, episode_id, fields, tx.now_ms, stamp)
    tx.share(FactKind.EDIT, episode_id, stamped(stamp))


def merge_edits(tx: Transaction, episode_id: str, edits: Mapping[str, Json], at_ms: int, stamp: tuple[int, str]) -> None:
    """Store those of the edits that are later than what is there, and bring what is derived from them up to date."""
    row, state = tx.episode_row(episode_id)
    known = {field for field, _ in tx.sound("get_edits", row)}
    fields = {f: v for f, v in edits.items() if tx.run("put_edit", row, f, tx.codec.json(v), at_ms, *stamp)}
    if not fields:
        return
    for field, value in fields.items():
        if field.startswith(TAG):
            tx.run("add_tag" if value else "remove_tag", field.removeprefix(TAG), row)
    add_lessons = [f.removeprefix(LESSON) for f in fields if f.startswith(LESSON) and f not in known]
    tx.run("touch_episode", tx.change(ChangeKind.EPISODE_UPDATED, episode_id), row)
    tx.run("sum_episode", row)
    current = tx.episode(episode_id, steps=False)
    assert current is not None
    if state == EpisodeState.COMPLETED:
        if TASK in fields:
            _renumber_trace(tx, row, current)
        else:
            rewrite_trace(tx, row, tags=current.context.tags)
        if add_lessons:
            _add_notes(tx, row, add_lessons)
    elif TASK in fields:
        tx.run("remove_unfinished_text", row)
        tx.run("add_unfinished_text", row, indexed_words(fields[TASK]))


def replace_outcome(tx: Transaction, completion: Completion, metadata: Mapping[str, Json], add_lessons: Sequence[str]) -> None:
    """Store another outcome of a completed episode as an edit, and bring what is derived from it up to date."""
    judged = completion.episode
    _, state = tx.episode_row(judged.id)
    if state != EpisodeState.COMPLETED:
        raise InvalidInput(f"episode {judged.id!r} is {state}")
    stamp = tx.stamp()
    fields = edit_fields((), (), metadata, None, add_lessons) | {OUTCOME: label_of(judged)}
    merge_edits(tx, judged.id, fields, tx.now_ms, stamp)
    tx.share(FactKind.EDIT, judged.id, stamped(stamp))
    rest_on_outcome(tx, completion)
    add_votes(tx, completion.feedback)


def rest_on_outcome(tx: Transaction, completion: Completion) -> None:
    """Derive again what rests on how a completed episode ended, after another outcome was put over its own."""
    judged = completion.episode
    row, _ = tx.episode_row(judged.id)
    assert judged.outcome is not None
    assert judged.reward is not None
    # The columns are what listings look at; the record they were made from stays in `closing`, under the edit.
    tx.run("set_outcome", str(judged.outcome.kind), judged.reward.score, row)
    tx.run("sum_episode", row)
    _, patterns = remove_evidence(tx, row)
    add_evidence(tx, [(row, judged, completion.observations)])
    recount(tx, {(pattern, judged.project) for pattern in patterns})
    trace = trace_of(judged, completion.errors, completion.digest, 0)
    rewrite_trace(tx, row, outcome=trace.outcome, reward=trace.reward, errors=trace.errors, digest=trace.digest)


def _add_notes(tx: Transaction, row: int, notes: Sequence[str]) -> None:
    """Index more notes of a completed episode."""
    found = tx.one("trace_of", row)
    if found is not None and (text := remove_text(tx, found[0])) is not None:
        add_text(tx, row, found[0], replace(text, notes="\n".join([text.notes, *map(indexed_words, notes)])))


def _renumber_trace(tx: Transaction, row: int, current: Episode) -> None:
    """Give the trace its new task, and with it a new seq: vectors and text are new, and readers that page by seq see it."""
    ((old_seq, body),) = tx.sound("trace_of", row)
    trace = replace(load_trace(body, old_seq), tags=current.context.tags, task=current.task)
    text = remove_text(tx, old_seq)
    tx.delete("DELETE FROM vector WHERE seq = ?", (old_seq,))
    tx.delete("DELETE FROM trace WHERE seq = ?", (old_seq,))
    seq = tx.insert("add_trace", row, trace.project, trace.id, tx.codec.trace(trace))
    if text is not None:
        add_text(tx, row, seq, replace(text, task=indexed_words(current.task)))
    refresh_surroundings(tx, set(thread_rows(tx, row)))


def delete_episodes(tx: Transaction, ids: Sequence[str], reason: str, at_ms: int) -> Mapping[str, int]:
    """Delete episodes with all that hangs on them, leaving tombstones; unknown ids are passed over. Returns counts by kind."""
    counts: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
    rows: set[int] = set()
    neighbours: set[int] = set()
    to_recount: set[tuple[int, str]] = set()
    for episode_id in dict.fromkeys(ids):
        found = tx.episode(episode_id, steps=False)
        if found is None:
            continue
        row, _ = tx.episode_row(episode_id)
        rows.add(row)
        neighbours.update(thread_rows(tx, row))
        _erase_of_others(tx, row, episode_id)
        trace = tx.one("trace_of", row)
        if trace is not None:
            remove_text(tx, trace[0])
            counts["vectors"] += tx.delete("DELETE FROM vector WHERE seq = ?", (trace[0],))
            tx.delete("DELETE FROM trace WHERE seq = ?", (trace[0],))
        evidence, patterns = remove_evidence(tx, row)
        counts["evidence"] += evidence
        to_recount.update((pattern, found.project) for pattern in patterns)
        for kind, statement in _DELETIONS:
            counts[kind] += tx.delete(statement, {"row": row, "id": episode_id})
        seq = tx.change(ChangeKind.EPISODE_DELETED, episode_id)
        _bury(tx, episode_id, reason, seq, at_ms, found.project)
        if found.external_id:  # imported under an id of its own before ids were derived: importing it again would give it this one
            _bury(tx, imported_id(found.project, found.external_id), reason, seq, at_ms, found.project)
    counts["patterns"] += recount(tx, to_recount)
    refresh_surroundings(tx, neighbours - rows)
    settle_cycles(tx)
    for kind in _INTERNAL:
        counts.pop(kind, None)
    return dict(counts)


def delete_what_names(tx: Transaction, episode_id: str) -> None:
    """Delete what was told of an episode that is not here itself: votes and the like, which may have come before it."""
    for _, statement in _DELETIONS:
        if ":row" not in statement:
            tx.delete(statement, {"id": episode_id})


def _erase_of_others(tx: Transaction, row: int, episode_id: str) -> None:
    """Have the shared logs delete what is filed under other episodes but goes with this one."""
    for from_id, link in tx.all("links_from_others", row):
        tx.erase(FactKind.LINK, from_id, link)
    for shown_to, vote in tx.all("votes_on_others", episode_id):
        tx.erase(FactKind.FEEDBACK, shown_to, vote)


def _bury(tx: Transaction, episode_id: str, reason: str, seq: int, at_ms: int, project: str) -> None:
    tx.run("add_tombstone", episode_id, reason, seq, at_ms, project)
    tx.share(FactKind.TOMBSTONE, episode_id)
