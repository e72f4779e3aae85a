"""Secrets that an agent logs are in no byte of any file, nor in any log, whichever door they came through."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.config_sources import load_config
from tests.raw_client import RawClient, server_environment

# Shaped like real keys, random, never issued.
SECRETS = [
    "sk-Qm4Zt8vB1xLp6Rk3Wn9Yc2Hd7Jf5Gs0AaUeTiOoPqXzVbNm",
    "sk-proj-a8Kd93jfLs02mXnQ71bVcZ5tYwEr6uIoP4gHhJkL_q2W3e4R5t6Y7u8I9o0P",
    "sk-svcacct-9vBn3mQw8eRt7yUi6oPa5sDf4gHj2kLz1xCv0bNm",
    "sk-ant-api03-Zx9Cv8Bn7Mq6We5Rt4Yu3Io2Pa1Sd0Fg9Hj8Kl7Zx6Cv5Bn4Mq3We2Rt1Yu0IoAA",
    "AKIAQZ7RN4XKD2MWVT5H",
    "AKIA3JLP6YBFGS2UXE7C",
    "ASIAW5OQ3TMKZ7HVNB4D",
    "ghp_h7Gk2Lm9Qp4Rt6Vx8Zb1Nc3Wd5Yf0Js7Aa2E",
    "ghp_0Az9By8Cx7Dw6Ev5Fu4Gt3Hs2Ir1Jq0Kp9Lo",
    "github_pat_11ABCDEFG0q7Wn3Xk9Zt2V_b5Yd8Mf1Hs4Lp6Rj0Gc3Qa7Ue9Ti2Oo5PxKzNvBmWyEr1Sd4",
]
LEXICAL = {"MCP_MEMORY_EMBEDDING__PROVIDER": "off"}


def traces(secret: str) -> list[bytes]:
    """Return what must be nowhere: the secret, and its telling half."""
    return [secret.encode(), secret[-16:].encode(), secret.encode("utf-16-le")]


def leaks(data_dir: Path, secrets: Iterable[str] = SECRETS) -> list[str]:
    """Return the files that hold a secret, with it."""
    wanted = [(secret, trace) for secret in secrets for trace in traces(secret)]
    found = []
    for file in data_dir.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            found += [f"{file.name}: {secret}" for secret, trace in wanted if trace in content]
    return found


def write_everywhere(client: RawClient, secret: str) -> str:
    """Hand *secret* to every tool that stores text and return the id of the episode."""
    started = client.call("start_episode", task=f"Deploy with the key {secret}", tags=[secret], metadata={"env": {"k": secret}, secret: 1})
    episode_id: str = started["episode_id"]
    client.call(
        "log_step", episode_id=episode_id, tool="bash", arguments={"command": f"export K={secret}"}, observation=f"set to {secret}\nok"
    )
    steps = [{"tool": "http", "action": "get", "status": "error", "error": f"403 for {secret}", "observation": f'{{"key": "{secret}"}}'}]
    client.call("log_steps", episode_id=episode_id, steps=steps)
    client.call("checkpoint_episode", episode_id=episode_id, label="half", note=secret, findings=[secret], pending=[f"use {secret}"])
    client.call(
        "update_episode", episode_id=episode_id, add_tags=[f"t-{secret}"], metadata={"again": [secret]}, task=f"Deploy using {secret}"
    )
    client.call(
        "complete_episode",
        episode_id=episode_id,
        outcome="partial",
        summary=f"worked with {secret}",
        lessons=[f"The key is {secret}"],
        artifacts=[f"/tmp/{secret}"],
        completed=[secret],
        failed=[secret],
        error=f"last: {secret}",
    )
    recalled = client.call("recall", query=f"deploy with {secret}", project="*")
    client.call("give_feedback", recommendation_id=recalled["recommendation_id"], outcome="helped", note=f"as {secret}")
    return episode_id


@pytest.mark.timeout(300)
def test_ten_secrets_through_every_tool_leave_no_byte_in_any_file(data_dir: Path) -> None:
    with RawClient(data_dir, MCP_MEMORY_TOOLS="full", MCP_MEMORY_SERVER__AUDIT_LOG=str(data_dir / "audit.jsonl")) as client:
        ids = [write_everywhere(client, secret) for secret in SECRETS]
        client.call("link_episodes", from_id=ids[0], to_id=ids[1], type="related_to", note=SECRETS[0])
        assert leaks(data_dir) == []
        shown = client.call("get_episode", episode_id=ids[0], detail="full")
        assert "[redacted:openai-api-key]" in json.dumps(shown)
        client.call("forget", episode_ids=[ids[9]], confirm=True, reason=f"it held {SECRETS[9]}")
    assert leaks(data_dir) == []
    assert (data_dir / "audit.jsonl").stat().st_size > 0
    exported = subprocess.run(
        [sys.executable, "-m", "mcp_memory", "export"], env=server_environment(data_dir), capture_output=True, timeout=60, check=True
    )
    assert exported.stdout.count(b'{"external_id"') == len(SECRETS) - 1
    assert b"[redacted:" in exported.stdout
    assert not any(trace in exported.stdout for secret in SECRETS for trace in traces(secret))


@pytest.mark.timeout(120)
def test_calls_that_are_refused_do_not_put_their_secrets_into_the_log(data_dir: Path) -> None:
    secret = SECRETS[0]
    calls: list[tuple[str, Any]] = [
        ("start_episode", {"task": "x", "bogus": secret}),
        ("start_episode", {"task": [secret]}),
        ("start_episode", {"task": f"fine {secret}"}),
        ("log_step", {"episode_id": secret, "tool": "bash", "observation": secret}),
        ("log_step", {"episode_id": "none", "tool": secret, "status": secret}),
        ("recall", {"query": secret, "cursor": secret}),
        (secret, {}),
    ]
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}
    lines: list[dict[str, Any]] = [{"id": 0, "method": "initialize", "params": hello}, {"method": "notifications/initialized"}]
    lines += [{"id": n, "method": "tools/call", "params": {"name": name, "arguments": given}} for n, (name, given) in enumerate(calls, 1)]
    ran = subprocess.run(
        [sys.executable, "-m", "mcp_memory", "stdio"],
        input="".join(json.dumps({"jsonrpc": "2.0", **line}) + "\n" for line in lines) + f"not json {secret}\n",
        env=server_environment(data_dir, **LEXICAL),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert len(ran.stdout.splitlines()) > len(calls)
    assert not any(trace.decode() in ran.stderr for trace in traces(secret)[:2])
    assert leaks(data_dir) == []


def test_an_imported_file_is_redacted_on_its_way_in(data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "episodes.jsonl"
    lines = []
    for number, secret in enumerate(SECRETS):
        step = {"tool": "bash", "arguments": {"password": "swordfish-9", "env": secret}, "observation": secret}
        outcome = {"kind": "success", "summary": secret, "lessons": [secret]}
        lines.append({"external_id": f"x/{number}", "task": f"task {number} {secret}", "steps": [step], "outcome": outcome})
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = [sys.executable, "-m", "mcp_memory", "import", str(file)]
    ran = subprocess.run(command, env=server_environment(data_dir, **LEXICAL), capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert leaks(data_dir, [*SECRETS, "swordfish-9-swordfish-9"]) == []
    assert not any(b"swordfish-9" in path.read_bytes() for path in data_dir.rglob("*") if path.is_file())


@pytest.mark.anyio
async def test_what_was_redacted_is_counted_and_the_switch_turns_it_off(data_dir: Path) -> None:
    from mcp_memory.bootstrap import open_memory

    flags = {"storage.data_dir": str(data_dir), "embedding.provider": "off"}
    async with open_memory(load_config(env={}, flags=flags)) as memory:
        started = await memory.start_episode(f"Use {SECRETS[7]} and password='hunter2'", recall=False)
        assert (
            await memory.get_episode(started.episode_id)
        ).episode.task == "Use [redacted:github-token] and password='[redacted:password]'"
        counters = memory.metrics.counters()
        assert (counters["redacted"], counters["redacted.github-token"], counters["redacted.password"]) == (2, 1, 1)
    async with open_memory(load_config(env={}, flags={**flags, "server.redact": False})) as memory:
        started = await memory.start_episode(f"Use {SECRETS[7]}", recall=False)
        assert (await memory.get_episode(started.episode_id)).episode.task == f"Use {SECRETS[7]}"
    assert os.listdir(data_dir)
    assert leaks(data_dir, [SECRETS[7]])
