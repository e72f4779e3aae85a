"""The episode's reward propagated back to its steps, and the steps that mattered, at most three. Pure.

Credit is discounted towards the beginning (the last step counts twice the first) and weighted by what a step did: it overcame an
error, worked for the first time, touched an artifact, ran the tests; or it failed, was left standing, said nothing new.
"""

from collections.abc import Sequence

from mcp_memory.domain.episode import Episode, FileUse, Step, Use
from mcp_memory.domain.step_roles import Role, gives_answer, role_of
from mcp_memory.learning.reading.changes import change_of, changes_scratch
from mcp_memory.learning.reading.file_uses import same_file
from mcp_memory.learning.reading.run import message_of
from mcp_memory.learning.reading.step_signs import Signs, call_text, read

MAX_KEY_STEPS = 3
MAX_CHANGES = 2  # of these, that are there because they changed a file
_HALVINGS = 1.0  # over the whole episode
_MIN_CREDIT = 0.1  # of a middling reward: even then some steps mattered more
_ORDINARY = 0.2
_FIRST_SUCCESS, _ARTIFACT, _RECOVERY, _TESTS = 0.15, 0.4, 0.4, 0.3
_FAILED, _STANDING, _REPEATED = 0.4, 0.7, 0.3


def step_values(episode: Episode, score: float, signs: Signs | None = None) -> tuple[float, ...]:
    """Return each step's share in the outcome, in [-1, 1]: above 0 it helped, below 0 it hurt.

    Args:
        episode: A closed episode with its steps.
        score: Its reward, in [0, 1].
        signs: `step_signs.read(episode.steps)`, when the caller has them already.
    """
    signs = read(episode.steps) if signs is None else signs
    artifacts = [name for a in (episode.outcome.artifacts if episode.outcome else ()) if (name := a.rsplit("/", 1)[-1])]
    good, bad = _good_weights(episode.steps, signs, artifacts), _bad_weights(episode.steps, signs)
    credit = max(2.0 * score - 1.0, _MIN_CREDIT) if score >= 0.5 else min(2.0 * score - 1.0, -_MIN_CREDIT)
    last = max(1, len(episode.steps) - 1)
    values = []
    for i, (plus, minus) in enumerate(zip(good, bad, strict=True)):
        discount = 0.5 ** (_HALVINGS * (last - i) / last) if len(episode.steps) > 1 else 1.0
        # A success is owed to what worked and lost a little by what did not; a failure is owed to what did not work.
        raw = credit * plus - abs(credit) * 0.5 * minus if credit > 0 else credit * (minus or _ORDINARY)
        values.append(round(max(-1.0, min(1.0, raw * discount)), 4))
    return tuple(values)


def _good_weights(steps: Sequence[Step], signs: Signs, artifacts: Sequence[str]) -> list[float]:
    passed = {t.step for t in signs.tests if t.passed and not t.failed}
    worked: set[str] = set()
    unresolved: set[str] = set()
    weights = []
    for i, step in enumerate(steps):
        weight = _ORDINARY
        if step.failed:
            unresolved.add(step.key)
            weights.append(0.0)
            continue
        if step.key in unresolved:
            weight += _RECOVERY
            unresolved.discard(step.key)
        if step.key not in worked:
            weight += _FIRST_SUCCESS
            worked.add(step.key)
        if artifacts and any(name in call_text(step) for name in artifacts):
            weight += _ARTIFACT
        weights.append(weight + _TESTS * (i in passed))
    return weights


def _bad_weights(steps: Sequence[Step], signs: Signs) -> list[float]:
    standing, repeated = set(signs.standing), set(signs.repeats) | set(signs.reverts)
    broke = {t.step for t in signs.tests if t.failed}
    last_broken = {signs.tests[-1].step} & broke if signs.tests else set()
    weights = []
    for i, step in enumerate(steps):
        weight = _FAILED * step.failed + (_STANDING - _FAILED) * (i in standing) + _REPEATED * (i in repeated)
        weights.append(weight + _TESTS * (i in broke) + _TESTS * (i in last_broken))
    return weights


def key_steps(steps: Sequence[Step], values: Sequence[float], limit: int = MAX_KEY_STEPS, files: Sequence[FileUse] = ()) -> tuple[int, ...]:
    """Return the positions of the steps that mattered, in order: the last change of a file, then those with the largest values either way.

    Of several files changed, the last two; those the run made itself, to try something out, count as no change. Otherwise a step matters
    that failed, acted or gave the answer; one that looked only where a run that did nothing else gave one. The same call, and the same
    error of a tool, stand only once, the later one.

    >>> key_steps([Step("a"), Step("b"), Step("c"), Step("d")], [0.1, 0.5, -0.4, 0.3])
    (1, 2, 3)
    """
    chosen: list[int] = []
    seen: set[tuple[str, str]] = set()
    for i in [*last_changes(steps, files), *sorted(_telling(steps), key=lambda i: (-abs(values[i]), -i))]:
        if len(chosen) == limit:
            break
        call = (steps[i].key, message_of(steps[i]) if steps[i].failed else call_text(steps[i]))
        if call not in seen and not changes_scratch(steps, i):
            seen.add(call)
            chosen.append(i)
    return tuple(sorted(chosen))


def _telling(steps: Sequence[Step]) -> list[int]:
    """Return the steps that failed, acted or gave the answer, and those that looked where nothing acted and there is an answer.

    The only step of a run is what was done, whatever it was.
    """
    if len(steps) == 1:
        return [0]
    answered = bool(steps) and gives_answer(steps[-1].key) and any(str(value).strip() for value in steps[-1].arguments.values())
    roles = [role_of(step.key) for step in steps]
    counts = {Role.ACTS} if Role.ACTS in roles or not answered else {Role.LOOKS}
    last = len(steps) - 1
    return [i for i, step in enumerate(steps) if step.failed or roles[i] in counts or (answered and i == last)]


def last_changes(steps: Sequence[Step], files: Sequence[FileUse]) -> list[int]:
    """Return the last change of each of the last two files that were changed and are no scratch, latest first."""
    made = [file.path for file in files if file.use is Use.MADE]
    last: dict[str, int] = {}
    for i in range(len(steps) - 1, -1, -1):
        if len(last) == MAX_CHANGES:
            break
        change = change_of(steps, i) if role_of(steps[i].key) is Role.ACTS else None
        if change and not change.is_scratch and not any(same_file(change.path, path) for path in made):
            last.setdefault(change.path, i)
    return list(last.values())
