"""Links, checkpoints, corrections and quarantines of the in-memory store."""

from mcp_memory.domain.curation import Correction, Handoff, StoredCheckpoint
from mcp_memory.domain.query import ChangeKind
from mcp_memory.domain.sources import Quarantine, sources_of
from mcp_memory.errors import InvalidInput
from mcp_memory.testing.in_memory_links import put_link, remove_link
from mcp_memory.testing.in_memory_reads import InMemoryReads


class InMemoryCuration(InMemoryReads):
    """The part of the `Store` port that tends what is there."""

    async def put_link(self, from_id: str, to_id: str, link_type: str, note: str, at_ms: int) -> str:
        with self._records.lock:
            return put_link(self._records, from_id, to_id, link_type, note)

    async def remove_link(self, from_id: str, to_id: str, link_type: str) -> bool:
        with self._records.lock:
            return remove_link(self._records, from_id, to_id, link_type)

    async def put_checkpoint(self, checkpoint_id: str, episode_id: str, handoff: Handoff, at_ms: int) -> None:
        r = self._records
        with r.lock:
            r.record(episode_id)
            if checkpoint_id in r.checkpoints:
                raise InvalidInput(f"there is a checkpoint {checkpoint_id!r} already")
            r.checkpoints[checkpoint_id] = StoredCheckpoint(checkpoint_id, episode_id, handoff, at_ms)
            r.change(ChangeKind.CHECKPOINT, checkpoint_id)

    async def put_correction(self, target_id: str, correction: Correction, at_ms: int) -> str:
        r = self._records
        with r.lock:
            r.refuse_deleted(target_id)
            correction_id = f"cor_{len(r.changes)}"
            r.corrections.append((target_id, correction))
            r.change(ChangeKind.CORRECTION, correction_id)
            return correction_id

    async def put_quarantine(self, quarantine: Quarantine, *, active: bool) -> int:
        r, source = self._records, quarantine.source
        with r.lock:
            r.quarantines.pop(source, None)
            r.quarantines[source] = quarantine
            count = sum(source in sources_of(x.base.agent, x.base.metadata) for x in r.episodes.values())
            if not active:
                del r.quarantines[source]
            r.change(ChangeKind.QUARANTINE, str(source))
            return count
