"""Settings files and names that are none, by whatever reason a library gives."""

import pytest

from mcp_memory.cli.install import toml_text
from mcp_memory.config_sources import load_config
from mcp_memory.errors import InvalidInput


@pytest.mark.parametrize("text", ['[a]\nx = "1"\n[a.x]\ny = 1\n', '[m]\nc = "x"\nvers.other = 1\nc = "y"\n', "a = \n"])
def test_a_file_that_is_no_toml_is_said_and_left_alone(text: str) -> None:
    with pytest.raises(InvalidInput, match="not valid TOML"):
        toml_text.put(text, "mcp_servers", "memory", {"command": "x"})


def test_a_data_directory_of_a_name_too_long_ends_in_no_traceback() -> None:
    assert load_config(env={"MCP_MEMORY_DATA_DIR": "/tmp/" + "a" * 20_000}).remotes == ()


def test_a_file_that_a_hosts_reader_would_not_take_is_left_as_it_is() -> None:
    with pytest.raises(InvalidInput, match=r"not valid TOML.*line 2"):
        toml_text.put("[[list]]\na = 1\x0b", "mcp_servers", "memory", {"command": "x"})
