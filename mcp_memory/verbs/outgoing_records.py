"""The lines of an export that tell what lies over and between its episodes: links, checkpoints, corrections, votes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice

from mcp_memory.domain.curation import Link
from mcp_memory.domain.episode import Episode, Json
from mcp_memory.domain.feedback import Feedback, Recommendation
from mcp_memory.domain.pattern import PATTERN_PREFIX
from mcp_memory.domain.query import ANY_PROJECT
from mcp_memory.domain.requests import RecordKind
from mcp_memory.verbs.engines import Engines

PAGE = 100
_MAX_EVIDENCE = 10_000  # of a corrected pattern, newest first: looked at for the projects it is of
Line = dict[str, Json]


class OutgoingRecords:
    """What is told besides the exported episodes, given as their ids with their projects. Only what lies within one project is told."""

    def __init__(self, engines: Engines, exported: Mapping[str, str]) -> None:
        self._store, self._exported = engines.store, exported

    def lines(self) -> Iterator[Line]:
        """Yield the lines (blocking), in an order that is the same wherever the episodes are kept."""
        exported = iter(self._exported)
        while ids := tuple(islice(exported, PAGE)):
            yield from self._links(ids)
            yield from self._checkpoints(ids)
        yield from self._corrections()
        yield from self._votes()

    def _links(self, ids: Sequence[str]) -> Iterator[Line]:
        found = [x for x in self._store.links(ids).values() if x.from_id in ids and self._is_within(x)]
        episodes = self._episodes([end for link in found for end in (link.from_id, link.to_id)])
        told = [link for link in found if link.note or not _is_derived(link, episodes)]
        for link in sorted(told, key=lambda x: (ids.index(x.from_id), x.type, _name(episodes[x.to_id]))):
            ends: Line = {"from_id": _name(episodes[link.from_id]), "to_id": _name(episodes[link.to_id])}
            yield self._line(RecordKind.LINK, self._exported[link.from_id], ends | {"type": link.type, "note": link.note})

    def _is_within(self, link: Link) -> bool:
        return self._exported.get(link.from_id, "") == self._exported.get(link.to_id)

    def _checkpoints(self, ids: Sequence[str]) -> Iterator[Line]:
        found = self._store.checkpoints(ids)
        episodes = self._episodes([x.episode_id for x in found])
        for x in found:
            body: Line = {"record_id": x.id, "episode_id": _name(episodes[x.episode_id]), "at_ms": x.at_ms}
            body |= {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(x.handoff).items()}
            yield self._line(RecordKind.CHECKPOINT, self._exported[x.episode_id], body)

    def _corrections(self) -> Iterator[Line]:
        found = self._store.corrections()
        episodes = self._episodes([target for target in found if target in self._exported])
        named = {target: (self._exported[target], _name(episode)) for target, episode in episodes.items()}
        named |= {target: (project, target) for target in found if (project := self._project_of_pattern(target))}
        for target, (project, name) in sorted(named.items(), key=lambda item: item[1]):
            c = found[target]
            body: Line = {"target_id": name, "text": c.text, "reason": c.reason, "contradicts": c.contradicts, "by": c.by}
            yield self._line(RecordKind.CORRECTION, project, body)

    def _project_of_pattern(self, target: str) -> str:
        """Return the first project, by name, in which exported episodes are evidence for the pattern; "" where none are."""
        if not target.startswith(PATTERN_PREFIX):
            return ""
        evidence = self._store.evidence([target], limit_each=_MAX_EVIDENCE, details=False).get(target, [])
        return min((self._exported[x.episode_id] for x in evidence if x.episode_id in self._exported), default="")

    def _votes(self) -> Iterator[Line]:
        after = 0
        while True:
            found, after_next = self._store.feedback(after_rowid=after)
            if not found:
                return
            for vote, on in found:
                yield from self._vote(vote, on)
            after = after_next

    def _vote(self, vote: Feedback, on: Recommendation) -> Iterator[Line]:
        """Yield the line of a vote whose episodes are exported, and that is on something of their project."""
        of = [id_ for id_ in (vote.episode_id, on.episode_id) if id_]
        project = self._project_of_vote(of, on)
        if not project or any(self._exported.get(id_) != project for id_ in of):
            return
        episodes = self._episodes([*of, *(id_ for id_ in on.shown_ids if self._exported.get(id_) == project)])
        names = {id_: _name(episode) for id_, episode in episodes.items()}
        patterns = [id_ for id_ in on.shown_ids if id_.startswith(PATTERN_PREFIX)]
        if patterns:
            names |= {p.id: p.id for p in self._store.patterns(ids=patterns, project=project, limit=len(patterns))}
        shown = [names[id_] for id_ in on.shown_ids if id_ in names]
        used = [names[id_] for id_ in vote.used_ids if id_ in names]
        if not shown or (vote.used_ids and not used):
            return
        body: Line = {"record_id": vote.id, "recommendation_id": on.id, "kind": on.kind}
        body |= {"shown_to": names.get(on.episode_id or ""), "shown_at_ms": on.at_ms, "shown_ids": list[Json](shown)}
        body |= {"verdict": vote.verdict, "used_ids": list[Json](used), "rating": vote.rating, "note": vote.note}
        body |= {"implicit": vote.implicit, "episode_id": names.get(vote.episode_id or ""), "at_ms": vote.at_ms}
        yield self._line(RecordKind.FEEDBACK, project, body)

    def _project_of_vote(self, of: Sequence[str], on: Recommendation) -> str:
        if of:
            return self._exported.get(of[0], "")
        if on.project != ANY_PROJECT:
            return on.project if on.project in set(self._exported.values()) else ""
        return min((self._exported[id_] for id_ in on.shown_ids if id_ in self._exported), default="")

    def _episodes(self, ids: Sequence[str]) -> dict[str, Episode]:
        return {x.id: x for x in self._store.get_episodes(list(dict.fromkeys(ids)), steps=False) if x is not None}

    def _line(self, kind: RecordKind, project: str, body: Line) -> Line:
        return {"record": kind, "project": project} | body


def _name(episode: Episode) -> str:
    return episode.external_id or episode.id


def _is_derived(link: Link, episodes: Mapping[str, Episode]) -> bool:
    """Whether the line of an episode says the link already, by its `follows` or `parent`."""
    if link.type == "follows":
        return episodes[link.from_id].follows == link.to_id
    return link.type == "parent_child" and episodes[link.to_id].parent_id == link.from_id
