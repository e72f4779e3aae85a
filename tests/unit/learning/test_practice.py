"""What a guide tells of successful episodes: commands, files, changes, each from two of them on."""

from dataclasses import replace

from mcp_memory.domain import facts
from mcp_memory.domain.episode import Episode, FileUse, Reflection, Step, StepStatus, Use
from mcp_memory.learning.reports.practice import practice

from .runs import episode

ERROR = facts.Overcome("No module named 'x'", "bash:python", (0,), 1, "bash `pip install x`", 2)


def run(name: str, *commands: str, agent: str = "a", failed: str = "") -> Episode:
    steps = tuple(Step("bash", arguments={"command": c}, status=StepStatus.ERROR if c == failed else StepStatus.OK) for c in commands)
    files = (FileUse("shop/pricing.py", Use.CHANGED), FileUse("README.md", Use.READ))
    return replace(episode(name), steps=steps, agent=agent, files=files, reflection=Reflection((ERROR,), (), ()))


def test_a_command_that_worked_in_two_episodes_is_told_with_how_often_it_did() -> None:
    said = practice([run("e1", "pytest -q", "ls"), run("e2", "pytest -q", "ls", "make odd")], is_shared=False)
    assert said.commands == ["- `pytest -q` worked 2 of 2 times, in 2 episodes"]
    assert said.files == ["- shop/pricing.py: changed in 2 successful episodes"]
    assert said.changes == ["- `No module named 'x'` in bash:python was gone after bash `pip install x` [e1]"]


def test_a_command_that_mostly_failed_is_not_told() -> None:
    assert practice([run("e1", "make", "make", failed="make"), run("e2", "make", failed="make")], is_shared=False).commands == []


def test_where_several_agents_work_what_one_alone_did_is_not_told() -> None:
    alone = [run("e1", "pytest -q"), run("e2", "pytest -q")]
    assert practice(alone, is_shared=True).commands == []
    assert practice([*alone, run("e3", "pytest -q", agent="b")], is_shared=True).commands != []
