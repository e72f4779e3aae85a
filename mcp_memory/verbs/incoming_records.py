"""The lines of an import that tell no episode: links, checkpoints, corrections, votes. They reach nothing beyond their project."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mcp_memory.domain.curation import Correction, Handoff
from mcp_memory.domain.feedback import Feedback, Recommendation, RecommendationKind, Verdict
from mcp_memory.domain.pattern import PATTERN_PREFIX
from mcp_memory.domain.requests import CheckpointLine, CorrectionLine, FeedbackLine, LinkLine, RecordKind, RecordLine
from mcp_memory.errors import InvalidInput, NotFound
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.incoming import known_fields
from mcp_memory.verbs.redacting import Redacting

_FORMS: Mapping[str, type[RecordLine]] = {
    RecordKind.LINK: LinkLine,
    RecordKind.CHECKPOINT: CheckpointLine,
    RecordKind.CORRECTION: CorrectionLine,
    RecordKind.FEEDBACK: FeedbackLine,
}


def is_record(line: Mapping[str, Any]) -> bool:
    """Whether a line tells something else than an episode."""
    return "record" in line and "task" not in line


class IncomingRecords:
    """Keeps what the lines of one import tell. What is here already stays as it is."""

    def __init__(self, engines: Engines, redacting: Redacting, default_project: str) -> None:
        self._e, self._redacting, self._default_project = engines, redacting, default_project
        self._votes: set[str] | None = None  # ids of all that are here, read with the first vote

    async def keep(self, line: Mapping[str, Any], ignored: Counter[str]) -> bool:
        """Keep what a line tells; return False where it is here already.

        Raises:
            InvalidInput: A field is not as it should be, or the link would close a cycle.
            NotFound: It names what is not in its project.
        """
        asked = await self._e.in_thread(self._read, line, ignored)
        match asked:
            case LinkLine():
                return await self._link(asked)
            case CheckpointLine():
                return await self._checkpoint(asked)
            case CorrectionLine():
                return await self._correction(asked)
            case FeedbackLine():
                return await self._feedback(asked)
        raise AssertionError(f"no form of {asked.record}")

    def _read(self, line: Mapping[str, Any], ignored: Counter[str]) -> RecordLine:
        form = _FORMS.get(line["record"]) if isinstance(line["record"], str) else None
        if form is None:
            raise InvalidInput(f"`record` must be one of {', '.join(RecordKind)}: what the line tells is not known to this version")
        asked = form.read(known_fields(self._redacting.fields(line), form, ignored, f"{line['record']}."))
        return asked.but(project=asked.project or self._default_project)

    async def _link(self, asked: LinkLine) -> bool:
        from_id, to_id = await self._episode(asked.project, asked.from_id), await self._episode(asked.project, asked.to_id)
        there = await self._e.in_thread(self._e.store.links, [from_id])
        notes = [x.note for x in there.values() if (x.from_id, x.to_id, x.type) == (from_id, to_id, asked.type)]
        if notes and (notes[0] or not asked.note):
            return False
        await self._e.store.put_link(from_id, to_id, asked.type, asked.note, self._e.clock())
        return True

    async def _checkpoint(self, asked: CheckpointLine) -> bool:
        episode_id = await self._episode(asked.project, asked.episode_id)
        if await self._e.in_thread(self._e.store.checkpoint, asked.record_id) is not None:
            return False
        handoff = Handoff(
            asked.goal, tuple(asked.done), tuple(asked.worked), tuple(asked.failed), tuple(asked.facts), tuple(asked.next)
        )  # fmt: skip
        at_ms = self._e.clock() if asked.at_ms is None else asked.at_ms
        await self._e.store.put_checkpoint(asked.record_id, episode_id, handoff, at_ms)
        return True

    async def _correction(self, asked: CorrectionLine) -> bool:
        """Keep a correction of what has none here: which of two is right, a file cannot know."""
        (target,) = await self._e.in_thread(self._found, asked.project, [asked.target_id])
        if target is None:
            raise NotFound(f"there is no pattern or episode {asked.target_id!r} in project {asked.project!r}")
        if await self._e.in_thread(self._e.store.corrections, [target]):
            return False
        correction = Correction(asked.text, asked.reason, asked.contradicts, asked.by)
        await self._e.store.put_correction(target, correction, self._e.clock())
        return True

    async def _feedback(self, asked: FeedbackLine) -> bool:
        project, now_ms = asked.project, self._e.clock()
        if self._votes is None:
            self._votes = await self._e.in_thread(self._known_votes)
        if asked.record_id in self._votes:
            return False
        shown = tuple(x for x in await self._e.in_thread(self._found, project, asked.shown_ids) if x)
        used = tuple(x for x in await self._e.in_thread(self._found, project, asked.used_ids) if x in shown)
        if not shown or (asked.used_ids and not used):
            raise NotFound(f"nothing of what the vote is on is in project {project!r}")
        shown_to = await self._episode(project, asked.shown_to) if asked.shown_to else None
        episode_id = await self._episode(project, asked.episode_id) if asked.episode_id else None
        at_ms = now_ms if asked.at_ms is None else asked.at_ms
        for on in await self._e.in_thread(lambda: self._e.store.recommendations(ids=[asked.recommendation_id])):
            if on.project != project:
                raise NotFound(f"there is no recommendation {asked.recommendation_id!r} in project {project!r}")
        shown_at_ms = at_ms if asked.shown_at_ms is None else asked.shown_at_ms
        kind = RecommendationKind(asked.kind)
        await self._e.store.put_recommendation(Recommendation(asked.recommendation_id, kind, project, shown_to, shown, shown_at_ms))
        vote = Feedback(
            asked.record_id, asked.recommendation_id, Verdict(asked.verdict), used, asked.rating, asked.note, asked.implicit, at_ms,
            episode_id,
        )  # fmt: skip
        await self._e.store.put_feedback(vote)
        self._votes.add(vote.id)
        return True

    def _known_votes(self) -> set[str]:
        known, after = set[str](), 0
        while True:
            found, after_next = self._e.store.feedback(after_rowid=after)
            if not found:
                return known
            known.update(vote.id for vote, _ in found)
            after = after_next

    async def _episode(self, project: str, name: str) -> str:
        (found,) = await self._e.in_thread(self._found, project, [name])
        if found is None or found.startswith(PATTERN_PREFIX):
            raise NotFound(f"there is no episode {name!r} in project {project!r}")
        return found

    def _found(self, project: str, names: Sequence[str]) -> list[str | None]:
        """Return the ids of the episodes of the project with these external ids, or ids, and of its patterns (blocking)."""
        store = self._e.store
        external = store.find_external(project, names)
        own = [x.id if x is not None and x.project == project else None for x in store.get_episodes(names, steps=False)]
        wanted = [name for name in names if name.startswith(PATTERN_PREFIX)]
        patterns = {x.id for x in store.patterns(ids=wanted, project=project, limit=len(wanted))} if wanted else set[str]()
        return [a or b or (name if name in patterns else None) for a, b, name in zip(external, own, names, strict=True)]
