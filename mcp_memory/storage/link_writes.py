"""Links between episodes; the types that mean an order stay free of cycles, checked in the inserting transaction."""

import hashlib

from mcp_memory.domain.query import ChangeKind
from mcp_memory.errors import InvalidInput
from mcp_memory.storage.tables import Transaction

ACYCLIC = frozenset({"parent_child", "depends_on", "follows"})


def link_id(from_id: str, to_id: str, link_type: str) -> str:
    """Return the id of a link: a hash of the triple, so that the same link made twice, or on two machines, is one."""
    return "lnk_" + hashlib.blake2b("\0".join((from_id, to_id, link_type)).encode(), digest_size=12).hexdigest()


def put_link(tx: Transaction, from_id: str, to_id: str, link_type: str, note: str, at_ms: int) -> str:
    """Insert a link, or bring a removed one back, and return its id."""
    from_row, _ = tx.episode_row(from_id)
    to_row, _ = tx.episode_row(to_id)
    if from_row == to_row:
        raise InvalidInput("an episode cannot be linked to itself")
    if link_type in ACYCLIC and (path := _path(tx, to_row, from_row, link_type)):
        ids = [from_id, *(tx.value("episode_id", row) for row in path)]
        raise InvalidInput(f"the link would close a cycle of {link_type}: {' -> '.join(ids)}")
    found = link_id(from_id, to_id, link_type)
    tx.run("put_link", found, from_row, to_row, link_type, note, at_ms, *tx.stamp())
    tx.change(ChangeKind.LINK, found)
    return found


def remove_link(tx: Transaction, from_id: str, to_id: str, link_type: str, at_ms: int) -> bool:
    """Mark a link removed and return whether there was one."""
    from_row, to_row = tx.episode_row(from_id)[0], tx.episode_row(to_id)[0]
    removed = tx.run("remove_link", at_ms, *tx.stamp(), from_row, to_row, link_type) > 0
    if removed:
        tx.change(ChangeKind.LINK, link_id(from_id, to_id, link_type))
    return removed


def link_new_episode(tx: Transaction, episode_id: str, *, parent_id: str | None, follows: str | None) -> None:
    """Link an episode to the parent and the predecessor it was created with; imported threads that run in a circle are left open."""
    for from_id, to_id, link_type in ((parent_id, episode_id, "parent_child"), (episode_id, follows, "follows")):
        if from_id is None or to_id is None:
            continue
        from_row, to_row = tx.episode_row(from_id)[0], tx.episode_row(to_id)[0]
        if from_row != to_row and not _path(tx, to_row, from_row, link_type):
            tx.run("put_link", link_id(from_id, to_id, link_type), from_row, to_row, link_type, "", tx.now_ms, *tx.stamp())


def _path(tx: Transaction, start: int, goal: int, link_type: str) -> list[int] | None:
    """Return the rows of a path of links from *start* to *goal*, or None. Breadth first, so the path is a shortest one."""
    if not tx.one("link_to", goal, link_type):  # nothing leads to the goal, as with every new episode: no need to walk a long thread
        return None
    came_from: dict[int, int | None] = {start: None}
    frontier = [start]
    while frontier:
        following = []
        for row in frontier:
            if row == goal:
                path: list[int] = []
                at: int | None = row
                while at is not None:
                    path.append(at)
                    at = came_from[at]
                return path[::-1]
            for (neighbour,) in tx.all("links_from", row, link_type):
                if neighbour not in came_from:
                    came_from[neighbour] = row
                    following.append(neighbour)
        frontier = following
    return None
