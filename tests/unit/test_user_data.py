"""The default data directory: absolute, or a clear error before anything is made."""

import os
import sys
from pathlib import Path

import pytest

from mcp_memory.cli.main import main
from mcp_memory.errors import ConfigError
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
