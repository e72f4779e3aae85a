"""Whatever was recorded: an export read into an empty memory answers the same, and its own export is the same file."""

import json
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_memory.bootstrap import open_memory
from mcp_memory.config import Config
from mcp_memory.config_sources import load_config
from mcp_memory.errors import InvalidInput
from mcp_memory.memory import EpisodicMemory

pytestmark = pytest.mark.anyio

TASKS = ["repair the nightly report", "raise the report's speed", "translate the handbook", "ship the parser"]
NOTES = st.sampled_from(["", "because of it", "siehe «文字»"])
WHICH = st.integers(0, 3)
LINKS = st.sampled_from(["parent_child", "depends_on", "follows", "related_to", "duplicates", "references"])
EPISODES = st.tuples(
    st.booleans(),  # has an external id
    st.sampled_from(["p", "q"]),
    st.sampled_from(["success", "failure", "partial", None]),
    st.none() | WHICH,  # whom it follows
)
ACTIONS = st.one_of(
    st.tuples(st.just("link"), WHICH, WHICH, LINKS, NOTES),
    st.tuples(st.just("checkpoint"), WHICH, st.sampled_from(["half way", "nearly"]), NOTES),
    st.tuples(st.just("correct episode"), WHICH, st.sampled_from(["use the other one", "wait first"]), st.booleans()),
    st.tuples(st.just("correct pattern"), WHICH, st.sampled_from(["not so", "only on Mondays"]), st.booleans()),
    st.tuples(st.just("vote"), WHICH, st.sampled_from(["helped", "no_effect", "hindered"]), st.none() | st.just(0.5), st.booleans()),
    st.tuples(st.just("label"), WHICH, st.sampled_from(["success", "failure"])),
)


@settings(max_examples=12, deadline=None)
@given(episodes=st.lists(EPISODES, min_size=4, max_size=4), actions=st.lists(ACTIONS, max_size=8))
async def test_an_export_read_into_an_empty_memory_answers_and_is_exported_the_same(
    episodes: Sequence[tuple[bool, str, str | None, int | None]], actions: Sequence[tuple[Any, ...]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with open_memory(_settings(folder, "first")) as memory:
            ids = await _episodes(memory, episodes)
            patterns = [p.pattern_id for p in (await memory.search_patterns(project="*")).patterns]
            for action in actions:
                await _act(memory, ids, patterns, action)
            lines = [line async for line in memory.export_lines()]
            answers = await _answers(memory, patterns)
            again = await memory.import_lines(lines)
            assert (again.added, again.records, again.errors) == (0, 0, ())
            assert [line async for line in memory.export_lines()] == lines
        async with open_memory(_settings(folder, "second")) as other:
            report = await other.import_lines(lines)
            assert (report.errors, report.ignored) == ((), {})
            assert report.added + report.records == len(lines)
            assert [line async for line in other.export_lines()] == lines
            assert await _answers(other, patterns) == answers


def _settings(folder: str, name: str) -> Config:
    return load_config(env={}, flags={"storage.data_dir": str(Path(folder) / name), "embedding.provider": "off"})


async def _episodes(memory: EpisodicMemory, drawn: Sequence[tuple[bool, str, str | None, int | None]]) -> list[str]:
    """Import the drawn episodes; return their ids."""
    for number, (named, project, kind, follows) in enumerate(drawn):
        steps = [{"tool": "shell", "error": "KeyError: 'sku'", "at_ms": 5}, {"tool": "edit"}, {"tool": "shell", "observation": "done"}]
        line: dict[str, Any] = {"task": TASKS[number], "project": project, "started_at_ms": 1_700_000_000_000 + number, "steps": steps}
        line |= {"external_id": f"x{number}"} if named else {}
        line |= {"outcome": {"kind": kind}, "ended_at_ms": 1_700_000_060_000 + number} if kind else {}
        line |= {"follows": f"x{follows}"} if follows is not None and follows < number else {}
        assert (await memory.import_lines([json.dumps(line)])).added == 1
    rows = (await memory.search_episodes(project="*")).episodes
    return [next(row.episode_id for row in rows if row.task == task) for task in TASKS]


async def _act(memory: EpisodicMemory, ids: Sequence[str], patterns: Sequence[str], action: tuple[Any, ...]) -> None:
    match action:
        case ("link", one, other, kind, note):
            if len({(await memory.get_episode(ids[end])).episode.project for end in (one, other)}) > 1:
                return  # told of by neither project
            with suppress(InvalidInput):  # to itself, or round in a circle
                await memory.link_episodes(from_id=ids[one], to_id=ids[other], type=kind, note=note)
        case ("checkpoint", one, label, note) if (await memory.get_episode(ids[one])).episode.outcome is None:
            await memory.checkpoint_episode(episode_id=ids[one], label=label, note=note, findings=["a fact"])
        case ("correct episode", one, text, contradicts):
            await memory.correct(target_id=ids[one], text=text, reason="seen", contradicts=contradicts, by="tester")
        case ("correct pattern", one, text, contradicts) if patterns:
            await memory.correct(target_id=patterns[one % len(patterns)], text=text, contradicts=contradicts)
        case ("vote", one, verdict, rating, names):
            project = (await memory.get_episode(ids[one])).episode.project
            found = await memory.recall(TASKS[one], project=project)
            used = [e.episode_id for e in found.episodes[:1]] if names else []
            await memory.give_feedback(recommendation_id=found.recommendation_id, outcome=verdict, used_ids=used, rating=rating)
        case ("label", one, kind) if (await memory.get_episode(ids[one])).episode.outcome is not None:
            await memory.label(episode_id=ids[one], outcome=kind, lesson="look first")


async def _answers(memory: EpisodicMemory, patterns: Sequence[str]) -> dict[str, Any]:
    """Return what is read, told by tasks instead of ids."""
    rows = (await memory.search_episodes(project="*")).episodes
    tasks = {row.episode_id: row.task for row in rows}
    answers: dict[str, Any] = {}
    for id_, task in tasks.items():
        detail, near = await memory.get_episode(id_), await memory.related_episodes(episode_id=id_)
        found = await memory.recall(task, project=detail.episode.project)
        links = {(tasks[link.from_id], tasks[link.to_id], link.type, link.note) for link in near.edges}
        recalled = {e.task: (e.outcome, e.lessons, e.why.get("feedback")) for e in found.episodes}
        resumed = (await memory.resume_episode(episode_id=id_)).handoff if detail.episode.outcome is None else None
        answers[task] = (detail.episode.outcome, detail.correction, links, recalled, resumed)
    for pattern in patterns:
        known = (await memory.get_pattern(pattern_id=pattern)).pattern
        answers[pattern] = (known.description, known.support, known.successes, known.failures, known.correction)
    return answers
