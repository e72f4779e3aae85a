"""Ask: what an agent would be told, line by line, and what a person says to it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from mcp_memory.domain.text import token_estimate
from mcp_memory.pages.calls import Answer, Call, GoTo, Page, Refused
from mcp_memory.pages.sessions import Notice
from mcp_memory.rendering.lines import recall_lines
from mcp_memory.rendering.render import answer

BUDGET_TOKENS = 800  # as `start_episode` has without another wish
WORDS: Mapping[str, tuple[str, str]] = {  # parts of a score: what they are when they raise it, when they lower it
    "lexical": ("the same words", "few of the words"),
    "semantic": ("the same meaning", "another meaning"),
    "context": ("the same kind of work", "another kind of work"),
    "value": ("it worked", "it did not work"),
    "recency": ("it is recent", "it is old"),
    "feedback": ("it helped before", "it hindered before"),
    "confidence": ("it held often", "it held seldom"),
}
WITHDRAWN = "Withdrawn by a person: do not go by this."


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of one source; `kind` is "episode", "pattern", or "" for those of none."""

    lines: tuple[str, ...]
    source: str
    kind: str
    why: tuple[tuple[str, float], ...]
    tokens: int


async def show(call: Call) -> Answer:
    """The page, with an answer when something was asked."""
    query = call.query.get("q", "").strip()
    if not query:
        return Page("ask.html", {"query": "", "blocks": None, "told": None, "tokens": 0})
    told = await call.memory.recall(query=query, project=call.session.project, budget_tokens=BUDGET_TOKENS)
    blocks = list(_blocks(answer(told)))
    return Page("ask.html", {"query": query, "blocks": blocks, "told": told, "tokens": sum(b.tokens for b in blocks)})


def _blocks(told: Mapping[str, Any]) -> Iterator[Block]:
    episodes = {row["episode_id"]: row for row in told["episodes"]}
    patterns = {row["pattern_id"]: row for row in told["patterns"]}
    for source, group in groupby(recall_lines(told), key=lambda line: line.source):
        lines = tuple(line.text for line in group)
        kind = "episode" if source in episodes else "pattern" if source in patterns else ""
        row = episodes.get(source) or patterns.get(source) or {}
        yield Block(lines, source, kind, tuple(_why(row.get("why", {}))), token_estimate("\n".join(lines)))


def _why(parts: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    for name, value in sorted(parts.items(), key=lambda item: -abs(item[1])):
        if value:
            raises, lowers = WORDS.get(name, (name, name))
            yield (raises if value > 0 else lowers), value


async def vote(call: Call) -> Answer:
    """Say that a line was right, or wrong and what is right instead, or that nobody should be told it."""
    form, instead = call.form, call.form.get("instead", "").strip()
    verdict, source = form.get("verdict", ""), form.get("source", "")
    if verdict == "never":
        await call.memory.correct(target_id=source, text=WITHDRAWN, reason="on a page", contradicts=True, by="a person")
        call.session.notice = Notice("Withdrawn: whoever is shown it reads that from now on.")
    elif verdict == "wrong" and instead:  # no vote besides: what is right instead should be read where the wrong was, not further down
        await call.memory.correct(target_id=source, text=instead, reason="on a page", contradicts=True, by="a person")
        call.session.notice = Notice("Corrected: the next answer says what is right instead.")
    elif verdict in ("right", "wrong"):
        outcome = "helped" if verdict == "right" else "hindered"
        await call.memory.give_feedback(recommendation_id=form.get("recommendation_id", ""), outcome=outcome, used_ids=[source])
        call.session.notice = Notice(f"Noted as {verdict}: it comes {'sooner' if verdict == 'right' else 'later'} from now on.")
    else:
        raise Refused("that is none of right, wrong, never", hint="Ask again and use the buttons.")
    return GoTo("/ui/ask?" + urlencode({"q": form.get("q", "")}))
