"""Reads of patterns, evidence, votes and corrections."""

import json
from collections.abc import Sequence

from mcp_memory.domain.curation import Correction
from mcp_memory.domain.feedback import Feedback, Recommendation, RecommendationKind, Verdict
from mcp_memory.domain.pattern import Evidence, Pattern, PatternKind
from mcp_memory.domain.query import ANY_PROJECT
from mcp_memory.domain.sources import SourceKind
from mcp_memory.ports import PatternTally
from mcp_memory.storage.codec import load_as, load_json
from mcp_memory.storage.quarantine_writes import active_sources
from mcp_memory.storage.tables import Row, Tables


def patterns(
    tables: Tables, ids: Sequence[str] | None, project: str, kind: str, min_support: int, words: Sequence[str], limit: int
) -> list[Pattern]:
    """Return patterns with their counts in *project*, best supported first."""
    anywhere = project == ANY_PROJECT
    if ids is None and anywhere and not (kind or words):
        return [_pattern(row) for row in tables.sound("best_patterns_anywhere", min_support, limit)]
    if ids is None:
        name = "patterns_anywhere" if anywhere else "patterns_in_project"
        return [_pattern(row) for row in tables.sound(name, project, kind, min_support, limit, json.dumps(_spellings(words)))]
    found: list[Pattern] = []
    for pattern_id in dict.fromkeys(ids):
        rows = tables.sound("pattern_anywhere", pattern_id) if anywhere else tables.sound("pattern_in_project", pattern_id, project)
        found += [_pattern(row) for row in rows if row[6] >= min_support and (not kind or row[1] == kind)]
    found.sort(key=lambda p: (-p.support, p.id))
    return found[:limit]


def _spellings(words: Sequence[str]) -> list[str]:
    """Return the words with their upper-case forms where SQLite, which lowers ASCII only, would not find them."""
    return [s for word in words for s in ((word,) if word.isascii() else dict.fromkeys((word, word.upper(), word.title())))]


def tallies(tables: Tables, episode_ids: Sequence[str], project: str, kinds: Sequence[str]) -> list[PatternTally]:
    """Return which patterns (of *kinds*; () is of all) the episodes are evidence for, with their counts in *project*, by the ids' order."""
    name = "tallies_anywhere" if project == ANY_PROJECT else "tallies_in_project"
    rows = tables.all(name, json.dumps(list(dict.fromkeys(episode_ids))), project, json.dumps(list(kinds or PatternKind)))
    return [PatternTally(*row) for row in dict.fromkeys(rows)]


def evidence(tables: Tables, pattern_ids: Sequence[str], limit_each: int, details: bool) -> dict[str, list[Evidence]]:
    """Return the evidence for each pattern that has any, newest episode first."""
    found = {}
    for pattern_id in pattern_ids:
        rows = tables.sound("evidence_of", pattern_id, limit_each)
        if rows:
            found[pattern_id] = [
                Evidence(pattern_id, episode_id, bool(success), weight, at_ms, load_json(detail) if detail and details else {})
                for episode_id, success, weight, at_ms, detail in rows
            ]
    return found


def recommendations(tables: Tables, ids: Sequence[str] | None, episode_id: str | None) -> list[Recommendation]:
    """Return recommendations by id (missing ones left out), or all that were made for an episode, in order."""
    if ids is not None:
        rows = [row for id_ in ids for row in tables.sound("recommendation_by_id", id_)]
        rows = [row for row in rows if episode_id is None or row[3] == episode_id]
    else:
        rows = tables.sound("recommendations_of_episode", episode_id)
    return [_recommendation(*row) for row in rows]


def feedback(tables: Tables, project: str, after_rowid: int) -> tuple[list[tuple[Feedback, Recommendation]], int]:
    """Return votes in the order they were cast, with what they are about, and the row to go on from."""
    found = []
    rows = tables.sound("feedback_after", after_rowid, project)
    for _, id_, rec_id, verdict, used, rating, note, implicit, at_ms, episode_id, *shown in rows:
        vote = Feedback(id_, rec_id, Verdict(verdict), tuple(load_json(used)), rating, note, bool(implicit), at_ms, episode_id)
        found.append((vote, _recommendation(rec_id, *shown)))
    return found, rows[-1][0] if rows else after_rowid


def corrections(tables: Tables, target_ids: Sequence[str] | None) -> dict[str, Correction]:
    """Return the latest correction of each target that has one; those of quarantined agents are passed over."""
    if target_ids is None:
        rows = tables.sound("all_corrections")
    else:
        rows = [row for target in target_ids for row in tables.sound("corrections_of", target)]
    silenced = {source.name for source in active_sources(tables) if source.kind is SourceKind.AGENT} if rows else set()
    found = [(target, load_as(content, Correction)) for target, content in rows]
    return {target: correction for target, correction in found if correction.by not in silenced}


def _pattern(row: Row) -> Pattern:
    id_, kind, project, content, description, domain, support, successes, failures, first_at_ms, last_at_ms = row
    return Pattern(
        id_, PatternKind(kind), project, load_json(content), description, domain, support, successes, failures, first_at_ms, last_at_ms
    )


def _recommendation(id_: str, kind: str, project: str, episode_id: str | None, at_ms: int, shown: bytes) -> Recommendation:
    return Recommendation(id_, RecommendationKind(kind), project, episode_id, tuple(load_json(shown)), at_ms)
