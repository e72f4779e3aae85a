"""How attempts ended that left no file changed, as sentences. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from mcp_memory.phrases.words import counted

MAX_REFUSED = 2  # refused edits that are told


class Refused(NamedTuple):
    """Edits of a file that were refused: how the last of them was, with its lines ("" where they are not known), and what it *tried*."""

    path: str
    edits: int
    error: str
    lines: str = ""
    tried: str = ""


def refused(found: Sequence[Refused], *, alone: bool = True, some: int = 0) -> str:
    """Return that attempts ended without a change because their edits were refused, and what the last edit of each tried.

    *alone*: of one attempt; *some*: not of all, but of so many.

    >>> refused([Refused("cart.py", 1, "E999 SyntaxError", "7-9", "- total + total = )")])
    'changed nothing: its edit of cart.py:7-9 was refused with “E999 SyntaxError”: - total + total = )'
    >>> refused([Refused("cart.py", 3, "E999 SyntaxError", "7", "")])
    'changed nothing: its edits of cart.py were refused, the last, of line 7, with “E999 SyntaxError”'
    >>> refused([Refused("a.py", 3, "E999 SyntaxError", "7", "+ x ="), Refused("a.py", 1, "F821 unknown y", "9-11", "+ y")], alone=False)
    'changed nothing: edits of a.py:7 were refused with “E999 SyntaxError”: + x =; of a.py:9-11 with “F821 unknown y”: + y'
    >>> refused([Refused("a.py", 1, "E999 SyntaxError", "7", "+ x =")], alone=False, some=1)
    'changed nothing: in 1 of them an edit of a.py:7 was refused with “E999 SyntaxError”: + x ='
    """
    one = found[0]
    if alone and one.edits == 1:
        return f"changed nothing: its edit of {_place(one)} was refused {_with(one)}"
    if alone:  # how many they were a log does not say surely: a call that a shell took for a command did not fail
        last = f", of line{'s' if '-' in one.lines else ''} {one.lines}," if one.lines else ""
        return f"changed nothing: its edits of {one.path} were refused, the last{last} {_with(one)}"
    others = [f"of {_place(other)} {_with(other)}" for other in found[1:MAX_REFUSED]]
    where = f"in {some} of them " if some else ""
    what = f"an edit of {_place(one)} was refused" if one.edits == 1 else f"edits of {_place(one)} were refused"
    return "; ".join([f"changed nothing: {where}{what} {_with(one)}", *others])


def _place(one: Refused) -> str:
    return f"{one.path}:{one.lines}" if one.lines else one.path


def _with(one: Refused) -> str:
    return f"with “{one.error}”" + (f": {one.tried}" if one.tried else "")


def also_by(line: str, others: int) -> str:
    """Return how an attempt and others ended.

    >>> also_by("changed nothing", 1), also_by("changed nothing", 2)
    ('this and 1 other changed nothing', 'this and 2 others changed nothing')
    """
    return f"this and {counted(others, 'other')} {line}"


def put_back(paths: Sequence[str]) -> str:
    """Return that an attempt put back what it had changed.

    >>> put_back(["cart.py"])
    'changed nothing: put back its edits of cart.py'
    """
    return f"changed nothing: put back its edits of {', '.join(paths)}"


def _places(places: Sequence[str]) -> list[str]:
    """Return places, of a file that was named just before the line alone."""
    paths = [place.rpartition(":")[0] for place in places]
    return [place[len(path) :] if i and path == paths[i - 1] else place for i, (place, path) in enumerate(zip(places, paths, strict=True))]


class Ended(NamedTuple):
    """How one attempt ended: code it *typed* into a shell, the script of its own that is all it left, and of how many steps it *spent*
    how many on that, where these were most, and the *error* with which the last run of that failed."""

    typed: str = ""
    script: str = ""
    spent: int = 0
    of: int = 0
    error: str = ""


def left_alone(
    made: Sequence[str],
    read: Sequence[str],
    ended: Sequence[Ended] = (),
    places: Sequence[str] = (),
    *,
    made_others: bool = False,
    by_one: bool = False,
    one_made: bool = False,
    one_stopped: bool = False,
) -> str:
    """Return that attempts changed no file that was there, how they ended, the *places* they stopped at, and the files they *read*.

    Args:
        made: Files that they made, with what they wrote there.
        read: Files that they read.
        ended: How each of them ended.
        places: Where they looked last.
        made_others: They made files, whether one of them is told or not.
        by_one: Of several attempts one alone had read them.
        one_made: Of several attempts one alone made files.
        one_stopped: Of several attempts one alone is known to have stopped there.

    >>> left_alone([], ["shop/cart.py", "shop/tax.py"])
    'changed nothing; had read shop/cart.py, shop/tax.py'
    >>> left_alone(["conf.py: limit = 3"], ["cart.py"], made_others=True)
    'changed nothing that was there, made conf.py: limit = 3; had read cart.py'
    >>> left_alone(["conf.py: limit = 3"], ["shop/cart.py"], [Ended()] * 2, made_others=True, by_one=True, one_made=True)
    'changed nothing that was there, one made conf.py: limit = 3; one had read shop/cart.py'
    >>> left_alone([], [], [Ended(script="repro.py")], ["cart.py:7"])
    'changed nothing: left only repro.py, stopped at cart.py:7'
    >>> left_alone([], [], [Ended("if total: total += 1", "repro.py"), Ended(script="bug.py", spent=9, of=12)])
    'changed nothing: one typed code into the shell, which is no edit (“if total: total += 1”), one spent 9 of 12 steps on bug.py'
    >>> left_alone([], [], [Ended(script="bug.py", spent=9, of=12, error="No module named 'app'")])
    "changed nothing: spent 9 of 12 steps on bug.py, whose last run failed with “No module named 'app'”"
    >>> left_alone([], [], [Ended(script="repro.py"), Ended(script="bug.py")], ["cart.py:7", "tax.py:9"])
    'changed nothing: both left only a script of their own, stopped at cart.py:7 and tax.py:9'
    >>> left_alone([], [], [Ended(script="repro.py"), Ended(script="bug.py")], ["cart.py:7"], one_stopped=True)
    'changed nothing: both left only a script of their own, one stopped at cart.py:7'
    >>> left_alone([], [], (), ["cart.py:7", "cart.py:9"])
    'changed nothing: stopped at cart.py:7 and :9'
    """
    one = "one " if one_made else ""
    said = "changed nothing" + (" that was there" if made_others else "") + (f", {one}made {'; '.join(made)}" if made else "")
    how = ", ".join(_endings(ended, left=not made_others))
    stopped = f"{'one ' if one_stopped else ''}stopped at {' and '.join(_places(places))}" if places else ""
    said += f"{';' if made else ':'} {', '.join(filter(None, (how, stopped)))}" if how or stopped else ""
    return f"{said}; {'one ' if by_one else ''}had read {', '.join(read)}" if read else said


def _endings(ended: Sequence[Ended], *, left: bool) -> list[str]:
    """Return how attempts ended, those that ended alike as one; *left*: also that they left only a script of their own."""
    typed = [one for one in ended if one.typed]
    spent = [one for one in ended if not one.typed and one.spent and one.script]
    tried = [one for one in ended if left and one.script and not one.typed and not one.spent]
    said = []
    if typed:
        said.append(f"{_who(typed, ended)}typed code into the shell, which is no edit (“{typed[0].typed}”)")
    if spent:
        most = f"{spent[0].spent} of {spent[0].of}" if len(spent) == 1 else "most"
        said.append(f"{_who(spent, ended)}spent {most} steps on {_script(spent)}")
    if tried:
        said.append(f"{_who(tried, ended)}left only {_script(tried)}")
    return said


def _who(alike: Sequence[Ended], ended: Sequence[Ended]) -> str:
    if len(ended) == 1:
        return ""
    return (
        "one "
        if len(alike) == 1
        else "both "
        if len(alike) == len(ended) == 2
        else "all "
        if len(alike) == len(ended)
        else f"{len(alike)} "
    )


def _script(alike: Sequence[Ended]) -> str:
    if len(alike) > 1:
        return "a script of their own"
    return alike[0].script + (f", whose last run failed with “{alike[0].error}”" if alike[0].error else "")
