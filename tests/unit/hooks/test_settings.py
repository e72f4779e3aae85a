"""The settings that hooks read by themselves are those of the settings' own machinery."""

import pytest

from mcp_memory.config_sources import load_config
from mcp_memory.hooks.settings import quick_settings


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"MCP_MEMORY_DATA_DIR": "/data", "MCP_MEMORY_PORT": "9000", "MCP_MEMORY_HOST": "localhost", "MCP_MEMORY_TOKEN": "t"},
        {"MCP_MEMORY_DATA_DIR": "~/memory", "CLAUDE_PROJECT_DIR": "/home/ana/my.shop/"},
        {"MCP_MEMORY_DATA_DIR": "relative", "CLAUDE_PROJECT_DIR": "/home/ana/shop", "MCP_MEMORY_PROJECT": "other"},
        {"CLAUDE_PROJECT_DIR": "/"},
    ],
)
@pytest.mark.parametrize("options", [{}, {"--data-dir": "/elsewhere", "--project": "named"}])
def test_the_quick_settings_are_those_of_the_settings_machinery(env: dict[str, str], options: dict[str, str]) -> None:
    flags = {"storage.data_dir": options.get("--data-dir"), "server.project": options.get("--project")}
    settings, config = quick_settings(env, options), load_config(env=env, flags=flags)
    assert settings
    assert (settings.data_dir, settings.project) == (str(config.data_dir), config.server.project)
    if settings.named:
        assert (settings.named.host, settings.named.port, settings.named.token) == (
            config.server.host,
            config.server.port,
            config.server.token,
        )


@pytest.mark.parametrize("name", ["MCP_MEMORY_CONFIG", "MCP_MEMORY_SERVER__PORT", "MCP_MEMORY_TYPO"])
def test_other_settings_are_left_to_the_settings_machinery(name: str) -> None:
    assert quick_settings({name: "1"}, {}) is None
    assert quick_settings({"MCP_MEMORY_PORT": "many"}, {}) is None


def test_a_server_is_asked_only_where_the_settings_name_one() -> None:
    assert quick_settings({}, {}).named is None  # type: ignore[union-attr]
    assert quick_settings({"MCP_MEMORY_PORT": "9000"}, {}).named  # type: ignore[union-attr]
