"""A real server process is killed with SIGKILL at random points; every write it acknowledged must be there afterwards.

Method: many requests are put on the wire at once; after a seeded random number of answers (and, half of the time, in the middle of
the next write) the process is killed. The next process on the same directory is asked for everything that was acknowledged.
"""

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.raw_client import RawClient, ServerDied

KILLS = 50
SEED = 20260
REQUESTS_IN_FLIGHT = 12


@dataclass
class Acknowledged:
    """What the server said it had committed."""

    steps: dict[str, list[str]] = field(default_factory=dict)  # episode id -> observations in index order
    completed: set[str] = field(default_factory=set)


def _run_until_killed(client: RawClient, rng: random.Random, known: Acknowledged, round_number: int) -> None:
    answers_before_kill = rng.randrange(1, 60)
    sent: dict[int, tuple[str, str, str]] = {}
    current: str | None = None
    answered = written = 0
    try:
        while True:
            while len(sent) < (REQUESTS_IN_FLIGHT if current else 1):
                written += 1
                if current is None:
                    arguments: dict[str, Any] = {"task": f"round {round_number} write {written}", "recall": False}
                    request, tool = ("start", "", ""), "start_episode"
                elif rng.random() < 0.06:
                    arguments, tool = {"episode_id": current, "outcome": "success"}, "complete_episode"
                    request = ("complete", current, "")
                else:
                    note = f"{round_number}/{written}"
                    arguments, tool = {"episode_id": current, "tool": "shell", "observation": note}, "log_step"
                    request = ("log", current, note)
                sent[client.post("tools/call", {"name": tool, "arguments": arguments})] = request
                if tool == "complete_episode":
                    current = None
            message = client.receive()
            kind, episode_id, note = sent.pop(message["id"])
            result = message["result"]
            if not result.get("isError"):
                current = _note(known, kind, episode_id, note, result["structuredContent"], current)
            answered += 1
            if answered >= answers_before_kill:
                client.kill()
                return
    except ServerDied:  # only a kill of ours may end it
        raise AssertionError("the server died by itself") from None


def _note(known: Acknowledged, kind: str, episode_id: str, note: str, answer: dict[str, Any], current: str | None) -> str | None:
    if kind == "start":
        known.steps[answer["episode_id"]] = []
        return str(answer["episode_id"])
    if kind == "complete":
        known.completed.add(episode_id)
        return current
    steps = known.steps[episode_id]
    assert answer["step_index"] >= len(steps), "indexes are given in order"
    steps.append(note)
    return current


def _check(client: RawClient, known: Acknowledged) -> None:
    for episode_id, notes in known.steps.items():
        record = client.call("get_episode", episode_id=episode_id, detail="full", step_limit=5000)
        stored = [step["observation"] for step in record["steps"]]
        assert [s for s in stored if s in set(notes)] == notes, "every acknowledged step, once, in order"
        assert [step["index"] for step in record["steps"]] == list(range(len(stored))), "no gaps"
        assert (record["state"] == "completed") >= (episode_id in known.completed)


@pytest.mark.timeout(900)  # fifty starts of a server; seconds each on a busy machine
def test_every_acknowledged_write_survives_fifty_kills(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    known = Acknowledged()
    for round_number in range(KILLS):
        with RawClient(tmp_path) as client:
            recent = Acknowledged(dict(list(known.steps.items())[-5:]), known.completed)
            _check(client, recent)
            _run_until_killed(client, rng, known, round_number)
    with RawClient(tmp_path) as client:
        _check(client, known)
        assert len(known.steps) >= KILLS
        assert sum(map(len, known.steps.values())) > KILLS
