"""Counting and checking what is stored."""

import json
from collections.abc import Sequence

from mcp_memory.errors import InvalidInput
from mcp_memory.storage.connection import DriverError
from mcp_memory.storage.integrity import MAX_PROBLEMS, deep_problems
from mcp_memory.storage.quarantine_writes import strayed_episodes
from mcp_memory.storage.queries import IN_LIST
from mcp_memory.storage.tables import Tables

DISTINCT_COLUMNS = ("project", "domain", "language", "framework", "agent")
# What is counted, over everything and over some projects (`?` is their names).
_COUNTS = {
    "evidence": (
        "SELECT coalesce(sum(successes + failures), 0) FROM pattern_count",
        f"SELECT coalesce(sum(successes + failures), 0) FROM pattern_count WHERE project {IN_LIST}",
    ),
    "patterns": ("SELECT count(*) FROM pattern", f"SELECT count(DISTINCT pattern_row) FROM pattern_count WHERE project {IN_LIST}"),
    "vectors": (
        "SELECT count(*) FROM vector",
        f"SELECT count(*) FROM trace AS t JOIN vector AS v ON v.seq = t.seq WHERE t.project {IN_LIST}",
    ),
    "recommendations": ("SELECT count(*) FROM recommendation", f"SELECT count(*) FROM recommendation WHERE project {IN_LIST}"),
    "feedback": (
        "SELECT count(*) FROM feedback",
        f"SELECT count(*) FROM feedback AS f JOIN recommendation AS r USING (recommendation_row) WHERE r.project {IN_LIST}",
    ),
    "links": (
        "SELECT count(*) FROM link WHERE removed = 0",
        f"SELECT count(*) FROM link AS l JOIN episode AS e ON e.episode_row = l.from_row WHERE l.removed = 0 AND e.project {IN_LIST}",
    ),
    "checkpoints": (
        "SELECT count(*) FROM checkpoint",
        f"SELECT count(*) FROM checkpoint AS c JOIN episode AS e USING (episode_row) WHERE e.project {IN_LIST}",
    ),
}
_STATES = "SELECT state, count(*), sum(step_count) FROM episode {where} GROUP BY state"
_OPEN_STEPS = "SELECT count(*) FROM episode AS e JOIN step AS s USING (episode_row) WHERE e.state = 'open'"
# Pairs that must be equal: a statement and what it says when it is not 0.
_CHECKS = (
    (
        "SELECT count(*) FROM episode AS e WHERE e.state = 'completed' AND e.step_count !="
        " (SELECT count(*) FROM step AS s WHERE s.episode_row = e.episode_row)",
        "{n} completed episodes do not have all their steps",
    ),
    (
        "SELECT count(*) FROM episode AS e WHERE e.state = 'completed'"
        " AND NOT EXISTS (SELECT 1 FROM trace AS t JOIN index_text AS i USING (seq) WHERE t.episode_row = e.episode_row)",
        "{n} completed episodes are not indexed",
    ),
    (
        "SELECT count(*) FROM trace AS t WHERE NOT EXISTS (SELECT 1 FROM episode AS e WHERE e.episode_row = t.episode_row)",
        "{n} index entries belong to no episode",
    ),
    (
        "SELECT (SELECT count(*) FROM index_text) != (SELECT count(*) FROM episode_text_docsize)",
        "the text index and its texts differ in number",
    ),
)


def count_rows(tables: Tables, projects: Sequence[str] = ()) -> dict[str, int]:
    """Return how many of each kind there are, in *projects*, each once; in none of them: everywhere."""
    everywhere = not projects
    values = [] if everywhere else [json.dumps(projects)]
    where = "" if everywhere else f"WHERE project {IN_LIST}"
    states = {state: (n, steps) for state, n, steps in tables.rows(_STATES.format(where=where), values)}
    open_steps = tables.rows(_OPEN_STEPS + ("" if everywhere else f" AND e.project {IN_LIST}"), values)[0][0]
    counts = {"episodes": sum(n for n, _ in states.values())}
    counts |= {state: states.get(state, (0, 0))[0] for state in ("open", "completed", "abandoned")}
    counts["steps"] = sum(steps for _, steps in states.values()) + open_steps
    for name, (all_of_them, of_project) in _COUNTS.items():
        counts[name] = tables.rows(all_of_them if everywhere else of_project, values)[0][0]
    return counts


def distinct_values(tables: Tables, column: str, prefix: str, limit: int) -> list[str]:
    """Return the known values of *column* that start with *prefix*, in order. Raises InvalidInput for another column."""
    if column not in DISTINCT_COLUMNS:
        raise InvalidInput(f"`column` must be one of {', '.join(DISTINCT_COLUMNS)}, not {column!r}")
    sql = f"SELECT DISTINCT {column} FROM episode WHERE {column} != '' AND substr({column}, 1, ?) = ? ORDER BY {column} LIMIT ?"
    return [row[0] for row in tables.rows(sql, [len(prefix), prefix, limit])]


def problems(tables: Tables) -> list[str]:
    """Return what a full check finds: pages, indexes, what must agree between tables, every row and record. Empty when sound."""
    try:
        found = [row[0] for row in tables.rows(f"PRAGMA integrity_check({MAX_PROBLEMS})", []) if row[0] != "ok"]
        for sql, sentence in _CHECKS:
            count = tables.rows(sql, [])[0][0]
            if count:
                found.append(sentence.format(n=count))
        if drifted := tables.value("drifted_counts"):
            found.append(f"{drifted} pattern counts differ from their evidence")
        if strayed := strayed_episodes(tables):
            found.append(f"{strayed} episodes are quarantined or not against what is said of their sources")
    except DriverError as error:
        return [f"memory.db is damaged: {error}"]
    return [*found, *deep_problems(tables)]
