"""Making again what can be derived, where a check found it wrong. Runs inside one transaction.

Truth that is damaged is left as it is, but for steps of which the hot tier has a sound copy.
"""

from collections.abc import Sequence
from dataclasses import replace

from mcp_memory.domain.edits import TASK
from mcp_memory.domain.episode import Episode, EpisodeState
from mcp_memory.domain.segmenting import indexed_words
from mcp_memory.domain.shared_facts import FactKind
from mcp_memory.domain.sources import sources_of
from mcp_memory.errors import CorruptRecord
from mcp_memory.ports import Completion
from mcp_memory.storage.codec import load_json, load_trace
from mcp_memory.storage.completion_writes import index_completed
from mcp_memory.storage.episode_writes import add_steps
from mcp_memory.storage.evidence_writes import recount, remove_evidence
from mcp_memory.storage.quarantine_writes import note_new_episode
from mcp_memory.storage.remote_marks import begin_again, mark_of
from mcp_memory.storage.row_sums import sound
from mcp_memory.storage.tables import Transaction

# Rows of what is gone, by the name they are told under.
_ORPHANS = (
    ("index entries", "DELETE FROM trace WHERE episode_row NOT IN (SELECT episode_row FROM episode)"),
    ("indexed texts", "DELETE FROM index_text WHERE seq NOT IN (SELECT seq FROM trace)"),
    ("vectors", f"DELETE FROM vector WHERE seq NOT IN (SELECT seq FROM trace) OR NOT {sound('vector')}"),
    ("pieces of evidence", "DELETE FROM evidence WHERE episode_row NOT IN (SELECT episode_row FROM episode)"),
    ("pieces of evidence", "DELETE FROM evidence WHERE pattern_row NOT IN (SELECT pattern_row FROM pattern)"),
    ("steps", "DELETE FROM step WHERE episode_row NOT IN (SELECT episode_row FROM episode)"),
)
_UNSOUND_EVIDENCE = (
    "SELECT DISTINCT x.id FROM evidence AS e JOIN episode AS x USING (episode_row) JOIN pattern AS p USING (pattern_row)"
    f" WHERE NOT {sound('evidence', 'e')} OR NOT {sound('pattern', 'p')}"
)


def repair(tx: Transaction) -> tuple[list[str], list[str]]:
    """Make tags, text indexes, counts and quarantines again; return what was done, and the episodes that are to be `derive`d again."""
    done = [f"{count} {name} without what they belong to, or damaged, removed" for name, sql in _ORPHANS if (count := tx.delete(sql, ()))]
    if count := tx.delete(f"DELETE FROM parked WHERE NOT {sound('parked')}", ()):
        done.append(f"{count} damaged facts of a shared log removed: `mcp-memory sync --full` reads them again")
    if tx.rows(f"SELECT 1 FROM outbox WHERE NOT {sound('outbox')} LIMIT 1", []):
        done.append(_tell_again(tx))
    lost = _not_derived(tx)
    for episode_id in lost:
        _forget_derived(tx, tx.episode_row(episode_id)[0])
    tx.delete(f"DELETE FROM pattern WHERE NOT {sound('pattern')}", ())
    _file_tags(tx)
    _index_texts(tx)
    _note_quarantines(tx)
    tx.delete("DELETE FROM pattern_count", ())
    pairs = tx.rows("SELECT DISTINCT e.pattern_row, x.project FROM evidence AS e JOIN episode AS x USING (episode_row)", [])
    recount(tx, set(pairs))
    tx.delete("DELETE FROM pattern WHERE pattern_row NOT IN (SELECT pattern_row FROM evidence)", ())
    return [*done, "tags, text indexes and pattern counts made again"], lost


def _tell_again(tx: Transaction) -> str:
    """Tell every shared log everything, where it cannot be known any more what was to be told."""
    for (url,) in tx.all("remotes"):
        begin_again(tx, url, mark_of(tx, url).epoch, went_back=False)
    count = tx.delete(f"DELETE FROM outbox WHERE NOT {sound('outbox')}", ())  # only now: a row's number is not given twice
    return f"{count} damaged rows of what shared logs are to be told removed: they are told everything again"


def put_back(tx: Transaction, copies: Sequence[Episode]) -> list[str]:
    """Give episodes whose steps are damaged those of their copies, where all else of the record is sound and the same; say how many."""
    count = 0
    for copy in copies:
        try:
            record = tx.episode(copy.id, steps=False)
        except CorruptRecord:
            continue
        if record == replace(copy, steps=()):
            row, _ = tx.episode_row(copy.id)
            tx.delete("DELETE FROM step WHERE episode_row = ?", (row,))
            add_steps(tx, row, 0, copy.steps)
            tx.share(FactKind.EPISODE, copy.id)  # which could not be told while it was damaged
            count += 1
    return [f"{count} episodes with damaged steps have the steps of their copies in the hot tier"] if count else []


def derive(tx: Transaction, completions: Sequence[Completion]) -> None:
    """Write again what a completion derives from its episode; the episode itself stays."""
    completed = []
    for completion in completions:
        row, _ = tx.episode_row(completion.episode.id)
        _forget_derived(tx, row)
        completed.append((row, completion))
    index_completed(tx, completed)


def _not_derived(tx: Transaction) -> list[str]:
    """Return the completed episodes whose trace, text or evidence is missing or damaged, as far as they can be read themselves."""
    found = {episode_id for (episode_id,) in tx.rows(_UNSOUND_EVIDENCE, [])}
    for row, episode_id in tx.rows("SELECT episode_row, id FROM episode WHERE state = 'completed'", []):
        try:
            for seq, body in tx.sound("trace_of", row):
                load_trace(body, seq)
                ((_, text),) = tx.sound("get_index_text", seq)
                load_json(text)
                break
            else:
                found.add(episode_id)
        except (CorruptRecord, ValueError):
            found.add(episode_id)
    return sorted(episode_id for episode_id in found if _reads(tx, episode_id, steps=True))


def _reads(tx: Transaction, episode_id: str, *, steps: bool) -> bool:
    """Whether the record of an episode is sound."""
    try:
        return tx.episode(episode_id, steps=steps) is not None
    except CorruptRecord:
        return False


def _forget_derived(tx: Transaction, row: int) -> None:
    for table in ("index_text", "vector"):
        tx.delete(f"DELETE FROM {table} WHERE seq IN (SELECT seq FROM trace WHERE episode_row = ?)", (row,))
    tx.delete("DELETE FROM trace WHERE episode_row = ?", (row,))
    remove_evidence(tx, row)


def _file_tags(tx: Transaction) -> None:
    tx.delete("DELETE FROM episode_tag", ())
    for row, episode_id in tx.rows("SELECT episode_row, id FROM episode", []):
        if _reads(tx, episode_id, steps=False) and (episode := tx.episode(episode_id, steps=False)):
            for tag in episode.context.tags:
                tx.run("add_tag", tag, row)


def _index_texts(tx: Transaction) -> None:
    """Fill the text indexes anew: of completed episodes from their stored texts, of others from their tasks."""
    tx.delete("INSERT INTO episode_text (episode_text) VALUES ('delete-all')", ())
    for seq, body in tx.rows(f"SELECT seq, body FROM index_text WHERE {sound('index_text')}", []):
        tx.run("add_text", seq, *load_json(body))
    tx.delete("DELETE FROM unfinished_text", ())
    for row, episode_id in tx.rows("SELECT episode_row, id FROM episode WHERE state != ?", [EpisodeState.COMPLETED]):
        if _reads(tx, episode_id, steps=False):
            edits: dict[str, bytes] = dict(tx.sound("get_edits", row))
            ((task,),) = tx.rows("SELECT task FROM episode WHERE episode_row = ?", [row])
            tx.run("add_unfinished_text", row, indexed_words(load_json(edits[TASK]) if TASK in edits else task))


def _note_quarantines(tx: Transaction) -> None:
    tx.delete("DELETE FROM quarantined_episode", ())
    for row, episode_id in tx.rows("SELECT episode_row, id FROM episode", []):
        if _reads(tx, episode_id, steps=False) and (episode := tx.episode(episode_id, steps=False)):
            note_new_episode(tx, row, sources_of(episode.agent, episode.metadata))
