"""What a told fact writes, by its kind; a whole episode arrives elsewhere (`arriving_episodes.py`)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mcp_memory.domain.episode import EpisodeState
from mcp_memory.domain.feedback import Feedback, Recommendation, RecommendationKind, Verdict
from mcp_memory.domain.query import ChangeKind
from mcp_memory.domain.shared_facts import Fact, FactKind, parts_of
from mcp_memory.domain.sources import Quarantine, Source, SourceKind
from mcp_memory.storage import (
    advice_writes,
    claim_writes,
    completion_writes,
    curation_writes,
    episode_writes,
    link_writes,
    quarantine_writes,
)
from mcp_memory.storage.tables import Transaction


class Waits(Exception):
    """A fact rests on something that has not come yet."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _require(tx: Transaction, episode_id: str) -> tuple[int, str]:
    """Return the row and the state of an episode. Raises Waits where it has not come yet."""
    found = tx.one("episode_state", episode_id)
    if found is None:
        raise Waits(f"episode {episode_id}")
    return found[0], found[1]


def _step(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    owner, index, body = fact.owner, int(parts_of(fact.id)[2][0]), fact.body[1:]
    row, state = _require(tx, owner)
    if state == EpisodeState.COMPLETED:
        return ()
    count: int = tx.value("step_count", row)
    away = bool(tx.one("home_of", row))
    # steps of an episode of this machine are told again in their order: what is kept from the first that differs on is cut there
    if index > count or (not away and index > claim_writes.steps_heard(tx, row)):
        raise Waits(f"step {index} of {owner}")
    if index < count:
        if tx.sound("step_body", row, index) != [(body,)]:
            if away:
                tx.run("replace_step", row, index, body)
            else:
                claim_writes.keep_own(tx, row, index)
                tx.run("add_step", row, index, body)
                claim_writes.recount_steps(tx, row)
        claim_writes.heard_step(tx, row, index)
        return (f"step {index + 1} of {owner}",)
    tx.run("add_step", row, index, body)
    claim_writes.heard_step(tx, row, index)
    if state == EpisodeState.ABANDONED:
        claim_writes.recount_steps(tx, row)
    return (f"step {index + 1} of {owner}",)


def _abandon(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    row, state = _require(tx, fact.owner)
    if state == EpisodeState.COMPLETED:
        return ()
    if state == EpisodeState.OPEN:
        if tx.value("step_count", row) < told["steps"]:
            raise Waits(f"step {told['steps']} of {fact.owner}")
        episode_writes.abandon_episodes(tx, [fact.owner], told["at_ms"])
    elif tx.run("ended_at", told["at_ms"], row):
        tx.run("sum_episode", row)
    claim_writes.heard_abandoned(tx, row)
    return ()


def _claim(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    row, state = _require(tx, fact.owner)
    if state != EpisodeState.COMPLETED:
        claim_writes.grant(tx, row, int(parts_of(fact.id)[2][0]), fact.origin, told["at_ms"])
    return ()


def _thread(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    row, _ = _require(tx, fact.owner)
    found = tx.original(fact.owner, steps=False)
    if found is not None and found.follows is None and not tx.one("tombstone", told["follows"]):
        _require(tx, told["follows"])
        episode_writes.now_follows(tx, row, told["follows"])
    return ()


def _edit(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    _require(tx, fact.owner)
    curation_writes.merge_edits(tx, fact.owner, told["fields"], told["at_ms"], (fact.hlc, fact.origin))
    return ()


def _link(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    found = parts_of(fact.id)[2]
    if tx.one("tombstone", told["to"]):
        tx.erase(FactKind.LINK, fact.owner, *found)
        return ()
    from_row, to_row = _require(tx, fact.owner)[0], _require(tx, told["to"])[0]
    values = (found[0], from_row, to_row, told["type"], told["note"], int(told["removed"]), told["at_ms"])
    link_writes.merge_link(tx, values, (fact.hlc, fact.origin))
    return ()


def _recommendation(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    id_ = parts_of(fact.id)[2][0]
    shown = tuple(told["shown"])
    advice_writes.put_recommendation(
        tx, Recommendation(id_, RecommendationKind(told["kind"]), told["project"], told["episode"], shown, told["at_ms"])
    )
    return (f"recommendation {id_}",)


def _feedback(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    id_, episode = parts_of(fact.id)[2][0], told["episode"]
    if episode and tx.one("tombstone", episode):
        tx.erase(FactKind.FEEDBACK, fact.owner, id_)
        return ()
    if not tx.one("recommendation_exists", told["on"]):
        raise Waits(f"recommendation {told['on']}")
    verdict, used, implicit = Verdict(told["verdict"]), tuple(told["used"]), bool(told["implicit"])
    vote = Feedback(id_, told["on"], verdict, used, told["rating"], told["note"], implicit, told["at_ms"], episode)
    completion_writes.add_votes(tx, [vote])
    return ()


def _correction(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    id_ = parts_of(fact.id)[2][0]
    if tx.run("add_correction", id_, fact.owner, tx.codec.json(told["content"]), told["at_ms"], fact.hlc, fact.origin):
        tx.change(ChangeKind.CORRECTION, id_)
    return ()


def _checkpoint(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    row, _ = _require(tx, fact.owner)
    id_ = parts_of(fact.id)[2][0]
    if tx.run("add_checkpoint", id_, row, tx.codec.json(told["content"]), told["at_ms"]):
        tx.change(ChangeKind.CHECKPOINT, id_)
    return ()


def _quarantine(tx: Transaction, fact: Fact, told: Mapping[str, Any]) -> Sequence[str]:
    kind, _, name = fact.owner.partition("/")
    given = Quarantine(Source(SourceKind(kind), name), told["reason"], told["by"], told["at_ms"])
    quarantine_writes.merge_quarantine(tx, given, (fact.hlc, fact.origin), active=told["active"])
    return ()


# Each returns the keys of what waited for what it wrote.
EFFECTS: Mapping[str, Callable[[Transaction, Fact, Mapping[str, Any]], Sequence[str]]] = {
    FactKind.STEP: _step,
    FactKind.ABANDON: _abandon,
    FactKind.CLAIM: _claim,
    FactKind.THREAD: _thread,
    FactKind.EDIT: _edit,
    FactKind.LINK: _link,
    FactKind.RECOMMENDATION: _recommendation,
    FactKind.FEEDBACK: _feedback,
    FactKind.CORRECTION: _correction,
    FactKind.CHECKPOINT: _checkpoint,
    FactKind.QUARANTINE: _quarantine,
}
