"""Update, link, check point, resume, forget, correct: the verbs that tend what is there."""

from collections.abc import Sequence
from dataclasses import replace

from mcp_memory.domain import requests
from mcp_memory.domain.answers import EpisodeRow
from mcp_memory.domain.curation import Correction, Handoff, Link
from mcp_memory.domain.episode import Episode, EpisodeState
from mcp_memory.domain.filtering import restricts
from mcp_memory.domain.forming import filter_of
from mcp_memory.domain.query import Filter, Sort
from mcp_memory.domain.reports import Checkpoint, Forgotten, Linked, Quarantined, RelatedEpisodes, Resumed
from mcp_memory.domain.requests import (
    CheckpointEpisode,
    Correct,
    Forget,
    LinkEpisodes,
    QuarantineSource,
    ResumeEpisode,
    UpdateEpisode,
    WhereFields,
)
from mcp_memory.domain.sources import Quarantine, Source, SourceKind
from mcp_memory.domain.text import shorten
from mcp_memory.errors import InvalidInput, NotFound
from mcp_memory.verbs.engines import Engines, calling
from mcp_memory.verbs.presenting import episode_row, step_line
from mcp_memory.verbs.redacting import Redacting

MAX_NAMES = 1_000  # of agents that begin alike
MAX_RELATED = 200  # nodes of one answer
MAX_HANDOFF_ITEMS = 20
FORGET_PAGE = 200
MAX_FORGOTTEN_SHOWN = 50


class Curating:
    """The verbs update_episode, link_episodes, related_episodes, checkpoint_episode, resume_episode, forget, correct."""

    def __init__(self, engines: Engines, redacting: Redacting) -> None:
        self._e, self._redacting = engines, redacting

    async def _episode(self, episode_id: str, *, steps: bool = False) -> Episode:
        found = (await self._e.in_thread(lambda: self._e.store.get_episodes([episode_id], steps=steps)))[0]
        if found is None:
            raise NotFound(f"there is no episode {episode_id!r}")
        return found

    async def update(self, asked: UpdateEpisode) -> EpisodeRow:
        """Answer the `update_episode` tool."""
        asked = self._redacting.request(asked)
        await self._e.store.update_episode(
            asked.episode_id,
            add_tags=tuple(asked.add_tags),
            remove_tags=tuple(asked.remove_tags),
            metadata=asked.metadata,
            task=asked.task,
        )
        return episode_row(await self._episode(asked.episode_id))

    async def link(self, asked: LinkEpisodes) -> Linked:
        """Answer the `link_episodes` tool."""
        if asked.from_id == asked.to_id:
            raise InvalidInput("`from_id` and `to_id` are the same episode")
        asked = self._redacting.request(asked)
        if asked.remove:
            return Linked(None, await self._e.store.remove_link(asked.from_id, asked.to_id, asked.type))
        return Linked(await self._e.store.put_link(asked.from_id, asked.to_id, asked.type, asked.note, self._e.clock()), False)

    async def related(self, asked: requests.RelatedEpisodes) -> RelatedEpisodes:
        """Answer the `related_episodes` tool: a breadth-first walk over links."""
        await self._episode(asked.episode_id)
        return await self._e.in_thread(lambda: self._walk(asked.episode_id, frozenset(asked.types), asked.direction, asked.depth))

    def _walk(self, start: str, types: frozenset[str], direction: str, depth: int) -> RelatedEpisodes:
        seen, frontier, edges = {start: None}, [start], dict[str, Link]()
        for _ in range(depth):
            reached = []
            for link_id, link in self._e.store.links(frontier).items():
                if types and link.type not in types:
                    continue
                ends = [link.to_id] if direction != "in" and link.from_id in frontier else []
                ends += [link.from_id] if direction != "out" and link.to_id in frontier else []
                if ends:
                    edges[link_id] = link
                reached += [end for end in ends if end not in seen]
            frontier = list(dict.fromkeys(reached))[: MAX_RELATED - len(seen)]
            seen |= dict.fromkeys(frontier)
            if not frontier:
                break
        nodes = {n.id: n for n in self._e.store.get_episodes(list(seen), steps=False) if n is not None}
        if bound := calling.get().bound:
            nodes = {key: node for key, node in nodes.items() if node.project in bound}
        shown = tuple(link for link in edges.values() if link.from_id in nodes and link.to_id in nodes)
        return RelatedEpisodes(tuple(episode_row(n) for n in nodes.values()), shown)

    async def checkpoint(self, asked: CheckpointEpisode) -> Checkpoint:
        """Answer the `checkpoint_episode` tool."""
        asked = self._redacting.request(asked)
        episode_id = asked.episode_id
        episode = await self._episode(episode_id, steps=True)
        if episode.state is not EpisodeState.OPEN:
            raise InvalidInput(f"episode {episode_id!r} is already {episode.state}", hint="Only an open episode can have a checkpoint.")
        handoff = handoff_pack(episode, asked.label, asked.note, asked.findings, asked.pending)
        checkpoint_id = self._e.new_id()
        await self._e.store.put_checkpoint(checkpoint_id, episode_id, handoff, self._e.clock())
        return Checkpoint(checkpoint_id, handoff)

    async def resume(self, asked: ResumeEpisode) -> Resumed:
        """Answer the `resume_episode` tool: the same episode if it is open, else a new one that follows it."""
        e = self._e
        checkpoint_id, episode_id = asked.checkpoint_id, asked.episode_id
        if bool(checkpoint_id) == bool(episode_id):
            raise InvalidInput("give either `checkpoint_id` or `episode_id`")
        if episode_id:
            await self._episode(episode_id)
            checkpoint_id = await e.in_thread(e.store.latest_checkpoint, episode_id)
        handoff: Handoff | None = None
        if checkpoint_id:
            wanted = checkpoint_id
            found = await e.in_thread(lambda: e.store.checkpoint(wanted))
            if found is None:
                raise NotFound(f"there is no checkpoint {checkpoint_id!r}", hint="`checkpoint_episode` returned the id.")
            episode_id, handoff = found
        assert episode_id is not None
        episode = await self._episode(episode_id, steps=True)
        handoff = handoff or handoff_pack(episode, "", "", (), ())
        if episode.state is EpisodeState.OPEN and (open_here := await self._open_here(episode)) is not None:
            return Resumed(episode.id, handoff, open_here.step_count)
        again = Episode(
            id=e.new_id(),
            project=episode.project,
            task=episode.task,
            task_type=episode.task_type,
            context=episode.context,
            agent=episode.agent,
            started_at_ms=e.clock(),
            metadata={"resumed_from": checkpoint_id or episode.id},
            follows=episode.id,
        )
        await e.store.start_episode(again)
        await e.store.put_link(again.id, episode.id, "follows", "resumed", e.clock())
        return Resumed(again.id, handoff, 0)

    async def _open_here(self, episode: Episode) -> Episode | None:
        """Return an open episode as it can be gone on with here, taken over from another machine where it was begun there; or None."""
        e = self._e
        if e.sharing is None or not await e.in_thread(e.sharing.is_away, episode.id):
            return episode
        if not await e.sharing.claim(episode.id):
            return None
        found = await self._episode(episode.id, steps=True)
        return found if found.state is EpisodeState.OPEN else None

    async def forget(self, asked: Forget) -> Forgotten:
        """Answer the `forget` tool: count only, unless confirmed. A filter that restricts nothing is refused."""
        e, asked = self._e, self._redacting.request(asked)
        ids, filtered = tuple(asked.episode_ids), asked.filter
        if bool(ids) == (filtered is not None):
            raise InvalidInput("give either `episode_ids` or a non-empty `filter`", hint="An empty filter would forget everything.")
        if isinstance(filtered, WhereFields):
            if not restricts(filter_of(filtered, default_project="")):
                raise InvalidInput("`filter` restricts nothing", hint="Name a project, a domain, a time or another condition.")
            where = replace(e.within_bounds(filter_of(filtered, default_project=e.project)), quarantined=True)
            ids = await e.in_thread(lambda: self._matching(where))
        found = await e.in_thread(lambda: e.store.get_episodes(ids, steps=False))
        there = [f.id for f in found if f is not None]
        if not asked.confirm:
            counts = {"episodes": len(there), "steps": sum(f.step_count for f in found if f is not None)}
            evidence = await e.in_thread(lambda: e.store.episode_patterns(there))
            counts["evidence"] = sum(map(len, evidence.values()))
            return Forgotten(counts, None, tuple(there[:MAX_FORGOTTEN_SHOWN]))
        deleted = await e.store.delete_episodes(there, asked.reason, e.clock()) if there else {"episodes": 0}
        return Forgotten(None, deleted, tuple(there[:MAX_FORGOTTEN_SHOWN]))

    def _matching(self, where: Filter) -> tuple[str, ...]:
        ids: list[str] = []
        cursor = None
        while True:
            page = self._e.store.list_episodes(where, sort=Sort.OLDEST, limit=FORGET_PAGE, cursor=cursor)
            ids += page.ids
            cursor = page.next_cursor
            if cursor is None:
                return tuple(ids)

    async def quarantine(self, asked: QuarantineSource) -> Quarantined:
        """Put a source in quarantine or release it. Raises NotFound: to be released, and not in quarantine."""
        e, asked = self._e, self._redacting.request(asked)
        source = await e.in_thread(lambda: self._source(asked.name, asked.kind, asked.undo))
        given = Quarantine(source, asked.reason, asked.by or calling.get().name, e.clock())
        count = await e.store.put_quarantine(given, active=not asked.undo)
        return Quarantined(source.kind, source.name, not asked.undo, count, given.reason, given.by, given.at_ms)

    def _source(self, name: str, kind: str, undo: bool) -> Source:
        """Return the source that is meant: an agent that has episodes, else the session; of those quarantined when one is released."""
        store = self._e.store
        if undo:
            standing = [q.source for q in store.quarantines() if q.source.name == name and kind in ("", q.source.kind)]
            if not standing:
                raise NotFound(f"{name!r} is not in quarantine", hint="`mcp-memory quarantine` lists what is.")
            return standing[0]
        if kind:
            return Source(SourceKind(kind), name)
        is_agent = name in store.distinct("agent", name, MAX_NAMES)
        return Source(SourceKind.AGENT if is_agent else SourceKind.SESSION, name)

    async def quarantines(self) -> list[Quarantined]:
        """Return what stands."""
        found = await self._e.in_thread(self._e.store.quarantines)
        return [Quarantined(q.source.kind, q.source.name, True, 0, q.reason, q.by, q.at_ms) for q in found]

    async def correct(self, asked: Correct) -> None:
        """Put a person's or a later episode's correction over a pattern or an episode's lessons; it outranks what it corrects."""
        e, key, asked = self._e, asked.target_id, self._redacting.request(asked)
        if not await e.in_thread(lambda: e.store.patterns(ids=[key], limit=1) or e.store.get_episodes([key], steps=False)[0]):
            raise NotFound(f"there is no pattern or episode {key!r}", hint="`search_patterns` and `search_episodes` list them.")
        by = asked.by or calling.get().name
        await e.store.put_correction(key, Correction(asked.text, asked.reason, asked.contradicts, by), e.clock())


def handoff_pack(episode: Episode, label: str, note: str, findings: Sequence[str], pending: Sequence[str]) -> Handoff:
    """Return what another agent needs to go on with *episode*."""
    worked = tuple(step_line(s, 120) for s in episode.steps if not s.failed)[-MAX_HANDOFF_ITEMS:]
    failed = tuple(step_line(s, 120) for s in episode.steps if s.failed)[-MAX_HANDOFF_ITEMS:]
    tools = list(dict.fromkeys(s.key for s in episode.steps))[:MAX_HANDOFF_ITEMS]
    done = [label] if label else []
    done += [shorten(note, 500)] if note else []
    done += [f"{episode.step_count} steps with {', '.join(tools)}"] if tools else []
    return Handoff(episode.task, tuple(done), worked, failed, tuple(findings), tuple(pending))
