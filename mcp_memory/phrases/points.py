"""What an earlier attempt tells, a line each. Pure."""

from collections.abc import Sequence

from mcp_memory.phrases.words import counted


def changed(change: str) -> str:
    """Return what was changed, with its file."""
    return f"changed {change}"


def did(calls: Sequence[str]) -> str:
    """Return the calls that did something, in order."""
    return f"did {'; '.join(calls)}"


def found(calls: Sequence[str], answer: str) -> str:
    """Return how a run came to its answer.

    >>> found(["search “Opry Mills”"], "a shopping mall"), found([], "no")
    ('search “Opry Mills”, then answered “a shopping mall”', 'answered “no”')
    """
    return f"{', '.join(calls)}, then answered “{answer}”" if calls else f"answered “{answer}”"


def only(call: str) -> str:
    """Return that nothing was done but what ended the run."""
    return f"changed nothing, ended with {call}"


def wrong(answers: Sequence[str], said: str) -> str:
    """Return the answers that were rejected.

    >>> wrong(["1974", "Julio Cruz"], "Answer is INCORRECT"), wrong(["1974"], "")
    ('answered “1974”, “Julio Cruz”: Answer is INCORRECT', 'answered “1974”')
    """
    return f"answered {', '.join(f'“{answer}”' for answer in answers)}" + (f": {said}" if said else "")


def overcame(call: str, error: str, how: str, *, itself: bool) -> str:
    """Return what made a failed call work.

    >>> overcame("`python a.py`", "No module named 'yaml'", "`pip install pyyaml`", itself=False)
    "`python a.py` failed with “No module named 'yaml'” and worked after `pip install pyyaml`"
    """
    return f"{call} failed with “{error}”" + (f", {how} worked" if itself else f" and worked after {how}")


def worked_otherwise(key: str, error: str, worked: str, failed: str) -> str:
    """Return with what arguments a failed call worked.

    >>> worked_otherwise("search", "No page", "q=Gator Country", "q=Gator Country guitarist")
    'search failed with “No page”: q=Gator Country worked, q=Gator Country guitarist did not'
    """
    return f"{key} failed with “{error}”: {worked} worked, {failed} did not"


def unchanged(*, has_scratch: bool) -> str:
    """Return that an attempt ended without a change."""
    return "ended without a change to any file" + (" but its own scratch" if has_scratch else "")


def failed(call: str, error: str) -> str:
    """Return a call that never worked."""
    return f"never got {call} to work: {error}"


def only_failures_called(key: str, did: int, failures: int) -> str:
    """Return a tool that only attempts that failed used.

    >>> only_failures_called("cancel", 2, 3)
    '2 of 3 failed attempts called cancel; none that worked did'
    """
    return f"{did} of {counted(failures, 'failed attempt')} called {key}; none that worked did"


def only_failures_changed(path: str, did: int, failures: int) -> str:
    """Return a file that only attempts that failed changed."""
    return f"{did} of {counted(failures, 'failed attempt')} changed {path}; none that worked did"
