"""The default data directory: absolute, or a clear error before anything is made."""

import os
import sys
from pathlib import Path

import pytest

from mcp_memory.cli.main import main
from mcp_memory.errors import ConfigError
from mcp_memory.hooks.settings import quick_settings
from mcp_memory.user_data import user_data_dir

pytestmark = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the XDG directories")


def test_a_relative_data_home_does_not_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "data")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_data_dir() == str(tmp_path / ".local" / "share" / "mcp-memory")


def test_without_a_home_the_error_says_what_to_do_and_nothing_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # no HOME, and no passwd entry
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="no home directory"):
        user_data_dir()
    assert main(["stats"]) == 1
    assert "--data-dir" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("variable", ["MCP_MEMORY_DATA_DIR", "MCP_MEMORY_STORAGE__DATA_DIR"])
def test_the_home_of_nobody_is_refused_and_makes_no_folder(
    variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, "~nobody-by-this-name/memory")
    monkeypatch.chdir(tmp_path)
    assert main(["stats"]) == 1
    assert "Write the path in full" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="no home directory for '~nobody-by-this-name/memory'"):
        quick_settings({"MCP_MEMORY_DATA_DIR": "~nobody-by-this-name/memory"}, {})
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_home_of_nobody_is_refused_by_every_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (
        ["backup", "~nobody-by-this-name/b"],
        ["restore", "~nobody-by-this-name/b"],
        ["token", "~nobody-by-this-name/t"],
    ):
        assert main(command) == 1, command
        assert "Write the path in full" in capsys.readouterr().err, command
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith("~")]
