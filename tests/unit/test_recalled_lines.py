"""What a recall tells of earlier attempts, through the facade on real files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.config_sources import load_config
from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text, playbook_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer

pytestmark = pytest.mark.anyio
TASK = "Reshard the sample data into folders of thirty files"
Call = tuple[str, Mapping[str, Any], str, str]  # tool, arguments, what came back, error


def shell(command: str, came_back: str = "done", error: str = "") -> Call:
    return "bash", {"command": command}, came_back, error


async def attempt(memory: EpisodicMemory, outcome: str, calls: Sequence[Call], task: str = TASK, **more: Any) -> str:
    started = await memory.start_episode(task, recall=False)
    for tool, arguments, observation, error in calls:
        await memory.log_step(started.episode_id, tool, arguments=arguments, observation=observation, error=error or None)
    await memory.complete_episode(started.episode_id, outcome, **more)
    return started.episode_id


async def told(memory: EpisodicMemory, query: str = TASK) -> list[str]:
    """Return the lines about episodes without their headings, the attempts' one after the other."""
    await memory.settle()
    lines = recall_text(answer(await memory.recall(query))).splitlines()[1:]
    return [line.partition("): ")[2] if line[:1].isdigit() else line.strip() for line in lines if line.startswith(("1", "2", "3", "  "))]


@pytest.mark.parametrize(("summary", "is_told"), [("Done. All tests pass now.", False), ("Moved the files by tens, not by thirties", True)])
async def test_that_the_work_is_done_is_no_word_worth_telling(memory: EpisodicMemory, summary: str, is_told: bool) -> None:
    await attempt(memory, "success", [shell("reshard --by 30 data")], summary=summary)
    assert (summary in await told(memory)) is is_told
    assert "did `reshard --by 30 data`" in await told(memory)


async def test_a_success_tells_the_commands_that_did_it_with_their_arguments(memory: EpisodicMemory) -> None:
    calls = [shell("ls -la"), shell("mkdir out"), shell("cd /app && pip install shardlib==2.1"), ("submit", {}, "ok", "")]
    await attempt(memory, "success", calls)
    assert await told(memory) == ["did `pip install shardlib==2.1`"]


@pytest.mark.parametrize("command", ["make shards || echo skipped", "make shards; true", "make shards 2>&1 | tail -3"])
async def test_a_command_whose_exit_status_was_hidden_is_not_told_as_one_that_worked(memory: EpisodicMemory, command: str) -> None:
    await attempt(memory, "success", [shell(command), shell("shardctl split --max 30")])
    assert await told(memory) == ["did `shardctl split --max 30`"]


async def test_a_script_that_a_run_wrote_for_itself_is_nothing_to_call_again(memory: EpisodicMemory) -> None:
    calls = [shell("cat > reshard.py <<'EOF'\nprint(1)\nEOF"), shell("python3 reshard.py"), shell("shardctl split --max 30")]
    await attempt(memory, "success", calls)
    assert await told(memory) == ["did `shardctl split --max 30`"]


async def test_a_change_is_told_with_its_file_and_all_of_its_lines(memory: EpisodicMemory) -> None:
    old = "def cut(files):\n    return files"
    new = "def cut(files):\n    if len(files) > 30:\n        files = files[:30]\n    return files"
    await attempt(memory, "success", [("edit", {"path": "src/shards.py", "old_str": old, "new_str": new}, "ok", "")])
    assert await told(memory) == ["changed src/shards.py: + if len(files) > 30: ⏎ files = files[:30]"]


async def test_blanks_in_a_file_that_is_told_stay_as_they_are(memory: EpisodicMemory) -> None:
    maze = "#####\n# #S#\n#   #\n#####"
    await attempt(memory, "success", [shell(f"cat > /app/maze.txt <<'EOF'\n{maze}\nEOF")], "Draw the maze into /app/maze.txt")
    await memory.settle()
    text = recall_text(answer(await memory.recall("Draw the maze into /app/maze.txt")))
    assert "wrote /app/maze.txt: ##### ⏎ # #S# ⏎ #   # ⏎ #####" in text


async def test_quotes_that_a_call_was_made_with_are_told_for_another_had_none(memory: EpisodicMemory) -> None:
    await attempt(memory, "failure", [("search", {"arg": '"Nick Park"'}, "", "Could not find it")])
    assert any('search “"Nick Park"”' in line for line in await told(memory))


async def test_beside_a_change_neither_tests_nor_what_had_failed_are_told_as_things_to_do(memory: EpisodicMemory) -> None:
    edit = {"path": "src/cut.py", "old_str": "limit = 3", "new_str": "limit = 30"}
    calls = [
        shell("python cut.py", "", "ValueError: limit is too low"),
        ("edit", edit, "ok", ""),
        shell("python cut.py"),
        shell("pytest -q"),
    ]
    await attempt(memory, "success", calls)
    assert [line.split()[0] for line in await told(memory)] == ["changed", "`python"]


@pytest.mark.parametrize("path", ["/tmp/shop/cart.py", "shop/checkout.py", "app/templates.py"])
async def test_a_file_of_a_repository_is_told_wherever_it_lies_and_whatever_word_its_name_begins_with(
    memory: EpisodicMemory, path: str
) -> None:
    edit = {"path": path, "old_str": "limit = 3", "new_str": "limit = 30"}
    await attempt(memory, "success", [shell("make", "", "exit 1: limit is too low"), ("edit", edit, "ok", ""), shell("make")])
    assert f"changed {path}: - limit = 3 + limit = 30" in await told(memory)


async def test_the_arguments_of_a_long_call_are_each_cut_so_that_all_are_there(memory: EpisodicMemory) -> None:
    calls = [("store_shards", {"note": "words and words " * 20, "folder": "c4_reshard", "limit": 30}, "stored", "")]
    await attempt(memory, "success", calls)
    [line] = await told(memory)
    assert "folder=c4_reshard limit=30" in line
    assert len(line) < 200


async def test_of_attempts_that_all_failed_the_wrong_answers_are_told_at_once(memory: EpisodicMemory) -> None:
    for said in ("1974", "1973", "1974"):
        await attempt(memory, "failure", [("finish", {"answer": said}, "", "Answer is INCORRECT")])
    assert sorted(" ".join(await told(memory)).split()) == sorted(
        ["it", "and", "other", "attempts", "answered", "“1974”,", "“1973”:", "Answer", "is", "INCORRECT"]
    )


async def test_once_an_attempt_worked_those_that_failed_tell_only_what_they_did_otherwise(memory: EpisodicMemory) -> None:
    await attempt(memory, "success", [("store_shards", {"folder": "out"}, "stored", "")])
    for _ in range(2):
        calls = [("delete_shards", {"folder": "out"}, "gone", ""), ("store_shards", {"folder": "out"}, "stored", "")]
        await attempt(memory, "failure", calls)
    assert await told(memory) == ["did store_shards “out”", "unlike it, 2 attempts that did not succeed called delete_shards"]


async def test_an_error_is_told_with_the_call_that_failed_and_what_made_it_work(memory: EpisodicMemory) -> None:
    calls = [
        shell("shardctl check src", error="ModuleNotFoundError: No module named 'zstd'"),
        shell("pip install zstd"),
        shell("shardctl check src"),
    ]
    await attempt(memory, "failure", calls)
    assert (
        "`shardctl check src` failed with “ModuleNotFoundError: No module named 'zstd'” and worked after `pip install zstd`"
        in await told(memory)
    )


async def test_a_call_that_never_worked_is_told_of_a_failure_with_its_error(memory: EpisodicMemory) -> None:
    await attempt(memory, "failure", [shell("shardctl push --all", error="remote refused: quota of 30 files")])
    assert await told(memory) == ["never got `shardctl push --all` to work: remote refused: quota of 30 files"]


async def test_a_lesson_comes_first_and_its_correction_instead_of_everything(memory: EpisodicMemory) -> None:
    key = await attempt(memory, "success", [shell("shardctl split --max 30")], lessons=["Thirty is the limit of the server."])
    assert await told(memory) == ["Thirty is the limit of the server.", "did `shardctl split --max 30`"]
    await memory.correct(target_id=key, text="The limit is forty now.", contradicts=True, by="ana")
    assert await told(memory) == ["Corrected by ana: The limit is forty now."]


async def test_an_episode_far_less_alike_than_the_nearest_is_not_told(memory: EpisodicMemory) -> None:
    await attempt(memory, "success", [shell("shardctl split --max 30")])
    await attempt(memory, "success", [shell("oven heat 200")], task="Bake bread for the sample party")
    await memory.settle()
    found = await memory.recall(TASK)
    assert "oven" not in recall_text(answer(found))
    assert [episode.points is None for episode in found.episodes][:1] == [False]


async def test_a_run_whose_only_act_was_refused_did_not_only_look_things_up(memory: EpisodicMemory) -> None:
    refused: Call = ("update_order", {"id": "W1"}, "Error: sold out", "Error: sold out")
    await attempt(memory, "success", [("get_order", {"id": "W1"}, "{}", ""), refused, ("respond", {"content": "I cannot."}, "ok", "")])
    assert await told(memory) == ["changed nothing: update_order failed with “Error: sold out”, then it replied"]


async def test_a_run_that_only_handed_the_work_on_says_to_whom(memory: EpisodicMemory) -> None:
    await attempt(
        memory, "success", [("get_order", {"id": "W1"}, "{}", ""), ("transfer_to_human", {"summary": "no refund allowed"}, "ok", "")]
    )
    assert await told(memory) == ["changed nothing, ended with transfer_to_human “no refund allowed”"]


async def test_values_of_another_case_are_not_told(memory: EpisodicMemory) -> None:
    task = "Hi, I would like to cancel my reservation and get the money back, please"
    await attempt(memory, "success", [("cancel_reservation", {"reservation_id": "ZX81QL", "user_id": "mia_li_3668"}, "ok", "")], task=task)
    text = " ".join(await told(memory, "Hello! I would like to cancel my reservation WQ77KK and get my money back"))
    assert "ZX81QL" not in text
    assert "mia_li_3668" not in text


async def test_a_success_that_wrote_what_its_task_names_tells_what_it_wrote(memory: EpisodicMemory) -> None:
    task = "Map the maze and write it to /app/maze_map.txt"
    tried = shell("cat > walk.py <<'EOF'\nimport maze\nmaze.walk()\nEOF")
    first = shell("cat <<'EOF' > /app/maze_map.txt\n####\nEOF")
    calls = [tried, shell("python3 walk.py"), first, shell("cat <<'EOF' > /app/maze_map.txt\n#####\n# #S#\nEOF"), shell("pytest tests")]
    await attempt(memory, "success", calls, task)
    assert await told(memory, task) == ["wrote /app/maze_map.txt: ##### ⏎ # #S#"]


async def test_a_success_by_a_script_of_its_own_tells_the_lines_nearest_the_task_and_how_it_was_run(memory: EpisodicMemory) -> None:
    script = "import os\nprint('start')\nfor folder in reshard(sample, files=30):\n    move(folder, 'conf/shards.yaml')"
    check = shell("cat > verify_shards.py <<'EOF'\nassert True\nEOF")
    calls = [
        shell("cat conf/shards.yaml"),
        shell(f"cd /app && cat <<'EOF' > reshard.py\n{script}\nEOF"),
        shell("cd /app && python3 reshard.py --all"),
        check,
        shell("python3 verify_shards.py"),
    ]
    await attempt(memory, "success", calls)
    assert await told(memory) == [
        "wrote reshard.py: for folder in reshard(sample, files=30): ⏎ move(folder, 'conf/shards.yaml')",
        "did `python3 reshard.py --all`",
    ]


async def test_where_a_log_cut_a_script_no_line_number_is_told_behind_it(memory: EpisodicMemory) -> None:
    script = "x = 1\n# The f\n...[40 chars cut]...\nders\nfor folder in reshard(folders): pass"
    await attempt(memory, "success", [shell(f"cat > cut.py <<EOF\n{script}\nEOF"), shell("python3 cut.py")])
    assert (await told(memory))[0] == "wrote cut.py: x = 1 ⏎ … ⏎ for folder in reshard(folders): pass"


async def test_a_program_that_was_fed_its_script_is_told_with_the_lines_that_tell(memory: EpisodicMemory) -> None:
    await attempt(memory, "success", [shell("python3 - <<'EOF'\nimport shards\nshards.reshard(folders, files=30)\nEOF")])
    assert await told(memory) == ["ran `python3 - <<EOF …` with shards.reshard(folders, files=30)"]


async def test_what_a_partial_success_wrote_is_told_where_nothing_else_of_it_is_and_nobody_succeeded(memory: EpisodicMemory) -> None:
    calls = [shell("cat > reshard.py <<'EOF'\nmove(1)\nEOF"), shell("python3 reshard.py")]
    await attempt(memory, "failure", calls)
    assert await told(memory) == ["wrote reshard.py: move(1)"], "what was handed in was not enough"
    await attempt(memory, "partial", calls)
    assert await told(memory) == ["wrote reshard.py: move(1)"]
    await attempt(memory, "success", [shell("shardctl split --max 30")])
    assert await told(memory) == ["did `shardctl split --max 30`"]


async def test_of_a_call_at_another_case_that_worked_the_names_of_its_arguments_are_told(memory: EpisodicMemory) -> None:
    call = {"user": "mia_li_3668", "cabin": "economy", "legs": [{"no": "HAT028", "day": "2024-05-21"}]}
    await attempt(memory, "success", [("update_flights", call, "updated", "")], "I want to downgrade all of my flights to economy, please")
    assert await told(memory, "I want to downgrade all my flights to economy") == ["did update_flights(user, cabin=economy, legs)"]


async def test_a_task_in_other_words_with_the_same_ids_is_the_same_task(memory: EpisodicMemory) -> None:
    call = {"id": "M20IZO", "legs": [{"no": "HAT028", "day": "2024-05-21"}, {"no": "HAT277", "day": "2024-05-21"}], "card": "card_2929732"}
    await attempt(memory, "success", [("update_flights", call, "updated", "")], "I want to downgrade reservation M20IZO to economy, please")
    legs = '[{"no": "HAT028", "day": "2024-05-21"}, {"no": "HAT277", "day": "2024-05-21"}]'
    lines = await told(memory, "I want to have reservation M20IZO downgraded to economy")
    assert lines == [f"did update_flights id=M20IZO legs={legs} card=card_2929732"]


async def test_the_same_task_of_several_sentences_is_the_same_task(data_dir: Path) -> None:
    task = "Reshard the sample data. Put thirty files into each folder. Write the manifest that the server reads."
    async with open_memory(load_config(env={}, flags={"storage.data_dir": str(data_dir)})) as memory:
        await attempt(memory, "success", [shell("bake bread")], "Bake bread. Put thirty loaves into the oven.")
        await attempt(memory, "success", [shell("shardctl split --max 30")], task)
        await memory.settle()
        found = await memory.recall(task)
    assert found.episodes[0].similarity == pytest.approx(1.0, abs=0.001)


async def test_where_nothing_here_is_near_every_advice_names_the_project_that_has_something(data_dir: Path) -> None:
    task = "Reshard the sample data into folders of thirty files"
    async with open_memory(load_config(env={}, flags={"storage.data_dir": str(data_dir)})) as memory:
        done = await memory.start_episode(task, project="shards", recall=False)
        await memory.log_step(done.episode_id, "bash", arguments={"command": "shardctl split --max 30"}, observation="done")
        await memory.complete_episode(done.episode_id, "success")
        await memory.settle()
        opened = await memory.start_episode(task, project="kitchen", recall=False)
        said = [
            recall_text(answer(await memory.recall(task, project="kitchen"))),
            next_step_text(answer(await memory.suggest_next_step(opened.episode_id))),
            playbook_text(answer(await memory.recommend_playbook(task, project="kitchen"))),
        ]
        assert all(f"Project shards has something close: {task} (100% alike)." in text for text in said), said
        here = await memory.suggest_next_step((await memory.start_episode(task, project="shards", recall=False)).episode_id)
    assert here.elsewhere is None


async def test_calls_of_a_tool_that_works_no_longer_are_not_told_as_things_to_do(memory: EpisodicMemory) -> None:
    for number in range(3):
        await attempt(memory, "success", [("cms_publish", {"article": number}, "published", "")], f"Publish the news of day {number}")
    assert any("cms_publish" in line for line in await told(memory, "Publish the news of day 8"))
    for number in range(4, 6):
        calls = [("cms_publish", {"article": number}, "", "unknown tool"), ("content_publish", {"article": number}, "published", "")]
        await attempt(memory, "success", calls, f"Publish the news of day {number}")
    lines = await told(memory, "Publish the news of day 8")
    assert any("content_publish" in line for line in lines)
    assert not any(line.startswith("did cms_publish") for line in lines)


async def test_a_bare_heading_of_a_traceback_is_never_told_as_the_error(memory: EpisodicMemory) -> None:
    heading = "Traceback (most recent call last):"
    printed = f'{heading}\n  File "reshard.py", line 3, in <module>\n    run()\nshardlib.Unreachable: no route to the depot'
    await attempt(memory, "failure", [shell("reshard --all", printed, heading), shell("ls")])
    (point,) = await told(memory)
    assert point == "never got `reshard --all` to work: shardlib.Unreachable: no route to the depot"
    (row,) = (await memory.recall(TASK)).episodes
    assert heading not in " ".join(row.key_steps)


async def test_what_worked_for_this_very_booking_is_suggested_however_the_customer_asks(memory: EpisodicMemory) -> None:
    calls = [("get_user", {"id": "mia"}, "bookings: M20IZO", ""), ("cancel_booking", {"id": "M20IZO"}, "cancelled", "")]
    await attempt(memory, "success", calls, "Hi, can you cancel the trip that I booked for May?")
    await memory.settle()
    started = await memory.start_episode("Hello, can you please cancel the trip I booked for May?", recall=False)
    await memory.log_step(started.episode_id, "get_user", arguments={"id": "mia"}, observation="bookings: M20IZO")
    found = (await memory.suggest_next_step(started.episode_id)).precedents
    assert [(row.did, row.times) for row in found] == [(("cancel_booking “M20IZO”",), 1)]
    await memory.log_step(started.episode_id, "cancel_booking", arguments={"id": "M20IZO"}, observation="cancelled")
    assert (await memory.suggest_next_step(started.episode_id)).precedents == (), "to do it twice is no advice"


async def test_of_an_attempt_that_succeeded_in_part_that_is_said(memory: EpisodicMemory) -> None:
    change = ("edit", {"path": "src/shards.py", "old_string": "return files", "new_string": "return files[:30]"}, "done", "")
    await attempt(memory, "partial", [change])
    await memory.settle()
    started = await memory.start_episode(TASK, recall=False)
    said = next_step_text(answer(await memory.suggest_next_step(started.episode_id)))
    assert "Succeeded in part (not said which) at this task" in said
    assert "Did not succeed" not in said


async def test_of_an_edit_that_was_refused_no_line_is_told_that_its_file_still_has(memory: EpisodicMemory) -> None:
    kept = "    if self.port is None:\n        raise NoPort(self.name)\n    levels = self.levels"
    text = f"{kept}\n    shard = self.zone.tomorrow(30"
    head = "[File: /ferry/tides.py (90 lines total)]"
    parts = (
        "\n".join([head, *(f"{i}:{line}" for i, line in enumerate(said.split("\n"), 40))]) for said in (text, f"{kept}\n    shard = 0")
    )
    error = "Your edit was not applied: '(' was never closed"
    refused = "\n".join([error, *parts])
    calls: list[Call] = [
        ("open", {"path": "/ferry/tides.py"}, f"{head}\n1:import zones", ""),
        ("edit", {"args": "40:43", "text": text}, refused, error),
    ]
    await attempt(memory, "failure", calls)
    (said,) = await told(memory)
    assert said.endswith("shard = self.zone.tomorrow(30")
    assert "NoPort" not in said


async def test_the_answer_to_another_question_is_not_told(memory: EpisodicMemory) -> None:
    asked = "How many studio albums did Joan Baez publish in the sixties?"
    calls = [("search", {"query": "Joan Baez"}, "albums", ""), ("final_answer", {"answer": "4711"}, "", "")]
    await attempt(memory, "success", calls, asked)
    assert "4711" in " ".join(await told(memory, asked))
    assert "4711" not in " ".join(await told(memory, "How many studio albums did Violeta Parra publish in the fifties?"))


async def test_of_a_question_with_many_wrong_answers_up_to_four_are_told_in_a_playbook(memory: EpisodicMemory) -> None:
    asked = "Which club did the man play for who was born in Tallinn in 1953?"
    for said in ("Ajax", "Dynamo", "Rapid", "Levski", "Sparta"):
        await attempt(memory, "failure", [("final_answer", {"answer": said}, "Answer is INCORRECT", "")], asked)
    await memory.settle()
    told = playbook_text(answer(await memory.recommend_playbook(asked)))
    assert sum(f"“{said}”" in told for said in ("Ajax", "Dynamo", "Rapid", "Levski", "Sparta")) == 4
