"""The one place where facts become sentences: the same words for the same thing in a tool's answer, a hook, a page, on the command line."""

from mcp_memory.phrases.reflection import sentence as sentence
