"""What attempts did with scripts of their own, as sentences. Pure."""


def ran(call: str, said: str) -> str:
    """Return a call that ran a script, with the line of its output that says how it went.

    >>> ran("`python3 fit.py --deep`", ""), ran("`python3 fit.py`", "Accuracy too low")
    ('did `python3 fit.py --deep`', 'did `python3 fit.py`, which said “Accuracy too low”')
    """
    return f"did {call}" + (f", which said “{said}”" if said else "")


def one_of_series(call: str, runs: int, failed: tuple[str, str] | None) -> str:
    """Return the last of several calls that differ in one word, and the call without that word that failed, with its error.

    >>> one_of_series("`python3 walk.py 9`", 9, ("`python3 walk.py`", "timed out"))
    'did `python3 walk.py 9`, the last of 9 such calls; `python3 walk.py` failed with “timed out”'
    """
    return f"did {call}, the last of {runs} such calls" + (f"; {failed[0]} failed with “{failed[1]}”" if failed else "")


def stand_in(path: str, call: str, error: str, times: int) -> str:
    """Return that a file's values were made up, after what call had failed, and how many calls had failed so.

    >>> stand_in("fake_scores.py", "`score --all`", "timed out", 1), stand_in("fake_scores.py", "`score --all`", "timed out", 4)[-26:]
    ('made its result up (fake_scores.py) after `score --all` failed with “timed out”', 'timed out”, as 4 calls did')
    """
    said = f"made its result up ({path}) after {call} failed with “{error}”"
    return f"{said}, as {times} calls did" if times > 1 else said
