"""What earlier attempts at a task did, as sentences. Pure."""

from collections.abc import Sequence

from mcp_memory.phrases.words import counted, quoted


def precedent(worked: bool, did: Sequence[str], came: str, times: int, attempts: int) -> str:
    """Return what attempts at this very task did, and how that ended.

    >>> precedent(True, ["edit cart.py:7: + round(total, 2)"], "", 2, 3)
    'Worked at this task (2 of the 3 successes looked at): edit cart.py:7: + round(total, 2)'
    >>> precedent(False, ["finish answer=41"], "Answer is INCORRECT", 1, 1)
    'Failed at this task (1 attempt): finish answer=41 → `Answer is INCORRECT`'
    """
    if worked:
        how_many = counted(times, "attempt") if times == attempts else f"{times} of the {attempts} successes looked at"
    else:
        how_many = counted(times, "attempt") if times == attempts else f"{times} of the {attempts} failures looked at"
    said = f"{'Worked' if worked else 'Failed'} at this task ({how_many}): {'; '.join(did)}"
    return f"{said} → {quoted(came)}" if came else said
