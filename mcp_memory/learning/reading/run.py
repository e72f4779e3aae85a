"""A run: what the extractors see of an episode, the same from the full record and from its trace."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from mcp_memory.domain.episode import Episode, OutcomeKind, Step, Trace
from mcp_memory.learning.reading.signatures import signature


@dataclass(frozen=True, slots=True)
class Run:
    """Tools in order, which failed and how, in what context, and whether it succeeded."""

    keys: tuple[str, ...]
    failed: tuple[bool, ...]
    errors: Mapping[int, str]  # step index -> signature, of failed steps
    domain: str
    framework: str
    language: str
    task_type: str
    success: bool

    @property
    def kind(self) -> str:
        """The kind of task, as narrow as the context says: `domain · framework`, else the task type."""
        return " · ".join(part for part in (self.domain, self.framework) if part) or self.task_type

    def collapsed(self) -> list[tuple[str, int]]:
        """Return (tool key, index of its first step) with repetitions in a row taken as one."""
        out, index = [], 0
        for key, group in groupby(self.keys):
            out.append((key, index))
            index += sum(1 for _ in group)
        return out


def error_signatures(episode: Episode) -> tuple[tuple[int, str], ...]:
    """Return (step index, signature) of every failed step."""
    return tuple((i, signature(_error_text(s))) for i, s in enumerate(episode.steps) if s.failed)


def _error_text(step: Step) -> str:
    """Return what says most about the failure: a bare heading of a traceback says nothing, what the tool printed does."""
    error = (step.error or "").strip()
    heading = error.startswith("Traceback") and "\n" not in error
    return (step.observation if heading else error) or error or step.observation or str(step.status)


def run_of_episode(episode: Episode) -> Run:
    """Return the run of a completed episode."""
    return Run(
        keys=tuple(s.key for s in episode.steps),
        failed=tuple(s.failed for s in episode.steps),
        errors=dict(error_signatures(episode)),
        domain=episode.context.domain,
        framework=episode.context.framework,
        language=episode.context.language,
        task_type=str(episode.task_type),
        success=episode.outcome is not None and episode.outcome.kind is OutcomeKind.SUCCESS,
    )


def run_of_trace(trace: Trace) -> Run:
    """Return the run of a trace; equal to that of the episode it was made of."""
    return Run(
        keys=trace.step_keys,
        failed=tuple(bool(f) for f in trace.step_failed),
        errors=dict(trace.errors),
        domain=trace.domain,
        framework=trace.framework,
        language=trace.language,
        task_type=str(trace.task_type),
        success=trace.success,
    )
