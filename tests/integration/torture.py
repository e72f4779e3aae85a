"""The long forms, by hand: `python -m tests.integration.torture kills --kills 300` and `… crowd --processes 8 --seconds 60`.

*kills*: a real server and hook commands write by every verb that writes; the server is killed with SIGKILL after a random number of
answers, half of the time by a timer in the middle of whatever happens; the next one on the directory must have what was acknowledged.
*crowd*: several servers on one directory, each called with every verb for a time; no call may be refused for the others' sake.
"""

import argparse
import io
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp_memory.hooks import client
from tests.raw_client import RawClient, ServerDied, server_environment

IN_FLIGHT = 8
FULL = ("stdio", "--tools", "full")
SETTINGS = {"MCP_MEMORY_EMBEDDING__PROVIDER": "off"}
SLOWEST_S = 0.03  # of a timer that kills


@dataclass
class Acknowledged:
    """What servers and hook commands said they had kept."""

    steps: dict[str, list[str]] = field(default_factory=dict)  # observations by episode
    completed: set[str] = field(default_factory=set)
    tags: dict[str, set[str]] = field(default_factory=dict)
    links: set[tuple[str, str]] = field(default_factory=set)
    checkpoints: dict[str, str] = field(default_factory=dict)  # episode by checkpoint
    forgotten: set[str] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)  # how episodes ended after all
    doomed: set[str] = field(default_factory=set)  # asked to be forgotten: without an answer both is right
    votes: int = 0
    hooks: list[str] = field(default_factory=list)  # observations of hook events
    calls: Counter[str] = field(default_factory=Counter)


class Torture:
    """Rounds of writing and killing on one directory."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.rng, self.known = folder, random.Random(seed), Acknowledged()
        self._written = 0
        self._open: list[str] = []
        self._relabelled: set[str] = set()
        self._sessions: set[str] = set()  # of the agent host that hooks told of
        self._shown: list[str] = []  # recommendations nobody has voted on

    def round(self, number: int, answers: int) -> None:
        """Write until so many answers came, or a timer killed the server."""
        with RawClient(self.folder, *FULL, **SETTINGS) as server:
            self.check(server, list(self.known.steps)[-4:])
            timer = threading.Timer(self.rng.random() * SLOWEST_S * answers, server.process.kill) if number % 2 else None
            if timer:
                timer.start()
            self._open = self._open[-3:]
            try:
                self._write(server, answers, number)
            except ServerDied:
                assert timer, "the server died by itself"
            finally:
                if timer:
                    timer.join()
                server.kill()

    def _write(self, server: RawClient, answers: int, number: int) -> None:
        sent: dict[int, tuple[str, dict[str, Any]]] = {}
        answered = 0
        while answered < answers:
            while len(sent) < IN_FLIGHT:
                tool, arguments = self.request()
                sent[server.post("tools/call", {"name": tool, "arguments": arguments})] = (tool, arguments)
            if self.rng.random() < 0.1:
                self._hook(number)
            message = server.receive()
            tool, arguments = sent.pop(message["id"])
            answered += 1
            assert "result" in message, message
            if not message["result"].get("isError"):
                self.known.calls[tool] += 1
                self.note(tool, arguments, message["result"]["structuredContent"])

    def request(self) -> tuple[str, dict[str, Any]]:
        """Return a call of some verb, as often as agents make it."""
        self._written += 1
        note, rng = f"note {self._written}", self.rng
        episodes = [key for key in self.known.steps if key not in self.known.doomed]
        if not self._open or rng.random() < 0.05:
            return "start_episode", {"task": f"task {self._written}", "recall": False}
        current = rng.choice(self._open)
        choices: list[tuple[float, str, dict[str, Any]]] = [
            (40, "log_step", {"episode_id": current, "tool": "shell", "observation": note}),
            (10, "log_steps", {"episode_id": current, "steps": [{"tool": "shell", "observation": f"{note}.{i}"} for i in range(3)]}),
            (8, "update_episode", {"episode_id": rng.choice(episodes), "add_tags": [f"t{self._written}"]}),
            (6, "checkpoint_episode", {"episode_id": current, "label": note}),
            (6, "recall", {"query": "task"}),
        ]
        if resumable := [key for key, episode_id in self.known.checkpoints.items() if episode_id not in self.known.doomed]:
            choices.append((3, "resume_episode", {"checkpoint_id": rng.choice(resumable)}))
        if ended := [key for key in self.known.completed if key not in self.known.doomed | self._relabelled]:
            choices.append((3, "give_feedback", {"episode_id": rng.choice(ended), "outcome": rng.choice(["partial", "failure"])}))
        if self._shown:
            choices.append((6, "give_feedback", {"recommendation_id": self._shown[-1], "outcome": "helped"}))
        if len(self._open) > 1:
            choices.append((6, "complete_episode", {"episode_id": self._open[0], "outcome": "success", "lessons": [note]}))
        if len(episodes) > 8:
            one, other = rng.sample(episodes, 2)
            choices.append((6, "link_episodes", {"from_id": one, "to_id": other, "type": "related_to"}))
            choices.append((2, "forget", {"episode_ids": [rng.choice(episodes[:-6] or episodes[:1])], "confirm": True}))
        _, tool, arguments = rng.choices(choices, [weight for weight, _, _ in choices])[0]
        if tool == "give_feedback" and "episode_id" in arguments:
            self._relabelled.add(arguments["episode_id"])
        elif tool == "give_feedback":
            self._shown.pop()
        if tool == "complete_episode":
            self._open.pop(0)
        if tool == "forget":  # what is written to it meanwhile may be refused or go with it
            self.known.doomed.update(arguments["episode_ids"])
            self._open = [key for key in self._open if key != arguments["episode_ids"][0]]
        return tool, arguments

    def reading(self) -> tuple[str, dict[str, Any]]:
        """Return a call of some verb that reads."""
        episode_id = self.rng.choice([key for key in self.known.steps if key not in self.known.doomed] or [""])
        opened = self.rng.choice(self._open or [""])
        choices: list[tuple[str, dict[str, Any]]] = [
            ("recall", {"query": f"task {self.rng.randrange(50)}"}),
            ("search_episodes", {"query": "task"}),
            ("search_patterns", {}),
            ("recommend_playbook", {"task": "task"}),
            ("analyze_trends", {}),
            ("memory_status", {}),
        ]
        choices += [("get_episode", {"episode_id": episode_id}), ("related_episodes", {"episode_id": episode_id})] if episode_id else []
        choices += [("suggest_next_step", {"episode_id": opened})] if opened else []
        return self.rng.choice(choices)

    def note(self, tool: str, asked: dict[str, Any], answer: dict[str, Any]) -> None:
        known = self.known
        if tool == "start_episode":
            known.steps[answer["episode_id"]] = []
            self._open.append(answer["episode_id"])
        elif tool == "log_step":
            known.steps[asked["episode_id"]].append(asked["observation"])
        elif tool == "log_steps":
            known.steps[asked["episode_id"]] += [step["observation"] for step in asked["steps"]]
        elif tool == "complete_episode":
            known.completed.add(asked["episode_id"])
        elif tool == "update_episode":
            known.tags.setdefault(asked["episode_id"], set()).update(asked["add_tags"])
        elif tool == "link_episodes":
            known.links.add((asked["from_id"], asked["to_id"]))
        elif tool == "checkpoint_episode":
            known.checkpoints[answer["checkpoint_id"]] = asked["episode_id"]
        elif tool == "recall":
            self._shown.append(answer["recommendation_id"])
        elif tool == "resume_episode":
            known.steps.setdefault(answer["episode_id"], [])
        elif tool == "give_feedback" and "episode_id" in asked:
            known.labels[asked["episode_id"]] = asked["outcome"]
        elif tool == "give_feedback":
            known.votes += 1
        elif tool == "forget" and answer.get("deleted", {}).get("episodes"):
            known.forgotten.update(asked["episode_ids"])

    def _hook(self, number: int) -> None:
        """Tell a hook command of a step; it keeps it itself where no server answers."""
        self._written += 1
        session, observation = f"session {number // 3}", f"hooked {self._written}."
        if session not in self._sessions:
            self._sessions.add(session)
            self._tell("user-prompt-submit", session, {"prompt": f"Do what {session} wants", "prompt_id": session})
        step = {"tool_name": "Bash", "tool_use_id": f"u{self._written}", "tool_input": {"command": f"echo {self._written}"}}
        self._tell("post-tool-use", session, step | {"tool_response": {"stdout": observation, "stderr": ""}})
        self.known.hooks.append(observation)

    def _tell(self, event: str, session: str, fields: dict[str, Any]) -> None:
        told = json.dumps({"session_id": session, "cwd": str(self.folder), "transcript_path": "t.jsonl"} | fields).encode()
        kept = sys.stdin, sys.stdout, sys.stderr
        sys.stdin, sys.stdout, sys.stderr = io.TextIOWrapper(io.BytesIO(told)), io.TextIOWrapper(io.BytesIO()), io.StringIO()
        try:
            client.run([event, "--data-dir", str(self.folder)])
            said = sys.stderr.getvalue()
        finally:
            sys.stdin, sys.stdout, sys.stderr = kept
        assert not said, said
        self.known.calls[f"hook {event}"] += 1

    def check(self, server: RawClient, ids: list[str]) -> None:
        """Compare what these episodes should have with what they have."""
        known = self.known
        for episode_id in ids:
            if episode_id in known.forgotten:
                gone = server.request("tools/call", {"name": "get_episode", "arguments": {"episode_id": episode_id}})
                assert gone["result"]["isError"], f"{episode_id} was forgotten and is there"
            if episode_id in known.doomed:
                continue
            record = server.call("get_episode", episode_id=episode_id, detail="full", step_limit=5_000)
            stored = Counter(step["observation"] for step in record["steps"])
            lost = [note for note in known.steps[episode_id] if stored[note] != 1]
            assert not lost, f"{episode_id} lost or doubled {lost[:3]}"
            assert [step["index"] for step in record["steps"]] == list(range(len(record["steps"])))
            assert (record["state"] == "completed") >= (episode_id in known.completed), f"{episode_id} is not completed"
            label = known.labels.get(episode_id)
            assert label is None or record["outcome"]["kind"] == label, f"{episode_id} lost its label"
            assert set(record.get("tags", ())) >= known.tags.get(episode_id, set()), f"{episode_id} lost a tag"

    def finish(self) -> None:
        """Check everything, by a last server, after a last drain."""
        known = self.known
        command = [sys.executable, "-m", "mcp_memory"]
        environment = server_environment(self.folder, **SETTINGS)
        subprocess.run([*command, "hook", "drain"], env=environment, check=True, timeout=120)
        with RawClient(self.folder, *FULL, **SETTINGS) as server:
            self.check(server, list(known.steps))
            for one, other in known.links:
                if not {one, other} & known.doomed:
                    edges = server.call("related_episodes", episode_id=one)["edges"]
                    assert any(edge["to_id"] == other or edge["from_id"] == other for edge in edges), f"link {one} {other} is gone"
            for checkpoint_id, episode_id in known.checkpoints.items():
                if episode_id not in known.doomed:
                    assert server.call("resume_episode", checkpoint_id=checkpoint_id)["handoff"]["goal"], "a checkpoint is gone"
            assert server.call("memory_status")["counts"]["feedback"] >= known.votes
        exported = subprocess.run([*command, "export"], env=environment, check=True, timeout=300, capture_output=True, text=True).stdout
        spooled = "".join(
            path.read_text(errors="replace") for path in (self.folder / "hooks").glob("*") if path.suffix in (".spool", ".held")
        )
        lost = [observation for observation in known.hooks if (exported + spooled).count(observation) == 0]
        assert not lost, f"{len(lost)} of {len(known.hooks)} hook events are gone: {lost[:3]}"


def kills(folder: Path, count: int, answers: tuple[int, int], seed: int) -> Acknowledged:
    """Run so many rounds, each ended by a kill, then check everything; return what was acknowledged.

    Raises AssertionError: something is lost.
    """
    torture = Torture(folder, seed)
    for number in range(count):
        torture.round(number, torture.rng.randrange(*answers))
    torture.finish()
    return torture.known


def crowd(folder: Path, processes: int, seconds: float, seed: int) -> tuple[Counter[str], list[str]]:
    """Call every verb from several servers for a time; return how many calls of each were made, and what was refused."""
    calls: Counter[str] = Counter()
    refused: list[str] = []
    lock, started = threading.Lock(), threading.Barrier(processes)

    def work(number: int) -> None:
        one = Torture(folder, seed + number)
        try:
            with RawClient(folder, *FULL, **SETTINGS) as server:
                started.wait(120)
                until = time.monotonic() + seconds
                while time.monotonic() < until:
                    tool, arguments = one.reading() if one.rng.random() < 0.3 and one.known.steps else one.request()
                    message = server.request("tools/call", {"name": tool, "arguments": arguments})
                    with lock:
                        calls[tool] += 1
                        if message.get("result", {"isError": True}).get("isError"):
                            refused.append(f"{tool}: {json.dumps(message)[:300]}")
                            continue
                    one.note(tool, arguments, message["result"]["structuredContent"])
                one.check(server, list(one.known.steps))
        except BaseException as error:
            with lock:
                refused.append(f"process {number}: {error!r}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(processes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return calls, refused


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("kills", "crowd"))
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=20261)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.what == "kills":
            known = kills(Path(folder), args.kills, (5, 40), args.seed)
            print(f"{args.kills} kills over {sum(known.calls.values()):,} acknowledged calls, 0 lost: {dict(known.calls)}")
            return 0
        calls, refused = crowd(Path(folder), args.processes, args.seconds, args.seed)
        print(f"{args.processes} processes, {args.seconds:g} s, {sum(calls.values()):,} calls, {len(refused)} errors: {dict(calls)}")
        print(*refused[:10], sep="\n")
        return bool(refused)


if __name__ == "__main__":
    sys.exit(main())
