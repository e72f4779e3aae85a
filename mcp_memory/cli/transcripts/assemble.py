"""Events to interchange episodes: one per prompt that led to a tool call, in order, each following the one before."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from mcp_memory.cli.transcripts.draft import Draft
from mcp_memory.cli.transcripts.record import Event, EventKind, Origin, StillRunning
from mcp_memory.domain import limits
from mcp_memory.domain.clipping import clip, goes_on
from mcp_memory.domain.inference import infer_outcome
from mcp_memory.domain.metadata_keys import OUTCOME_INFERRED, SESSION_ID
from mcp_memory.domain.session_ids import prompt_turn, turn_id

RUNNING_MS = 300_000  # a session that has written nothing for so long in the middle of a task was stopped


class Assembly:
    """The episodes of one file. `turns` says afterwards which prompt belongs to which episode: subagents' files name a prompt."""

    def __init__(self, origin: Origin, *, split: bool) -> None:
        self.turns: dict[str, str] = {}  # the format's id of a prompt -> external id of the episode it belongs to
        self._origin, self._split = origin, split
        self._number, self._previous = 0, ""
        self._prompts: Counter[str] = Counter()

    def episodes(self, events: Iterable[Event]) -> Iterator[dict[str, Any] | StillRunning]:
        """Yield episodes. With *split* every longer prompt begins one; without, the whole transcript is one."""
        draft: Draft | None = None
        for event in events:
            if event.kind is EventKind.PROMPT:
                if draft is None or (self._split and not goes_on(event.text)):
                    if draft is not None:
                        yield from self._finished(draft, event.text)
                    draft = Draft(event, self._external_id(event))
                else:
                    draft.hear(event)
                if event.event_id:
                    self.turns[event.event_id] = draft.external_id
            elif draft is not None:
                draft.add(event)
        if draft is not None and draft.steps and self._is_running(draft):
            yield StillRunning(f"still running: {clip(draft.prompt.text, 80)!r} is left for the next import")
        elif draft is not None:
            yield from self._finished(draft, "")

    def _is_running(self, draft: Draft) -> bool:
        """Return whether the agent may still be at it: it has not answered, and the last line is a moment old."""
        age_ms = time.time() * 1000 - draft.ended_at_ms
        return bool(self._origin.host) and draft.is_unfinished and 0 <= age_ms < RUNNING_MS

    def _external_id(self, prompt: Event) -> str:
        origin = self._origin
        if not origin.host:
            return clip(f"{origin.external_id}/{prompt.event_id or self._number}", limits.MAX_ID_CHARS)
        turn = origin.agent_turn or prompt.event_id
        if not turn:
            turn = prompt_turn(prompt.text, self._prompts[" ".join(prompt.text.split())])
            self._prompts[" ".join(prompt.text.split())] += 1
        return turn_id(origin.host, prompt.session_id or origin.session_id, turn)

    def _finished(self, draft: Draft, next_words: str) -> Iterator[dict[str, Any]]:
        if draft.steps:
            yield self._episode(draft, next_words)
            self._number, self._previous = self._number + 1, draft.external_id

    def _episode(self, draft: Draft, next_words: str) -> dict[str, Any]:
        origin, metadata = self._origin, dict(self._origin.metadata)
        draft.close(says_results=bool(origin.host))
        summary = clip(draft.answer.strip(), limits.MAX_NOTE_CHARS)
        outcome = draft.stated or (dict(origin.outcome) if origin.outcome else None)
        if outcome is None:
            words = next_words or draft.last_words
            outcome, metadata[OUTCOME_INFERRED] = infer_outcome(
                draft.steps, summary, next_words=words, interrupted=draft.was_interrupted, cut_off=bool(origin.host) and draft.is_unfinished
            )
        elif not outcome.get("summary"):
            outcome["summary"] = summary
        if origin.host:
            metadata[SESSION_ID] = draft.prompt.session_id or origin.session_id
        steps = draft.steps[: limits.MAX_STEPS_PER_EPISODE]
        if len(steps) < len(draft.steps):
            metadata["steps_left_out"] = len(draft.steps) - len(steps)
        episode = {
            "external_id": draft.external_id,
            "task": clip(origin.task or draft.prompt.text, limits.MAX_TASK_CHARS),
            "agent": origin.agent,
            "started_at_ms": draft.prompt.at_ms or steps[0]["at_ms"],
            "ended_at_ms": draft.ended_at_ms,
            "steps": steps,
            "outcome": outcome,
            "metadata": metadata,
            "project": origin.project.name if origin.project else None,
            "project_before": list(origin.project.before) if origin.project else [],
            "follows": self._previous,
            "parent": origin.parent,
            "same_as": [*draft.prompt.same_as, *draft.own_episodes],
        }
        return {
            key: value for key, value in episode.items() if value or key in ("external_id", "task", "started_at_ms", "steps", "metadata")
        }


def assemble(events: Iterable[Event], origin: Origin, *, split: bool) -> Iterator[dict[str, Any] | StillRunning]:
    """Yield the episodes of one file; see `Assembly`."""
    yield from Assembly(origin, split=split).episodes(events)
