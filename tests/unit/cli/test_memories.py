"""Other memories, in the forms they document: every note is found again, says where it came from, and is no attempt at anything."""

from pathlib import Path
from typing import Any

import pytest

from mcp_memory import SyncMemory, open_memory_sync
from mcp_memory.cli.main import main
from mcp_memory.cli.transcripts.formats import convert, transcript_files
from mcp_memory.cli.transcripts.record import TranscriptError
from mcp_memory.config import Config
from tests.unit.cli.memory_samples import GRAPH, MEM0, NOTE, SERVICE, write, write_database, write_lines


def episodes(name: str, path: Path) -> list[dict[str, Any]]:
    found = [item for _, item in convert(name, path)]
    whole = [item for item in found if not isinstance(item, TranscriptError)]
    assert whole == found
    return whole


def test_what_mem0_returns_is_a_note_a_memory(tmp_path: Path) -> None:
    first, second = episodes("mem0", write(tmp_path / "all.json", MEM0))
    assert first["task"] == "Prefers pytest over unittest"
    assert first["agent"] == "mem0"
    assert first["context"]["tags"] == ["preferences"]
    assert first["started_at_ms"] == 1772384400123
    assert first["metadata"] == {
        "note_from": "mem0", "outcome_inferred": "it is a note, no attempt", "project": "parser", "user_id": "ana",
    }  # fmt: skip
    assert first["outcome"] == {"kind": "partial", "summary": "A note from mem0, no attempt.", "lessons": []}
    assert "started_at_ms" not in second
    assert episodes("mem0", write(tmp_path / "bare.json", MEM0["results"])) == [first, second]


def test_an_entity_of_a_knowledge_graph_is_a_note_with_its_observations_and_relations(tmp_path: Path) -> None:
    module, person, job = episodes("server-memory", write_lines(tmp_path / "memory.jsonl", GRAPH))
    assert module["task"] == "date_parser (module): accepts ISO weeks; lives in dates.py"
    assert module["outcome"]["lessons"] == ["accepts ISO weeks", "lives in dates.py"]
    assert module["context"]["tags"] == ["module"]
    assert person["task"] == "Ana (person): Ana maintains date_parser"
    assert job["task"] == "nightly_job: nightly_job depends_on date_parser", "what is related has no entity of its own"


@pytest.mark.parametrize("later", [False, True])
def test_a_database_and_an_export_of_mcp_memory_service_say_the_same(tmp_path: Path, later: bool) -> None:
    (exported,) = episodes("mcp-memory-service", write(tmp_path / "export.json", SERVICE))
    (stored,) = episodes("mcp-memory-service", write_database(tmp_path / "sqlite_vec.db", later=later))
    same = ("task", "outcome", "agent", "context", "started_at_ms", "ended_at_ms")
    assert {name: exported[name] for name in same} == {name: stored[name] for name in same}
    assert (exported["started_at_ms"], exported["ended_at_ms"]) == (1767225600500, 1767312000000)
    assert stored["metadata"]["memory_type"] == "decision"
    assert stored["metadata"]["agent_id"] == "coder"


def test_a_note_of_basic_memory_keeps_observations_relations_and_prose(tmp_path: Path) -> None:
    (note,) = episodes("basic-memory", write(tmp_path / "coffee.md", NOTE))
    assert note["outcome"]["lessons"][:4] == [
        "method: Pour over gives more clarity than a French press",
        "technique: Water at 205 °F extracts best #temperature (measured twice)",
        "requires Proper Grinding Technique",
        "relates_to Tea Brewing Methods",
    ]
    assert "How we brew in the office." in note["outcome"]["lessons"]
    assert note["context"]["tags"] == ["coffee", "brewing", "temperature"]
    assert note["metadata"]["permalink"] == "coffee-brewing-methods"
    assert note["started_at_ms"] == 1770105600000
    assert "- [code] is no observation" in note["task"]
    assert "code: is no observation" not in note["outcome"]["lessons"]


def test_a_file_without_front_matter_is_a_note_named_by_its_file(tmp_path: Path) -> None:
    (note,) = episodes("basic-memory", write(tmp_path / "Week numbers.md", "A year may have 53 weeks.\n\nISO counts from Monday."))
    assert note["metadata"]["title"] == "Week numbers"
    assert note["outcome"]["lessons"] == ["A year may have 53 weeks.", "ISO counts from Monday."]


def test_a_folder_of_notes_is_read_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    paths = [write(tmp_path / "a.md", NOTE), write(tmp_path / "deep" / "b.md", "B")]
    write(tmp_path / "picture.txt", "no note")
    assert transcript_files("basic-memory", tmp_path) == paths


def test_more_facts_than_an_episode_has_room_for_are_several_episodes_and_none_is_lost(tmp_path: Path) -> None:
    entity = {"type": "entity", "name": "log", "entityType": "list", "observations": [f"line {n}" for n in range(250)]}
    found = episodes("server-memory", write_lines(tmp_path / "memory.jsonl", [entity]))
    assert [fact for note in found for fact in note["outcome"]["lessons"]] == entity["observations"]
    assert len({note["external_id"] for note in found}) == 3


@pytest.mark.parametrize(
    ("name", "file", "content", "reason"),
    [
        ("mem0", "a.json", "{", "not JSON"),
        ("mem0", "a.json", '{"results": {}}', "`results` should be list"),
        ("mem0", "a.json", '{"results": [{"id": "1"}]}', "`memory` should be str"),
        ("server-memory", "m.jsonl", '{"type": "entity"}\n', "`name` should be str"),
        ("server-memory", "m.jsonl", '{"type": "thing"}\n', "an entity or a relation, not 'thing'"),
        ("mcp-memory-service", "e.json", '{"memories": [{"content": 1}]}', "`content` should be str"),
        ("mcp-memory-service", "e.json", "[]", "the export should be dict"),
        ("mcp-memory-service", "e.db", "SQLite format 3\x00 and nothing more", ""),
        ("basic-memory", "n.md", "---\ntitle: [\n---\nx", "front matter is not YAML"),
    ],
)
def test_what_is_not_of_the_form_is_reported(tmp_path: Path, name: str, file: str, content: str, reason: str) -> None:
    ((_, problem),) = convert(name, write(tmp_path / file, content))
    assert isinstance(problem, TranscriptError)
    assert reason in str(problem)


def run(config: Config, *argv: str) -> int:
    return main([*argv, "--data-dir", str(config.data_dir)])


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCP_MEMORY_EMBEDDING__PROVIDER", "off")


def files(folder: Path) -> dict[str, Path]:
    return {
        "mem0": write(folder / "all.json", MEM0),
        "server-memory": write_lines(folder / "memory.jsonl", GRAPH),
        "mcp-memory-service": write_database(folder / "sqlite_vec.db", later=True),
        "basic-memory": write(folder / "coffee.md", NOTE),
    }


def recalled(memory: SyncMemory, query: str) -> list[tuple[str, str]]:
    return [(e.task, e.summary) for e in memory.recall(query, project="*").episodes]


@pytest.mark.usefixtures("no_model")
def test_notes_are_recalled_with_where_they_came_from_and_added_once(
    config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, path in files(tmp_path).items():
        assert run(config, "import", "--from", name, str(path)) == 0
        capsys.readouterr()
        assert run(config, "import", "--from", name, str(path)) == 0
        assert capsys.readouterr().out.startswith("0 episodes added")
    with open_memory_sync(config) as memory:
        assert recalled(memory, "who maintains the date parser")[0][0].startswith(("Ana", "date_parser"))
        found = {summary for _, summary in recalled(memory, "clear the CI cache after the lock file changed")}
        assert {"A note from mem0, no attempt.", "A note from mcp-memory-service, no attempt."} <= found
        assert memory.recall("pour over or French press", project="*").episodes[0].lessons[0].startswith("method: Pour over")


@pytest.mark.usefixtures("no_model")
def test_everything_from_one_memory_can_be_quarantined(config: Config, tmp_path: Path) -> None:
    for name, path in files(tmp_path).items():
        run(config, "import", "--from", name, str(path))
    with open_memory_sync(config) as memory:
        memory.quarantine("mem0")
        found = {summary for _, summary in recalled(memory, "CI cache lock file")}
        assert found == {"A note from mcp-memory-service, no attempt."}


@pytest.mark.usefixtures("no_model")
def test_secrets_in_notes_are_replaced(config: Config, tmp_path: Path) -> None:
    key = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD"
    run(config, "import", "--from", "mem0", str(write(tmp_path / "a.json", [{"id": "1", "memory": f"the key is {key}"}])))
    with open_memory_sync(config) as memory:
        assert key not in "".join(memory.export_lines())


@pytest.mark.usefixtures("no_model")
def test_a_note_counts_in_no_outlook_and_makes_no_pattern(config: Config, tmp_path: Path) -> None:
    task = "Clear the CI cache after a change of the lock file"
    with open_memory_sync(config) as memory:
        for _ in range(2):
            memory.complete_episode(task=task, outcome="success", steps=[{"tool": "shell"}])
        before = memory.recall(task).outlook
        patterns = memory.search_patterns().total
    path = write(tmp_path / "a.json", [{"id": str(n), "memory": f"{task}, {n}"} for n in range(5)])
    run(config, "import", "--from", "mem0", str(path), "--project", "default")
    with open_memory_sync(config) as memory:
        answer = memory.recall(task)
        assert len(answer.episodes) > 2, "the notes are among what is recalled"
        assert answer.outlook == before
        assert memory.search_patterns().total == patterns
