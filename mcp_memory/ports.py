"""Every seam of the program, on one page.

Conventions every port keeps, checked by its contract suite:

* `get_many`-style calls return one item per key, in order, None where missing. Missing is no error below `memory.py`.
* A `Store` write is committed when its awaitable returns; a failed write changed nothing. Once accepted it happens even if the
  caller stops waiting. Reads of a `Store` are synchronous, short, safe from any thread, and see every commit made before they began.
* A completed episode is never overwritten; caches rest on that. A `Cache` may forget at any time.
* Ports speak domain objects and raise only `McpMemoryError`s.
* Vectors of different spaces (`provider:model:dimension`) never meet: the space is part of every key.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from mcp_memory.domain.answers import Playbook, Recovery, StepWarning
from mcp_memory.domain.episode import Episode, Json, Reflection, Reward, Step, Trace
from mcp_memory.domain.feedback import Feedback, Recommendation
from mcp_memory.domain.pattern import Evidence, Observation, Pattern
from mcp_memory.domain.query import Change, Filter, Outlook, Page, Query, Ranking, Sort, Suggestion
from mcp_memory.domain.reports import Trends
from mcp_memory.domain.votes import VoteStats

if TYPE_CHECKING:
    import numpy as np

Clock = Callable[[], int]  # milliseconds since the epoch


@dataclass(frozen=True, slots=True)
class IndexText:
    """What FTS5 indexes of a completed episode, one field a column."""

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


TEXT_WEIGHTS = (1.0, 0.5, 0.5, 0.4)  # of IndexText's columns in bm25; notes repeat the task, surroundings are other episodes' tasks


@dataclass(frozen=True, slots=True)
class TextHit:
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


class Store(Protocol):
    """The truth. Implementations: `SqliteStore`, `DualStore` (hot tier in front), `testing.InMemoryStore`."""

    # --- writes (committed when they return) ---
    async def start_episode(self, episode: Episode) -> None:
        """Insert an open episode. Raises InvalidInput: the id or external_id exists; NotFound: `parent_id`/`follows` unknown."""

    async def append_steps(self, episode_id: str, steps: Sequence[Step]) -> int:
        """Append to an open episode, all or none; return the index of the first. Concurrent calls get consecutive ranges in call order.

        Raises NotFound, EpisodeClosed, InvalidInput (MAX_STEPS_PER_EPISODE), Overloaded, StoreUnavailable.
        """

    async def complete_episode(self, completion: Completion) -> None:
        """Close an open episode: record, FTS text, evidence, feedback and trace in one transaction.

        Raises NotFound, EpisodeClosed; Conflict when the stored step count differs from `completion.episode.step_count` (judge again).
        """

    async def import_episodes(self, items: Sequence[Completion | Episode]) -> list[bool]:
        """Insert whole episodes in one transaction: a Completion is completed, an Episode stays open (with its steps).

        Idempotent by (project, external_id): False where it was there already. `follows` may name an external_id of the same project.
        """

    async def put_vectors(self, space: str, rows: Sequence[VectorRow]) -> None:
        """Add embeddings; a row that is there already (same space, episode, part) is left as it is."""

    async def put_recommendation(self, recommendation: Recommendation) -> None: ...

    async def put_feedback(self, feedback: Feedback) -> None:
        """Append a vote. Raises NotFound: no such recommendation. Of several explicit votes on one, the latest counts."""

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
        """Last-writer-wins edits, applied over the immutable record at read time; lessons are added, and found by text. Raises NotFound."""

    async def put_link(self, from_id: str, to_id: str, link_type: str, note: str, at_ms: int) -> str:
        """Insert a link and return its id (the same one for the same triple).

        Raises NotFound; InvalidInput for a cycle in parent_child, depends_on or follows, naming the path.
        """

    async def remove_link(self, from_id: str, to_id: str, link_type: str) -> bool: ...

    async def put_checkpoint(self, checkpoint_id: str, episode_id: str, content: Mapping[str, Json], at_ms: int) -> None: ...

    async def put_correction(self, target_id: str, content: Mapping[str, Json], at_ms: int) -> None:
        """Append a correction of a pattern or lesson; it outranks what it corrects."""

    async def abandon_episodes(self, ids: Sequence[str], at_ms: int) -> int: ...

    async def delete_episodes(self, ids: Sequence[str], reason: str, at_ms: int) -> Mapping[str, int]:
        """Delete episodes with steps, vectors, evidence, text, votes, links; leave tombstones. Returns counts by kind."""

    # --- reads (synchronous, any thread) ---
    def get_episodes(self, ids: Sequence[str], *, steps: bool = True) -> list[Episode | None]: ...

    def find_external(self, project: str, external_ids: Sequence[str]) -> list[str | None]: ...

    def ids_starting(self, prefix: str, limit: int) -> list[str]:
        """Return the ids of episodes, patterns, recommendations and checkpoints that begin with *prefix*, in order, at most *limit*."""

    def list_episodes(self, where: Filter, *, sort: Sort, limit: int, cursor: str | None, text_match: str | None = None) -> Page:
        """Ids in order. `text_match` is an FTS5 expression. A cursor is bound to the change sequence it was made at.

        Raises InvalidInput: the cursor is not one of ours.
        """

    def search_text(self, match: str, *, project: str, limit: int, weights: Sequence[float] = TEXT_WEIGHTS) -> list[TextHit]:
        """Lexical candidates among completed episodes, best first. `match` must be a valid FTS5 expression; project "*" asks all."""

    def term_counts(self, terms: Sequence[str]) -> list[int]:
        """In how many indexed episodes each term occurs, as FTS5 tokenises it; one of several tokens counts as a phrase."""

    def change_seq(self) -> int:
        """The sequence of the last committed change, by any process; costs microseconds."""

    def changes_after(self, seq: int, limit: int = 10_000) -> list[Change]: ...

    def traces(self, *, after_seq: int = 0, ids: Sequence[str] | None = None, limit: int = 10_000) -> list[Trace]:
        """Completed episodes' traces in row order (`Trace.seq`), or those of `ids` (missing ones left out)."""

    def vectors(self, space: str, *, after_rowid: int = 0, limit: int = 50_000) -> tuple[list[VectorRow], int]:
        """Stored embeddings of a space in insertion order, and the rowid to go on from."""

    def missing_vectors(self, space: str, limit: int) -> list[str]:
        """Ids of completed episodes without a part-0 vector in *space*, newest first: the embedding queue."""

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

    def corrections(self, target_ids: Sequence[str] | None = None) -> dict[str, Mapping[str, Json]]: ...

    def links(self, episode_ids: Sequence[str]) -> list[tuple[str, str, str, str, str]]:
        """(link_id, from_id, to_id, type, note) of every link touching one of the episodes."""

    def checkpoint(self, checkpoint_id: str) -> tuple[str, Mapping[str, Json]] | None:
        """(episode_id, content), or None."""

    def latest_checkpoint(self, episode_id: str) -> str | None: ...

    def counts(self, project: str = "*") -> Mapping[str, int]:
        """episodes, open, completed, abandoned, steps, patterns, evidence, vectors, recommendations, feedback, links, checkpoints."""

    def distinct(self, column: str, prefix: str, limit: int) -> list[str]:
        """Known values of project, domain, language, framework or agent that start with *prefix* (for completions)."""

    def check(self) -> list[str]:
        """Problems found by a full integrity check; empty when sound. May take seconds."""

    def info(self) -> Mapping[str, Json]:
        """path, size_bytes, schema_version, synchronous, journal_mode, queue_depth, compression_ratio, cache {...}, notices [...]."""

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
    """Nearest rows by cosine. Implementations: `retrieval.SignBitIndex`; the oracle in its contract suite is the plain product."""

    def __len__(self) -> int: ...

    def add(self, keys: Sequence[int], vectors: "np.ndarray") -> None:
        """Append unit vectors float32 (n, d) under integer keys (an episode's seq; a key may own several rows)."""

    def remove(self, keys: Sequence[int]) -> None: ...

    def search(self, vector: "np.ndarray", k: int, allowed: "np.ndarray | None" = None) -> "tuple[np.ndarray, np.ndarray]":
        """Return (keys, similarities) of the k best distinct keys, best first. `allowed`: sorted keys to restrict to."""


# --- the two engines, as the front door calls them (all methods are blocking and called from worker threads under one lock) ---

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


class RetrievalEngine(Protocol):
    """Query to ranked matches. Implementation: `retrieval.Retriever(store, config, metrics, clock)`."""

    def index_text(self, episode: Episode) -> IndexText:
        """What FTS5 indexes of a completed episode. Pure."""

    def embedding_texts(self, episode: Episode) -> Sequence[str]:
        """The texts to embed: entry i becomes the vectors' part i. Pure."""

    def query_texts(self, text: str) -> Sequence[str]:
        """The texts to embed for a query: all of it first, then its parts, if that helps. Pure."""

    def add(self, traces: Sequence[Trace]) -> None: ...

    def remove(self, episode_ids: Sequence[str]) -> None: ...

    def add_vectors(self, space: str, rows: Sequence[VectorRow]) -> None: ...

    def set_votes(self, votes: Mapping[str, float]) -> None:
        """Net feedback per episode id in [-1, 1], already shrunk."""

    def look_up(self, query: Query) -> None:
        """Do the lexical search of a `rank` that follows ahead of it, so that it can run beside the embedding of the query."""

    def rank(self, query: Query, vectors: "Mapping[str, np.ndarray]") -> Ranking:
        """Return the best matches.

        `vectors` holds, per space, the unit vectors of `query_texts`, one a row (the first alone, or a plain vector, will do). It may
        be empty: then the search is lexical only, and `degraded` says so.
        """

    def similar(self, query: Query, vectors: "Mapping[str, np.ndarray]", k: int) -> Neighbours:
        """Return the k episodes of the query's project whose tasks are most alike: cosine of the task vectors, cut to [0, 1], best first.

        Nothing but the task counts: no boosts, no outcome. Identical text gives 1.0. Without vectors: lexical scores over the best one's.
        """

    def stats(self) -> Mapping[str, Json]:
        """query_cache {hits, misses, entries}, vectors per space, traces."""


class LearningEngine(Protocol):
    """Episodes to lessons and advice. Implementation: `learning.Learner(store, config, metrics, clock)`."""

    def add(self, traces: Sequence[Trace]) -> None: ...

    def remove(self, episode_ids: Sequence[str]) -> None: ...

    def set_votes(self, votes: Mapping[str, VoteStats]) -> None: ...

    def judge(self, episode: Episode, neighbours: Neighbours, beside: Sequence[tuple[Trace, float]] = ()) -> Judgement:
        """*episode* has its outcome and steps, no reward yet. Cheap: a few milliseconds for 1,000 steps.

        Args:
            episode: The episode to judge. Those of *neighbours* and *beside* that ended after it are left out.
            neighbours: Completed episodes of the view.
            beside: Traces, with their steps, and task similarities of completed episodes that are not committed yet.
        """

    def extract(self, episode: Episode) -> Extraction:
        """*episode* is closed; its reward is not needed. A pure function, so that incremental and full extraction agree."""

    def outlook(self, query: Query, neighbours: Neighbours) -> Outlook | None:
        """Calibrated chance of success; None while the memory is empty."""

    def confidence(self, patterns: Sequence[Pattern]) -> list[Pattern]:
        """Fill in `confidence`, `retired`, votes and usage."""

    def explain_confidence(self, pattern: Pattern) -> Mapping[str, Json]:
        """The numbers a pattern's confidence was computed from."""

    def usage(self, pattern_id: str) -> Mapping[str, Json]:
        """shown, used, and the success rates of episodes that used it and of those that were shown it and did not."""

    def relevant_patterns(self, query: Query, neighbours: Neighbours, limit: int) -> list[tuple[Pattern, float, Mapping[str, float]]]:
        """Patterns worth showing for a task, best first: (pattern with confidence, score in [0, 1], why)."""

    def suggest(
        self, situation: Situation, limit: int, intended: Step | None
    ) -> tuple[tuple[Suggestion, ...], Recovery | None, tuple[StepWarning, ...]]: ...

    def playbook(self, query: Query, neighbours: Neighbours, max_steps: int) -> tuple[Playbook | None, str]:
        """The playbook, or None and the reason why there is none."""

    def implicit_feedback(self, episode: Episode, recommendations: Sequence[Recommendation]) -> tuple[Feedback, ...]:
        """Votes derived from what was shown to a completed episode and what its steps then used."""

    def in_holdout(self, episode_id: str) -> bool:
        """Whether the episode belongs to the control group (a fixed function of its id)."""

    def holdout_report(self, project: str) -> Mapping[str, Json]:
        """Outcomes with and without memory, with an interval."""

    def episode_ids(self) -> list[str]:
        """All episodes of the view, in the order they came."""

    def traces(self, ids: Sequence[str]) -> list[Trace]:
        """The traces, with their steps, of those of *ids* that are in the view."""

    def trends(self, traces: Sequence[Trace], where: Filter, *, tool: str, metric: str, bucket: str) -> Trends:
        """A metric over time, its breaks, and clusters of tasks. Takes seconds; looks at no view, so it needs no lock."""

    def lessons_markdown(self, *, domain: str, project: str, budget_tokens: int) -> str: ...

    def stats(self) -> Mapping[str, Json]: ...
