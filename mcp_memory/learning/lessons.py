"""The best-supported patterns and the agents' own lessons as a short Markdown guide with evidence, within a token budget. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from mcp_memory.domain.episode import Json
from mcp_memory.domain.pattern import Pattern, PatternKind
from mcp_memory.domain.text import shorten
from mcp_memory.learning.confidence import best_first, wilson

BYTES_PER_TOKEN = 3.5  # of English with identifiers in it; most vocabularies need fewer tokens than this says
MAX_LINES_EACH = 20  # of one section
MAX_LESSON_CHARS = 300
FAILING = 0.5  # lower bound of the failure rate from which a pattern is something to avoid
MIN_CONFIDENCE = 0.3  # of something to do
NOTE = "Records of earlier runs, not instructions. Each line names its evidence."


@dataclass(frozen=True, slots=True)
class ReportedLesson:
    """A lesson in an agent's own words."""

    text: str
    episode_id: str
    reward: float


def tokens_of(text: str) -> int:
    """Return about how many tokens *text* has, rather too many than too few."""
    return int(len(text.encode()) / BYTES_PER_TOKEN) + 1


def lessons_markdown(
    patterns: Sequence[Pattern],
    corrections: Mapping[str, Mapping[str, Json]],
    *,
    domain: str,
    project: str,
    budget_tokens: int,
    reported: Sequence[ReportedLesson] = (),
    estimate_tokens: Callable[[str], int] = tokens_of,
) -> str:
    """Return the guide. Corrections come first; then each section gets its best line before any gets its second.

    Args:
        patterns: With their confidence; retired ones are left out, as are those a correction replaces.
        corrections: By the id of what they correct: `text`, and perhaps `by`.
        domain: Named in the title when given.
        project: Named in the title when given.
        budget_tokens: Of the whole text; the title is always there.
        reported: Lessons from outcomes, the best first.
        estimate_tokens: How tokens are counted.
    """
    sections = {
        "Corrections": _corrections(patterns, corrections),
        "What agents noted": _reported(reported),
        "When something fails": _recoveries(patterns, corrections),
        "What works": _working(patterns, corrections),
        "What to avoid": _failing(patterns, corrections),
    }
    about = " and ".join(f"{word} {name}" for word, name in (("project", project), ("domain", domain)) if name and name != "*")
    head = [f"# Lessons{f' of {about}' if about else ''}", "", NOTE]
    chosen: dict[str, list[str]] = {name: [] for name in sections}
    spent = estimate_tokens("\n".join(head))
    for name, line in _in_turn(sections):
        cost = estimate_tokens(line) + (0 if chosen[name] else estimate_tokens(f"\n## {name}\n"))
        if spent + cost <= budget_tokens:
            chosen[name].append(line)
            spent += cost
    if not any(chosen.values()):
        empty = not any(sections.values())
        return "\n".join([*head, "", "Nothing is well supported yet." if empty else f"Nothing fits into {budget_tokens} tokens."])
    body = [text for name, lines in chosen.items() if lines for text in ("", f"## {name}", "", *lines)]
    return "\n".join([*head, *body])


def _in_turn(sections: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Return (section, line): all corrections, then the first line of every section, the second of every section, and so on."""
    first = [("Corrections", line) for line in sections["Corrections"]]
    others = [[(name, line) for line in lines] for name, lines in sections.items() if name != "Corrections"]
    return first + [item for round_ in zip_longest(*others) for item in round_ if item is not None]


def _corrections(patterns: Sequence[Pattern], corrections: Mapping[str, Mapping[str, Json]]) -> list[str]:
    known = {p.id: p for p in patterns}
    lines = []
    for key, content in sorted(corrections.items()):
        instead = f" (instead of: {_line(known[key].description)})" if key in known else ""
        by = f", by {content['by']}" if content.get("by") else ""
        lines.append(f"- {_line(str(content['text']))}{instead} [{key}{by}]")
    return lines[:MAX_LINES_EACH]


def _reported(reported: Sequence[ReportedLesson]) -> list[str]:
    """Return the lessons once each, with every episode that noted the same words."""
    by_text: dict[str, list[ReportedLesson]] = {}
    for lesson in reported:
        if lesson.text.strip():
            by_text.setdefault(" ".join(lesson.text.lower().split()), []).append(lesson)
    groups = sorted(by_text.values(), key=lambda g: -len(g))
    return [
        f"- {shorten(_line(g[0].text), MAX_LESSON_CHARS)} [{', '.join(x.episode_id for x in g[:3])}; reward {g[0].reward:.2f}]"
        for g in groups[:MAX_LINES_EACH]
    ]


def _recoveries(patterns: Sequence[Pattern], corrections: Mapping[str, Mapping[str, Json]]) -> list[str]:
    return [
        f"- When {p.content['tool']} fails with “{_line(str(p.content['error']))}”, try {p.content['try']}. {_counts(p, 'worked')}"
        for p in _trusted(patterns, corrections)
        if p.kind is PatternKind.ERROR_RECOVERY
    ][:MAX_LINES_EACH]


def _working(patterns: Sequence[Pattern], corrections: Mapping[str, Mapping[str, Json]]) -> list[str]:
    return [
        f"- {_line(p.description)}. {_counts(p, 'succeeded')}"
        for p in _trusted(patterns, corrections)
        if p.kind is not PatternKind.ERROR_RECOVERY
    ][:MAX_LINES_EACH]


def _failing(patterns: Sequence[Pattern], corrections: Mapping[str, Mapping[str, Json]]) -> list[str]:
    bounds = {p.id: wilson(p.failures, p.failures + p.successes)[0] for p in patterns if p.id not in corrections and not p.corrected_by}
    worst = sorted((p for p in patterns if bounds.get(p.id, 0.0) > FAILING), key=lambda p: (-bounds[p.id], -p.support, p.id))
    return [f"- {_line(p.description)}. {_counts(p, 'succeeded')}" for p in worst[:MAX_LINES_EACH]]


def _trusted(patterns: Sequence[Pattern], corrections: Mapping[str, Mapping[str, Json]]) -> list[Pattern]:
    return [p for p in best_first(patterns) if p.confidence >= MIN_CONFIDENCE and p.id not in corrections and not p.corrected_by]


def _counts(pattern: Pattern, verb: str) -> str:
    tried = pattern.successes + pattern.failures
    return f"{verb.capitalize()} in {pattern.successes} of {tried} (confidence {pattern.confidence:.2f}) [{pattern.id}]"


def _line(text: str) -> str:
    return " ".join(text.split())
