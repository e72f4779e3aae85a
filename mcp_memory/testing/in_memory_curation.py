"""Edits, links, checkpoints, corrections and quarantines of the in-memory store."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mcp_memory.domain.curation import Correction, Handoff, StoredCheckpoint
from mcp_memory.domain.edits import edit_fields
from mcp_memory.domain.episode import Json
from mcp_memory.domain.query import ChangeKind
from mcp_memory.domain.sources import Quarantine, sources_of
from mcp_memory.errors import InvalidInput
from mcp_memory.testing.in_memory_links import put_link, remove_link
from mcp_memory.testing.in_memory_reads import InMemoryReads
from mcp_memory.testing.records import with_text


class InMemoryCuration(InMemoryReads):
    """The part of the `Store` port that tends what is there."""

    async def update_episode(
        self,
        episode_id: str,
        *,
        add_tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
        metadata: Mapping[str, Json] | None = None,
        task: str | None = None,
        add_lessons: Sequence[str] = (),
    ) -> None:
        r = self._records
        with r.lock:
            record = r.record(episode_id)
            fields = edit_fields(add_tags, remove_tags, metadata, task, add_lessons)
            if not fields:
                return
            for name, value in fields.items():
                record.edits.pop(name, None)
                record.edits[name] = value
            record.base = replace(record.base, change_seq=r.change(ChangeKind.EPISODE_UPDATED, episode_id))
            if task is None:
                if add_lessons and record.seq:
                    r.index(record)
                return
            if not record.seq:
                r.unfinished_text.put(record.row, with_text(task))
                return
            r.completed_text.remove(record.seq)
            for space, rows in r.vectors.items():
                r.vectors[space] = [(n, v) for n, v in rows if v.episode_id != episode_id]
            record.seq, r.next_seq = r.next_seq, r.next_seq + 1
            for other in [record, *r.neighbours(record)]:
                r.index(other)

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
