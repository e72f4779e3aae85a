"""The hook command under its earlier name."""

from mcp_memory.hooks.client import main as main
