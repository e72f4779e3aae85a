"""One attempt: its steps in time, what failed and what resolved it, what it changed; and the forms that mend the record."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.facts import BestAttempt, Said
from mcp_memory.domain.forks import StepMark
from mcp_memory.domain.text import shorten
from mcp_memory.pages import archive
from mcp_memory.pages.calls import Answer, Call, Download, GoTo, Page, Refused
from mcp_memory.pages.diffs import Diff, diffs_of
from mcp_memory.pages.sessions import Notice, Undo
from mcp_memory.phrases import sentence
from mcp_memory.phrases.words import counted
from mcp_memory.rendering.render import text_of

STEPS = 100  # on one page
MAX_TEXT_CHARS, MAX_ARGUMENTS_CHARS = 6_000, 2_000  # of one step
BASE = "/ui/attempt"


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step with what is said of it; `open` where it is worth reading at once."""

    step: Step
    summary: str
    arguments: str
    came: StepMark | None
    diffs: Sequence[Diff]
    key: bool
    answers: Sequence[int]  # failed steps that this one resolved

    @property
    def opened(self) -> bool:
        return bool(self.key or self.diffs or self.step.failed)


async def show(call: Call) -> Answer:
    """The page of one episode."""
    first = _whole(call.query.get("from", "0"), "from")
    found = await call.memory.get_episode(episode_id=call.path["episode_id"], detail="full", step_from=first, step_limit=STEPS)
    episode = found.episode
    marks = await call.memory.mark_steps(episode_id=episode.id)
    links = await call.memory.related_episodes(episode_id=episode.id)
    others = {row.episode_id: row for row in links.nodes}
    return Page(
        "attempt.html",
        {
            "episode": episode,
            "correction": found.correction,
            "steps": shown_steps(episode, marks),
            "max_text": MAX_TEXT_CHARS,
            "first": first,
            "next": found.next_step_from,
            "before": min(max(0, first - STEPS), found.episode.step_count // STEPS * STEPS) if first else None,
            "failures": [m for m in marks if m.came],
            "changes": [m for m in marks if m.change],
            "said": _reflection(episode),
            "links": [(edge, others.get(edge.to_id if edge.from_id == episode.id else edge.from_id)) for edge in links.edges],
        },
    )


def shown_steps(episode: Episode, marks: Sequence[StepMark]) -> list[ShownStep]:
    """Return the steps that were read of an episode, with what is said of them."""
    came = {m.index: m for m in marks if m.came}
    answers: dict[int, list[int]] = {}
    for mark in came.values():
        for at in {mark.by, mark.worked_at} - {-1}:
            answers.setdefault(at, []).append(mark.index)
    summaries = {m.index: m.change for m in marks if m.change}
    return [
        ShownStep(
            step,
            summaries.get(step.index) or _summary(step),
            shorten(text_of(dict(step.arguments)), MAX_ARGUMENTS_CHARS) if step.arguments else "",
            came.get(step.index),
            diffs_of(step),
            step.index in episode.key_steps,
            answers.get(step.index, ()),
        )
        for step in episode.steps
    ]


def _summary(step: Step) -> str:
    values = " ".join(str(value) for value in step.arguments.values())
    return shorten(" ".join(values.split()), 160)


def _reflection(episode: Episode) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what is said of the episode under each heading, each with where it leads; its lessons have a heading of their own."""
    if episode.reflection is None:
        return []
    r = episode.reflection
    lessons = episode.outcome.lessons if episode.outcome else ()
    groups: list[tuple[str, Sequence[Said]]] = [("Went well", r.successes), ("To improve", r.improvements), ("Insights", r.insights)]
    said = [(name, [_said(fact) for fact in found if fact not in lessons]) for name, found in groups]
    return [(name, sentences) for name, sentences in said if sentences]


def _said(fact: Said) -> tuple[str, str]:
    if isinstance(fact, BestAttempt):  # agents are told how to read it; a person follows a link
        return f"An earlier attempt did better (reward {fact.reward:.2f}).", f"{BASE}/{fact.episode_id}"
    return sentence(fact), ""


async def export(call: Call) -> Answer:
    """The episode as a line of the interchange form."""
    found = await call.memory.get_episode(episode_id=call.path["episode_id"])
    lines = [line async for line in call.memory.episode_lines([found.episode.id])]
    return Download("\n".join(lines) + "\n", f"{found.episode.id}.jsonl")


async def tag(call: Call) -> Answer:
    """Put tags on, or take one off."""
    add = [word.strip() for word in call.form.get("add", "").split(",") if word.strip()]
    remove = [call.form["remove"]] if call.form.get("remove") else []
    if not add and not remove:
        raise Refused("no tag was given", hint="Write one or several, with commas between them.")
    row = await call.memory.update_episode(episode_id=call.path["episode_id"], add_tags=add, remove_tags=remove)
    done = f"Tagged {', '.join(add)}." if add else f"The tag {remove[0]} was taken off."
    undo = Undo(f"{BASE}/{row.episode_id}/tag", {"add": ", ".join(remove)} if remove else {"remove": add[0]})
    call.session.notice = Notice(done, undo if len(add) < 2 else None)
    return GoTo(f"{BASE}/{row.episode_id}")


async def label(call: Call) -> Answer:
    """Say how the episode ended after all."""
    done = await call.memory.label(
        episode_id=call.path["episode_id"], outcome=call.form.get("outcome", ""), lesson=call.form.get("lesson", "").strip()
    )
    call.session.notice = Notice(f"It counts as {done.outcome} now, before: {done.before}." if done.changed else "That was known already.")
    return GoTo(f"{BASE}/{done.episode_id}")


async def correct(call: Call) -> Answer:
    """Put a correction over the episode's lessons."""
    found = await call.memory.get_episode(episode_id=call.path["episode_id"])
    episode_id = found.episode.id
    instead = "instead" in call.form
    await call.memory.correct(target_id=episode_id, text=call.form.get("text", ""), contradicts=instead, by="a person")
    call.session.notice = Notice("Corrected: every recall that shows this attempt says so from now on.")
    return GoTo(f"{BASE}/{episode_id}")


async def confirm_forget(call: Call) -> Answer:
    """Say what would be deleted, before anything is."""
    found = await call.memory.get_episode(episode_id=call.path["episode_id"])
    dry = await call.memory.forget(episode_ids=[found.episode.id])
    return Page("forget.html", {"episode": found.episode, "goes_with": list(_goes_with(dry.would_delete or {}))})


def _goes_with(counts: Mapping[str, int]) -> Iterator[str]:
    """Yield what is deleted with an episode, in words."""
    nouns = {"steps": ("step", ""), "evidence": ("piece", " of evidence")}
    for name, number in counts.items():
        if number and name != "episodes":
            noun, of = nouns.get(name, (name.removesuffix("s"), ""))
            yield counted(number, noun) + of


async def forget(call: Call) -> Answer:
    """Archive the episode, then delete it with everything that rests on it."""
    found = await call.memory.get_episode(episode_id=call.path["episode_id"])
    episode_id = found.episode.id
    await archive.put(call, episode_id)
    await call.memory.forget(episode_ids=[episode_id], confirm=True, reason="on a page")
    text = f"Forgotten: {shorten(found.episode.task, 80)}. It is in the archive until you remove that."
    call.session.notice = Notice(text, Undo(f"/ui/forgotten/{episode_id}"))
    return GoTo("/ui/attempts")


async def restore(call: Call) -> Answer:
    """Bring back what was forgotten on a page."""
    await archive.take_back(call, call.path["episode_id"])
    call.session.notice = Notice("It is back, under a new id. Votes and links to it are not.")
    return GoTo("/ui/attempts")


async def listed(call: Call) -> Answer:
    """Episodes by words, outcome and state."""
    query, wanted = call.query.get("q", "").strip(), {name: call.query.get(name, "") for name in ("outcome", "state")}
    page = await call.memory.search_episodes(
        query=query,
        sort="relevance" if query else "newest",
        limit=50,
        cursor=call.query.get("cursor") or None,
        project=call.session.project,
        **{name: value for name, value in wanted.items() if value},
    )
    return Page("attempts.html", {"page": page, "query": query, **wanted})


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 9):
        raise Refused(f"`{name}` in the address is no whole number", hint="Open the attempt from a list.")
    return int(text)
