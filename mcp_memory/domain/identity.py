"""Ids that are derived, not drawn: the same thing gets the same id on every machine. Pure."""

import uuid

_IMPORTED = uuid.UUID("6f0c9a52-3c1e-5d0b-9a3f-0d6f5f1b7e21")  # the namespace of imported episodes; never to be changed


def imported_id(project: str, external_id: str) -> str:
    """Return the id of an imported episode, a UUIDv5: two machines that import the same session have one episode.

    >>> imported_id("shop", "session-1") == imported_id("shop", "session-1") != imported_id("ops", "session-1")
    True
    """
    return str(uuid.uuid5(_IMPORTED, f"{len(project)}:{project}{external_id}"))
