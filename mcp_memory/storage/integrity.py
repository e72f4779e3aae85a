"""The full check of a store: every row against its checksum, every record decoded, every index against what it was made from.

It finds any changed byte that an answer could show (`tests/integration/test_byte_flips.py`). Takes about a second for a thousand episodes.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import zip_longest
from typing import Any

from mcp_memory.domain.edits import TASK
from mcp_memory.domain.segmenting import indexed_words
from mcp_memory.errors import CorruptRecord, StoreUnavailable
from mcp_memory.storage.codec import load_closing, load_json, load_opening, load_step, load_trace
from mcp_memory.storage.connection import Connection, DriverError, begin, translated
from mcp_memory.storage.purge import TEXT_TABLES
from mcp_memory.storage.row_sums import COLUMNS, sound
from mcp_memory.storage.tables import Row, Tables, sound_row

TOKENIZER = "porter unicode61 remove_diacritics 2"
TEXT_FIELDS = "task, steps, notes, surroundings"
MAX_PROBLEMS = 20
# table → (the columns that are decoded, what decodes them)
_BLOBS: dict[str, tuple[str, Callable[..., Any]]] = {
    "episode": ("opening, closing, outcome, reward", lambda o, c, kind, score: (load_opening(o), c and load_closing(c, kind, score))),
    "step": ("body, step_index", load_step),
    "episode_edit": ("value", load_json),
    "trace": ("body, seq", load_trace),
    "index_text": ("body", load_json),
    "pattern": ("content", load_json),
    "evidence": ("detail", lambda detail: detail and load_json(detail)),
    "recommendation": ("shown_ids", load_json),
    "feedback": ("used_ids", load_json),
    "correction": ("content", load_json),
    "checkpoint": ("content", load_json),
}
_SAME_ROWS = "SELECT count(*) FROM (SELECT * FROM ({one}) EXCEPT SELECT * FROM ({other}))"
# Where each term is, as one number that any single move changes.
_PLACES = "SELECT count(*), coalesce(sum(doc * 7919 + unicode(col) * length(col) * 104729 + offset * 31), 0) FROM temp.{vocabulary}"
logger = logging.getLogger(__name__)


def deep_problems(tables: Tables) -> Iterator[str]:
    """Yield what is wrong with the rows, records and indexes of a store whose pages are sound."""
    for check in (_rows, _records, _tags, _numbering, _completed_text, _unfinished_text):
        try:
            yield from check(tables)
        except (DriverError, CorruptRecord) as error:
            yield f"{check.__name__.strip('_').replace('_', ' ')} cannot be read: {error}"


def text_index_problems(open_writer: Callable[[], Connection], deadline_ms: int) -> Iterator[str]:
    """Yield what FTS5 finds in the structure of its own indexes, for which it wants the right to write; nothing while others write."""
    try:
        with translated(), closing(open_writer()) as connection:
            begin(connection, deadline_ms)
            for table in TEXT_TABLES:
                connection.execute(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")
            connection.execute("ROLLBACK")
    except CorruptRecord as error:
        yield f"a text index is damaged: {error.message}"
    except StoreUnavailable as error:
        logger.info("the structure of the text indexes was not looked at: %s", error.message)


def _rows(tables: Tables) -> Iterator[str]:
    for table in COLUMNS:
        try:
            count = tables.rows(f"SELECT count(*) FROM {table} WHERE NOT {sound(table)}", [])[0][0]
        except DriverError as error:
            yield f"rows of {table} cannot be read: {error}"
        else:
            if count:
                yield f"{count} rows of {table} do not have their checksum"


def _records(tables: Tables) -> Iterator[str]:
    for table, (columns, load) in _BLOBS.items():
        damaged = 0
        for row in tables.each(f"SELECT {columns} FROM {table}"):
            try:
                load(*row)
            except (CorruptRecord, ValueError, TypeError):
                damaged += 1
        if damaged:
            yield f"{damaged} records of {table} do not decode"


def _tags(tables: Tables) -> Iterator[str]:
    """Tags are kept twice: in the record with its edits, and by tag for filters."""
    by_tag: dict[int, set[str]] = {}
    for tag, row in tables.each("SELECT tag, episode_row FROM episode_tag"):
        by_tag.setdefault(row, set()).add(tag)
    wrong = 0
    for row, episode_id in tables.each("SELECT episode_row, id FROM episode"):
        episode = tables.episode(episode_id, steps=False)
        wrong += set(episode.context.tags if episode else ()) != by_tag.pop(row, set())
    if wrong + len(by_tag):
        yield f"{wrong + len(by_tag)} episodes are filed under other tags than theirs"


def _numbering(tables: Tables) -> Iterator[str]:
    """A number that was given must not be given again."""
    for table, last in tables.rows("SELECT name, seq FROM sqlite_sequence", []):
        if table not in COLUMNS:
            yield f"the numbers of {str(table)[:40]!r} are counted, which is no table"
        elif tables.rows(f"SELECT coalesce(max(rowid), 0) FROM {table}", [])[0][0] > last:
            yield f"the numbers of {table} would be given again"


def _completed_text(tables: Tables) -> Iterator[str]:
    def texts() -> Iterator[Row]:
        for row in tables.each(f"SELECT seq, body, {sound('index_text')} FROM index_text"):
            seq, body = sound_row(row)
            yield (seq, *load_json(body))

    yield from _compare_index(tables, "episode_text", texts())


def _unfinished_text(tables: Tables) -> Iterator[str]:
    def texts() -> Iterator[Row]:
        for row, episode_id, edited in tables.each("SELECT episode_row, id, edited FROM episode WHERE state != 'completed'"):
            edits: dict[str, bytes] = dict(tables.sound("get_edits", row)) if edited else {}
            episode = tables.episode(episode_id, steps=False)
            task = load_json(edits[TASK]) if TASK in edits else episode.task if episode else ""
            whole = tables.rows("SELECT 1 FROM main.unfinished_text_content WHERE id = ? AND c0 = ?", [row, task])
            yield (row, task if whole else indexed_words(task), None, None, None)  # earlier versions indexed unspaced words whole

    yield from _compare_index(tables, "unfinished_text", texts())
    stored = "SELECT id, c0, c1, c2, c3 FROM main.unfinished_text_content"
    wanted = "SELECT id, c0, c1, c2, c3 FROM temp.wanted_content"
    if any(tables.rows(_SAME_ROWS.format(one=a, other=b), [])[0][0] for a, b in ((stored, wanted), (wanted, stored))):
        yield "the texts of unfinished_text are not those of the episodes"


def _compare_index(tables: Tables, name: str, texts: Iterator[Row]) -> Iterator[str]:
    """Compare a text index with one that is made from *texts* now: sizes, averages, terms, and where each term is."""
    content = "content = ''," if name == "episode_text" else ""
    tables.script(
        "DROP TABLE IF EXISTS temp.wanted",
        "DROP TABLE IF EXISTS temp.stored_terms",
        "DROP TABLE IF EXISTS temp.stored_places",
        f"CREATE VIRTUAL TABLE temp.wanted USING fts5 ({TEXT_FIELDS}, {content} tokenize = '{TOKENIZER}')",
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.wanted_terms USING fts5vocab (temp, wanted, row)",
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.wanted_places USING fts5vocab (temp, wanted, instance)",
        f"CREATE VIRTUAL TABLE temp.stored_terms USING fts5vocab (main, {name}, row)",
        f"CREATE VIRTUAL TABLE temp.stored_places USING fts5vocab (main, {name}, instance)",
    )
    tables.fill(f"INSERT INTO temp.wanted (rowid, {TEXT_FIELDS}) VALUES (?, ?, ?, ?, ?)", texts)
    stored, wanted = f"SELECT id, sz FROM main.{name}_docsize", "SELECT id, sz FROM temp.wanted_docsize"
    if any(tables.rows(_SAME_ROWS.format(one=a, other=b), [])[0][0] for a, b in ((stored, wanted), (wanted, stored))):
        yield f"the text index {name} knows other lengths than those of its texts"
    averages = [tables.rows(f"SELECT block FROM {data} WHERE id = 1", []) for data in (f"main.{name}_data", "temp.wanted_data")]
    if averages[1][0][0] and averages[0] != averages[1]:
        yield f"the text index {name} counts other lengths than those of its texts"
    terms = (tables.each(f"SELECT term, doc, cnt FROM temp.{v}") for v in ("stored_terms", "wanted_terms"))
    if any(a != b for a, b in zip_longest(*terms)):
        yield f"the text index {name} holds other terms than its texts"
    elif tables.rows(_PLACES.format(vocabulary="stored_places"), []) != tables.rows(_PLACES.format(vocabulary="wanted_places"), []):
        yield f"the text index {name} holds terms in other places than its texts"
