"""Short ways to write down episodes for the tests of learning. A failed step is a tool key with `!` and its error."""

from collections.abc import Sequence

from mcp_memory.domain.episode import Context, Episode, EpisodeState, Outcome, OutcomeKind, Reward, Step, StepStatus, Trace
from mcp_memory.domain.fingerprints import hidden_exits, pack, pack_answers, pack_targets
from mcp_memory.domain.metadata_keys import SESSION_ID, session_of
from mcp_memory.domain.offers import offered, pack_offers
from mcp_memory.learning.extraction import DIGEST_VERSION
from mcp_memory.learning.reading.run import Run, calls_of_steps, error_signatures
from mcp_memory.views.fixes import HIDDEN, calls_of

WEB = Context("web", "python", "flask")


def step(text: str, index: int = 0, **arguments: str) -> Step:
    """`"bash:pytest!no module named x"` is a failed step of tool bash, action pytest, with that error."""
    key, _, error = text.partition("!")
    tool, _, action = key.partition(":")
    status = StepStatus.ERROR if "!" in text else StepStatus.OK
    return Step(tool, action or tool, arguments, status=status, error=error or None, index=index)


def episode(
    name: str,
    steps: Sequence[str] = (),
    outcome: OutcomeKind | None = OutcomeKind.SUCCESS,
    *,
    task: str = "fix the login page",
    context: Context = WEB,
    project: str = "p",
    reward: float | None = None,
) -> Episode:
    made = tuple(step(text, i) for i, text in enumerate(steps))
    score = float(outcome is OutcomeKind.SUCCESS) if reward is None else reward
    return Episode(
        name,
        project,
        task,
        context=context,
        steps=made,
        step_count=len(made),
        state=EpisodeState.OPEN if outcome is None else EpisodeState.COMPLETED,
        outcome=None if outcome is None else Outcome(outcome),
        reward=None if outcome is None else Reward(score),
        ended_at_ms=1_000,
        metadata={SESSION_ID: f"of {name}"},
    )


def trace_of(made: Episode, seq: int = 0) -> Trace:
    """The trace a store keeps of *made*."""
    assert made.outcome is not None
    calls = calls_of_steps(made.steps, success=True)
    return Trace(
        seq=seq,
        id=made.id,
        project=made.project,
        task=made.task,
        task_type=made.task_type,
        domain=made.context.domain,
        language=made.context.language,
        framework=made.context.framework,
        tags=made.context.tags,
        agent=made.agent,
        outcome=made.outcome.kind,
        reward=made.reward.score if made.reward else 0.0,
        started_at_ms=made.started_at_ms,
        ended_at_ms=made.ended_at_ms or 0,
        step_keys=tuple(s.key for s in made.steps),
        step_failed=bytes(s.failed for s in made.steps),
        errors=error_signatures(made),
        digest={
            "v": DIGEST_VERSION,
            "args": pack(made.steps, calls.exact),
            "answers": pack_answers(made.steps),
            "offers": pack_offers(offered(made.task, made.steps)),
            "targets": pack_targets(calls.targets),
            **({HIDDEN: hidden} if (hidden := hidden_exits(made.steps)) else {}),
        },
        session=session_of(made.metadata),
    )


def run_of_trace(trace: Trace) -> Run:
    """What the trace alone says of the run: the extractors must find the same in it as in the episode."""
    return Run(
        keys=trace.step_keys,
        failed=tuple(bool(f) for f in trace.step_failed),
        errors=dict(trace.errors),
        domain=trace.domain,
        framework=trace.framework,
        language=trace.language,
        task_type=str(trace.task_type),
        success=trace.success,
        calls=calls_of(trace),
    )
