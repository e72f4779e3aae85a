"""Fixtures of the embedding's tests."""

import pytest

from mcp_memory.embedding import loading


@pytest.fixture(autouse=True)
def no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the extra `multilingual` not be installed, whatever this machine has."""
    monkeypatch.setattr(loading, "find_spec", lambda name: None)
