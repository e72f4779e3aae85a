"""A team key: the log's server reads nothing of what is in the facts; who lacks the key is told so, and loses nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.cli.main import main
from mcp_memory.domain.shared_facts import Fact, FactKind
from mcp_memory.errors import ConfigError, RemoteRefused
from mcp_memory.memory import EpisodicMemory
from mcp_memory.ports import Batch, LogMark
from mcp_memory.replication.sealed_log import SealedLog
from mcp_memory.replication.team_key import TeamKeys, new_key
from mcp_memory.testing import InMemoryLog
from tests.integration.machines import Machine, attempt, settings, until

pytestmark = pytest.mark.anyio
KEY, OTHER = new_key(), new_key()
FACT = Fact("e1/edit/tags", "shop", FactKind.EDIT, 5, "a", b"\x01the zebrafish of the customer")


async def tasks(memory: EpisodicMemory) -> set[str]:
    return {row.episode_id for row in (await memory.search_episodes()).episodes}


async def test_machines_with_the_key_share_and_nothing_told_is_in_the_log(machine: Machine, log: InMemoryLog) -> None:
    a, b = await machine("a", MCP_MEMORY_TEAM_KEY=KEY), await machine("b", MCP_MEMORY_TEAM_KEY=KEY)
    told = await attempt(a, task="call the zebrafish service of the customer")
    await a.update_episode(episode_id=told, add_tags=["zebrafish-tag"])

    async def there() -> bool:
        return told in await tasks(b) and "zebrafish-tag" in (await b.get_episode(episode_id=told)).tags

    await until(there)
    facts = log.image().facts
    assert len(facts) >= 2
    for word in (b"zebrafish", b"pytest", b"dateutil", b"src/dates.py"):
        assert [fact.id for fact in facts if word in fact.body] == []
    await a.forget(episode_ids=[told], reason="the zebrafish again", confirm=True)

    async def gone() -> bool:
        return told not in await tasks(b)

    await until(gone)


async def test_who_lacks_the_key_is_told_so_and_reads_all_once_it_is_there(machine: Machine, tmp_path: Path, log: InMemoryLog) -> None:
    a = await machine("a", MCP_MEMORY_TEAM_KEY=KEY)
    told = await attempt(a)
    for key, said in (("", "there is none here"), (OTHER, "and ours are")):
        async with open_memory(settings(tmp_path / "b", **({"MCP_MEMORY_TEAM_KEY": key} if key else {})), lambda remote: log) as b:

            async def refused(b: EpisodicMemory = b, said: str = said) -> bool:
                status = await b.memory_status()
                return status.replication.state == "refused" and said in (status.replication.last_error or "")

            await until(refused)
            assert told not in await tasks(b)
            assert any("refused" in text for text in (await b.memory_status()).degraded)
    b = await machine("b", MCP_MEMORY_TEAM_KEY=KEY)

    async def there() -> bool:
        return told in await tasks(b)

    await until(there)

    async def well() -> bool:
        return not (await b.memory_status()).replication.last_error

    await until(well)


async def test_what_was_told_before_there_was_a_key_and_by_an_earlier_key_is_read(
    machine: Machine, tmp_path: Path, log: InMemoryLog
) -> None:
    told = []
    for key in ("", OTHER, f"{KEY},{OTHER}"):
        async with open_memory(settings(tmp_path / "a", **({"MCP_MEMORY_TEAM_KEY": key} if key else {})), lambda remote: log) as a:
            told.append(await attempt(a))
            await a.sync()
    b = await machine("b", MCP_MEMORY_TEAM_KEY=f"{KEY},{OTHER}")

    async def there() -> bool:
        return set(told) <= await tasks(b)

    await until(there)


def test_a_body_that_was_changed_or_moved_is_refused() -> None:
    keys = TeamKeys(KEY)
    sealed = keys.seal(FACT)
    assert keys.open(sealed) == FACT
    assert keys.seal(sealed) is sealed
    assert FACT.body[1:] not in sealed.body
    for wrong in (
        replace(sealed, body=sealed.body[:-1] + bytes([sealed.body[-1] ^ 1])),
        replace(sealed, id="e2/edit/tags"),
        replace(sealed, project="other"),
    ):
        with pytest.raises(RemoteRefused, match="was changed"):
            keys.open(wrong)


def test_what_cannot_be_opened_moves_no_place_in_the_log(log: InMemoryLog) -> None:
    SealedLog(log, TeamKeys(KEY)).append(Batch("a", 1, (FACT,)))
    for keys in (None, TeamKeys(OTHER)):
        with pytest.raises(RemoteRefused):
            SealedLog(log, keys).read(LogMark(), "b", (), 10)
    assert SealedLog(log, TeamKeys(KEY)).read(LogMark(), "b", (), 10).facts[0].body == FACT.body


@pytest.mark.parametrize("key", ["short", "%%%", KEY[:-4], f"{KEY},"], ids=["short", "no letters", "cut", "with a comma"])
def test_what_is_no_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        TeamKeys(key)
    assert key.split(",")[0] not in f"{refused.value}{refused.value.hint}"


def test_a_new_key_is_made_by_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["remote", "new-key"]) == 0
    keys = TeamKeys(capsys.readouterr().out.strip())
    assert keys.open(keys.seal(FACT)) == FACT
