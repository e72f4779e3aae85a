"""Links between episodes; the types that mean an order stay free of cycles, checked in the inserting transaction."""

import hashlib

from mcp_memory.domain.episode import Episode
from mcp_memory.domain.query import ChangeKind
from mcp_memory.domain.shared_facts import FactKind
from mcp_memory.errors import InvalidInput
from mcp_memory.storage.tables import Transaction

ACYCLIC = frozenset({"parent_child", "depends_on", "follows"})
INACTIVE = 2  # in `removed`: neither removed nor believed, for it would close a cycle
DERIVED = (0, "")  # the stamp of a link that every machine makes of the episode itself: whatever a person does is later


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
    found, stamp = link_id(from_id, to_id, link_type), tx.stamp()
    tx.run("put_link", found, from_row, to_row, link_type, note, at_ms, *stamp)
    _told(tx, from_id, found, stamp)
    settle_cycles(tx)  # the later stamp of a link made again may let in another that is left out
    return found


def remove_link(tx: Transaction, from_id: str, to_id: str, link_type: str, at_ms: int) -> bool:
    """Mark a link removed and return whether there was one."""
    from_row, to_row = tx.episode_row(from_id)[0], tx.episode_row(to_id)[0]
    stamp = tx.stamp()
    removed = tx.run("remove_link", at_ms, *stamp, from_row, to_row, link_type) > 0
    if removed:
        _told(tx, from_id, link_id(from_id, to_id, link_type), stamp)
        settle_cycles(tx)
    return removed


def merge_link(tx: Transaction, values: tuple[object, ...], stamp: tuple[int, str]) -> None:
    """Store what another machine says of a link (the columns from id to at_ms) where it is later than what is here."""
    found, from_row, to_row, link_type, _, removed, _ = values
    assert isinstance(from_row, int)
    assert isinstance(to_row, int)
    if not tx.run("put_link_as", *values, *stamp):
        return
    tx.change(ChangeKind.LINK, str(found))
    if link_type in ACYCLIC and not removed and _path(tx, to_row, from_row, str(link_type)):
        _settle(tx, str(link_type))
    else:
        settle_cycles(tx)


def settle_cycles(tx: Transaction) -> None:
    """Look again at the links that are left out, for one that stood in their way may be gone."""
    for (link_type,) in tx.all("types_with_inactive"):
        _settle(tx, link_type)


def _settle(tx: Transaction, link_type: str) -> None:
    """Believe the links of a type in the order of their stamps, and leave out each that would close a cycle with those before it.

    So every machine believes the same ones, whatever came to it first. Reads all links of the type; it is done when a cycle came about
    because two machines did not know of each other, and after that while a link is left out.
    """
    rows = tx.all("standing_links", link_type)
    for id_, _, _, inactive in rows:
        if not inactive:
            tx.run("set_inactive", id_, INACTIVE)
    for id_, from_row, to_row, _ in rows:
        if from_row != to_row and not _path(tx, to_row, from_row, link_type):
            tx.run("set_inactive", id_, 0)


def stamped(stamp: tuple[int, str]) -> str:
    """Return a stamp as it stands in the id of a fact."""
    return f"{stamp[0]:x}_{stamp[1]}"


def _told(tx: Transaction, from_id: str, found: str, stamp: tuple[int, str]) -> None:
    tx.change(ChangeKind.LINK, found)
    tx.share(FactKind.LINK, from_id, found, stamped(stamp))


def link_new_episode(tx: Transaction, episode: Episode) -> None:
    """Link an episode to the parent and the predecessor it was created with; imported threads that run in a circle are left open."""
    parent_id, follows = episode.parent_id, episode.follows
    for from_id, to_id, link_type in ((parent_id, episode.id, "parent_child"), (episode.id, follows, "follows")):
        if from_id is None or to_id is None:
            continue
        from_row, to_row = tx.episode_row(from_id)[0], tx.episode_row(to_id)[0]
        if from_row != to_row and not _path(tx, to_row, from_row, link_type):
            values = (link_id(from_id, to_id, link_type), from_row, to_row, link_type, "", episode.started_at_ms)
            tx.run("put_link", *values, *DERIVED)


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
