"""Who makes a call, as far as the edge it came through knows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """`name` is for people, `client` tells one connection from another. *bound*: the one project it may see; "": all."""

    name: str = ""
    client: str = ""
    bound: str = ""


NOBODY = Caller()
