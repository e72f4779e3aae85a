"""Fixtures of the embedding's tests."""

import pytest

from mcp_memory.embedding import service


@pytest.fixture(autouse=True)
def no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the extra `multilingual` not be installed, whatever this machine has."""
    monkeypatch.setattr(service, "find_spec", lambda name: None)
