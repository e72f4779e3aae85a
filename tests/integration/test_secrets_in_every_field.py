"""A secret in whatever field a request has is in no table, in no byte of any file and in no export."""

import json
import random
import sqlite3
import string
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.config import Config
from mcp_memory.domain import requests
from mcp_memory.domain.requests.base import Many, One, fields_of
from mcp_memory.domain.requests.kinds import Choice, Kind, Object, Text, Texts
from mcp_memory.errors import McpMemoryError
from mcp_memory.memory import EpisodicMemory

_random = random.Random(20_261_129)
WRITES = (
    requests.StartEpisode,
    requests.PrepareEpisode,
    requests.LogStep,
    requests.LogSteps,
    requests.CompleteEpisode,
    requests.UpdateEpisode,
    requests.LinkEpisodes,
    requests.CheckpointEpisode,
    requests.GiveFeedback,
    requests.Correct,
    requests.Forget,
)


def secret() -> str:
    return "ghp_" + "".join(_random.choices(string.ascii_letters + string.digits, k=36))


def poisoned(record: type[requests.Request]) -> Iterator[tuple[str, Any, list[str]]]:
    """Yield (field, value, secrets in it) for every field of *record* that can hold text, of the records in it too."""
    for name, field in fields_of(record).items():
        for value, secrets in values(field.kind):
            yield name, value, secrets


def values(kind: Kind) -> Iterator[tuple[Any, list[str]]]:
    if isinstance(kind, Text):
        text = secret()
        yield f"x {text}" if kind.max_chars > 200 else text, [text]
    elif isinstance(kind, Texts) and not isinstance(kind.of, Choice):
        text = secret()
        yield [text], [text]
    elif isinstance(kind, Object):
        key, value = secret(), secret()
        yield {"a": [{"b": value}], key: 1}, [key, value]
    elif isinstance(kind, Many | One):
        for name, value, secrets in poisoned(kind.of):
            inner = needed(kind.of) | {name: value}
            yield [inner] if isinstance(kind, Many) else inner, secrets


def needed(record: type[requests.Request]) -> dict[str, Any]:
    """Return the least that *record* takes."""
    least = {"task": "t", "tool": "bash", "kind": "success", "outcome": "success", "label": "half", "text": "no", "type": "follows"}
    return {name: least[name] for name, field in fields_of(record).items() if field.is_required and name in least}


RECORDS: dict[type[requests.Request], str] = {
    requests.LinkLine: requests.RecordKind.LINK,
    requests.CheckpointLine: requests.RecordKind.CHECKPOINT,
    requests.CorrectionLine: requests.RecordKind.CORRECTION,
    requests.FeedbackLine: requests.RecordKind.FEEDBACK,
}


def record_on_fresh_episodes(form: type[requests.Request], kind: str, changed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the lines of two episodes and of one record on them."""
    a, b = (f"fresh/{_random.random()}" for _ in range(2))
    ids = {"from_id": a, "to_id": b, "episode_id": a, "target_id": a, "record_id": f"id of {a}", "recommendation_id": f"on {a}"}
    least: dict[str, Any] = {**ids, "record": kind, "type": "follows", "kind": "recall", "verdict": "helped", "shown_ids": [a]}
    given = {name: value for name, value in least.items() if name in fields_of(form)}
    return [*({"external_id": name, "task": "t", "outcome": {"kind": "success"}} for name in (a, b)), {**given, **changed}]


async def ask(memory: EpisodicMemory, record: type[requests.Request], changed: Mapping[str, Any]) -> None:
    """Ask *record* of *memory* about a fresh episode; refusals are as good as redaction."""
    first, second = [(await memory.start_episode("a task", recall=False)).episode_id for _ in range(2)]
    ids = {"episode_id": first, "from_id": first, "to_id": second, "target_id": first, "recommendation_id": "rec-1"}
    given = needed(record) | {name: ids[name] for name, field in fields_of(record).items() if name in ids}
    special: dict[Any, dict[str, Any]] = {
        requests.LogSteps: {"steps": [{"tool": "bash"}]},
        requests.Forget: {"episode_ids": [first], "confirm": True},
    }
    given |= special.get(record, {})
    if record is requests.StartEpisode:
        given.pop("episode_id")
    if record is requests.GiveFeedback:
        given["outcome"] = "hindered"
    if record is requests.Forget:
        given.pop("filter", None)
    with suppress(McpMemoryError):
        await getattr(memory, record.verb())(record.read({**given, **changed}))


def leaks(config: Config, exported: str, secrets: Mapping[str, str]) -> set[str]:
    """Return the fields whose secret is in a table, a file or the export."""
    found = {field for text, field in secrets.items() if text in exported}
    folder = Path(config.storage.data_dir)
    for file in (path for path in folder.rglob("*") if path.is_file()):
        content = file.read_bytes()
        found |= {f"{field} in {file.name}" for text, field in secrets.items() if text.encode() in content}
    for file in folder.rglob("*.db"):
        with sqlite3.connect(file) as connection:
            tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                with suppress(sqlite3.OperationalError):  # the shadow of a virtual table
                    rows = repr(connection.execute(f'SELECT * FROM "{table}"').fetchall())
                    found |= {f"{field} in {table}" for text, field in secrets.items() if text in rows}
        connection.close()
    return found


@pytest.mark.anyio
@pytest.mark.timeout(120)
async def test_a_secret_in_any_field_of_any_verb_is_stored_nowhere(config: Config) -> None:
    secrets: dict[str, str] = {}
    async with open_memory(config) as memory:
        for record in WRITES:
            for name, value, hidden in poisoned(record):
                secrets |= dict.fromkeys(hidden, f"{record.verb()}.{name}")
                await ask(memory, record, {name: value})
        for number, (name, value, hidden) in enumerate(poisoned(requests.EpisodeLine)):
            secrets |= dict.fromkeys(hidden, f"line.{name}")
            line = {"external_id": f"x/{number}", "task": "t", "outcome": {"kind": "success"}, name: value}
            await memory.import_lines([json.dumps(line)])
        for form, kind in RECORDS.items():
            assert (await memory.import_lines(map(json.dumps, record_on_fresh_episodes(form, kind, {})))).records == 1
            for name, value, hidden in poisoned(form):
                secrets |= dict.fromkeys(hidden, f"{kind}.{name}")
                await memory.import_lines(map(json.dumps, record_on_fresh_episodes(form, kind, {name: value})))
        exported = "\n".join([line async for line in memory.export_lines()])
        assert len(secrets) > 60
        assert "[redacted:github-token]" in exported
        assert leaks(config, exported, secrets) == set()
    assert leaks(config, exported, secrets) == set()


@pytest.mark.anyio
async def test_an_external_id_that_holds_a_secret_is_known_again(config: Config) -> None:
    line = json.dumps({"external_id": secret(), "task": "t", "outcome": {"kind": "success"}})
    async with open_memory(config) as memory:
        assert (await memory.import_lines([line])).added == 1
        assert (await memory.import_lines([line])).skipped == 1
