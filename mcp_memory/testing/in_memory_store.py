"""A Store in dicts: simple on purpose, it is the oracle for the durable one. Nothing survives the process."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mcp_memory.domain import limits
from mcp_memory.domain.edits import OUTCOME, edit_fields, label_of
from mcp_memory.domain.episode import Episode, EpisodeState, Json, Step
from mcp_memory.domain.feedback import Feedback, Recommendation
from mcp_memory.domain.query import ChangeKind
from mcp_memory.errors import Conflict, EpisodeClosed, InvalidInput, NotFound
from mcp_memory.ports import Completion, VectorRow
from mcp_memory.testing.in_memory_curation import InMemoryCuration
from mcp_memory.testing.in_memory_deletion import delete_records
from mcp_memory.testing.in_memory_links import link_new_episode
from mcp_memory.testing.records import Record, Records, with_text


class InMemoryStore(InMemoryCuration):
    """See `ports.Store`."""

    def __init__(self) -> None:
        super().__init__(Records())

    async def start_episode(self, episode: Episode) -> None:
        r = self._records
        with r.lock:
            if episode.id in r.episodes:
                raise InvalidInput(f"there is an episode {episode.id!r} already")
            if episode.id in r.tombstones:
                raise InvalidInput(f"episode {episode.id!r} was deleted")
            if episode.external_id and r.external(episode.project, episode.external_id):
                raise InvalidInput(f"there is an episode with external_id {episode.external_id!r} already")
            for name, other in (("parent_id", episode.parent_id), ("follows", episode.follows)):
                if other and other not in r.episodes:
                    raise NotFound(f"`{name}` names no episode: {other!r}")
            self._insert(replace(episode, state=EpisodeState.OPEN, ended_at_ms=None))
            link_new_episode(r, episode.id, parent_id=episode.parent_id, follows=episode.follows)

    async def append_steps(self, episode_id: str, steps: Sequence[Step]) -> int:
        with self._records.lock:
            record = self._open_record(episode_id)
            first = len(record.base.steps)
            if first + len(steps) > limits.MAX_STEPS_PER_EPISODE:
                raise InvalidInput(f"the episode would have {first + len(steps):,} steps; the limit is {limits.MAX_STEPS_PER_EPISODE:,}")
            record.base = _with_steps(record.base, (*record.base.steps, *steps))
            return first

    async def complete_episode(self, completion: Completion) -> None:
        r, judged = self._records, completion.episode
        with r.lock:
            record = self._open_record(judged.id)
            if len(record.base.steps) != judged.step_count:
                raise Conflict(f"episode {judged.id!r} has {len(record.base.steps)} steps; {judged.step_count} were judged")
            record.base = replace(
                record.base,
                state=EpisodeState.COMPLETED,
                outcome=judged.outcome,
                reward=judged.reward,
                reflection=judged.reflection,
                ended_at_ms=judged.ended_at_ms,
                key_steps=judged.key_steps,
                files=judged.files,
                change_seq=r.change(ChangeKind.EPISODE_COMPLETED, judged.id),
            )
            r.unfinished_text.remove(record.row)
            self._completed([(record, completion)])

    async def import_episodes(self, items: Sequence[Completion | Episode]) -> list[bool]:
        r = self._records
        with r.lock:
            taken: set[str] = set(r.episodes)
            fresh: dict[tuple[str, str], str] = {}
            added: list[bool] = []
            for item in items:
                episode = item.episode if isinstance(item, Completion) else item
                key = (episode.project, episode.external_id or "")
                known = (bool(episode.external_id) and (key in fresh or r.external(*key) is not None)) or episode.id in r.tombstones
                if not known and episode.id in taken:
                    raise InvalidInput(f"there is an episode {episode.id!r} already")
                if not known:
                    taken.add(episode.id)
                    fresh[key] = episode.id
                added.append(not known)
            records = [(self._insert_imported(item), item) for item, new in zip(items, added, strict=True) if new]
            for record, item in records:
                self._connect(record, item.episode if isinstance(item, Completion) else item)
            self._completed([(record, item) for record, item in records if isinstance(item, Completion)])
            return added

    async def reindex(self, completions: Sequence[Completion]) -> None:
        r = self._records
        with r.lock:
            for completion in completions:
                record = r.episodes.get(completion.episode.id)
                if record is None or record.completion is None or record.episode.change_seq != completion.episode.change_seq:
                    continue
                text = replace(completion.index_text, surroundings=record.completion.index_text.surroundings)
                record.completion = replace(record.completion, index_text=text, errors=completion.errors, digest=completion.digest)
                r.index(record)
                r.change(ChangeKind.EPISODE_UPDATED, record.base.id)

    async def put_vectors(self, space: str, rows: Sequence[VectorRow]) -> None:
        r = self._records
        with r.lock:
            stored = r.vectors.setdefault(space, [])
            before = len(stored)
            for row in rows:
                record = r.episodes.get(row.episode_id)
                if record is None or not record.seq or any((v.episode_id, v.part) == (row.episode_id, row.part) for _, v in stored):
                    continue
                stored.append((r.next_vector, replace(row, seq=record.seq)))
                r.next_vector += 1
            if len(stored) > before:
                r.change(ChangeKind.VECTORS_ADDED, space)

    async def put_recommendation(self, recommendation: Recommendation) -> None:
        r = self._records
        with r.lock:
            if recommendation.episode_id not in r.tombstones and recommendation.id not in r.recommendations:
                r.recommendations[recommendation.id] = recommendation
                r.change(ChangeKind.RECOMMENDATION, recommendation.id)

    async def put_feedback(self, feedback: Feedback) -> None:
        r = self._records
        with r.lock:
            if feedback.recommendation_id not in r.recommendations:
                raise NotFound(f"there is no recommendation {feedback.recommendation_id!r}")
            if feedback.episode_id:
                r.refuse_deleted(feedback.episode_id)
            self._add_votes((feedback,))

    async def replace_outcome(self, completion: Completion, *, metadata: Mapping[str, Json], add_lessons: Sequence[str] = ()) -> None:
        r, judged = self._records, completion.episode
        with r.lock:
            record = r.record(judged.id)
            if record.completion is None:
                raise InvalidInput(f"episode {judged.id!r} is {record.base.state}")
            record.edits |= edit_fields((), (), metadata, None, add_lessons) | {OUTCOME: label_of(judged)}
            record.base = replace(record.base, change_seq=r.change(ChangeKind.EPISODE_UPDATED, judged.id))
            record.completion = replace(completion, index_text=record.completion.index_text)
            r.remove_evidence(judged.id)
            r.add_evidence(record, completion.observations)
            r.drop_unsupported()
            r.index(record)
            self._add_votes(completion.feedback)

    async def abandon_episodes(self, ids: Sequence[str], at_ms: int) -> int:
        r, count = self._records, 0
        with r.lock:
            for episode_id in ids:
                record = r.episodes.get(episode_id)
                if record is not None and record.base.state is EpisodeState.OPEN:
                    seq = r.change(ChangeKind.EPISODE_ABANDONED, episode_id)
                    record.base = replace(record.base, state=EpisodeState.ABANDONED, ended_at_ms=at_ms, change_seq=seq)
                    count += 1
        return count

    async def delete_episodes(self, ids: Sequence[str], reason: str, at_ms: int) -> Mapping[str, int]:
        with self._records.lock:
            return delete_records(self._records, ids)

    async def aclose(self) -> None:
        """Release the text indexes."""
        self._records.completed_text.close()
        self._records.unfinished_text.close()

    def _open_record(self, episode_id: str) -> Record:
        record = self._records.record(episode_id)
        if record.base.state is not EpisodeState.OPEN:
            raise EpisodeClosed(f"episode {episode_id!r} is already {record.base.state}")
        return record

    def _insert(self, episode: Episode) -> Record:
        r, completed = self._records, episode.state is EpisodeState.COMPLETED
        seq = r.change(ChangeKind.EPISODE_COMPLETED if completed else ChangeKind.EPISODE_STARTED, episode.id)
        record = r.episodes[episode.id] = Record(r.next_row, replace(episode, change_seq=seq))
        r.next_row += 1
        if not completed:
            r.unfinished_text.put(record.row, with_text(episode.task))
        return record

    def _insert_imported(self, item: Completion | Episode) -> Record:
        episode = item.episode if isinstance(item, Completion) else item
        if isinstance(item, Episode):
            episode = replace(episode, outcome=None, reward=None, reflection=None, key_steps=(), files=None, ended_at_ms=None)
        state = EpisodeState.COMPLETED if isinstance(item, Completion) else EpisodeState.OPEN
        return self._insert(_with_steps(replace(episode, state=state, parent_id=None, follows=None), episode.steps))

    def _connect(self, record: Record, given: Episode) -> None:
        """Resolve what an imported episode refers to, and who was waiting for it."""
        r = self._records
        follows, parent = self._resolve(given, given.follows), self._resolve(given, given.parent_id)
        record.follows_external = given.follows if follows is None and given.follows not in (given.id, given.external_id) else None
        record.base = replace(record.base, follows=follows, parent_id=parent or given.parent_id)
        link_new_episode(r, given.id, parent_id=parent, follows=follows)
        for waiting in r.episodes.values():
            if given.external_id and (waiting.base.project, waiting.follows_external) == (given.project, given.external_id):
                seq = r.change(ChangeKind.EPISODE_UPDATED, waiting.base.id)
                waiting.base, waiting.follows_external = replace(waiting.base, follows=given.id, change_seq=seq), None
                link_new_episode(r, waiting.base.id, parent_id=None, follows=given.id)

    def _resolve(self, given: Episode, reference: str | None) -> str | None:
        if not reference:
            return None
        found = self._records.external(given.project, reference) or (reference if reference in self._records.episodes else None)
        return None if found == given.id else found

    def _completed(self, completed: Sequence[tuple[Record, Completion]]) -> None:
        """Index completed episodes and their neighbours, and add their evidence and votes."""
        r = self._records
        for record, completion in completed:
            record.completion = completion
            record.seq, r.next_seq = r.next_seq, r.next_seq + 1
            r.add_evidence(record, completion.observations)
        touched = {record.seq: record for record, _ in completed}
        touched |= {other.seq: other for record, _ in completed for other in r.neighbours(record)}
        for record in touched.values():
            r.index(record)
        for _, completion in completed:
            self._add_votes(completion.feedback)

    def _add_votes(self, votes: Sequence[Feedback]) -> None:
        r = self._records
        for vote in votes:
            if vote.recommendation_id in r.recommendations and all(v.id != vote.id for _, v in r.feedback):
                r.feedback.append((r.next_feedback, vote))
                r.next_feedback += 1
                r.change(ChangeKind.FEEDBACK, vote.id)


def _with_steps(episode: Episode, steps: Sequence[Step]) -> Episode:
    return replace(episode, steps=tuple(replace(step, index=i) for i, step in enumerate(steps)), step_count=len(steps))
