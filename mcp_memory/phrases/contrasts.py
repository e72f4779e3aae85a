"""What tells attempts that worked from those that failed, as sentences. Pure."""

from mcp_memory.domain.forks import Contrast
from mcp_memory.phrases.words import counted, quoted

HARDLY, PERHAPS = 0.05, 0.5  # chances below which a split is hardly, or perhaps not, one of chance


def contrast(found: Contrast) -> str:
    """Return the two counts as one sentence, those who did it more first.

    >>> contrast(Contrast("used", "bash:pytest", 4, 4, 1, 5, 0.04))
    '4 of 4 attempts that worked used `bash:pytest`; 1 of 5 that failed did.'
    """
    good, bad = f"{found.good} of {counted(found.goods, 'attempt')}", f"{found.bad} of {counted(found.bads, 'attempt')}"
    did = f"{found.kind} {quoted(found.what)}"
    if found.good * found.bads >= found.bad * found.goods:
        return f"{good} that worked {did}; {found.bad} of {found.bads} that failed did."
    return f"{bad} that failed {did}; {found.good} of {found.goods} that worked did."


def certainty(found: Contrast) -> str:
    """Return how far a contrast can be trusted, in words.

    >>> certainty(Contrast("used", "bash:pytest", 4, 4, 1, 5, 0.04))
    'Hardly chance: 1 in 25.'
    """
    if found.chance >= PERHAPS:
        return "May well be chance: too few attempts so far."
    odds = f"1 in {max(2, round(1 / max(found.chance, 1e-9))):,}"
    return f"Hardly chance: {odds}." if found.chance < HARDLY else f"Perhaps chance: {odds}."


def lesson(found: Contrast) -> str:
    """Return a contrast as a lesson for the next attempt, with its counts.

    >>> lesson(Contrast("met", "KeyError: 'a'", 0, 3, 4, 5, 0.2))
    "Look out for `KeyError: 'a'`: 4 of 5 attempts that failed met it, 0 of 3 that worked did."
    >>> lesson(Contrast("used", "bash:pytest", 2, 2, 1, 2, 0.5))
    '2 of 2 attempts that worked used `bash:pytest`; 1 of 2 that failed did. May well be chance: too few attempts so far.'
    """
    if found.chance >= PERHAPS:  # then it advises nothing
        return f"{contrast(found)} {certainty(found)}"
    what = quoted(found.what)
    for_good = found.good * found.bads >= found.bad * found.goods
    first = {"used": ("Use", "Avoid"), "changed": ("Change", "Leave alone"), "met": ("Meet", "Look out for")}[found.kind][not for_good]
    good, bad = f"{found.good} of {found.goods}", f"{found.bad} of {found.bads}"
    if for_good:
        return f"{first} {what}: {good} attempts that worked {found.kind} it, {bad} that failed did."
    return f"{first} {what}: {bad} attempts that failed {found.kind} it, {good} that worked did."


CHANGED_OTHERWISE = "the others changed the same file otherwise"


def alone_changed(path: str) -> str:
    """Return the file that the first success at a task changed and no attempt before it."""
    return f"none of the others changed {path}"


def alone_did(call: str) -> str:
    """Return the call that the first success at a task made and no attempt before it."""
    return f"none of the others did {call}"


def first_success(attempts: int, decided: str) -> str:
    """Return what the agent of the first of so many attempts at a task that succeeded is asked.

    >>> first_success(3, alone_changed("shop/cart.py"))[:98]
    'It is the first of the 3 attempts found at this task to succeed, and none of the others changed sh'
    """
    return (
        f"It is the first of the {attempts} attempts found at this task to succeed, and {decided}: "
        "say in one sentence what decided, for next time."
    )
