"""Tells what happens: as text while it happens, or as one JSON document at the end."""

import textwrap
from typing import Any

from mcp_memory.cli import render
from mcp_memory.cli.demo.tasks import Plan, Task
from mcp_memory.rendering.advice_lines import next_step_text, playbook_text
from mcp_memory.rendering.lines import LABEL, outlook_text
from mcp_memory.rendering.outcome_lines import completed_text

Answer = dict[str, Any]
_WIDTH = 118


class Narrator:
    """Prints, or with *quiet* only keeps, the events of the demonstration."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self.record: dict[str, Any] = {"episodes": [], "playbook": None}

    def say(self, text: str = "", indent: int = 0) -> None:
        """Print a paragraph."""
        if not self._quiet:
            print(textwrap.fill(render.safe(text), _WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2)), flush=True)

    def started(self, task: Task, answer: Answer) -> None:
        self.record["episodes"].append(
            {"task": task.text, "expects": task.expects, "started": answer, "plan": "", "steps": [], "advice": []}
        )
        self.say()
        self.say(f"TASK  {task.text}")
        recalled = answer["recalled"] or {}
        episodes = recalled.get("episodes") or []
        if not task.asks:
            nearest = f"the nearest in memory is “{episodes[0]['task']}”" if episodes else "the memory is empty"
            self.say(f"start_episode → {nearest}", 2)
            return
        for number, episode in enumerate(episodes[:2], 1):
            self.say(f"recalled {number}: “{episode['task']}” ({episode['outcome']}, reward {episode['reward']:.2f})", 2)
            self.say(f"why: {episode['similarity']:.0%} alike, score {episode['score']:.2f}; {render.why(episode['why'])}", 4)
            for lesson in episode.get("lessons", []):
                self.say(f"lesson: {lesson}", 4)
        if files := recalled.get("files"):
            self.say("files worked on: " + ", ".join(file["path"] for file in files[:3]), 2)
        for pattern in recalled.get("patterns", [])[:2]:
            counts = f"{pattern['successes']} of {pattern['support']} succeeded"
            self.say(f"pattern: {pattern['description']} ({counts})", 2)
        if (outlook := recalled.get("outlook")) and outlook["based_on"]:
            self.say(f"outlook: {outlook_text(outlook)}", 2)
        for reason in recalled.get("degraded") or ():
            self.say(f"note: {reason}", 2)

    def chose(self, plan: Plan) -> None:
        self.record["episodes"][-1]["plan"] = plan.needs
        self.say(
            f"the agent goes by the lesson about {plan.needs}" if plan.needs else "no lesson helps; the agent tries what comes to mind", 2
        )

    def step(self, index: int, step: Answer) -> None:
        self.record["episodes"][-1]["steps"].append(step)
        arguments = step["arguments"]
        what = arguments.get("command") or arguments["path"]
        if "new" in arguments:
            what += ": " + " ".join(arguments["new"].split())
        result = "✗ " + step["error"] if step.get("status") == "error" else "✓"
        self.say(render.one_line(f"#{index} {step['tool']}  {what}", 90) + f"  {result}", 2)

    def advised(self, answer: Answer) -> None:
        self.record["episodes"][-1]["advice"].append(answer)
        self._answered("suggest_next_step", next_step_text(answer), 4)

    def completed(self, answer: Answer) -> None:
        self.record["episodes"][-1]["completed"] = answer
        reward = answer["reward"]
        parts = ", ".join(f"{name} {value:.2f}" for name, value in reward["components"].items())
        self.say(f"complete_episode → {answer['outcome']}, reward {reward['score']:.2f} ({parts})", 2)
        for line in completed_text(answer).splitlines()[1:]:
            self.say(line, 4)

    def playbook(self, task: str, answer: Answer) -> None:
        self.record["playbook"] = answer
        self.say()
        self._answered(f"recommend_playbook for “{task}”", playbook_text(answer), 0)

    def _answered(self, call: str, text: str, indent: int) -> None:
        """Print the lines an agent reads, but for the label."""
        lines = [line for line in text.splitlines() if not line.startswith(LABEL)]
        self.say(f"{call} →{'' if len(lines) > 1 else f' {lines[0]}'}", indent)
        for line in lines if len(lines) > 1 else ():
            self.say(line, indent + 2)
