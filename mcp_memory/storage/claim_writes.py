"""Taking over an open episode that another replica numbers, and keeping what the log turns out to have otherwise.

A claim is a fact of its own, and of one number a log keeps the first. Steps and the giving up of an episode are refused by the log
where it has a claim that their writer had not heard of. So who asked first goes on from exactly the steps that the log has, and what the
home of before had not told until then becomes an episode that follows: nothing that was acknowledged is lost.
"""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import replace

from mcp_memory.domain.episode import Episode, EpisodeState, Step
from mcp_memory.domain.query import ChangeKind
from mcp_memory.domain.shared_facts import FactKind
from mcp_memory.storage.episode_writes import add_steps, insert_episode
from mcp_memory.storage.link_writes import link_new_episode
from mcp_memory.storage.tables import Tables, Transaction


def ask(tx: Transaction, episode_id: str, at_ms: int) -> None:
    """Ask the logs for an open episode that another replica numbers; nothing where it is open here already, or closed."""
    row, state = tx.episode_row(episode_id)
    if state == EpisodeState.OPEN and tx.one("home_of", row):
        number = granted(tx, row) + 1
        tx.run("put_claim", row, number, tx.value("replica"), at_ms, 0)
        tx.share(FactKind.CLAIM, episode_id, number)


def withdraw(tx: Transaction, episode_id: str) -> None:
    """Ask no longer, as far as no log has heard of it."""
    if (row := tx.value("episode_state", episode_id)) is not None:  # forgotten in the meantime
        tx.run("withdraw_claims", row)


def granted(tables: Tables, row: int) -> int:
    """Return the number of the last claim that was granted, 0 where none was."""
    found: int = tables.value("last_claim", row)
    return found


def grant(tx: Transaction, row: int, number: int, origin: str, at_ms: int) -> None:
    """Let an open episode be numbered by *origin*, as the log says; it may say so again."""
    if (origin,) in tx.all("claim_granted_to", row, number):
        return
    tx.run("put_claim", row, number, origin, at_ms, 1)
    if number < granted(tx, row):
        return
    if origin == tx.value("replica"):
        tx.run("at_home", row)
        for index in range(tx.value("step_count", row)):  # a log that went back may have some of them, in any order: it takes each once
            tx.tell(FactKind.STEP, tx.value("episode_id", row), index)
    else:
        keep_own(tx, row, steps_heard(tx, row))
        tx.run("set_home", row, origin)
    if tx.value("state_of", row) == EpisodeState.ABANDONED and not _echo(tx, row)[1]:  # given up by who had not heard of the claim
        tx.run("reopen_episode", tx.change(ChangeKind.EPISODE_UPDATED, tx.value("episode_id", row)), row)
        tx.run("sum_episode", row)


def keep_own(tx: Transaction, row: int, first: int) -> None:
    """Move the steps from *first* on into an abandoned episode that follows: no other machine will have them under this one.

    Whoever had them makes the same of them, so that two who had are told one episode.
    """
    known = tx.original(tx.value("episode_id", row), steps=True)
    assert known is not None
    if not (own := known.steps[first:]):
        return
    kept = replace(
        known, id=_id_of(tx, known, first, own), steps=own, step_count=len(own), state=EpisodeState.OPEN, ended_at_ms=None,
        follows=known.id, parent_id=None, external_id=None, outcome=None, reward=None, reflection=None, metadata={"resumed_from": known.id},
    )  # fmt: skip
    tx.run("cut_steps", row, first)
    recount_steps(tx, row)
    if tx.one("episode_exists", kept.id) or tx.one("tombstone", kept.id):
        return
    kept_row = insert_episode(tx, kept)
    add_steps(tx, kept_row, 0, own)
    link_new_episode(tx, kept)
    seq = tx.change(ChangeKind.EPISODE_ABANDONED, kept.id)
    tx.run("abandon_episode", known.ended_at_ms or known.started_at_ms, len(own), seq, kept_row)
    tx.run("sum_episode", kept_row)
    tx.tell(FactKind.OPEN, kept.id)
    for index in range(len(own)):
        tx.tell(FactKind.STEP, kept.id, index)
    tx.tell(FactKind.ABANDON, kept.id)


def _id_of(tx: Transaction, known: Episode, first: int, own: Sequence[Step]) -> str:
    digest = hashlib.blake2b(f"{known.id}\0{first}".encode(), digest_size=16)
    for step in own:
        digest.update(tx.codec.step(step))
    return str(uuid.UUID(bytes=digest.digest(), version=5))


def recount_steps(tx: Transaction, row: int) -> None:
    """Let an abandoned episode have as many steps as it has, where some came or went after that."""
    if tx.run("recount_steps", row):
        tx.run("sum_episode", row)


def heard_step(tx: Transaction, row: int, index: int) -> None:
    """Note that the log has a step."""
    steps, abandoned = _echo(tx, row)
    if index >= steps:
        _note_echo(tx, row, index + 1, abandoned=abandoned)


def steps_heard(tx: Transaction, row: int) -> int:
    """Return how many steps the log is known to have."""
    return _echo(tx, row)[0]


def heard_abandoned(tx: Transaction, row: int) -> None:
    """Note that the log has it that an episode was given up."""
    _note_echo(tx, row, steps_heard(tx, row), abandoned=True)


def _echo(tx: Transaction, row: int) -> tuple[int, bool]:
    found = tx.sound("echoed", row)
    return (found[0][0], bool(found[0][1])) if found else (0, False)


def _note_echo(tx: Transaction, row: int, steps: int, *, abandoned: bool) -> None:
    tx.run("note_echo", row, steps, int(abandoned))
