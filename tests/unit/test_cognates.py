"""A request in another European language finds an episode in English by the words that both share but for their ends."""

import pytest

from mcp_memory.memory import EpisodicMemory

pytestmark = pytest.mark.anyio
OTHERS = (
    "Book a table for the dinner of the team",
    "Rename the worker threads of the scheduler",
    "Draw a chart of the temperature in May",
    "Answer the customer about the missing parcel",
)


@pytest.mark.parametrize(
    ("task", "request_"),
    [
        ("The documentation of the configuration parameters is wrong", "Die Dokumentation der Konfigurationsparameter ist nicht richtig"),
        ("Negative exponents should give complex infinity", "Según el manual debería dar un infinito complejo con exponentes negativos"),
        ("The validation of the parameters is missing", "Il manque la vérification : aucune validité des paramètres"),
    ],
)
async def test_words_that_differ_in_their_ends_meet(memory: EpisodicMemory, task: str, request_: str) -> None:
    for other in (*OTHERS[:2], task, *OTHERS[2:]):
        await memory.complete_episode(task=other, outcome="failure" if other == task else "success")
    found = await memory.recall(request_)
    assert found.episodes[0].task == task


async def test_a_request_in_english_asks_for_whole_words(memory: EpisodicMemory) -> None:
    await memory.complete_episode(task="The documentary about whales is to be cut", outcome="success")
    assert (await memory.recall("How do I write documentation for the parser of dates?")).episodes == ()


async def test_a_log_is_no_other_language(memory: EpisodicMemory) -> None:
    await memory.complete_episode(task="The documentary about whales is to be cut", outcome="success")
    log = "ERROR builder.py:17 DocumentationError target=html chapter=parser line=12 code=2 worker=7 retry=0 state=broken"
    assert (await memory.recall(log)).episodes == ()
