"""What a store can do, in small protocols. The conventions are in the package's docstring."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from mcp_memory.domain.backups import Backup, Checked, Compacted
from mcp_memory.domain.curation import Correction, Handoff, Link, StoredCheckpoint
from mcp_memory.domain.episode import Episode, Json, Step, Trace
from mcp_memory.domain.feedback import Feedback, Recommendation
from mcp_memory.domain.pattern import Evidence, Pattern
from mcp_memory.domain.query import Change, Filter, Page, Sort, TextQuery
from mcp_memory.domain.sources import Quarantine
from mcp_memory.domain.status import StoreInfo
from mcp_memory.ports.stored import Completion, PatternTally, TextHit, VectorRow


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

    async def reindex(self, completions: Sequence[Completion]) -> None:
        """Give completed episodes the traces and texts that a later version makes of them, in one transaction; the rest stays.

        One that was edited since it was read (another `change_seq`), or is gone, is left as it is.
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

    def term_counts(self, terms: Sequence[str], *, beginnings: bool = False) -> list[int]:
        """In how many indexed episodes each term occurs, in any form of the word; one of several words counts as a phrase.

        With *beginnings*, in how many a word occurs that begins so.
        """


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
        Where there are more than *limit*, those that contain most of the words are taken.
        """

    def pattern_tallies(self, episode_ids: Sequence[str], *, project: str = "*", kinds: Sequence[str] = ()) -> list[PatternTally]:
        """Which patterns the episodes are evidence for, with these patterns' counts in *project*; contents are not read.

        Of *kinds* alone, where some are named.
        """

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

    async def put_checkpoint(self, checkpoint_id: str, episode_id: str, handoff: Handoff, at_ms: int) -> None: ...

    async def put_correction(self, target_id: str, correction: Correction, at_ms: int) -> str:
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

    def corrections(self, target_ids: Sequence[str] | None = None) -> dict[str, Correction]:
        """The latest correction of each target that has one."""

    def links(self, episode_ids: Sequence[str]) -> dict[str, Link]:
        """Every link touching one of the episodes, by its id."""

    def checkpoint(self, checkpoint_id: str) -> tuple[str, Handoff] | None:
        """The episode's id and its handoff, or None."""

    def latest_checkpoint(self, episode_id: str) -> str | None: ...

    def checkpoints(self, episode_ids: Sequence[str]) -> list[StoredCheckpoint]:
        """All checkpoints of the episodes: episode by episode, the latest last."""


class Feed(Protocol):
    """What has changed, and the vectors, which are followed row by row."""

    def change_seq(self) -> int:
        """The sequence of the last committed change that answers depend on, by any process; costs microseconds."""

    def changes_after(self, seq: int, limit: int = 10_000) -> list[Change]:
        """The changes that answers depend on (not `RECORDED_ONLY`), in order."""

    def facts_after(self, seq: int, limit: int = 10_000) -> list[Change]:
        """Every fact that was written but steps, in order: for whoever copies the memory. Its sequence is that of the changes."""

    async def put_vectors(self, space: str, rows: Sequence[VectorRow]) -> None:
        """Add embeddings; a row that is there already (same space, episode, part) is left as it is, one of a deleted episode left out."""

    def vectors(self, space: str, *, after_rowid: int = 0, limit: int = 50_000) -> tuple[list[VectorRow], int]:
        """Stored embeddings of a space in insertion order, and the rowid to go on from."""

    def missing_vectors(self, space: str, limit: int) -> list[str]:
        """Ids of completed episodes without a part-0 vector in *space*, newest first: the embedding queue."""


class Upkeep(Protocol):
    """What an operator does with the files of a store. Implementation: `storage.upkeep.SqliteUpkeep`."""

    def backup(self, target: Path, program: str) -> Backup:
        """Copy everything that is committed into a new file, from one moment, while anybody writes (blocking). Raises InvalidInput."""

    async def repair(self) -> tuple[list[str], list[str]]:
        """Put damaged steps back from sound copies in the hot tier, and make again what the store itself can derive.

        Returns what was done, and the ids of the episodes to `derive` again.
        """

    async def derive(self, completions: Sequence[Completion]) -> None:
        """Write again traces, texts and evidence of completed episodes; the records themselves stay."""

    def compact(self) -> Compacted:
        """Give unused space back to the file system (blocking; writers wait)."""


class Store(EpisodeStore, TextSearch, LearningStore, CurationStore, Feed, Protocol):
    """The truth, with everything it can do. Implementations: `SqliteStore`, `testing.InMemoryStore`."""

    def counts(self, *projects: str) -> Mapping[str, int]:
        """episodes, open, completed, abandoned, steps, patterns, evidence, vectors, recommendations, feedback, links, checkpoints.

        Of these projects, a pattern of several of them once; without any: of all.
        """

    def check(self) -> list[str]:
        """Problems found by a full integrity check; empty when sound. May take seconds."""

    def check_copies(self, *, repair: bool = False) -> Checked:
        """What is wrong with the copies in the hot tier, each compared with its record (blocking); *repair* makes them again.

        Sound copies of damaged records are named, and kept.
        """

    def info(self) -> StoreInfo:
        """Where and how the data is kept."""

    async def aclose(self) -> None: ...
