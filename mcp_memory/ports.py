"""Every seam of the program, on one page.

Conventions every port keeps, checked by its contract suite:

* `get_many`-style calls return one item per key, in order, None where missing. Missing is no error below `memory.py`.
* A `Store` write is committed when its awaitable returns; a failed write changed nothing. Once accepted it happens even if the
  caller stops waiting. Reads of a `Store` are synchronous, short, safe from any thread, and see every commit made before they began.
* A completed episode is never overwritten; caches rest on that. A `Cache` may forget at any time.
* Ports speak domain objects and raise only `McpMemoryError`s.
* Vectors of different spaces (`provider:model:dimension`) never meet: the space is part of every key.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from mcp_memory.domain.episode import Episode, Json, Reflection, Reward, Step, Trace
from mcp_memory.domain.feedback import Feedback, Recommendation
from mcp_memory.domain.pattern import Evidence, Observation, Pattern
from mcp_memory.domain.query import Change, Filter, Page, Sort, TextQuery
from mcp_memory.domain.shared_facts import Fact
from mcp_memory.domain.sources import Quarantine

if TYPE_CHECKING:
    import numpy as np

Clock = Callable[[], int]  # milliseconds since the epoch


@dataclass(frozen=True, slots=True)
class IndexText:
    """What is searched by words of a completed episode; the fields are weighed by `TextQuery.weights`."""

    task: str
    steps: str  # tools, arguments, errors, parts of observations
    notes: str = ""  # summary, lessons, artifacts
    surroundings: str = ""  # tasks of the neighbouring episodes of the same thread


@dataclass(frozen=True, slots=True)
class Completion:
    """Everything that one completion writes, in one transaction."""

    episode: Episode  # state completed, with outcome, reward, reflection, steps
    index_text: IndexText
    observations: tuple[Observation, ...] = ()
    errors: tuple[tuple[int, str], ...] = ()  # (step index, error signature), kept in the trace
    digest: Mapping[str, Json] | None = None  # the learner's compact extras, kept in the trace
    feedback: tuple[Feedback, ...] = ()  # implicit votes


class TextHit(NamedTuple):
    """One lexical candidate: higher score is better (negated bm25)."""

    seq: int
    episode_id: str
    score: float


@dataclass(frozen=True, slots=True)
class VectorRow:
    """One stored embedding: int8 codes (dimension bytes) with their scale; vector = codes * scale."""

    seq: int  # the episode's row number
    episode_id: str
    part: int  # 0 = the task; further parts as the retriever defines them
    scale: float
    codes: bytes


class PatternTally(NamedTuple):
    """That an episode is evidence for a pattern, and how often the pattern held."""

    episode_id: str
    pattern_id: str
    kind: str
    successes: int
    failures: int


class EpisodeStore(Protocol):
    """Episodes: how they come about, and how they are found by id and by filter."""

    async def start_episode(self, episode: Episode) -> None:
        """Insert an open episode.

        Raises InvalidInput: the id or external_id exists, or the id was deleted; NotFound: `parent_id`/`follows` unknown.
        """

    async def append_steps(self, episode_id: str, steps: Sequence[Step]) -> int:
        """Append to an open episode, all or none; return the index of the first. Concurrent calls get consecutive ranges in call order.

        Raises NotFound, EpisodeClosed, InvalidInput (MAX_STEPS_PER_EPISODE), Overloaded, StoreUnavailable.
        """

    async def complete_episode(self, completion: Completion) -> None:
        """Close an open episode: record, text, evidence, feedback and trace in one transaction.

        Raises NotFound, EpisodeClosed; Conflict when the stored step count differs from `completion.episode.step_count` (judge again).
        """

    async def import_episodes(self, items: Sequence[Completion | Episode]) -> list[bool]:
        """Insert whole episodes in one transaction: a Completion is completed, an Episode stays open (with its steps).

        Idempotent by (project, external_id): False where it is there already, or was deleted: what was forgotten does not come back.
        `follows` may name an external_id of the same project.
        """

    async def abandon_episodes(self, ids: Sequence[str], at_ms: int) -> int: ...

    def get_episodes(self, ids: Sequence[str], *, steps: bool = True) -> list[Episode | None]: ...

    def find_external(self, project: str, external_ids: Sequence[str]) -> list[str | None]: ...

    def ids_starting(self, prefix: str, limit: int) -> list[str]:
        """Return the ids of episodes, patterns, recommendations and checkpoints that begin with *prefix*, in order, at most *limit*."""

    def list_episodes(self, where: Filter, *, sort: Sort, limit: int, cursor: str | None, text: TextQuery | None = None) -> Page:
        """Ids in order, with *text* only of those it finds. A cursor is bound to the change sequence it was made at.

        Raises InvalidInput: the cursor is not one of ours.
        """

    def distinct(self, column: str, prefix: str, limit: int) -> list[str]:
        """Known values of project, domain, language, framework or agent that start with *prefix* (for completions)."""


class TextSearch(Protocol):
    """Completed episodes by their words."""

    def search_text(self, query: TextQuery, *, project: str, limit: int) -> list[TextHit]:
        """Lexical candidates among completed episodes, best first; project "*" asks all. None for a query without words."""

    def term_counts(self, terms: Sequence[str]) -> list[int]:
        """In how many indexed episodes each term occurs, in any form of the word; one of several words counts as a phrase."""


class LearningStore(Protocol):
    """What is learnt from episodes, what was shown of it, and what came of that."""

    async def put_recommendation(self, recommendation: Recommendation) -> None:
        """Keep what was shown; nothing where the episode it was shown to was deleted."""

    async def put_feedback(self, feedback: Feedback) -> None:
        """Append a vote. Raises NotFound: no such recommendation, or its episode was deleted. The latest explicit vote on one counts."""

    def traces(self, *, after_seq: int = 0, ids: Sequence[str] | None = None, limit: int = 10_000) -> list[Trace]:
        """Completed episodes' traces in row order (`Trace.seq`), or those of `ids` (missing ones left out)."""

    def patterns(
        self,
        *,
        ids: Sequence[str] | None = None,
        project: str = "*",
        kind: str = "",
        min_support: int = 1,
        words: Sequence[str] = (),
        limit: int = 1000,
    ) -> list[Pattern]:
        """Patterns with counts over their evidence in *project*; confidence is left 0 (learning computes it). Best supported first.

        With *words*, in lower case, only those whose description contains one of them, as a word or within one; not together with *ids*.
        """

    def pattern_tallies(self, episode_ids: Sequence[str], *, project: str = "*") -> list[PatternTally]:
        """Which patterns the episodes are evidence for, with these patterns' counts in *project*; contents are not read."""

    def evidence(self, pattern_ids: Sequence[str], *, limit_each: int = 50, details: bool = True) -> dict[str, list[Evidence]]:
        """Each pattern's evidence, newest episode first; without *details* theirs are left empty, which saves decoding them."""

    def episode_patterns(self, episode_ids: Sequence[str]) -> dict[str, list[str]]:
        """Which patterns each episode is evidence for."""

    def recommendations(self, *, ids: Sequence[str] | None = None, episode_id: str | None = None) -> list[Recommendation]: ...

    def feedback(self, *, project: str = "*", after_rowid: int = 0) -> tuple[list[tuple[Feedback, Recommendation]], int]: ...


class CurationStore(Protocol):
    """Tending what is there. Edits and links: the last writer wins, by a clock that never goes back (`domain/hlc.py`), then by replica."""

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
        """Edits, applied over the immutable record at read time; a later call's win, whatever the wall clock does. Raises NotFound."""

    async def replace_outcome(self, completion: Completion, *, metadata: Mapping[str, Json], add_lessons: Sequence[str] = ()) -> None:
        """Lay another outcome, with reward, reflection and key steps, over a completed episode's, as an edit; in the same transaction
        its evidence, trace and counts become those of *completion*, whose votes are appended. Raises NotFound, InvalidInput: not completed.
        """

    async def put_link(self, from_id: str, to_id: str, link_type: str, note: str, at_ms: int) -> str:
        """Insert a link and return its id (the same one for the same triple).

        Raises NotFound; InvalidInput for a cycle in parent_child, depends_on or follows, naming the path.
        """

    async def remove_link(self, from_id: str, to_id: str, link_type: str) -> bool: ...

    async def put_checkpoint(self, checkpoint_id: str, episode_id: str, content: Mapping[str, Json], at_ms: int) -> None: ...

    async def put_correction(self, target_id: str, content: Mapping[str, Json], at_ms: int) -> str:
        """Append a correction of a pattern or lesson and return its id; it outranks what it corrects, and the latest counts.

        Raises NotFound: the episode it corrects was deleted.
        """

    async def delete_episodes(self, ids: Sequence[str], reason: str, at_ms: int) -> Mapping[str, int]:
        """Delete episodes with steps, vectors, evidence, text, votes, links; return counts by kind.

        Tombstones are left: a later write to a deleted episode is NotFound, and starting or importing it again does not bring it back.
        """

    async def put_quarantine(self, quarantine: Quarantine, *, active: bool) -> int:
        """Put a source in quarantine, or release it, and return how many episodes it has.

        While it stands, also for what arrives later, nothing of the source is in `traces`, `vectors`, `search_text`, `patterns`,
        `evidence`, `feedback` and `corrections`, and in `list_episodes` only when asked for. Read by id it is there. Releasing brings
        everything back.
        """

    def quarantines(self) -> list[Quarantine]:
        """What stands, by kind and name."""

    def quarantined_episodes(self) -> set[str]:
        """The ids of the episodes of quarantined sources."""

    def corrections(self, target_ids: Sequence[str] | None = None) -> dict[str, Mapping[str, Json]]: ...

    def links(self, episode_ids: Sequence[str]) -> list[tuple[str, str, str, str, str]]:
        """(link_id, from_id, to_id, type, note) of every link touching one of the episodes."""

    def checkpoint(self, checkpoint_id: str) -> tuple[str, Mapping[str, Json]] | None:
        """(episode_id, content), or None."""

    def latest_checkpoint(self, episode_id: str) -> str | None: ...


class Feed(Protocol):
    """What has changed, and the vectors, which are followed row by row."""

    def change_seq(self) -> int:
        """The sequence of the last committed change that answers depend on, by any process; costs microseconds."""

    def changes_after(self, seq: int, limit: int = 10_000) -> list[Change]:
        """The changes that answers depend on (`ChangeKind.answers`), in order."""

    def facts_after(self, seq: int, limit: int = 10_000) -> list[Change]:
        """Every fact that was written but steps, in order: for whoever copies the memory. Its sequence is that of the changes."""

    async def put_vectors(self, space: str, rows: Sequence[VectorRow]) -> None:
        """Add embeddings; a row that is there already (same space, episode, part) is left as it is, one of a deleted episode left out."""

    def vectors(self, space: str, *, after_rowid: int = 0, limit: int = 50_000) -> tuple[list[VectorRow], int]:
        """Stored embeddings of a space in insertion order, and the rowid to go on from."""

    def missing_vectors(self, space: str, limit: int) -> list[str]:
        """Ids of completed episodes without a part-0 vector in *space*, newest first: the embedding queue."""


class Store(EpisodeStore, TextSearch, LearningStore, CurationStore, Feed, Protocol):
    """The truth, with everything it can do. Implementations: `SqliteStore`, `testing.InMemoryStore`."""

    def counts(self, project: str = "*") -> Mapping[str, int]:
        """episodes, open, completed, abandoned, steps, patterns, evidence, vectors, recommendations, feedback, links, checkpoints."""

    def check(self) -> list[str]:
        """Problems found by a full integrity check; empty when sound. May take seconds."""

    def info(self) -> Mapping[str, Json]:
        """path, size_bytes, schema_version, replica_id, synchronous, journal_mode, queue_depth, compression_ratio, processes,
        file_system, cache {...}, notices [...]."""

    async def aclose(self) -> None: ...


class Cache(Protocol):
    """Bytes to bytes, memory-mapped, shared by the processes of one machine. Implementations: `LmdbCache`, `testing.InMemoryCache`."""

    def get_many(self, namespace: str, keys: Sequence[bytes]) -> list[bytes | None]: ...

    def put_many(self, namespace: str, items: Iterable[tuple[bytes, bytes]]) -> None: ...

    def delete_many(self, namespace: str, keys: Sequence[bytes]) -> None: ...

    def stats(self) -> Mapping[str, Json]:
        """hits, misses, errors, entries, used_bytes, max_bytes, evictions, rebuilt (a sentence, or "")."""

    def close(self) -> None: ...


class Embedder(Protocol):
    """Text to unit vectors. Implementations: `OnnxEmbedder`, `HttpEmbedder` (OpenAI, Mistral), `CachedEmbedder`, `testing.HashEmbedder`."""

    @property
    def space(self) -> str:
        """`provider:model:dimension`."""

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str], *, role: str = "document") -> "np.ndarray":
        """Return float32 unit vectors, shape (n, dimension). Blocking; call it from a thread. Roles: document, query.

        Raises ModelUnavailable, ProviderUnavailable.
        """


class VectorIndex(Protocol):
    """Nearest rows by cosine; a key (an episode's `seq`) may own several. Implementations: `SignBitIndex`, and the plain product as oracle.

    Not safe for concurrent use: `Views` has the lock.
    """

    def __len__(self) -> int:
        """How many rows there are."""

    def __contains__(self, key: int) -> bool: ...

    def add(self, keys: Sequence[int], codes: "np.ndarray", scales: "np.ndarray") -> None:
        """Append unit vectors as int8 rows (n, d) with float32 scales (n,): vector = codes * scale."""

    def remove(self, keys: Sequence[int]) -> None:
        """Forget all rows of the keys; unknown keys are ignored."""

    def search(self, vector: "np.ndarray", k: int, allowed: "np.ndarray | None" = None) -> "tuple[np.ndarray, np.ndarray]":
        """Return (keys, similarities) of the k best distinct keys, best first. `allowed`: sorted keys to restrict to."""

    def similarities(self, vector: "np.ndarray", keys: Sequence[int]) -> "np.ndarray":
        """Return each key's similarity to *vector* (of its best row), float32; NaN for a key that has no row."""

    def rows(self, keys: Sequence[int]) -> "np.ndarray":
        """Return the vectors of the keys, float32 (n, d): each key's first row, zeros where it has none."""


# --- what retrieval, learning and the verbs hand to each other ---

Neighbours = Sequence[tuple[str, float]]  # (episode id, task similarity in [0, 1]), best first


@dataclass(frozen=True, slots=True)
class Judgement:
    """What completion makes of an episode."""

    reward: Reward
    reflection: Reflection
    key_steps: tuple[int, ...]  # indexes of the two or three steps that mattered


@dataclass(frozen=True, slots=True)
class Extraction:
    """One episode's evidence, and what its trace keeps for the learner."""

    observations: tuple[Observation, ...]
    errors: tuple[tuple[int, str], ...]  # (step index, error signature)
    digest: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Situation:
    """Where an agent stands: the open episode's task, context and steps so far, and the episodes like it."""

    episode: Episode  # open, with its steps
    neighbours: Neighbours


# --- one memory on many machines: a log of facts beside the store ---


@dataclass(frozen=True, slots=True)
class LogMark:
    """How far a replica knows a log, and by what it will notice that the log went back: restored, or its last commits lost."""

    epoch: str = ""  # of the log
    seq: int = 0  # the last fact that was applied
    batch: int = 0  # the newest batch that was seen,
    nonce: str = ""  # and what was drawn for it
    acknowledged: int = 0  # the highest of the replica's own batches that the log took


@dataclass(frozen=True, slots=True)
class Batch:
    """What one request appends. `number` grows with every batch of an origin; None: more of this batch follows."""

    origin: str
    number: int | None
    facts: tuple[Fact, ...]
    erased: tuple[str, ...] = ()  # ids whose facts, with those whose ids go on from them, are deleted


@dataclass(frozen=True, slots=True)
class LogPage:
    """What a log answers to a reader."""

    facts: tuple[Fact, ...]  # after the reader's place, in order, with their `seq`
    epoch: str
    batch: int  # the newest batch, 0 where there is none, and its nonce
    nonce: str
    nonce_at_mark: str  # of the batch that the reader saw last, "" where it is not there
    own: int  # the highest number of the reader's own batches
    last_seq: int  # of all facts, those of other projects too


class SharedLog(Protocol):
    """An append-only log of facts on a server that several machines reach.

    Every call is one transaction, blocks, and may be repeated when its answer was lost: what is there is not added again. A fact has one
    place; readers see places in the order of commits, so that none is missed. Raises RemoteUnavailable (try later), RemoteRefused (a
    person must act). Implementations: `HranaLog`, `PostgresLog`, `testing.InMemoryLog`.
    """

    def ensure(self) -> None:
        """Make the tables where they are missing. Raises RemoteRefused: a later version made them."""

    def append(self, batch: Batch) -> int:
        """Add the facts that are not there, all or none, and return the number of the newest batch.

        A fact whose owner has a tombstone is left out, and a tombstone deletes what there is of its owner. The record of a completed
        episode deletes what was told of it while it was open, which is left out from then on.
        """

    def read(self, mark: LogMark, origin: str, projects: Collection[str], limit: int) -> LogPage:
        """Return facts after `mark.seq`, of *projects* where some are named, and what tells whether the log is the one that was marked."""

    def newest_batch(self) -> int:
        """Return the number of the newest batch: one row is read."""

    def close(self) -> None:
        """Let go of the connection; a call that waits in another thread ends with RemoteUnavailable."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Facts for a log: what the outbox names after the last acknowledgement, up to a row."""

    up_to: int
    facts: tuple[Fact, ...]
    erased: tuple[str, ...] = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class RemoteState:
    """How things stand with one log, as the store has it."""

    url: str
    mark: LogMark
    pending: int  # rows of the outbox that the log does not have
    done_up_to: int  # the last row of the outbox that it has, or that is not for it
    resyncs: int  # how often it had gone back
    in_step_at_ms: int | None  # when nothing was left to send and to read
    last_error: str


class Replica(Protocol):
    """The side of a store that is shared. Implementation: `SqliteStore`."""

    async def share_with(self, urls: Sequence[str]) -> None:
        """Keep an outbox for these logs; to one that is new, everything there is goes. Those named before stay."""

    async def share_no_more(self, url: str) -> bool:
        """Forget a log and what waits for it; return whether it was known."""

    def shared_with(self) -> list[str]: ...

    def remote_state(self, url: str) -> RemoteState:
        """Raises NotFound: it is not shared with."""

    def newest_outgoing(self) -> int:
        """Return the last row of the outbox, which everything committed before is at or below."""

    def outgoing(self, url: str, projects: Collection[str], limit: int) -> Outgoing:
        """Return the facts of up to *limit* rows of the outbox, some 2 MB of them; those that are no longer true are left out."""

    async def acknowledge(self, url: str, up_to: int, *, told: bool) -> None:
        """Note that a log is done with the outbox up to that row; not *told*: nothing of it was for this log, and no batch was sent."""

    async def apply(self, url: str, facts: Sequence[Fact], mark: LogMark | None, derive: Callable[[Episode], Completion]) -> None:
        """Apply facts of a log, each with the place in the log in one transaction; at the last, note *mark*.

        *derive* makes of a completed episode what its completion writes here. Applying a fact again changes nothing. What cannot be applied
        yet (a kind that is not known, an episode that has not come) is kept until it can.
        """

    async def read_again(self, url: str, epoch: str, *, went_back: bool) -> None:
        """Forget the place in the log and queue every fact there is for it."""

    async def note_remote(self, url: str, in_step_at_ms: int | None, error: str) -> None: ...
