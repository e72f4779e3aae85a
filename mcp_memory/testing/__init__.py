"""Fakes that keep the ports' contracts, for our tests and for users': no file, no thread."""

from mcp_memory.testing.in_memory_cache import InMemoryCache
from mcp_memory.testing.in_memory_log import InMemoryLog
from mcp_memory.testing.in_memory_store import InMemoryStore

__all__ = ["InMemoryCache", "InMemoryLog", "InMemoryStore"]
