"""What frameworks leave behind, cleaned up."""

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture
def thread_loop() -> Iterator[None]:
    """Give the thread an event loop of its own: the frameworks' `run_sync` takes it, or makes one, and leaves it open."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()
