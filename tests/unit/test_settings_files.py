"""A settings file: one to begin with, one looked over, one written for the plan; a typing error is told with what was meant."""

from pathlib import Path

import pytest

from mcp_memory.cli.main import main
from mcp_memory.config import settings, template
from mcp_memory.config_sources import load_config
from mcp_memory.errors import ConfigError

PLAN = """
[step_logging]
buffer_size = 20
flush_interval_ms = 100
[memory_retrieval]
cache_size = 5000
dense_weight = 0.6
[embeddings]
batch_size = 64
[storage]
busy_timeout_ms = 50
"""


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_file_to_begin_with_loads_and_names_every_setting(tmp_path: Path) -> None:
    bare = load_config(env={})
    assert load_config(env={}, file=written(tmp_path, template())) == bare
    uncommented = "\n".join(line.removeprefix("# ") if " = " in line else line for line in template().splitlines())
    loaded = load_config(env={}, file=written(tmp_path, uncommented))
    assert [(name, value) for name, value, _ in settings(loaded)] == [(name, value) for name, value, _ in settings(bare)]


def test_a_file_written_for_the_plan_loads_with_notes(tmp_path: Path) -> None:
    config = load_config(env={}, file=written(tmp_path, PLAN))
    assert (config.storage.max_batch_size, config.retrieval.query_cache_entries, config.embedding.batch_size) == (20, 5000, 64)
    assert (config.retrieval.dense_weight, config.storage.busy_timeout_ms) == (0.6, 50)
    assert "[step_logging] buffer_size is storage.max_batch_size here" in config.notes
    assert any(note.startswith("[step_logging] flush_interval_ms has no counterpart") for note in config.notes)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("[storage]\nbusy_timout_ms = 5\n", "Did you mean storage.busy_timeout_ms?"),
        ("[storage]\nport = 5\n", "Did you mean server.port?"),
        ("[storge]\n", "Did you mean [storage]?"),
    ],
)
def test_a_typing_error_is_told_with_what_was_meant(tmp_path: Path, text: str, meant: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(env={}, file=written(tmp_path, text))
    assert meant in error.value.line()


def test_the_command_writes_a_file_once_and_looks_one_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.toml"
    assert main(["config", "init", str(file)]) == 0
    assert main(["config", "init", str(file)]) == 1
    assert file.read_text(encoding="utf-8") == template()
    capsys.readouterr()
    assert main(["config", "check", str(written(tmp_path, PLAN))]) == 0
    said = capsys.readouterr().out
    assert "fine, 5 settings" in said
    assert "note: [step_logging] flush_interval_ms has no counterpart" in said
    assert main(["config", "check", str(written(tmp_path, "[server]\ncolour = 1\n"))]) == 1
