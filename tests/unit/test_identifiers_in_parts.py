"""An identifier written with capitals is found by the words it is put together from, in the task and in the steps, and whole as before."""

import pytest

from mcp_memory.domain.identifiers import parts_beside
from mcp_memory.memory import EpisodicMemory
from tests.unit.attempts import attempt

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("asked", ["tide", "whose checksum is wrong", "a null pointer", "tideTable", "sftp"])
async def test_the_parts_of_an_identifier_find_its_episode(memory: EpisodicMemory, asked: str) -> None:
    step = {"tool": "downloadChecksum", "arguments": {"by": "SFTPClient"}, "observation": "", "error": "NullPointerException: no file"}
    await attempt(memory, "Wire up tideTable for harbours", "success", step)
    await attempt(memory, "Paint the garden shed", "success", {"tool": "paint", "arguments": {}, "observation": "green"})
    found = await memory.search_episodes(asked)
    assert [e.task for e in found.episodes] == ["Wire up tideTable for harbours"]


def test_a_text_in_ascii_is_parted_as_any_other_is() -> None:
    text = "".join(map(chr, range(128))) + "tideTable2SFTPClient_getURL downloadJar;jar"
    assert parts_beside(text) == parts_beside(f"{text} é") == "tide table sftp client get url download"
