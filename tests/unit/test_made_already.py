"""How another one's script made what a task asks for is told until the run that asks has made it; through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt, shell

pytestmark = pytest.mark.anyio
TASK = "Read tides.csv of the southern harbour and write the mean level of each day, by the rules of the harbour office, into levels.json"


def said(command: str, observation: str) -> Step:
    return {**shell(command), "observation": observation}


def script(path: str) -> Step:
    lines = "rows = csv.DictReader(open('tides.csv'))\nmean = harbour_mean(rows, 'level')\njson.dump(mean, open('levels.json', 'w'))"
    return said(f"cat > {path} <<'EOF'\n{lines}\nEOF", "")


LOOKED, RAN = said("ls", "tides.csv"), said("python3 mean.py", "12 days written")
SEEN = said("head -3 levels.json", '{"2026-05-01": 3.1}')


async def advised(memory: EpisodicMemory, *steps: Step) -> str:
    started = await memory.start_episode(TASK, recall=False)
    await memory.log_steps(started.episode_id, steps=list(steps))
    return next_step_text(answer(await memory.suggest_next_step(started.episode_id)))


async def test_a_script_is_told_until_the_run_has_seen_what_its_own_made(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "success", LOOKED, script("harbour.py"), said("python3 harbour.py", "done"), SEEN)
    assert "harbour.py" in await advised(memory, LOOKED)
    assert "harbour.py" in await advised(memory, LOOKED, script("mean.py"), RAN), "it may be wrong"
    assert "harbour.py" not in await advised(memory, LOOKED, script("mean.py"), RAN, SEEN)
