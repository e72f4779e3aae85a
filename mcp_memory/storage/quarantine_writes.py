"""Sources put in quarantine and released, and the episodes that this takes out of everything. Runs inside one transaction."""

from collections.abc import Iterator

from mcp_memory.domain.query import ChangeKind
from mcp_memory.domain.shared_facts import FactKind
from mcp_memory.domain.sources import Quarantine, Source, SourceKind, sources_of
from mcp_memory.storage.codec import load_opening
from mcp_memory.storage.evidence_writes import recount
from mcp_memory.storage.link_writes import stamped
from mcp_memory.storage.tables import Tables, Transaction


def put_quarantine(tx: Transaction, given: Quarantine, *, active: bool) -> int:
    """Put a source in quarantine, or release it; return how many episodes it has."""
    stamp = tx.stamp()
    count = merge_quarantine(tx, given, stamp, active=active)
    tx.share(FactKind.QUARANTINE, str(given.source), stamped(stamp))
    return count


def merge_quarantine(tx: Transaction, given: Quarantine, stamp: tuple[int, str], *, active: bool) -> int:
    """Store what was said of a source, where it is later than what is here; return how many episodes it has."""
    source = given.source
    if not tx.run("put_quarantine", str(source.kind), source.name, int(active), given.reason, given.by, given.at_ms, *stamp):
        return 0
    quarantined = active_sources(tx)
    to_recount: set[tuple[int, str]] = set()
    count = 0
    for row, project, sources in _episodes(tx):
        if source in sources:
            count += 1
            tx.run("quarantine_episode" if quarantined & set(sources) else "release_episode", row)
            to_recount.update((pattern_row, project) for pattern_row, _ in tx.all("evidence_rows_of_episode", row))
    recount(tx, to_recount)
    tx.change(ChangeKind.QUARANTINE, str(source))
    return count


def note_new_episode(tx: Transaction, row: int, sources: tuple[Source, ...]) -> None:
    """Quarantine an episode that comes from a source that is."""
    if quarantined_by(tx, sources):
        tx.run("quarantine_episode", row)


def quarantined_by(tx: Transaction, sources: tuple[Source, ...]) -> bool:
    """Return whether one of the sources is in quarantine."""
    return any(tx.one("is_quarantined", str(source.kind), source.name) for source in sources)


def quarantines(tables: Tables) -> list[Quarantine]:
    """Return what stands, in order of kind and name."""
    rows = tables.sound("quarantines")
    return [Quarantine(Source(SourceKind(kind), name), reason, by, at_ms) for kind, name, reason, by, at_ms in rows]


def active_sources(tables: Tables) -> set[Source]:
    """Return the sources that are in quarantine."""
    return {quarantine.source for quarantine in quarantines(tables)}


def strayed_episodes(tables: Tables) -> int:
    """Return how many episodes are quarantined or not against what their sources say: there must be none."""
    quarantined = active_sources(tables)
    noted = {row for (row,) in tables.all("quarantined_rows")}
    return len(noted ^ {row for row, _, sources in _episodes(tables) if quarantined & set(sources)})


def _episodes(tables: Tables) -> Iterator[tuple[int, str, tuple[Source, ...]]]:
    for row, project, agent, opening in tables.all("episode_sources"):
        yield row, project, sources_of(agent, load_opening(opening)[1])
