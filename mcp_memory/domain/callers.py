"""Who makes a call, as far as the edge it came through knows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """`name` is for people, `client` tells one connection from another. *bound*: the projects it may see; none: all."""

    name: str = ""
    client: str = ""
    bound: tuple[str, ...] = ()


NOBODY = Caller()
