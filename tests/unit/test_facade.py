"""Retention, corrections, stale episodes and closing, through the facade on real files."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.config import Config
from mcp_memory.config_sources import load_config
from mcp_memory.domain.requests import WhereFields
from mcp_memory.errors import InvalidInput, NotFound
from mcp_memory.memory import EpisodicMemory

pytestmark = pytest.mark.anyio

STEPS = [
    {"tool": "shell", "action": "run", "status": "error", "error": "KeyError: 'name'"},
    {"tool": "editor", "action": "edit"},
    {"tool": "shell", "action": "run", "observation": "ok"},
]


async def _record(memory: EpisodicMemory, task: str, outcome: str = "success") -> str:
    started = await memory.start_episode(task, recall=False, domain="backend")
    await memory.log_steps(started.episode_id, STEPS)
    await memory.complete_episode(started.episode_id, outcome)
    return started.episode_id


async def test_pruning_counts_first_then_archives_then_deletes(memory: EpisodicMemory, tmp_path: Path) -> None:
    good, bad = await _record(memory, "good work"), await _record(memory, "bad work", "failure")
    planned = await memory.prune(below_reward=0.5)
    assert planned.episode_ids == (bad,)
    assert (await memory.search_episodes()).total == 2, "a dry run deletes nothing"
    archive = tmp_path / "gone.jsonl"
    done = await memory.prune(below_reward=0.5, archive=str(archive), apply=True)
    assert done.deleted is not None
    assert done.deleted["episodes"] == 1
    assert [e.episode_id for e in (await memory.search_episodes()).episodes] == [good]
    lines = archive.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["external_id"] for line in lines] == [bad]
    report = await memory.import_lines(lines)
    assert report.added == 1, "an archive can be imported again"


async def test_pruning_refuses_to_overwrite_an_archive_and_then_deletes_nothing(memory: EpisodicMemory, tmp_path: Path) -> None:
    await _record(memory, "bad work", "failure")
    archive = tmp_path / "there.jsonl"
    archive.write_text("mine", encoding="utf-8")
    with pytest.raises(InvalidInput, match="exists already"):
        await memory.prune(below_reward=0.5, archive=str(archive), apply=True)
    assert (await memory.search_episodes()).total == 1


async def test_pruning_by_space_lets_the_least_rewarded_go_first(memory: EpisodicMemory) -> None:
    await _record(memory, "good work")
    bad = await _record(memory, "bad work", "failure")
    planned = await memory.prune(max_bytes=1)
    assert planned.episode_ids[0] == bad
    with pytest.raises(InvalidInput, match="say what"):
        await memory.prune()


async def test_a_contradicted_pattern_is_no_longer_recalled_and_a_corrected_one_says_what_is_right(memory: EpisodicMemory) -> None:
    for name in ("first", "second"):
        await _record(memory, f"fix the {name} name lookup")
    shown = (await memory.recall("fix the name lookup")).patterns
    assert len(shown) >= 2
    await memory.correct(shown[0].pattern_id, "this was luck", contradicts=True)
    await memory.correct(shown[1].pattern_id, "read the schema first")
    after = {p.pattern_id: p for p in (await memory.recall("fix the name lookup")).patterns}
    assert shown[0].pattern_id not in after
    assert after[shown[1].pattern_id].correction == "read the schema first"


async def test_a_note_on_a_pattern_that_hindered_is_kept_as_its_correction(memory: EpisodicMemory) -> None:
    for name in ("first", "second"):
        await _record(memory, f"fix the {name} name lookup")
    recalled = await memory.recall("fix the name lookup")
    key = recalled.patterns[0].pattern_id
    await memory.give_feedback(recalled.recommendation_id, "hindered", used_ids=[key], note="edit the schema, not the code")
    assert (await memory.get_pattern(key)).pattern.correction == "edit the schema, not the code"


async def test_a_corrected_lesson_comes_after_its_correction_and_a_contradicted_one_is_gone(memory: EpisodicMemory) -> None:
    lesson = "Names are unique."
    ids = []
    for name in ("first", "second"):
        started = await memory.start_episode(f"fix the {name} name lookup", recall=False, domain="backend")
        await memory.complete_episode(started.episode_id, "success", lessons=[lesson])
        ids.append(started.episode_id)
    recalled = await memory.recall("fix the name lookup")
    await memory.give_feedback(recalled.recommendation_id, "hindered", used_ids=[ids[0]], note="names repeat within a team")
    await memory.correct(ids[1], "names are not unique", contradicts=True)
    after = {e.episode_id: e.lessons for e in (await memory.recall("fix the name lookup")).episodes}
    assert after[ids[0]][:2] == ("Corrected: names repeat within a team", lesson)
    assert after[ids[1]] == ("Corrected: names are not unique",)
    assert (await memory.get_episode(ids[0])).correction == "names repeat within a team"
    guide = await memory.lessons_markdown(domain="backend")
    assert f"- names repeat within a team (instead of: {lesson}) [{ids[0]}]" in guide
    assert f"- {lesson}" not in guide
    with pytest.raises(NotFound):
        await memory.correct("nothing", "x")


async def test_a_correction_is_listed_with_its_pattern_and_told_in_the_guide_of_its_domain_only(memory: EpisodicMemory) -> None:
    await _record(memory, "fix the name lookup")
    (recovery,) = (await memory.search_patterns(kind="error_recovery")).patterns
    (decision, *_) = (await memory.search_patterns(kind="decision_point")).patterns
    await memory.correct(recovery.pattern_id, "look at the schema")
    await memory.correct(decision.pattern_id, "open the editor")
    assert (await memory.search_patterns(kind="error_recovery")).patterns[0].correction == "look at the schema"
    assert "open the editor" in await memory.lessons_markdown(domain="backend")
    assert "look at the schema" in await memory.lessons_markdown(), "although one episode is little support"
    assert "open the editor" not in await memory.lessons_markdown(domain="frontend")


async def test_a_playbook_tells_the_correction_of_a_pattern_and_nothing_of_a_contradicted_one(memory: EpisodicMemory) -> None:
    for name in ("first", "second"):
        await _record(memory, f"fix the {name} name lookup")
    (recovery,) = (await memory.search_patterns(kind="error_recovery")).patterns
    task = "fix the third name lookup"
    before = (await memory.recommend_playbook(task, domain="backend")).playbook
    assert before is not None
    assert not any("KeyError" in line for line in before.pitfalls)
    await memory.correct(recovery.pattern_id, "read the schema first")
    corrected = (await memory.recommend_playbook(task, domain="backend")).playbook
    assert corrected is not None
    assert corrected.pitfalls[0].startswith("Corrected: read the schema first (instead of: when bash:run fails")
    await memory.correct(recovery.pattern_id, "it was luck", contradicts=True)
    gone = (await memory.recommend_playbook(task, domain="backend")).playbook
    assert gone is not None
    assert not any("KeyError" in line for line in gone.pitfalls)
    detail = await memory.get_pattern(recovery.pattern_id)
    assert (detail.retired, detail.pattern.correction) == (True, "it was luck")
    assert detail.confidence_from.retired_because == "contradicted: it was luck"
    assert detail.confidence_from.confidence == detail.pattern.confidence < 0.1


async def test_without_a_model_an_unrelated_task_is_no_earlier_attempt(memory: EpisodicMemory) -> None:
    await _record(memory, "Fix the parser of dates in the billing module")
    started = await memory.start_episode("Deploy the billing dashboard to the staging cluster", recall=False)
    done = await memory.complete_episode(started.episode_id, "failure")
    assert done.reflection.insights == ()
    assert done.reward.components["novelty"] == 1.0
    (found,) = (await memory.recall("Deploy the billing dashboard", limit=1)).episodes
    assert found.similarity == pytest.approx(0.77, abs=0.01), "three of the task's five words"


async def test_a_step_with_an_error_and_no_status_failed_and_one_without_an_action_is_named_by_its_command(memory: EpisodicMemory) -> None:
    started = await memory.start_episode("Run the tests", recall=False)
    steps = [
        {"tool": "Bash", "arguments": {"command": "cd api && python -m pytest -q"}, "error": "1 failed"},
        {"tool": "Bash", "action": "check", "arguments": {"command": "ls"}, "error": "a warning", "status": "ok"},
        {"tool": "Read", "arguments": {"file_path": "a.py"}},
    ]
    await memory.log_steps(started.episode_id, steps)
    logged = (await memory.get_episode(started.episode_id, detail="steps")).episode.steps
    assert [(step.key, str(step.status)) for step in logged] == [("bash:python -m pytest", "error"), ("bash:ls", "ok"), ("Read", "ok")]


async def test_patterns_are_found_by_the_words_of_their_description(memory: EpisodicMemory) -> None:
    await _record(memory, "good work")
    started = await memory.start_episode("Water the plants", recall=False)
    await memory.log_steps(started.episode_id, [{"tool": "tap"}, {"tool": "can"}])
    await memory.complete_episode(started.episode_id, "success")
    found = (await memory.search_patterns(query="what to do about a KeyError")).patterns
    assert found[0].kind == "error_recovery"
    assert "KeyError" in found[0].description
    assert 0 < found[0].score <= 1
    (tap,) = (await memory.search_patterns(query="tap", kind="tool_sequence")).patterns
    assert tap.description == "tap → can"
    assert not (await memory.search_patterns(query="tap", domain="backend")).patterns


async def test_open_episodes_nobody_completes_are_abandoned_at_start_when_asked_for(config: Config) -> None:
    async with open_memory(config) as memory:
        forgotten = (await memory.start_episode("left open", recall=False)).episode_id
    later = load_config(
        env={},
        flags={
            "storage.data_dir": str(config.data_dir),
            "embedding.provider": "off",
            "learning.abandon_after_hours": 0.0000001,
        },
    )
    async with open_memory(later) as memory:
        await memory.settle()
        assert (await memory.get_episode(forgotten)).episode.state == "abandoned"


async def test_a_vote_on_an_answer_given_just_before_closing_is_accepted_after_reopening(config: Config) -> None:
    async with open_memory(config) as memory:
        await _record(memory, "fix the name lookup")
        recalled = await memory.recall("name lookup")
    async with open_memory(config) as memory:
        voted = await memory.give_feedback(recalled.recommendation_id, "helped")
    assert voted.recorded


async def test_a_small_budget_gets_the_best_episode_in_a_few_words(memory: EpisodicMemory) -> None:
    task = "mend the login page " + "of the shop for customers who forgot their names " * 20
    await _record(memory, task)
    ample = await memory.recall(query="mend the login page", budget_tokens=1_500)
    small = await memory.recall(query="mend the login page", budget_tokens=310)
    assert ample.episodes[0].key_steps
    assert small.episodes[0].key_steps == ()
    assert small.episodes[0].episode_id == ample.episodes[0].episode_id
    assert small.tokens <= 310 < ample.tokens <= 1_500


@pytest.mark.parametrize("typo", ["dommain", "observaton", "statuss"])
async def test_a_misspelt_argument_is_refused_and_nothing_is_done(memory: EpisodicMemory, typo: str) -> None:
    started = await memory.start_episode("fix it", recall=False)
    wrong: dict[str, Any] = {typo: "x"}
    calls: dict[str, Callable[[], Awaitable[Any]]] = {
        "start_episode": lambda: memory.start_episode("fix it", **wrong),
        "log_step": lambda: memory.log_step(started.episode_id, "bash", **wrong),
        "log_steps": lambda: memory.log_steps(started.episode_id, [{"tool": "bash", **wrong}]),
        "complete_episode": lambda: memory.complete_episode(started.episode_id, "success", **wrong),
        "recall": lambda: memory.recall("fix", **wrong),
        "search_episodes": lambda: memory.search_episodes(**wrong),
        "recommend_playbook": lambda: memory.recommend_playbook("fix", **wrong),
        "give_feedback": lambda: memory.give_feedback("r", "helped", **wrong),
        "search_patterns": lambda: memory.search_patterns(**wrong),
        "analyze_trends": lambda: memory.analyze_trends(**wrong),
        "update_episode": lambda: memory.update_episode(started.episode_id, **wrong),
        "checkpoint_episode": lambda: memory.checkpoint_episode(started.episode_id, "label", **wrong),
        "forget": lambda: memory.forget(filter=wrong, confirm=True),
    }
    for verb, call in calls.items():
        with pytest.raises(InvalidInput, match=typo) as refused:
            await call()
        assert "unknown argument" in refused.value.message, verb
    with pytest.raises(InvalidInput, match="did you mean `domain`"):
        await memory.recall("fix", **{"dommain": "web"})  # type: ignore[call-overload]  # the type checker refuses it, too
    page = await memory.search_episodes()
    assert (page.total, page.episodes[0].step_count, page.episodes[0].state) == (1, 0, "open")


@pytest.mark.parametrize("where", [{"domain": ""}, {"project": "*"}, {"project": "", "tags": []}, {}])
async def test_a_filter_that_restricts_nothing_deletes_nothing(memory: EpisodicMemory, where: dict[str, Any]) -> None:
    kept = await _record(memory, "good work")
    with pytest.raises(InvalidInput, match="filter"):
        await memory.forget(filter=where, confirm=True)
    assert [e.episode_id for e in (await memory.search_episodes(project="*")).episodes] == [kept]
    assert (await memory.forget(filter={"project": "*", "domain": "BACKEND"}, confirm=True)).deleted is not None
    assert (await memory.search_episodes(project="*")).total == 0


async def test_one_filter_means_the_same_at_every_door(memory: EpisodicMemory) -> None:
    line = {
        "external_id": "night",
        "task": "Deploy the shop",
        "context": {"domain": "Web"},
        "started_at_ms": 1_700_002_800_000,
        "ended_at_ms": 1_700_010_000_000,  # across the midnight of 2023-11-15
        "steps": [{"tool": "bash"}],
        "outcome": {"kind": "success"},
    }
    await memory.import_lines([json.dumps(line)])
    for since, until, found in (("2023-11-15", None, 1), (None, "2023-11-15", 0), ("2023-11-14", "2023-11-15", 0)):
        period: dict[str, Any] = {"since": since, "until": until}
        assert len((await memory.recall("deploy the shop", strict=True, domain="web", **period)).episodes) == found
        assert (await memory.search_episodes(domain="web", **period)).total == found
        if until is None:
            assert sum(s.count for s in (await memory.analyze_trends(domain="web", since=since)).series) == found
        exported = [text async for text in memory.export_lines(WhereFields(domain="web", **period))]
        assert len(exported) == found
        counted = await memory.forget(filter={"domain": "web", **period})
        assert counted.would_delete is not None
        assert counted.would_delete["episodes"] == found


async def test_a_second_completion_gives_the_first_result_and_adds_the_new_lessons(memory: EpisodicMemory) -> None:
    started = await memory.start_episode("mend the login", recall=False)
    await memory.log_steps(started.episode_id, STEPS)
    first = await memory.complete_episode(started.episode_id, "success", lessons=["Read the schema."])
    again = await memory.complete_episode(started.episode_id, "failure", lessons=["Read the schema.", "Zeppelins are slow."])
    assert again == first
    third = await memory.complete_episode(started.episode_id, "success")
    assert third == first
    outcome = (await memory.get_episode(started.episode_id)).episode.outcome
    assert outcome is not None
    assert outcome.lessons == ("Read the schema.", "Zeppelins are slow.")
    assert (await memory.search_episodes("zeppelins")).total == 1, "an added lesson is found by its words"


async def test_a_refusal_names_what_was_said_as_it_was_said(memory: EpisodicMemory) -> None:
    with pytest.raises(InvalidInput, match=r"^`outcome` 'helped' is about a recommendation"):
        await memory.give_feedback(outcome="helped")
    with pytest.raises(InvalidInput, match=r"^`outcome` 'success' is how an episode ended"):
        await memory.give_feedback(outcome="success")


async def test_one_call_records_an_episode_of_the_project_it_names(memory: EpisodicMemory) -> None:
    done = await memory.complete_episode(task="Write the release notes", outcome="success", project="site")
    assert (await memory.get_episode(done.episode_id)).episode.project == "site"
    with pytest.raises(InvalidInput, match="is not of `project` 'shop'"):
        await memory.complete_episode(done.episode_id, "success", project="shop")


async def test_one_call_records_a_whole_episode_and_its_second_delivery_is_the_same(memory: EpisodicMemory) -> None:
    call: dict[str, Any] = {"task": "Water the plants", "outcome": "success", "steps": STEPS, "lessons": "Use the can."}
    first = await memory.complete_episode(**call)
    assert first.step_count == len(STEPS)
    assert await memory.complete_episode(**call) == first
    page = await memory.search_episodes()
    assert [(e.episode_id, e.task, e.outcome, e.step_count) for e in page.episodes] == [
        (first.episode_id, "Water the plants", "success", len(STEPS))
    ]
    other = await memory.complete_episode(**{**call, "lessons": "Use the hose."})
    assert other.episode_id != first.episode_id
    neither: dict[str, Any] = {"outcome": "success"}
    for wrong in (neither, neither | {"task": "x", "episode_id": first.episode_id}):
        with pytest.raises(InvalidInput, match="give `episode_id`, or `task`"):
            await memory.complete_episode(**wrong)


async def test_steps_given_with_a_completion_follow_those_that_were_logged(memory: EpisodicMemory) -> None:
    started = await memory.start_episode("mend the login", recall=False)
    await memory.log_steps(started.episode_id, STEPS[:1])
    done = await memory.complete_episode(started.episode_id, "success", steps=STEPS[1:])
    steps = (await memory.get_episode(started.episode_id, detail="full")).episode.steps
    assert [s.tool for s in steps] == [s["tool"] for s in STEPS]
    assert done.step_count == len(STEPS)


async def test_what_helped_and_what_hindered_can_be_said_with_the_completion(memory: EpisodicMemory) -> None:
    good, bad = await _record(memory, "fix the first lookup"), await _record(memory, "fix the second lookup", "failure")
    started = await memory.start_episode("fix the third lookup", domain="backend")
    with pytest.raises(NotFound):
        await memory.complete_episode(started.episode_id, "success", helped=["nothing"])
    assert (await memory.get_episode(started.episode_id)).episode.state == "open"
    before = (await memory.memory_status()).counts["feedback"]
    await memory.complete_episode(started.episode_id, "success", helped=[good], hindered=[bad])
    await memory.complete_episode(started.episode_id, "success", helped=[good], hindered=[bad])
    counts = (await memory.memory_status()).counts
    assert counts["feedback"] >= before + 2
    why = {e.episode_id: e.why["feedback"] for e in (await memory.recall("fix the fourth lookup")).episodes}
    assert why[good] > why[bad]


async def test_an_id_may_be_cut_to_a_beginning_that_only_it_has(memory: EpisodicMemory) -> None:
    first, second = await _record(memory, "fix the first lookup"), await _record(memory, "fix the second lookup")
    shared = next(chars for chars in range(6, 37) if first[:chars] != second[:chars])
    assert (await memory.get_episode(first[:shared])).episode.id == first
    linked = await memory.link_episodes(first[:shared], second[:-1], "related_to")
    assert linked.link_id
    pattern_id = (await memory.search_patterns(limit=1)).patterns[0].pattern_id
    assert (await memory.get_pattern(pattern_id[:-2])).pattern.pattern_id == pattern_id
    with pytest.raises(InvalidInput, match="begins several ids") as refused:
        await memory.get_episode(first[:6])
    assert first in refused.value.message
    assert second in refused.value.message
    with pytest.raises(NotFound):
        await memory.get_episode(first[:5])
    assert (await memory.forget(episode_ids=[second[:-1]], confirm=True)).episode_ids == (second,)


async def test_a_completion_without_a_start_that_names_an_unknown_pattern_begins_nothing(memory: EpisodicMemory) -> None:
    with pytest.raises(NotFound, match="there is no pattern or episode"):
        await memory.complete_episode(task="Rotate the keys", outcome="success", helped=["pat_nobody"])
    assert (await memory.search_episodes(project="*")).total == 0
