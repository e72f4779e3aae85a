"""What the in-memory store keeps: plain dicts and lists, the oracle for the durable store."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mcp_memory.domain.curation import Correction, Link, StoredCheckpoint
from mcp_memory.domain.edits import LESSON, apply_edits
from mcp_memory.domain.episode import Episode, EpisodeState, Json, Trace, trace_of
from mcp_memory.domain.feedback import Feedback, Recommendation
from mcp_memory.domain.pattern import Evidence, Observation, PatternKind
from mcp_memory.domain.query import Change, ChangeKind
from mcp_memory.domain.sources import Quarantine, Source, SourceKind, sources_of
from mcp_memory.errors import NotFound
from mcp_memory.ports import Completion, IndexText, VectorRow
from mcp_memory.testing.text_index import TextIndex


@dataclass(slots=True)
class Record:
    """One episode with its edits, and what its completion added."""

    row: int
    base: Episode
    edits: dict[str, Json] = field(default_factory=dict)
    follows_external: str | None = None
    completion: Completion | None = None
    seq: int = 0  # of the trace; 0 while not completed

    @property
    def episode(self) -> Episode:
        """The episode as its edits make it."""
        return apply_edits(self.base, sorted(self.edits.items()))

    @property
    def trace(self) -> Trace:
        assert self.completion is not None
        return trace_of(self.episode, self.completion.errors, self.completion.digest, self.seq)


@dataclass(frozen=True, slots=True)
class PatternRecord:
    """A pattern as its first observation described it."""

    kind: PatternKind
    content: Mapping[str, Json]
    description: str
    domain: str


class Records:
    """All rows, and the small questions both halves of the store ask of them."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.episodes: dict[str, Record] = {}  # in order of insertion
        self.next_row = 1
        self.next_seq = 1
        self.changes: list[Change] = []
        self.patterns: dict[str, PatternRecord] = {}
        self.evidence: dict[str, list[tuple[int, str, Evidence]]] = {}  # pattern id → (episode row, project, evidence)
        self.vectors: dict[str, list[tuple[int, VectorRow]]] = {}  # space → (row number, vector)
        self.next_vector = 1
        self.recommendations: dict[str, Recommendation] = {}
        self.feedback: list[tuple[int, Feedback]] = []
        self.next_feedback = 1
        self.links: dict[str, Link] = {}
        self.checkpoints: dict[str, StoredCheckpoint] = {}
        self.corrections: list[tuple[str, Correction]] = []
        self.tombstones: set[str] = set()
        self.quarantines: dict[Source, Quarantine] = {}
        self.completed_text = TextIndex()
        self.unfinished_text = TextIndex()

    def change(self, kind: ChangeKind, entity_id: str) -> int:
        """Append to the change feed and return the new sequence."""
        self.changes.append(Change(len(self.changes) + 1, str(kind), entity_id))
        return len(self.changes)

    def record(self, episode_id: str) -> Record:
        """Return the record. Raises NotFound."""
        found = self.episodes.get(episode_id)
        if found is None:
            self.refuse_deleted(episode_id)
            raise NotFound(f"there is no episode {episode_id!r}")
        return found

    def refuse_deleted(self, episode_id: str) -> None:
        """Raise NotFound when the episode was deleted."""
        if episode_id in self.tombstones:
            raise NotFound(f"episode {episode_id!r} was deleted")

    def is_quarantined(self, episode_id: str | None) -> bool:
        """Whether the episode comes from a quarantined source."""
        found = self.episodes.get(episode_id or "")
        return found is not None and any(source in self.quarantines for source in sources_of(found.base.agent, found.base.metadata))

    def silenced(self) -> set[str]:
        """Return the names of the quarantined agents."""
        return {source.name for source in self.quarantines if source.kind is SourceKind.AGENT}

    def external(self, project: str, external_id: str) -> str | None:
        """Return the id of the episode with that external id, if any."""
        return next((r.base.id for r in self.episodes.values() if (r.base.project, r.base.external_id) == (project, external_id)), None)

    def neighbours(self, record: Record) -> list[Record]:
        """Return the completed episodes right before and after one in its thread."""
        before = [r for r in self.episodes.values() if r.base.id == record.base.follows]
        after = [r for r in self.episodes.values() if r.base.follows == record.base.id]
        return [r for r in before + after if r.base.state is EpisodeState.COMPLETED]

    def index(self, record: Record) -> None:
        """Index the text of a completed episode, with the tasks of its neighbours."""
        assert record.completion is not None
        text = record.completion.index_text
        tasks = [text.surroundings] if text.surroundings else []
        tasks += [r.episode.task for r in self.neighbours(record)]
        task = record.episode.task if "task" in record.edits else text.task
        added = [field.removeprefix(LESSON) for field in record.edits if field.startswith(LESSON)]
        notes = "\n".join([text.notes, *added])
        self.completed_text.put(record.seq, replace(text, task=task, notes=notes, surroundings="\n".join(tasks)))

    def add_evidence(self, record: Record, observations: tuple[Observation, ...]) -> None:
        """Store what one episode says about its patterns."""
        episode = record.base
        at_ms = episode.ended_at_ms or episode.started_at_ms
        for o in observations:
            self.patterns.setdefault(o.pattern_id, PatternRecord(o.kind, o.content, o.description, episode.context.domain))
            row = Evidence(o.pattern_id, episode.id, o.success, o.weight, at_ms, o.detail)
            self.evidence.setdefault(o.pattern_id, []).append((record.row, episode.project, row))

    def remove_evidence(self, episode_id: str) -> int:
        """Take back what one episode says about its patterns; return how many pieces went."""
        before = sum(map(len, self.evidence.values()))
        self.evidence = {key: [e for e in rows if e[2].episode_id != episode_id] for key, rows in self.evidence.items()}
        return before - sum(map(len, self.evidence.values()))

    def drop_unsupported(self) -> int:
        """Let go of the patterns without evidence; return how many went."""
        gone = [key for key, rows in self.evidence.items() if not rows]
        for key in gone:
            del self.evidence[key], self.patterns[key]
        return len(gone)


def with_text(task: str) -> IndexText:
    """Return what is searchable of an episode that is not completed."""
    return IndexText(task=task, steps="")
