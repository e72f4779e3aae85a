"""Words that few earlier runs were shown find these runs, however unlike their tasks are, through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer
from mcp_memory.retrieval.retriever import Retriever
from mcp_memory.views.view import View
from tests.unit.attempts import Step, attempt, shell

pytestmark = pytest.mark.anyio
CHORES = (
    "Rename the settings page",
    "Fix the indentation of the parser",
    "Translate the greeting",
    "Sort the imports",
    "Draw the logo",
    "Upgrade the linter",
    "Write the release notes",
    "Add pagination to the list",
)
WAITING = "NAME       READY   STATUS             RESTARTS\ncart-6b7   0/1     CrashLoopBackOff   5"
LOG = "starting cart on port 8080\nmissing env DATABASE_URL"
MENDED = "kubectl set env deploy/cart DATABASE_URL=postgres://db/shop"


def _shows(command: str, observation: str) -> Step:
    return {**shell(command), "observation": observation}


def _brought_up() -> list[Step]:
    again = _shows("kubectl get pods", WAITING.replace("CrashLoopBackOff", "Running"))
    return [_shows("kubectl get pods", WAITING), _shows("kubectl logs cart", LOG), _shows(MENDED, "env updated"), again]


async def _filled(memory: EpisodicMemory, outcome: str = "success") -> None:
    for n, chore in enumerate(CHORES):
        shown = "On branch main, the status of the build is missing"
        await attempt(memory, chore, "success", _shows("git status", shown), shell(f"sed -i s/a/b/ app/page{n}.py"))
    for _ in range(2):
        await attempt(memory, "The cart service does not come up", outcome, *_brought_up())


@pytest.mark.parametrize(
    "asked",
    [
        "CrashLoopBackOff missing env DATABASE_URL",
        "missing env DATABASE_URL",
        "pod CrashLoopBackOff",
        "The payments pod is in CrashLoopBackOff, its log says: missing env DATABASE_URL",
        "Hi! Since this morning my rollout is stuck and I have no idea why.\n\nfatal: missing env DATABASE_URL\n",
    ],
)
async def test_words_that_few_runs_were_shown_find_what_was_done_there(memory: EpisodicMemory, asked: str) -> None:
    await _filled(memory)
    said = recall_text(answer(await memory.recall(asked)))
    assert MENDED in said, said


async def test_a_common_word_or_one_rare_plain_word_finds_nothing(memory: EpisodicMemory) -> None:
    await _filled(memory)
    for asked in ("status of the main branch", "Where is the nearest port with a good restaurant?", "missing socks", "an updated passport"):
        found = await memory.recall(asked)
        assert not found.episodes, asked


async def test_what_a_failure_was_shown_is_not_told_as_an_answer(memory: EpisodicMemory) -> None:
    for chore in CHORES:
        await attempt(memory, chore, "success", shell("sed -i s/a/b/ app/page.py"))
    await attempt(
        memory, "The cart service does not come up", "failure", _shows("kubectl logs cart", LOG), shell("kubectl rollout restart")
    )
    assert "kubectl" not in recall_text(answer(await memory.recall("missing env DATABASE_URL")))


async def test_of_several_deeds_the_one_after_which_the_line_was_gone_is_told(memory: EpisodicMemory) -> None:
    for chore in CHORES:
        await attempt(memory, chore, "success", shell("sed -i s/a/b/ app/page.py"))
    log, restart = "kubectl logs cart", shell("kubectl rollout restart deploy/cart")
    steps = [
        _shows(log, LOG),
        restart,
        _shows(log, LOG),
        shell(MENDED),
        _shows(log, "ready"),
        shell("kubectl annotate deploy/cart owner=me"),
    ]
    await attempt(memory, "The cart service does not come up", "success", *steps)
    said = recall_text(answer(await memory.recall("missing env DATABASE_URL")))
    assert MENDED in said
    assert "annotate" not in said
    assert "restart" not in said


async def test_of_a_long_log_a_few_lines_are_looked_for(memory: EpisodicMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    await _filled(memory)
    counted: list[str] = []
    count = Retriever.word_counts

    def noted(self: Retriever, v: View, text: str) -> dict[str, int]:
        counted.append(text)
        return count(self, v, text)

    monkeypatch.setattr(Retriever, "word_counts", noted)
    log = [f"error {n}: worker{n} gave up on block{n * 7}" for n in range(300)]
    said = recall_text(answer(await memory.recall("\n".join([*log, "fatal: missing env DATABASE_URL"]))))
    assert MENDED in said
    assert len(counted) < 20


async def _mended(memory: EpisodicMemory, error: str, failing: str, *steps: Step) -> None:
    await attempt(memory, "Count the active customers", "success", shell(failing, error), *steps, shell(failing))


async def _told_after(memory: EpisodicMemory, error: str) -> str:
    started = await memory.start_episode("Print the latest orders", recall=False)
    await memory.log_step(started.episode_id, "bash", arguments={"command": "psql shop -f orders.sql"}, error=error)
    return next_step_text(answer(await memory.suggest_next_step(started.episode_id)))


async def test_the_same_kind_of_error_about_another_name_is_answered_with_what_that_one_was_about(memory: EpisodicMemory) -> None:
    await _mended(memory, 'ERROR:  relation "users" does not exist', "psql shop -f count.sql", shell("python manage.py migrate"))
    said = await _told_after(memory, 'ERROR:  relation "orders" does not exist\nLINE 1: select * from orders;')
    assert 'After an error like it (`ERROR: relation "users" does not exist`) bash `python manage.py migrate` made the call work' in said


async def test_a_command_about_the_other_name_is_not_told(memory: EpisodicMemory) -> None:
    await _mended(
        memory, 'ERROR:  relation "users" does not exist', "psql shop -f count.sql", shell("psql shop -f create_table.sql -v t=users")
    )
    assert "users" not in await _told_after(memory, 'ERROR:  relation "orders" does not exist')


@pytest.mark.parametrize("asked", ['psql says relation "orders" does not exist, what now?', 'FATAL: relation "orders" does not exist'])
async def test_an_error_is_known_without_the_label_before_it(memory: EpisodicMemory, asked: str) -> None:
    await _mended(memory, 'ERROR:  relation "users" does not exist', "psql shop -f count.sql", shell("python manage.py migrate"))
    for chore in CHORES:
        await attempt(memory, chore, "success", shell("sed -i s/a/b/ app/page.py"))
    assert "worked after `python manage.py migrate`" in recall_text(answer(await memory.recall(asked)))
