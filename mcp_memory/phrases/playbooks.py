"""Why there is no playbook, and when not to follow one. Pure."""

from mcp_memory.domain.nearness import THE_TASK
from mcp_memory.phrases.words import cut_id, share

NOTHING_LIKE_IT = "no episode with steps is like this task"


def step(did: str, failed: str) -> str:
    """Return how many took a step, of the successful attempts and of the *failed* ones, "" without these.

    >>> step("3 of 3", "0 of 2"), step("12 of the 12 nearest", "")
    ('in 3 of 3 successful attempts, 0 of 2 failed ones', 'in 12 of the 12 nearest successful attempts')
    """
    return f"in {did} successful attempts" + (f", {failed} failed ones" if failed else "")


def no_success(here: int, alike: int) -> str:
    """Return that nothing succeeded: of *here* attempts at this very task, else of those at tasks *alike*.

    >>> no_success(1, 4), no_success(0, 2)
    ('the only attempt found at this task did not succeed', 'neither of the two attempts found at tasks like this succeeded')
    """
    n, where = (here, "this task") if here else (alike, "a task like this" if alike == 1 else "tasks like this")
    if n == 1:
        return f"the only attempt found at {where} did not succeed"
    return f"{'neither of the two' if n == 2 else f'none of the {n}'} attempts found at {where} succeeded"


def of_others(attempts: int) -> str:
    """Return that nobody has managed this very task, where what is told is of others.

    >>> of_others(1)
    'The only attempt found at this very task did not succeed.'
    """
    said = no_success(attempts, 0).replace("this task", "this very task")
    return f"{said[0].upper()}{said[1:]}."


def one_success(episode_id: str, alike: float) -> str:
    """Return that the only success is of another task, at which nobody has worked.

    >>> one_success("e1", 0.541)
    'nobody has worked at this task; the only success at one like it is 54% alike (get_episode e1)'
    """
    return f"nobody has worked at this task; the only success at one like it is {alike:.0%} alike (get_episode {cut_id(episode_id)})"


def nothing_in_common(successes: int, best: str) -> str:
    """Return that what successful attempts have in common is not worth a line.

    >>> nothing_in_common(1, "e1"), nothing_in_common(3, "e1")
    ('one success alone (get_episode e1)', 'all that 3 successes at tasks like this have in common is the names of tools')
    """
    if successes == 1:
        return f"one success alone (get_episode {cut_id(best)})"
    return f"all that {successes} successes at tasks like this have in common is the names of tools"


def contradicted(followed: int, won: int, best: str) -> str:
    """Return that the way of the successes decides nothing."""
    return f"of {followed} attempts that went the way of the successes only {won} succeeded: the way decides nothing; see {cut_id(best)}"


def when_not(nearest: float | None, failed: int, known: int, followed: int, won: int) -> str:
    """Return when a playbook is not to be followed, "" where nothing speaks against it.

    Args:
        nearest: How alike the nearest success is; None where it is of this very task.
        failed: Of the *known* attempts at tasks like this.
        known: Attempts.
        followed: Attempts that went this way.
        won: Of these, those that succeeded.
    """
    sentences = [f"Most attempts at tasks like this failed ({share(failed, known)})." if failed > known / 2 else ""]
    if followed > won:
        sentences.append(f"{share(followed - won, followed)} attempts that went this way failed nonetheless.")
    if nearest is not None:
        sentences.append(f"No success was at this very task (the nearest is {nearest:.0%} alike): check each step against its state.")
    return " ".join(s for s in sentences if s)


def noted(lesson: str, alike: float, *, worked: bool) -> str:
    """Return what the agent of an attempt noted for the next one, with how alike its task was.

    >>> noted("Sum money with Decimal.", 0.52, worked=True), noted("The seat map lies.", 1.0, worked=False)
    ('Noted after a success at a task 52% alike: Sum money with Decimal.', 'Noted after a failure at this task: The seat map lies.')
    """
    where = "this task" if alike >= THE_TASK else f"a task {alike:.0%} alike"
    return f"Noted after a {'success' if worked else 'failure'} at {where}: {lesson}"
