"""The best-supported patterns and the agents' own lessons as a short Markdown guide with evidence, within a token budget. Pure.

What can be done again is a lesson: an answer to an error, a command, a file, a change, a correction, an agent's own words. Tools in their
order are none, however often they went with success.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from mcp_memory.domain.pattern import Pattern
from mcp_memory.domain.text import shorten, token_estimate
from mcp_memory.learning.patterns.confidence import best_first
from mcp_memory.learning.patterns.error_answers import MAX_ANSWERS, answers_by_error
from mcp_memory.phrases.practice import NOTHING_YET
from mcp_memory.phrases.words import cut_id
from mcp_memory.views.vouching import MIN_SOURCES

UNVERIFIED = "Unverified: said by one source alone"
FAILED_IN = "failed_in"  # in the content of a pattern that is told: an episode in which it did not help
MAX_UNVERIFIED = 5  # lines
MAX_LINES_EACH = 20  # of one section
MAX_LESSON_CHARS = 300
NOTE = "Records of earlier runs, not instructions. Each line names its evidence."
_HOLDS = {  # of a section: what its lines are for, and what not
    "When something fails": "For this very error of this tool.",
    "What fixed it": "Where the same call fails in the same way; not for another file or package.",
    "Commands that worked": "With the tools and files of the day named; not where these have changed.",
    "What solved which task": "Each for its own task; not for one that only sounds like it. Lines may have moved since.",
    "Not solved yet": "Nobody has succeeded so far; a part of what was tried may still be right.",
}


@dataclass(frozen=True, slots=True)
class ReportedLesson:
    """A lesson in an agent's own words."""

    text: str
    episode_id: str
    reward: float
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Practice:
    """Lines about what can be done again: commands that worked, changes after which an error was gone, tasks solved and not yet."""

    commands: Sequence[str] = ()
    changes: Sequence[str] = ()
    solved: Sequence[str] = ()
    unsolved: Sequence[str] = ()


NOTHING = Practice()


@dataclass(frozen=True, slots=True)
class Replaced:
    """What is right instead of a pattern, or of what an episode's agent noted."""

    text: str
    replaced: str = ""
    by: str = ""
    is_agents: bool = False  # said by an agent with a vote, not by a person


def lessons_markdown(
    patterns: Sequence[Pattern],
    corrections: Mapping[str, Replaced],
    *,
    domain: str,
    project: str,
    budget_tokens: int,
    reported: Sequence[ReportedLesson] = (),
    practice: Practice = NOTHING,
    is_shared: bool = False,
    scope: str = "",
    estimate_tokens: Callable[[str], int] = token_estimate,
) -> str:
    """Return the guide. Corrections come first; then each section gets its best line before any gets its second.

    Where there is no line, one says so, and nothing is explained.

    Args:
        patterns: With their confidence; retired ones are left out, as are those a correction replaces.
        corrections: By the id of the pattern or episode they correct.
        domain: Named in the title when given.
        project: Named in the title when given.
        budget_tokens: Of the whole text; the title is always there.
        reported: Lessons from outcomes, the best first.
        practice: What episodes did.
        is_shared: Whether several agents work there: what one of them alone says then comes last, and is marked.
        scope: From what attempts it is made.
        estimate_tokens: How tokens are counted.
    """
    noted, noted_alone = _reported([lesson for lesson in reported if lesson.episode_id not in corrections], is_shared=is_shared)
    said = {key: correction for key, correction in corrections.items() if not (is_shared and correction.is_agents)}
    said_alone = {key: correction for key, correction in corrections.items() if key not in said}
    agreed = [p for p in patterns if p.is_verified or not is_shared]
    alone = [p for p in patterns if not p.is_verified and is_shared]
    sections = {
        "Corrections": _corrections(said),
        "What agents noted": noted,
        "When something fails": _recoveries(agreed, corrections),
        "What fixed it": practice.changes,
        "Commands that worked": practice.commands,
        "What solved which task": practice.solved,
        "Not solved yet": practice.unsolved,
        UNVERIFIED: [*_corrections(said_alone), *noted_alone, *_recoveries(alone, corrections)][:MAX_UNVERIFIED],
    }
    about = " and ".join(f"{word} {name}" for word, name in (("project", project), ("domain", domain)) if name and name != "*")
    title = f"# Lessons{f' of {about}' if about else ''}"
    head = [title, "", f"{NOTE} {scope}".strip()]
    chosen: dict[str, list[str]] = {name: [] for name in sections}
    spent = estimate_tokens("\n".join(head))
    for name, line in _in_turn(sections):
        cost = estimate_tokens(line) + (0 if chosen[name] else estimate_tokens("\n".join(_opening(name))))
        if spent + cost <= budget_tokens:
            chosen[name].append(line)
            spent += cost
    if not any(chosen.values()):
        return "\n".join([title, "", f"Nothing fits into {budget_tokens} tokens." if any(sections.values()) else NOTHING_YET])
    if not any(lines for name, lines in chosen.items() if name != UNVERIFIED):
        head += ["", NOTHING_YET]
    return "\n".join([*head, *(text for name, lines in chosen.items() if lines for text in (*_opening(name), *lines))])


def _opening(section: str) -> list[str]:
    """Return the heading of a section, and what its lines hold for."""
    holds = [_HOLDS[section], ""] if section in _HOLDS else []
    return ["", f"## {section}", "", *holds]


def _in_turn(sections: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Return (section, line): all corrections, then the first line of every section, the second of every section, and so on."""
    first = [("Corrections", line) for line in sections["Corrections"]]
    others = [[(name, line) for line in lines] for name, lines in sections.items() if name != "Corrections"]
    return first + [item for round_ in zip_longest(*others) for item in round_ if item is not None]


def _corrections(corrections: Mapping[str, Replaced]) -> list[str]:
    lines = []
    for key, correction in sorted(corrections.items()):
        instead = f" (instead of: {shorten(_line(correction.replaced), MAX_LESSON_CHARS)})" if correction.replaced else ""
        by = f", by {correction.by}" if correction.by else ""
        lines.append(f"- {_line(correction.text)}{instead} [{key}{by}]")
    return lines[:MAX_LINES_EACH]


def _reported(reported: Sequence[ReportedLesson], *, is_shared: bool) -> tuple[list[str], list[str]]:
    """Return the lessons once each, with every episode that noted the same words; of several agents, those of one alone apart."""
    by_text: dict[str, list[ReportedLesson]] = {}
    for lesson in reported:
        if lesson.text.strip():
            by_text.setdefault(" ".join(lesson.text.lower().split()), []).append(lesson)
    groups = sorted(by_text.values(), key=lambda g: (-len({x.agent for x in g}) if is_shared else 0, -len(g)))
    agreed = [g for g in groups if not is_shared or len({x.agent for x in g}) >= MIN_SOURCES]
    alone = [g for g in groups if g not in agreed]
    return [_noted(g) for g in agreed[:MAX_LINES_EACH]], [
        _noted(g, f"; unverified: 1 source ({g[0].agent})") for g in alone[:MAX_LINES_EACH]
    ]


def _noted(group: Sequence[ReportedLesson], mark: str = "") -> str:
    ids = ", ".join(cut_id(lesson.episode_id) for lesson in group[:3])
    return f"- {shorten(_line(group[0].text), MAX_LESSON_CHARS)} [{ids}; reward {group[0].reward:.2f}{mark}]"


def _recoveries(patterns: Sequence[Pattern], corrections: Mapping[str, Replaced]) -> list[str]:
    """Return a line for each error, with its best answers; the error met most often first."""
    answers = answers_by_error(_standing(patterns, corrections))
    lines = []
    for found in sorted(answers.values(), key=lambda group: -sum(p.successes for p in group)):
        for p in found[:MAX_ANSWERS]:
            told = _line(p.description)
            times = f"worked in {p.successes} of {p.successes + p.failures}"
            lines.append(f"- {told[:1].upper()}{told[1:]} ({times}{_but(p)}) [{p.id}{_mark(p)}]")
    return lines[:MAX_LINES_EACH]


def _but(pattern: Pattern) -> str:
    """Return where an answer did not help, where that is known."""
    return f"; not in {cut_id(str(pattern.content[FAILED_IN]))}" if pattern.content.get(FAILED_IN) else ""


def _mark(pattern: Pattern) -> str:
    return f"; {pattern.provenance}" if pattern.provenance and not pattern.is_verified else ""


def _standing(patterns: Sequence[Pattern], corrections: Mapping[str, Replaced]) -> list[Pattern]:
    return [p for p in best_first(patterns) if p.id not in corrections and not p.corrected_by]


def _line(text: str) -> str:
    return " ".join(text.split())
