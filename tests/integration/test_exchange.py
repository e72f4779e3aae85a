"""The interchange file: what is exported and imported again is the same, twice is once, and a bad line does not stop the others."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_memory.bootstrap import open_memory
from mcp_memory.config import Config
from mcp_memory.config_sources import load_config
from mcp_memory.domain.requests import WhereFields
from mcp_memory.memory import EpisodicMemory
from mcp_memory.phrases import sentence

pytestmark = pytest.mark.anyio

LINE: dict[str, Any] = {
    "external_id": "ticket-1",
    "task": "Repair the importer — «naïve» 文字 🚀",
    "task_type": "debugging",
    "project": "shop",
    "agent": "tester",
    "context": {"domain": "backend", "language": "python", "framework": "django", "complexity": "complex", "tags": ["import", "csv"]},
    "started_at_ms": 1_700_000_000_000,
    "ended_at_ms": 1_700_000_060_000,
    "steps": [
        {
            "tool": "shell",
            "action": "run",
            "arguments": {"command": "python import.py", "nested": {"deep": [1, 2.5, None, True]}},
            "observation": "",
            "status": "error",
            "error": "KeyError: 'sku'",
            "duration_ms": 1200,
            "tokens": 15,
            "at_ms": 1_700_000_010_000,
        },
        {
            "tool": "editor",
            "action": "editor",
            "arguments": {},
            "observation": "done",
            "status": "ok",
            "error": None,
            "duration_ms": None,
            "tokens": None,
            "at_ms": 1_700_000_020_000,
        },
    ],
    "outcome": {
        "kind": "partial",
        "summary": "half of it",
        "lessons": ["check the header"],
        "artifacts": ["import.py"],
        "completed": ["parse"],
        "failed": ["store"],
        "error": "ran out of time",
    },
    "metadata": {"ticket": 7},
}


async def _exported(memory: EpisodicMemory) -> list[dict[str, Any]]:
    return [json.loads(line) async for line in memory.export_lines()]


async def test_an_exported_line_is_the_imported_one(memory: EpisodicMemory) -> None:
    report = await memory.import_lines([json.dumps(LINE)])
    assert (report.added, report.skipped, report.errors, report.ignored) == (1, 0, (), {})
    assert await _exported(memory) == [LINE]


async def test_importing_twice_adds_nothing_even_after_an_export(memory: EpisodicMemory) -> None:
    await memory.import_lines([json.dumps(LINE)])
    started = await memory.start_episode("no external id", recall=False)
    await memory.complete_episode(started.episode_id, "success")
    lines = [json.dumps(line) for line in await _exported(memory)]
    again = await memory.import_lines(lines)
    assert (again.added, again.skipped) == (0, 2)
    assert (await memory.search_episodes(project="*")).total == 2


async def test_what_was_forgotten_is_not_imported_again(memory: EpisodicMemory) -> None:
    await memory.import_lines([json.dumps(LINE)])
    (row,) = (await memory.search_episodes(project="*")).episodes
    await memory.forget(episode_ids=[row.episode_id], confirm=True)
    report = await memory.import_lines([json.dumps(LINE), json.dumps(LINE | {"external_id": "ticket-2"})])
    assert (report.added, report.skipped, report.errors) == (1, 1, ())
    assert [e["external_id"] for e in await _exported(memory)] == ["ticket-2"]


async def test_two_machines_that_import_the_same_session_have_one_episode(memory: EpisodicMemory, tmp_path: Path) -> None:
    other = load_config(env={}, flags={"storage.data_dir": str(tmp_path / "other"), "embedding.provider": "off"})
    async with open_memory(other) as elsewhere:
        ids = []
        for machine in (memory, elsewhere):
            await machine.import_lines([json.dumps(LINE), json.dumps(LINE | {"project": "ops"})])
            ids.append({row.episode_id for row in (await machine.search_episodes(project="*")).episodes})
    assert ids[0] == ids[1]
    assert len(ids[0]) == 2


async def test_bad_lines_are_reported_with_their_numbers_and_the_others_are_imported(memory: EpisodicMemory) -> None:
    lines = [
        "not json",
        json.dumps({"external_id": "no-task"}),
        json.dumps({"task": "fine", "external_id": "fine"}),
        "",
        json.dumps({"task": "bad step", "steps": [{"action": "x"}]}),
        json.dumps({"task": "bad outcome", "outcome": {"kind": "great"}}),
        json.dumps(["a list"]),
        json.dumps({"task": "odd", "colour": "blue", "steps": [{"tool": "t", "mood": 1}], "outcome": {"kind": "success"}}),
    ]
    report = await memory.import_lines(lines)
    assert [number for number, _ in report.errors] == [1, 2, 5, 6, 7]
    assert "`steps[0].tool`" in report.errors[2][1]
    assert (report.added, report.open) == (2, 1)
    assert report.ignored == {"colour": 1, "steps[].mood": 1}


async def test_a_line_without_an_outcome_stays_open_and_can_be_completed(memory: EpisodicMemory) -> None:
    await memory.import_lines([json.dumps({"task": "still going", "steps": [{"tool": "shell"}]})])
    row = (await memory.search_episodes(state="open")).episodes[0]
    logged = await memory.log_step(row.episode_id, "shell")
    assert logged.first_index == 1
    assert (await memory.complete_episode(row.episode_id, "success")).step_count == 2


async def test_episodes_of_one_thread_are_found_by_their_neighbours_words(memory: EpisodicMemory) -> None:
    lines = [
        {"external_id": "a", "task": "Tell me about the lighthouse", "outcome": {"kind": "success"}},
        {"external_id": "b", "task": "And when was it built?", "follows": "a", "outcome": {"kind": "success"}},
        {"external_id": "c", "task": "Order new chairs", "outcome": {"kind": "success"}},
    ]
    await memory.import_lines([json.dumps(line) for line in lines])
    found = [e.external_id for e in (await memory.recall("when was the lighthouse built")).episodes]
    assert set(found[:2]) == {"a", "b"}
    assert [line.get("follows") for line in await _exported(memory)] == [None, "a", None]


def _attempt(name: str, kind: str, *tools: str, ended_at_ms: int = 0) -> str:
    steps = [{"tool": tool} for tool in tools]
    line = {"external_id": name, "task": "Make the nightly report run again", "steps": steps, "outcome": {"kind": kind}}
    return json.dumps(line | ({"started_at_ms": ended_at_ms, "ended_at_ms": ended_at_ms} if ended_at_ms else {}))


async def _insights(memory: EpisodicMemory) -> dict[str, tuple[str, ...]]:
    ids = {row.external_id: row.episode_id for row in (await memory.search_episodes()).episodes}
    found = {name: (await memory.get_episode(episode_id)).episode.reflection for name, episode_id in ids.items() if name}
    return {name: tuple(map(sentence, reflection.insights)) for name, reflection in found.items() if reflection}


@pytest.mark.parametrize("together", [True, False])
async def test_imported_attempts_are_judged_against_those_before_them(memory: EpisodicMemory, together: bool) -> None:
    lines = [
        json.dumps({"external_id": "other", "task": "Write a poem about the night", "outcome": {"kind": "success"}}),
        _attempt("first", "success", "look", "edit", "pytest"),
        _attempt("second", "success", "edit", "pytest"),
        _attempt("third", "failure", "edit"),
    ]
    for part in [lines] if together else [[line] for line in lines]:
        await memory.import_lines(part)
    said = await _insights(memory)
    assert said["other"] == said["first"] == ()
    assert "1 of 1 earlier attempt at this task succeeded." in said["second"]
    assert "2 of 2 earlier attempts at this task succeeded." in said["third"]
    assert "did better" in said["third"][0]


async def test_an_imported_attempt_is_not_judged_against_later_ones(memory: EpisodicMemory) -> None:
    await memory.import_lines([_attempt("late", "success", "edit", ended_at_ms=2_000)])
    await memory.import_lines([_attempt("early", "failure", "look", ended_at_ms=1_000)])
    assert (await _insights(memory))["early"] == ()


_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(task=_text.filter(str.strip), arguments=st.dictionaries(_text, _json, max_size=3), observation=_text)
async def test_any_text_and_any_arguments_round_trip(tmp_path: Path, task: str, arguments: dict[str, Any], observation: str) -> None:
    config = load_config(env={}, flags={"storage.data_dir": str(tmp_path / "any"), "embedding.provider": "off", "server.redact": False})
    async with open_memory(config) as memory:
        line = {"task": task, "steps": [{"tool": "t", "arguments": arguments, "observation": observation}], "outcome": {"kind": "success"}}
        before = {e["external_id"] for e in await _exported(memory)}
        report = await memory.import_lines([json.dumps(line)])
        assert not report.errors
        new = [e for e in await _exported(memory) if e["external_id"] not in before]
        assert [(e["task"], e["steps"][0]["arguments"], e["steps"][0]["observation"]) for e in new] == [(task, arguments, observation)]


async def test_an_episode_that_is_here_under_another_name_is_not_added_again(memory: EpisodicMemory) -> None:
    first = await memory.import_lines([json.dumps(LINE)])
    started = await memory.start_episode(task="The agent logs this itself", project="shop", recall=False)
    await memory.log_step(started.episode_id, tool="shell")
    forgotten = await memory.start_episode(task="The agent begins this and forgets it", project="shop", recall=False)
    lines = [LINE | {"external_id": f"n{i}", "same_as": names} for i, names in enumerate([["ticket-1"], [started.episode_id], ["unknown"]])]
    lines.append(LINE | {"external_id": "n3", "same_as": [forgotten.episode_id]})
    report = await memory.import_lines(map(json.dumps, lines))
    assert (first.added, report.added, report.skipped, report.ignored) == (1, 2, 2, {})
    refused = await memory.import_lines([json.dumps(LINE | {"external_id": "n4", "same_as": "ticket-1"})])
    assert refused.errors == ((1, "`same_as` must be a list of ids"),)


async def test_a_dry_run_counts_and_adds_nothing(memory: EpisodicMemory) -> None:
    lines = [json.dumps(LINE), json.dumps(LINE | {"external_id": "ticket-2"}), "not json"]
    report = await memory.import_lines(lines, dry_run=True)
    assert (report.added, len(report.errors), await _exported(memory)) == (2, 1, [])
    await memory.import_lines(lines[:1])
    again = await memory.import_lines(lines, dry_run=True)
    assert (again.added, again.skipped) == (1, 1)


async def test_times_in_seconds_are_converted_and_that_is_said(memory: EpisodicMemory) -> None:
    step = LINE["steps"][0] | {"at_ms": 1_700_000_010}
    line = LINE | {"started_at_ms": 1_700_000_000, "ended_at_ms": 1_700_000_060_000_000, "steps": [step]}
    report = await memory.import_lines([json.dumps(line), json.dumps(LINE | {"external_id": "in milliseconds"})])
    assert report.converted == {"seconds": 2, "microseconds": 1}
    found = {episode["external_id"]: episode for episode in await _exported(memory)}["ticket-1"]
    assert (found["started_at_ms"], found["ended_at_ms"], found["steps"][0]["at_ms"]) == (
        *(1_700_000_000_000, 1_700_000_060_000),
        1_700_000_010_000,
    )


@pytest.mark.parametrize("number", ["Infinity", "NaN", "1e999", "1" + "0" * 400, "1" + "0" * 5000])
async def test_a_number_that_is_no_time_is_one_clear_line_and_the_others_are_imported(memory: EpisodicMemory, number: str) -> None:
    report = await memory.import_lines([f'{{"task": "odd", "started_at_ms": {number}}}', '{"task": "fine"}'])
    assert report.added == 1
    ((line, reason),) = report.errors
    assert line == 1
    assert any(words in reason for words in ("too large", "whole number", "is not JSON", "far beyond"))


async def _named(memory: EpisodicMemory, project: str, *names: str) -> dict[str, str]:
    """Import an episode under each name; return their ids."""
    lines = [LINE | {"external_id": name, "project": project, "task": f"task {name}"} for name in names]
    assert (await memory.import_lines(map(json.dumps, lines))).added == len(names)
    rows = (await memory.search_episodes(project=project)).episodes
    return {row.external_id: row.episode_id for row in rows if row.external_id}


async def _everything(memory: EpisodicMemory) -> list[dict[str, Any]]:
    """Lay one thing of every kind over two episodes of "shop"; return the export."""
    ids = await _named(memory, "shop", "a", "b")
    await memory.link_episodes(from_id=ids["a"], to_id=ids["b"], type="related_to", note="alike")
    await memory.correct(target_id=ids["a"], text="Mind the header", by="tester")
    found = await memory.recall("task a", project="shop")
    await memory.give_feedback(recommendation_id=found.recommendation_id, outcome="helped", used_ids=[ids["a"]], note="just so")
    await memory.import_lines(
        [json.dumps({"external_id": "c", "task": "still going", "project": "shop", "started_at_ms": 1_800_000_000_000})]
    )
    rows = (await memory.search_episodes(project="shop", state="open")).episodes
    await memory.checkpoint_episode(episode_id=rows[0].episode_id, label="half way", pending=["the rest"])
    return await _exported(memory)


async def test_links_checkpoints_corrections_and_votes_come_after_the_episodes_under_their_names(memory: EpisodicMemory) -> None:
    told = await _everything(memory)
    assert [line.get("record") for line in told] == [None, None, None, "link", "checkpoint", "correction", "feedback"]
    link, checkpoint, correction, vote = told[3:]
    assert link == {"record": "link", "project": "shop", "from_id": "a", "to_id": "b", "type": "related_to", "note": "alike"}
    assert (checkpoint["episode_id"], checkpoint["done"], checkpoint["next"]) == ("c", ["half way"], ["the rest"])
    assert (correction["target_id"], correction["text"], correction["by"]) == ("a", "Mind the header", "tester")
    assert (vote["used_ids"], vote["verdict"], vote["note"]) == (["a"], "helped", "just so")


async def test_what_the_lines_of_other_kinds_tell_is_added_once(memory: EpisodicMemory, tmp_path: Path) -> None:
    lines = [json.dumps(line) for line in await _everything(memory)]
    async with open_memory(_elsewhere(tmp_path)) as other:
        first, second = await other.import_lines(lines), await other.import_lines(lines)
        assert (first.added, first.records, first.errors) == (3, 4, ())
        assert (second.added, second.skipped, second.records, second.records_skipped, second.errors) == (0, 3, 0, 4, ())
        assert [json.dumps(line) for line in await _exported(other)] == lines


def _elsewhere(tmp_path: Path) -> Config:
    return load_config(env={}, flags={"storage.data_dir": str(tmp_path / "other"), "embedding.provider": "off"})


async def test_a_correction_that_is_here_is_not_replaced_by_a_file(memory: EpisodicMemory, tmp_path: Path) -> None:
    lines = [json.dumps(line) for line in await _everything(memory)]
    async with open_memory(_elsewhere(tmp_path)) as other:
        ids = await _named(other, "shop", "a")
        await other.correct(target_id=ids["a"], text="Our own word")
        await other.import_lines(lines)
        assert (await other.get_episode(ids["a"])).correction == "Our own word"


async def test_a_line_reaches_nothing_of_another_project(memory: EpisodicMemory) -> None:
    told = await _everything(memory)
    theirs = await _named(memory, "bank", "a", "secret")
    (pattern, *_) = [p.pattern_id for p in (await memory.search_patterns(project="*")).patterns]
    await memory.import_lines([json.dumps({"external_id": "lone", "task": "nothing learnt here", "project": "lab"})])
    before = await _exported(memory)
    link, checkpoint, correction, vote = told[3:]
    own_vote = vote | {"record_id": "v2", "project": "bank", "shown_ids": ["a"], "used_ids": ["a"]}
    lines = [
        link | {"to_id": theirs["secret"]},
        link | {"to_id": "secret"},
        checkpoint | {"record_id": "c2", "episode_id": theirs["secret"]},
        correction | {"target_id": theirs["secret"]},
        correction | {"target_id": pattern, "project": "lab"},
        vote | {"record_id": "v3", "shown_ids": [theirs["secret"]], "used_ids": []},
        vote | {"record_id": "v4", "shown_to": theirs["secret"]},
        vote | {"record_id": "v5", "episode_id": theirs["secret"]},
        own_vote,  # on a recommendation of "shop"
    ]
    report = await memory.import_lines(map(json.dumps, lines))
    assert [number for number, _ in report.errors] == list(range(1, len(lines) + 1))
    assert all("in project" in reason for _, reason in report.errors)
    assert (report.records, await _exported(memory)) == (0, before)


async def test_lines_of_other_kinds_that_cannot_be_read_are_reported_and_the_others_are_kept(memory: EpisodicMemory) -> None:
    await _named(memory, "shop", "a", "b", "c")
    link = {"record": "link", "project": "shop", "from_id": "a", "to_id": "b", "type": "depends_on"}
    lines: list[dict[str, Any]] = [
        link,
        {"record": "dream", "project": "shop"},
        {"record": ["link"]},
        link | {"from_id": "b", "to_id": "a"},
        link | {"type": "likes"},
        {"record": "checkpoint", "project": "shop", "episode_id": "a"},
        link | {"to_id": "c", "colour": "blue"},
        LINE | {"external_id": "with a field of that name", "record": "vinyl"},
    ]
    report = await memory.import_lines(map(json.dumps, lines))
    assert [number for number, _ in report.errors] == [2, 3, 4, 5, 6]
    assert "`record` must be one of link, checkpoint, correction, feedback" in report.errors[0][1]
    assert "cycle" in report.errors[2][1]
    assert (report.added, report.records, report.ignored) == (1, 2, {"link.colour": 1, "record": 1})


async def test_of_some_episodes_only_what_lies_over_and_between_them_is_exported(memory: EpisodicMemory) -> None:
    await _everything(memory)
    chosen = [json.loads(line) async for line in memory.export_lines(WhereFields(project="shop", state="open"))]
    assert [line.get("record") for line in chosen] == [None, "checkpoint"]
