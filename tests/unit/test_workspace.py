"""Which files hold what, asked through the facade about a task that nobody did before."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.config import Config
from mcp_memory.config_sources import load_config
from mcp_memory.domain.episode import Episode, Outcome, OutcomeKind, Step
from mcp_memory.learning.reading.file_uses import touches_in
from mcp_memory.learning.reading.shown_files import MAX_FILES, MAX_PAIRS, shown_files
from mcp_memory.memory import EpisodicMemory

pytestmark = pytest.mark.anyio

INVOICE = "class InvoiceNumbering:\n    def next_serial_number(self, tenant):\n        return self.sequence.advance(tenant)\n"
ROUTES = "def register_routes(app):\n    app.add_route('/health', health)\n"
QUESTION = "Two tenants get the same invoice: InvoiceNumbering.next_serial_number hands a serial number out twice"
GREP = "src/billing/numbering.py:1:class InvoiceNumbering:\nsrc/billing/numbering.py:2:    def next_serial_number(self, tenant):\n"
TRACEBACK = (
    'Traceback (most recent call last):\n  File "/home/ana/shop/src/billing/numbering.py", line 2, in next_serial_number\n'
    "    InvoiceNumbering.advance\nKeyError: 'tenant'\n"
)
AGENTS: dict[str, list[dict[str, Any]]] = {
    "shell only": [
        {"tool": "bash", "arguments": {"command": "cat src/web/routes.py"}, "observation": ROUTES},
        {"tool": "bash", "arguments": {"command": "grep -rn InvoiceNumbering ."}, "observation": GREP},
    ],
    "shell, a file printed": [
        {"tool": "bash", "arguments": {"command": "cd /home/ana/shop && sed -n 1,40p src/billing/numbering.py"}, "observation": INVOICE},
        {"tool": "bash", "arguments": {"command": "cat src/web/routes.py"}, "observation": ROUTES},
    ],
    "shell, a traceback": [
        {"tool": "exec_command", "arguments": {"cmd": "cd /home/ana/shop && pytest -q"}, "observation": TRACEBACK},
        {"tool": "exec_command", "arguments": {"cmd": "cat src/web/routes.py"}, "observation": ROUTES},
    ],
    "editor tools": [
        {"tool": "Read", "arguments": {"file_path": "/home/ana/shop/src/billing/numbering.py"}, "observation": f"1\t{INVOICE}"},
        {"tool": "Edit", "arguments": {"file_path": "src/web/routes.py", "old_string": "a", "new_string": "b"}, "observation": ROUTES},
        {"tool": "Bash", "arguments": {"command": "cd /home/ana/shop && ls"}, "observation": "src\n"},
    ],
    "MCP file tools": [
        {"tool": "read_text_file", "arguments": {"path": "src/billing/numbering.py"}, "observation": INVOICE},
        {
            "tool": "search_code",
            "arguments": {"query": "register_routes"},
            "observation": '{"matches": "src/web/routes.py:1:def register_routes(app)\\nsrc/web/routes.py:2: app.add_route"}',
        },
    ],
}


async def _work(memory: EpisodicMemory, task: str, steps: Sequence[Mapping[str, Any]], framework: str = "") -> str:
    started = await memory.start_episode(task, recall=False, framework=framework)
    if steps:
        await memory.log_steps(started.episode_id, steps)
    await memory.complete_episode(started.episode_id, "success")
    return started.episode_id


@pytest.mark.parametrize("agent", AGENTS)
async def test_a_file_that_another_task_showed_answers_a_request_nobody_made_before(memory: EpisodicMemory, agent: str) -> None:
    await _work(memory, "translate the welcome mail", AGENTS[agent])
    first = (await memory.recall(QUESTION)).files[0]
    assert (first.path, first.why) == ("src/billing/numbering.py", "seen in 1 other task")


async def test_an_index_survives_a_restart_and_a_forgotten_episode_is_out_of_it(config: Config) -> None:
    async with open_memory(config) as memory:
        episode_id = await _work(memory, "translate the welcome mail", AGENTS["shell only"])
        await _work(memory, "tidy up the style sheet", [{"tool": "bash", "arguments": {"command": "ls"}, "observation": "a\n"}])
    async with open_memory(config) as memory:
        assert [file.path for file in (await memory.recall(QUESTION)).files] == ["src/billing/numbering.py"]
        await memory.forget(episode_ids=[episode_id], confirm=True)
        assert (await memory.recall(QUESTION)).files == ()


async def test_a_request_about_something_else_gets_no_file(memory: EpisodicMemory) -> None:
    await _work(memory, "translate the welcome mail", AGENTS["shell only"])
    assert (await memory.recall("book a table for two in Lisbon on Friday")).files == ()


async def test_where_nothing_is_close_no_file_is_told(data_dir: Path) -> None:
    async with open_memory(load_config(env={}, flags={"storage.data_dir": str(data_dir)})) as memory:
        await memory.settle()
        await _work(memory, "translate the welcome mail", AGENTS["shell only"])
        await memory.settle()
        found = await memory.recall("which trains run to Lisbon on Friday? mind the serial numbering of InvoiceNumbering")
    assert found.nearest is not None
    assert found.files == ()


async def test_files_of_another_context_are_not_told_where_the_request_s_context_is_inferred(memory: EpisodicMemory) -> None:
    await _work(memory, "translate the welcome mail", AGENTS["shell only"], framework="django")
    for number in range(3):
        await _work(memory, f"{QUESTION} ({number})", [], framework="flask")
    found = await memory.recall(QUESTION)
    assert found.outlook is not None
    assert found.outlook.inferred is not None
    assert found.outlook.inferred.framework == "flask"
    assert found.files == ()
    assert (await memory.recall(QUESTION, framework="django")).files


async def test_another_project_s_files_are_not_told(memory: EpisodicMemory) -> None:
    await _work(memory, "translate the welcome mail", AGENTS["shell only"])
    assert (await memory.recall(QUESTION, project="elsewhere")).files == ()


async def test_a_file_that_a_request_names_is_told_from_the_workspace_s_folder_on(memory: EpisodicMemory) -> None:
    await _work(memory, "translate the welcome mail", AGENTS["shell only"])
    asked = 'Crash on start: File "/usr/lib/site-packages/src/mail/sender.py", line 3, in connect'
    assert [(file.path, file.why) for file in (await memory.recall(asked)).files] == [("src/mail/sender.py", "named in the request")]


async def test_files_of_attempts_at_the_task_come_before_those_that_its_words_lead_to(memory: EpisodicMemory) -> None:
    await _work(memory, "translate the welcome mail", AGENTS["shell only"])
    read = {"tool": "Read", "arguments": {"file_path": "src/db/locks.py"}, "observation": "def acquire(): ..."}
    await _work(memory, QUESTION, [read, read, read])
    files = (await memory.recall(QUESTION)).files
    assert [file.path for file in files] == ["src/db/locks.py", "src/billing/numbering.py"]
    assert (files[0].attempts, files[0].why) == (1, None)


def test_what_an_episode_showed_is_bounded_however_much_it_printed() -> None:
    listing = "\n".join(f"src/part{i}/module{i}.py:1:def function_{i}_{i * 7}(argument_{i}): pass" for i in range(2_000))
    steps = tuple(Step("bash", "bash", {"command": f"grep -rn def{i} ."}, listing[i * 5_000 :]) for i in range(12))
    found = shown_files(Episode("e", "p", "t", steps=steps, outcome=Outcome(OutcomeKind.SUCCESS)), touches_in(steps))
    assert len(found[0]) == MAX_FILES
    assert sum(found[1]) <= MAX_PAIRS


def test_what_an_episode_made_for_itself_is_not_shown() -> None:
    steps = (Step("Write", "Write", {"file_path": "reproduce.py", "content": "import shop"}, "written"), *_read("src/a.py"))
    found = shown_files(Episode("e", "p", "t", steps=steps, outcome=Outcome(OutcomeKind.FAILURE)), touches_in(steps))
    assert found[0] == ["src/a.py"]


def _read(path: str) -> tuple[Step, ...]:
    return (Step("Read", "Read", {"file_path": path}, "def load_basket(): ..."),)


async def test_an_episode_that_showed_a_file_under_two_paths_may_be_edited_and_still_leads_to_it(memory: EpisodicMemory) -> None:
    await _work(memory, "Look around", [{"tool": "bash", "arguments": {"command": "cat src/billing/numbering.py"}, "observation": INVOICE}])
    steps = [
        {"tool": "bash", "arguments": {"command": f"cat {root}/src/billing/numbering.py"}, "observation": INVOICE}
        for root in ("/home/ana/shop", "/mnt/copy", "/home/ana/shop")
    ]
    episode_id = await _work(memory, "Compare the two checkouts", steps)
    for tag in ("one", "two"):
        await memory.update_episode(episode_id, add_tags=[tag])
        found = await memory.recall(QUESTION)  # a count below zero is a warning, and so an error, here
        assert [file.path for file in found.files] == ["src/billing/numbering.py"]


def _printed(path: str, text: str = INVOICE) -> dict[str, Any]:
    return {"tool": "bash", "arguments": {"command": f"cat {path}"}, "observation": text}


async def test_a_path_said_from_a_folder_below_is_the_file_that_the_others_name_in_full(memory: EpisodicMemory) -> None:
    await _work(memory, "Look around", [_printed("shop/billing/numbering.py"), _printed("shop/web/routes.py", ROUTES)])
    await _work(memory, "Look closer, in shop/", [_printed("billing/numbering.py")])
    found = await memory.recall(QUESTION)
    assert [file.path for file in found.files] == ["shop/billing/numbering.py"]


async def test_a_path_that_is_the_end_of_two_or_of_a_copy_stays_what_it_is(memory: EpisodicMemory) -> None:
    await _work(
        memory, "Look around", [_printed("shop/billing/numbering.py"), _printed("club/billing/numbering.py"), _printed("shop/a.py", ROUTES)]
    )
    await _work(memory, "Look closer, in one of them", [_printed("billing/numbering.py")])
    found = await memory.recall(QUESTION)
    assert "billing/numbering.py" in [file.path for file in found.files]


async def test_a_copy_below_a_build_folder_is_no_better_name(memory: EpisodicMemory) -> None:
    await _work(memory, "Look around", [_printed("billing/numbering.py")])
    await _work(memory, "Look what was built", [_printed("build/lib/billing/numbering.py"), _printed("build/lib/web/routes.py", ROUTES)])
    found = await memory.recall(QUESTION)
    assert found.files[0].path == "billing/numbering.py"
