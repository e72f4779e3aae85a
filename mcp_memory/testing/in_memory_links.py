"""Links of the in-memory store."""

from mcp_memory.domain.curation import Link
from mcp_memory.domain.query import ChangeKind
from mcp_memory.errors import InvalidInput
from mcp_memory.testing.records import Records

ACYCLIC = frozenset({"parent_child", "depends_on", "follows"})


def put_link(records: Records, from_id: str, to_id: str, link_type: str, note: str) -> str:
    """Insert a link and return its id."""
    records.record(from_id)
    records.record(to_id)
    if from_id == to_id:
        raise InvalidInput("an episode cannot be linked to itself")
    if link_type in ACYCLIC and (path := _path(records, to_id, from_id, link_type)):
        raise InvalidInput(f"the link would close a cycle of {link_type}: {' -> '.join([from_id, *path])}")
    link_id = f"lnk_{from_id}_{to_id}_{link_type}"
    records.links[link_id] = Link(from_id, to_id, link_type, note)
    records.change(ChangeKind.LINK, link_id)
    return link_id


def remove_link(records: Records, from_id: str, to_id: str, link_type: str) -> bool:
    """Remove a link and return whether there was one."""
    records.record(from_id)
    records.record(to_id)
    link_id = f"lnk_{from_id}_{to_id}_{link_type}"
    if records.links.pop(link_id, None) is None:
        return False
    records.change(ChangeKind.LINK, link_id)
    return True


def link_new_episode(records: Records, episode_id: str, *, parent_id: str | None, follows: str | None) -> None:
    """Link an episode to the parent and the predecessor it was created with, unless that closes a circle."""
    for from_id, to_id, link_type in ((parent_id, episode_id, "parent_child"), (episode_id, follows, "follows")):
        if from_id and to_id and from_id != to_id and not _path(records, to_id, from_id, link_type):
            link_id = f"lnk_{from_id}_{to_id}_{link_type}"
            records.links[link_id] = Link(from_id, to_id, link_type)


def _path(records: Records, start: str, goal: str, link_type: str) -> list[str] | None:
    paths = [[start]]
    seen = {start}
    for path in paths:
        if path[-1] == goal:
            return path
        for link in list(records.links.values()):
            if link.type == link_type and link.from_id == path[-1] and link.to_id not in seen:
                seen.add(link.to_id)
                paths.append([*path, link.to_id])
    return None
