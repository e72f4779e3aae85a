"""Looking for patterns: by what they say, by the tasks they come from, or simply the surest ones."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from mcp_memory.domain import limits
from mcp_memory.domain.answers import RecalledPattern
from mcp_memory.domain.filtering import is_named
from mcp_memory.domain.pattern import Pattern
from mcp_memory.domain.query import ANY_PROJECT, Query
from mcp_memory.retrieval.text_query import MAX_TERMS, read_query
from mcp_memory.verbs.engines import Engines, calling, distinct
from mcp_memory.verbs.presenting import recalled_pattern

MAX_READ = 2_000  # patterns with most of the words; some 20 µs each
MAX_LISTED = 500  # the best supported of a listing: one with less support has a lower bound below that of those that held as often
MAX_FOUND = limits.MAX_SEARCH_LIMIT  # by words, and by tasks
ASSESSED_AT_ONCE = 500  # some 15 ms, more when their evidence is new
UNSURE = 0.5  # what a pattern nobody should trust is worth that says exactly what was asked for


Found = tuple[list[RecalledPattern], tuple[str, ...]]  # with the lesser states met


def by_confidence(engines: Engines, query: Query, kind: str, min_support: int) -> Found:
    """Return the patterns of the query's project and domain, the verified first and then the surest (blocking)."""
    degraded = engines.current()
    found = engines.store.patterns(project=query.filter.project, kind=kind, min_support=min_support, limit=MAX_LISTED)
    patterns = confident(engines, [p for p in found if is_named(query.filter.domain, p.domain)])
    patterns.sort(key=lambda p: (not p.is_verified, -p.confidence, -p.support, p.id))
    return [recalled_pattern(p, p.confidence, {"confidence": p.confidence}) for p in patterns], degraded


def by_text(engines: Engines, query: Query, kind: str, min_support: int) -> Found:
    """Return the patterns whose descriptions have the query's words, and those of the tasks most like it; the best first (blocking)."""
    neighbours, degraded = engines.neighbours(replace(query, strict=bool(query.filter.domain)))
    with engines.views.read() as v:
        relevant = engines.learning.relevant_patterns(v, query, neighbours, MAX_FOUND)
    wanted = {row[0].id: row for row in _with_words(engines, query, kind, min_support)}
    for pattern, score, why in relevant:
        if pattern.support >= min_support and kind in ("", pattern.kind) and is_named(query.filter.domain, pattern.domain):
            _, of_words, why_words = wanted.get(pattern.id, (pattern, 0.0, {}))
            wanted[pattern.id] = (pattern, max(score, of_words), {**why_words, **why})
    best = sorted(wanted.values(), key=lambda row: (not row[0].is_verified, -row[1], -row[0].support, row[0].id))
    return [recalled_pattern(pattern, score, why) for pattern, score, why in best], degraded


def of_each(search: Callable[[Engines, Query, str, int], Found], engines: Engines, query: Query, kind: str, min_support: int) -> Found:
    """Return what *search* finds, for a caller bound to projects who asks for all: in each of them, a pattern as where it does best."""
    bound = calling.get().bound
    if query.filter.project != ANY_PROJECT or not bound:
        return search(engines, query, kind, min_support)
    found: dict[str, RecalledPattern] = {}
    degraded: tuple[str, ...] = ()
    for project in bound:
        rows, lesser = search(engines, replace(query, filter=replace(query.filter, project=project)), kind, min_support)
        degraded = distinct(degraded, lesser)
        for row in rows:
            if row.pattern_id not in found or _rank(row) < _rank(found[row.pattern_id]):
                found[row.pattern_id] = row
    return sorted(found.values(), key=_rank), degraded


def _rank(row: RecalledPattern) -> tuple[bool, float, int, str]:
    return row.provenance.startswith("unverified"), -row.score, -row.support, row.pattern_id


def confident(engines: Engines, patterns: Sequence[Pattern]) -> list[Pattern]:
    """Return the patterns with their confidence (blocking)."""
    return engines.in_parts(patterns, ASSESSED_AT_ONCE, engines.learning.confidence)


def _with_words(engines: Engines, query: Query, kind: str, min_support: int) -> Iterator[tuple[Pattern, float, Mapping[str, float]]]:
    """Yield (pattern, score, why) of the descriptions with most of the query's words, a rare word counting more than a common one."""
    asked = read_query(query.text).terms[:MAX_TERMS]
    where = query.filter
    found = engines.store.patterns(project=where.project, kind=kind, min_support=min_support, words=asked, limit=MAX_READ) if asked else []
    held = {p.id: set(asked).intersection(read_query(p.description).terms) for p in found if is_named(where.domain, p.domain)}
    counts = Counter(word for words in held.values() for word in words)
    weights = {word: math.log1p(len(held) / (max(1, counts[word]) + 0.5)) for word in asked}  # Robertson's idf, never negative
    shares = {key: sum(weights[word] for word in words) / sum(weights.values()) for key, words in held.items() if words}
    best = sorted((p for p in found if p.id in shares), key=lambda p: (-shares[p.id], -p.support, p.id))[:MAX_FOUND]
    for pattern in confident(engines, best):
        share = shares[pattern.id]
        yield pattern, share * (UNSURE + (1 - UNSURE) * pattern.confidence), {"words": share, "confidence": pattern.confidence}
