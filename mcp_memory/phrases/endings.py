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


def left_alone(made: Sequence[str], read: Sequence[str], *, made_others: bool = False, by_one: bool = False) -> str:
    """Return that an attempt changed no file that was there: what it *made* with what it wrote there, and the files it *read*.

    *made_others*: it made files, whether one of them is told or not; *by_one*: of several attempts one alone had read them.

    >>> left_alone([], ["shop/cart.py", "shop/tax.py"])
    'changed nothing; had read shop/cart.py, shop/tax.py'
    >>> left_alone(["conf.py:1: limit = 3"], ["cart.py"], made_others=True)
    'changed nothing that was there, made conf.py:1: limit = 3; had read cart.py'
    >>> left_alone([], ["shop/cart.py"], by_one=True)
    'changed nothing; one had read shop/cart.py'
    """
    said = "changed nothing" + (" that was there" if made_others else "") + (f", made {'; '.join(made)}" if made else "")
    return f"{said}; {'one ' if by_one else ''}had read {', '.join(read)}" if read else said
