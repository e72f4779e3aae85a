"""How far each shared log was read and written, and what waits for it. Each function runs inside one transaction, or one snapshot."""

import logging
from collections.abc import Callable, Collection, Sequence

from mcp_memory.domain.query import ANY_PROJECT
from mcp_memory.domain.shared_facts import Fact
from mcp_memory.errors import CorruptRecord, NotFound
from mcp_memory.ports import LogMark, Outgoing, RemoteState
from mcp_memory.storage.arrivals import Arrival, Derive
from mcp_memory.storage.codec import Codec
from mcp_memory.storage.fact_reads import FactReads
from mcp_memory.storage.fact_writes import Applied, apply_facts
from mcp_memory.storage.tables import ERASED, Row, Tables, Transaction, sound_row

MAX_BYTES = 2_000_000  # of the bodies of one request, as far as one fact is not larger
logger = logging.getLogger(__name__)


def know_remotes(tx: Transaction, urls: Sequence[str]) -> None:
    """Begin to share with those of the logs that are new: everything there is goes to them."""
    for url in urls:
        if tx.one("remote_by_url", url) is None:
            row = tx.insert("add_remote", url)
            tx.run("sum_remote", row)
            tx.run("queue_everything", row)


def forget_remote(tx: Transaction, url: str) -> bool:
    """Share with a log no more; return whether it was known."""
    found = tx.one("remote_by_url", url)
    if found is None:
        return False
    tx.run("clear_outbox_of", found[0])
    tx.run("remove_remote", url)
    tx.run("clear_outbox", 0)
    return True


def state_of(tables: Tables, url: str) -> RemoteState:
    """Return how things stand with a log. Raises NotFound: it is not shared with."""
    row, *_, acknowledged, _, resyncs, in_step_at_ms, last_error = _row(tables, url)
    pending: int = tables.value("pending", acknowledged, row)
    return RemoteState(url, mark_of(tables, url), pending, acknowledged, resyncs, in_step_at_ms, last_error)


def mark_of(tables: Tables, url: str) -> LogMark:
    """Return how far a log is known. Raises NotFound: it is not shared with."""
    _, epoch, read_seq, batch, nonce, _, own_batch, *_ = _row(tables, url)
    return LogMark(epoch, read_seq, batch, nonce, own_batch)


def has_pending(tables: Tables, url: str) -> bool:
    """Return whether anything is left to send. Raises NotFound: it is not shared with."""
    row, *_, acknowledged, _, _, _, _ = _row(tables, url)
    return bool(tables.value("has_pending", acknowledged, row))


def outgoing(tables: Tables, codec: Codec, url: str, projects: Collection[str], limit: int) -> Outgoing:
    """Return the next facts for a log, in order, as far as they are of its projects."""
    row, *_, acknowledged, _, _, _, _ = _row(tables, url)
    reads, size, last = FactReads(tables, codec), 0, acknowledged
    facts: list[Fact] = []
    erased: list[str] = []
    rows = tables.sound("outgoing", acknowledged, row, limit)
    for n, (last_row, id_) in enumerate(rows):
        if id_.startswith(ERASED):
            erased.append(id_.removeprefix(ERASED))
        else:
            made = [fact for fact in _sound(reads, id_) if not projects or fact.project in projects or fact.project == ANY_PROJECT]
            size += sum(len(fact.body) for fact in made)
            if facts and size > MAX_BYTES:
                return Outgoing(last, n, tuple(facts), tuple(erased), more=True)
            facts += made
        last = last_row
    return Outgoing(last, len(rows), tuple(facts), tuple(erased), more=len(rows) == limit)


def _sound(reads: FactReads, id_: str) -> list[Fact]:
    """Return what a fact is told as; nothing where its record is damaged, which `check` names: the others do not wait for its repair."""
    try:
        return reads.made(id_)
    except CorruptRecord as error:
        logger.warning("%s is not told to the shared log: %s", id_, error.message)
        return []


def acknowledge(tx: Transaction, url: str, up_to: int, *, told: bool) -> None:
    """Note that a log has what the outbox names up to that row; not *told*: there was nothing in it for this log."""
    row = _row(tx, url)[0]
    tx.run("acknowledge", row, up_to, up_to if told else 0)
    tx.run("sum_remote", row)
    tx.run("clear_outbox", row)


def apply_page(
    tx: Transaction, arrivals: Sequence[Arrival], is_enough: Callable[[], bool], *, url: str, mark: LogMark | None, derive: Derive
) -> Applied:
    """Apply facts until it is enough, together with the place they were read up to; when all are, with *mark* the newest batch seen."""
    row = _row(tx, url)[0]
    applied = apply_facts(tx, arrivals, is_enough, derive=derive)
    if applied.facts:
        tx.run("read_up_to", row, arrivals[applied.facts - 1].fact.seq)
    if mark is not None and applied.facts == len(arrivals):
        tx.run("seen_batch", row, mark.epoch, mark.batch, mark.nonce, mark.seq)
    tx.run("sum_remote", row)
    return applied


def begin_again(tx: Transaction, url: str, epoch: str, *, went_back: bool) -> None:
    """Read a log from its beginning, and send it everything there is here, of every origin: who wrote it may be gone."""
    row = _row(tx, url)[0]
    tx.run("begin_again", row, epoch, int(went_back))
    tx.run("forget_echoes")  # of what the log had: it may have it no longer
    tx.run("clear_outbox_of", row)
    tx.run("acknowledge", row, tx.value("newest_outgoing"), 0)  # what waits for every log is among everything
    tx.run("queue_everything", row)
    tx.run("sum_remote", row)


def note(tx: Transaction, url: str, in_step_at_ms: int | None, error: str) -> None:
    """Note when nothing was left to do, or why it cannot be done."""
    row = _row(tx, url)[0]
    tx.run("in_step", row, in_step_at_ms, error)
    tx.run("sum_remote", row)


def _row(tables: Tables, url: str) -> Row:
    found = tables.one("remote_by_url", url)
    if found is None:
        raise NotFound(f"nothing is shared with {url}", hint="`mcp-memory remote add` sets it up.")
    return sound_row(found)
